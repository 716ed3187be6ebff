"""Applications: notebooks (INTERACTIVE), and code of notes that runs apart (STREAMING)."""

from eddyline.service.applications.applications import Applications

__all__ = ["Applications"]
