"""The web interface, one file per page."""
