"""Numbered versions of the tables in a SQLite file, and the steps from one to the next.

Several parts of the product keep their tables in one file (``meta.db``), so each part has a version
of its own in the table ``schema_versions``. Version 1 is what 0.1.0 wrote, which kept no number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from eddyline.errors import EddylineError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version INTEGER NOT NULL)"
)


def upgrade(db: sqlite3.Connection, part: str, steps: Sequence[str]) -> None:
    """Bring a part's tables to the newest version, inside the caller's transaction.

    steps: SQL scripts; number n leads from version n to n + 1. The first must also accept the
    tables of 0.1.0.

    Raises:
        EddylineError: ``newer_format`` for tables of a later release.
    """
    db.execute(_TABLE)
    row = db.execute("SELECT version FROM schema_versions WHERE part = ?", (part,)).fetchone()
    version = row[0] if row else 0
    if version > len(steps):
        message = f"the tables of {part} were written by a newer Eddyline (version {version})"
        raise EddylineError("newer_format", message, hint="upgrade: pip install -U eddyline")
    if version == len(steps):
        return
    for script in steps[version:]:
        for statement in script.split(";"):
            db.execute(statement)
    sql = "INSERT OR REPLACE INTO schema_versions VALUES (?, ?)"
    db.execute(sql, (part, len(steps)))
