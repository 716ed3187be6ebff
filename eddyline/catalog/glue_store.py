"""What the Glue catalog keeps beside the tables themselves: versions, partitions, functions.

The tables are those of ``Catalog``, in the same file. This module remembers each table's Glue
description with the definition that it belongs to, so that a table that SQL changed or dropped
since is described again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eddyline.clock import SYSTEM, Clock
from eddyline.schema_version import upgrade

Document = dict[str, Any]
BUSY_S = 60.0
_TABLES = """
CREATE TABLE glue_databases (
  name TEXT PRIMARY KEY, input TEXT NOT NULL, created_ms INTEGER NOT NULL
);
CREATE TABLE glue_tables (
  database TEXT NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL, definition TEXT NOT NULL,
  version INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  PRIMARY KEY (database, name)
);
CREATE TABLE glue_versions (
  database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, input TEXT NOT NULL,
  updated_ms INTEGER NOT NULL, PRIMARY KEY (database, name, version)
);
CREATE TABLE glue_items (
  kind TEXT NOT NULL, database TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
  input TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, database, owner, name)
)
"""


@dataclass(frozen=True, slots=True)
class GlueRow:
    """A table's description. ``definition``: the catalog's text that it belongs to."""

    input: Document
    definition: str
    version: int
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class GlueItem:
    """A partition, function or connection. ``name`` is its key within its owner."""

    name: str
    database: str
    input: Document
    created_ms: int
    updated_ms: int


class GlueStore:
    """The tables ``glue_*`` of ``meta.db``; any process may open it."""

    def __init__(self, path: Path, clock: Clock = SYSTEM) -> None:
        self._path = path
        self._clock = clock
        with self._write() as db:
            upgrade(db, "glue", (_TABLES,))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        finally:
            db.close()

    def _read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self._path, timeout=BUSY_S)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    # databases

    def database(self, name: str) -> tuple[Document, int] | None:
        """A database's description and its time; None for one that SQL made."""
        rows = self._read("SELECT input, created_ms FROM glue_databases WHERE name=?", (name,))
        return (json.loads(rows[0][0]), int(rows[0][1])) if rows else None

    def keep_database(self, name: str, given: Document) -> None:
        """Keep a database's description; its time stays."""
        with self._write() as db:
            db.execute(
                "INSERT INTO glue_databases VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET input=excluded.input",
                (name, json.dumps(given), self._clock.now_ms()),
            )

    def forget_database(self, name: str) -> None:
        """Forget a database with all that was kept of its tables."""
        with self._write() as db:
            db.execute("DELETE FROM glue_databases WHERE name=?", (name,))
            for table in ("glue_tables", "glue_versions", "glue_items"):
                db.execute(f"DELETE FROM {table} WHERE database=?", (name,))

    # tables

    def table(self, database: str, name: str) -> GlueRow | None:
        """What is kept of a table."""
        rows = self._read(
            "SELECT input, definition, version, created_ms, updated_ms FROM glue_tables"
            " WHERE database=? AND name=?",
            (database, name),
        )
        if not rows:
            return None
        text, definition, version, created_ms, updated_ms = rows[0]
        return GlueRow(json.loads(text), definition, int(version), int(created_ms), int(updated_ms))

    def keep_table(
        self, database: str, name: str, given: Document, definition: str, *, archive: bool
    ) -> None:
        """Keep a table's description as its newest version; ``archive``: keep the one before."""
        now_ms, text = self._clock.now_ms(), json.dumps(given)
        with self._write() as db:
            row = db.execute(
                "SELECT input, version, updated_ms, created_ms FROM glue_tables"
                " WHERE database=? AND name=?",
                (database, name),
            ).fetchone()
            version = 0 if row is None else int(row[1]) + 1
            if row is not None and archive:
                old = (database, name, int(row[1]), row[0], row[2])
                db.execute("INSERT OR REPLACE INTO glue_versions VALUES (?, ?, ?, ?, ?)", old)
            values = (database, name, text, definition, version, row[3] if row else now_ms, now_ms)
            db.execute("INSERT OR REPLACE INTO glue_tables VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def forget_table(self, database: str, name: str) -> None:
        """Forget a table with its versions, partitions and tags."""
        with self._write() as db:
            for table in ("glue_tables", "glue_versions"):
                db.execute(f"DELETE FROM {table} WHERE database=? AND name=?", (database, name))
            db.execute(
                "DELETE FROM glue_items WHERE kind='partition' AND database=? AND owner=?",
                (database, name),
            )
            db.execute(
                "DELETE FROM glue_items WHERE kind='tags' AND name=lower(?)",
                (f"table/{database}/{name}",),
            )

    def versions(self, database: str, name: str) -> list[GlueRow]:
        """The older versions of a table, newest first."""
        rows = self._read(
            "SELECT input, version, updated_ms FROM glue_versions WHERE database=? AND name=?"
            " ORDER BY version DESC",
            (database, name),
        )
        return [GlueRow(json.loads(i), "", int(v), int(u), int(u)) for i, v, u in rows]

    def forget_version(self, database: str, name: str, version: int) -> bool:
        """Forget an older version; False if there is none."""
        sql = "DELETE FROM glue_versions WHERE database=? AND name=? AND version=?"
        with self._write() as db:
            return db.execute(sql, (database, name, version)).rowcount > 0

    # partitions, functions, connections

    def items(self, kind: str, database: str | None, owner: str = "") -> list[GlueItem]:
        """All items of a kind, of one database or of all, by name."""
        rows = self._read(
            "SELECT name, database, input, created_ms, updated_ms FROM glue_items WHERE kind=?1"
            " AND (?2 IS NULL OR database=?2) AND owner=?3 ORDER BY database, name",
            (kind, database, owner),
        )
        return [GlueItem(n, d, json.loads(i), int(c), int(u)) for n, d, i, c, u in rows]

    def item(self, kind: str, database: str, owner: str, name: str) -> GlueItem | None:
        """One item."""
        matching = (i for i in self.items(kind, database, owner) if i.name == name)
        return next(matching, None)

    def add_item(self, kind: str, database: str, owner: str, name: str, given: Document) -> bool:
        """Keep a new item; False if there is one of that name."""
        now_ms = self._clock.now_ms()
        row = (kind, database, owner, name, json.dumps(given), now_ms, now_ms)
        with self._write() as db:
            sql = "INSERT OR IGNORE INTO glue_items VALUES (?, ?, ?, ?, ?, ?, ?)"
            return db.execute(sql, row).rowcount > 0

    def change_item(
        self, kind: str, database: str, owner: str, name: str, new_name: str, given: Document
    ) -> bool:
        """Change an item; False if there is none of that name."""
        key = (kind, database, owner, name)
        with self._write() as db:
            sql = "UPDATE glue_items SET name=?, input=?, updated_ms=? WHERE kind=? AND database=?"
            values = (new_name, json.dumps(given), self._clock.now_ms(), *key)
            return db.execute(sql + " AND owner=? AND name=?", values).rowcount > 0

    def remove_item(self, kind: str, database: str, owner: str, name: str) -> bool:
        """Remove an item; False if there is none of that name."""
        sql = "DELETE FROM glue_items WHERE kind=? AND database=? AND owner=? AND name=?"
        with self._write() as db:
            return db.execute(sql, (kind, database, owner, name)).rowcount > 0
