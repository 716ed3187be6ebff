"""The functions of a catalog: kept in SQLite beside its tables, or temporary in one session.

Names of functions are case-insensitive, as in Flink. A temporary system function hides a
built-in one; every other function gives way to a built-in function of the same name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from eddyline.catalog.function import CatalogFunction, decode_function, encode_function
from eddyline.catalog.table import ObjectPath
from eddyline.errors import EddylineError

SCHEMA = """
CREATE TABLE IF NOT EXISTS catalog_functions (
  catalog TEXT NOT NULL, database TEXT NOT NULL, name TEXT NOT NULL,
  definition TEXT NOT NULL, PRIMARY KEY (catalog, database, name)
);
"""
# Where a system function is kept: it belongs to no database.
SYSTEM_FUNCTIONS = ("", "")
Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]


class Functions:
    """One session's view of all functions."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._temporary: dict[ObjectPath, CatalogFunction] = {}

    def create(
        self, function: CatalogFunction, if_not_exists: bool = False, or_replace: bool = False
    ) -> bool:
        """Keep a function; False if there is one already and that is allowed.

        Raises:
            EddylineError: ``already_exists``.
        """
        path = folded(function.path)
        existing = self._temporary.get(path) if function.temporary else self._kept(path)
        if existing is not None and not or_replace:
            if if_not_exists:
                return False
            name = function.path.name
            hint = f"DROP {'TEMPORARY ' * function.temporary}FUNCTION {name} first"
            raise EddylineError("already_exists", f"function {name} exists already", hint=hint)
        if function.temporary:
            self._temporary[path] = function
            return True
        row = (path.catalog, path.database, path.name, json.dumps(encode_function(function)))
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO catalog_functions VALUES (?, ?, ?, ?)", row)
        return True

    def forget_temporary(self) -> None:
        """Have no temporary functions."""
        self._temporary.clear()

    def drop(self, path: ObjectPath, if_exists: bool = False, temporary: bool = False) -> bool:
        """Remove a function; False if there was none and that is allowed.

        Raises:
            EddylineError: ``not_found``.
        """
        path = folded(path)
        if temporary:
            removed = self._temporary.pop(path, None) is not None
        else:
            removed = self._delete(path)
        if not removed and not if_exists:
            msg = f"there is no {'temporary ' * temporary}function {path.name}"
            hint = "SHOW USER FUNCTIONS lists those that can be dropped"
            if not temporary and path in self._temporary:
                hint = f"{path.name} is temporary: write DROP TEMPORARY FUNCTION {path.name}"
            raise EddylineError("not_found", msg, hint=hint)
        return removed

    def find(self, path: ObjectPath) -> CatalogFunction | None:
        """The function at ``path``; a temporary one hides a kept one."""
        path = folded(path)
        return self._temporary.get(path) or self._kept(path)

    def system(self, name: str) -> CatalogFunction | None:
        """The temporary system function of that name."""
        return self._temporary.get(ObjectPath(*SYSTEM_FUNCTIONS, name.lower()))

    def temporary(self) -> list[CatalogFunction]:
        """The session's own functions."""
        return list(self._temporary.values())

    def names(self, catalog: str, database: str) -> list[str]:
        """Functions that can be called by their bare name, in order."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name FROM catalog_functions WHERE catalog = ? AND database = ?",
                (catalog, database),
            ).fetchall()
        own = {
            p.name
            for p in self._temporary
            if (p.catalog, p.database) in (SYSTEM_FUNCTIONS, (catalog, database))
        }
        return sorted({name for (name,) in rows} | own)

    def _kept(self, path: ObjectPath) -> CatalogFunction | None:
        with self._transaction() as db:
            row = db.execute(
                "SELECT definition FROM catalog_functions "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (path.catalog, path.database, path.name),
            ).fetchone()
        return None if row is None else decode_function(path, json.loads(row[0]))

    def _delete(self, path: ObjectPath) -> bool:
        with self._transaction() as db:
            deleted = db.execute(
                "DELETE FROM catalog_functions WHERE catalog = ? AND database = ? AND name = ?",
                (path.catalog, path.database, path.name),
            )
            return deleted.rowcount > 0


def folded(path: ObjectPath) -> ObjectPath:
    """The path under which a function is kept: its name in lower case."""
    return ObjectPath(path.catalog, path.database, path.name.lower())
