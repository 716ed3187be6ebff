"""How payload bytes become columns and back: JSON, CSV, raw."""
