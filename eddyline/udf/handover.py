"""Where a note's kernel leaves the definition of a function for the statement that registers it."""

from __future__ import annotations

from pathlib import Path

# What CREATE FUNCTION … AS names before the key of such a definition.
FROM_KERNEL = "eddyline-kernel:"


def folder(data_dir: Path) -> Path:
    """The folder of the definitions, each ``<key>.json``."""
    return data_dir / "functions"
