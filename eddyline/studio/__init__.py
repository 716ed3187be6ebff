"""The web face, one file a page."""
