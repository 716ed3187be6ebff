"""Records from templates and files: tags, rates, replay."""
