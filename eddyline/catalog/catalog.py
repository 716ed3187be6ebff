"""The catalog: databases, tables and views by name, kept in SQLite so that they outlive a session.

Any process may open the file and write one short transaction (WAL, a busy timeout); no
connection stays open between calls, so nothing is held across threads or forks. Temporary
objects live in the ``Catalog`` object, which is one session's view; so do the current catalog and
database. Names are case-sensitive, as in Flink.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from eddyline.catalog.codec import decode_object, encode_object
from eddyline.catalog.function import CatalogFunction
from eddyline.catalog.functions import SCHEMA as FUNCTION_SCHEMA
from eddyline.catalog.functions import Functions
from eddyline.catalog.table import CatalogTable, CatalogView, ObjectPath
from eddyline.errors import EddylineError, nearest

DEFAULT_CATALOG = "default_catalog"
DEFAULT_DATABASE = "default_database"
CatalogObject = CatalogTable | CatalogView

_SCHEMA = """
CREATE TABLE IF NOT EXISTS catalog_databases (
  catalog TEXT NOT NULL, name TEXT NOT NULL, comment TEXT, PRIMARY KEY (catalog, name)
);
CREATE TABLE IF NOT EXISTS catalog_objects (
  catalog TEXT NOT NULL, database TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (catalog, database, name)
);
"""


class Catalog:
    """One session's view of all tables.

    ``path`` is the SQLite file (``<data_dir>/meta.db``), created if missing; None keeps all in
    memory, for one session alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._memory = None if path else sqlite3.connect(":memory:", check_same_thread=False)
        self._temporary: dict[ObjectPath, CatalogObject] = {}
        self.current_catalog = DEFAULT_CATALOG
        self.current_database = DEFAULT_DATABASE
        self.functions = Functions(self._transaction)
        with self._transaction() as db:
            db.executescript(_SCHEMA + FUNCTION_SCHEMA)
            db.execute(
                "INSERT OR IGNORE INTO catalog_databases VALUES (?, ?, NULL)",
                (DEFAULT_CATALOG, DEFAULT_DATABASE),
            )

    def session(self) -> Catalog:
        """Another session's view of the same tables: its own temporary objects and USE."""
        if self._path is None:
            msg = "a catalog in memory has one session"
            raise EddylineError("internal", msg)
        return Catalog(self._path)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = self._memory or sqlite3.connect(str(self._path), timeout=10)
        try:
            if self._memory is None:
                db.execute("PRAGMA journal_mode=WAL")
            with db:
                yield db
        finally:
            if self._memory is None:
                db.close()

    # databases

    def list_catalogs(self) -> list[str]:
        """All catalogs: there is one."""
        return [DEFAULT_CATALOG]

    def list_databases(self) -> list[str]:
        """Databases in order of name."""
        with self._transaction() as db:
            rows = db.execute("SELECT name FROM catalog_databases ORDER BY name").fetchall()
        return [r[0] for r in rows]

    def create_database(
        self, name: str, if_not_exists: bool = False, comment: str | None = None
    ) -> None:
        """A new database.

        Raises:
            EddylineError: ``already_exists``.
        """
        if name in self.list_databases():
            if if_not_exists:
                return
            msg = f"database {name} exists already"
            raise EddylineError("already_exists", msg, hint="write IF NOT EXISTS to keep it")
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO catalog_databases VALUES (?, ?, ?)",
                (DEFAULT_CATALOG, name, comment),
            )

    def drop_database(self, name: str, if_exists: bool = False, cascade: bool = False) -> None:
        """Take a database away.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is current, or not empty without
                ``cascade``.
        """
        if name not in self.list_databases():
            if if_exists:
                return
            raise self._no_database(name)
        if name == self.current_database:
            msg = f"database {name} is the current one"
            raise EddylineError("conflict", msg, hint="USE another database first")
        with self._transaction() as db:
            held = db.execute(
                "SELECT count(*) FROM catalog_objects WHERE database = ?", (name,)
            ).fetchone()[0]
            if held and not cascade:
                msg = f"database {name} is not empty ({held} tables and views)"
                raise EddylineError("conflict", msg, hint="write CASCADE to drop them too")
            db.execute("DELETE FROM catalog_objects WHERE database = ?", (name,))
            db.execute("DELETE FROM catalog_databases WHERE name = ?", (name,))

    def use_database(self, parts: tuple[str, ...]) -> None:
        """Make a database the current one.

        Raises:
            EddylineError: ``not_found``.
        """
        if len(parts) > 1:
            self.use_catalog(parts[0])
        if parts[-1] not in self.list_databases():
            raise self._no_database(parts[-1])
        self.current_database = parts[-1]

    def use_catalog(self, name: str) -> None:
        """Make a catalog the current one; there is only one.

        Raises:
            EddylineError: ``not_found``.
        """
        if name not in self.list_catalogs():
            msg = f"there is no catalog {name}"
            raise EddylineError("not_found", msg, hint=f"there is {DEFAULT_CATALOG}")
        self.current_catalog = name

    def _no_database(self, name: str) -> EddylineError:
        near = nearest(name, self.list_databases())
        hint = f"did you mean {near[0]}?" if near else f"CREATE DATABASE {name} makes it"
        return EddylineError("not_found", f"there is no database {name}", hint=hint)

    def function(self, name: str, *, system: bool) -> CatalogFunction | None:
        """The function that a bare name calls: before the built-in ones (``system``), or after."""
        if system:
            return self.functions.system(name)
        return self.functions.find(self.path_of((name,)))

    # tables and views

    def path_of(self, parts: tuple[str, ...]) -> ObjectPath:
        """``t``, ``db.t`` or ``cat.db.t`` as a whole path."""
        if len(parts) > 3:
            msg = f"{'.'.join(parts)} is no table's name"
            raise EddylineError("sql_semantic", msg, hint="catalog.database.table at most")
        whole = (self.current_catalog, self.current_database)[: 3 - len(parts)] + tuple(parts)
        return ObjectPath(*whole)

    def create_table(self, table: CatalogTable, if_not_exists: bool = False) -> bool:
        """Keep a table; False if it was there and that is allowed.

        Raises:
            EddylineError: ``already_exists``, ``not_found`` for its database.
        """
        return self._create(table, "table", if_not_exists)

    def create_view(
        self, view: CatalogView, if_not_exists: bool = False, or_replace: bool = False
    ) -> bool:
        """Keep a view; as ``create_table``."""
        if or_replace and isinstance(self._find(view.path), CatalogView):
            self._remove(view.path)
        return self._create(view, "view", if_not_exists)

    def _create(self, found: CatalogObject, kind: str, if_not_exists: bool) -> bool:
        path = found.path
        if path.catalog not in self.list_catalogs() or path.database not in self.list_databases():
            raise self._no_database(path.database)
        old = self._temporary.get(path) if found.temporary else self._kept(path)
        if old is not None:
            if if_not_exists:
                return False
            what = "table" if isinstance(old, CatalogTable) else "view"
            raise _exists(what, path)
        if found.temporary:
            self._temporary[path] = found
            return True
        row = (path.catalog, path.database, path.name, kind, json.dumps(encode_object(found)))
        try:
            with self._transaction() as db:
                db.execute("INSERT INTO catalog_objects VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:  # another process was quicker
            if not if_not_exists:
                raise _exists(kind, path) from None
            return False
        return True

    def drop_table(
        self, parts: tuple[str, ...], if_exists: bool = False, temporary: bool = False
    ) -> bool:
        """Take a table away; False if there was none and that is allowed.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is a view.
        """
        return self._drop(parts, CatalogTable, if_exists, temporary)

    def drop_view(
        self, parts: tuple[str, ...], if_exists: bool = False, temporary: bool = False
    ) -> bool:
        """Take a view away; as ``drop_table``."""
        return self._drop(parts, CatalogView, if_exists, temporary)

    def _drop(
        self, parts: tuple[str, ...], kind: type[CatalogObject], if_exists: bool, temporary: bool
    ) -> bool:
        path = self.path_of(parts)
        word, other = ("table", "view") if kind is CatalogTable else ("view", "table")
        found = self._temporary.get(path) if temporary else self._find(path)
        if found is None:
            if if_exists:
                return False
            raise self._no_object(path, word)
        if not isinstance(found, kind):
            msg = f"{path} is a {other}, not a {word}"
            raise EddylineError("conflict", msg, hint=f"DROP {other.upper()} {path.name}")
        self._remove(path)
        return True

    def _remove(self, path: ObjectPath) -> None:
        if self._temporary.pop(path, None) is not None:
            return
        with self._transaction() as db:
            db.execute(
                "DELETE FROM catalog_objects WHERE catalog = ? AND database = ? AND name = ?",
                (path.catalog, path.database, path.name),
            )

    def alter_options(
        self, parts: tuple[str, ...], set_options: dict[str, str], reset: tuple[str, ...] = ()
    ) -> None:
        """Change a table's options."""
        table = self.table(parts)
        options = {k: v for k, v in table.options.items() if k not in reset} | set_options
        self._replace(table, replace(table, options=options))

    def rename_table(self, parts: tuple[str, ...], name: str) -> None:
        """Give a table another name in its database.

        Raises:
            EddylineError: ``already_exists``.
        """
        table = self.table(parts)
        path = ObjectPath(table.path.catalog, table.path.database, name)
        if self._find(path) is not None:
            raise _exists("table", path)
        self._replace(table, replace(table, path=path))

    def _replace(self, old: CatalogTable, new: CatalogTable) -> None:
        if old.path in self._temporary:
            del self._temporary[old.path]
            self._temporary[new.path] = new
            return
        old_key = (old.path.catalog, old.path.database, old.path.name)
        with self._transaction() as db:
            db.execute(
                "UPDATE catalog_objects SET name = ?, definition = ? "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (new.path.name, json.dumps(encode_object(new)), *old_key),
            )

    def resolve(self, parts: tuple[str, ...]) -> CatalogObject:
        """The table or view of that name; temporary ones hide kept ones.

        Raises:
            EddylineError: ``not_found``, with the nearest names.
        """
        path = self.path_of(parts)
        found = self._find(path)
        if found is None:
            raise self._no_object(path, "table or view")
        return found

    def table(self, parts: tuple[str, ...]) -> CatalogTable:
        """The table of that name.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is a view.
        """
        found = self.resolve(parts)
        if isinstance(found, CatalogTable):
            return found
        raise EddylineError("conflict", f"{found.path} is a view, not a table")

    def _find(self, path: ObjectPath) -> CatalogObject | None:
        return self._temporary.get(path) or self._kept(path)

    def _kept(self, path: ObjectPath) -> CatalogObject | None:
        with self._transaction() as db:
            row = db.execute(
                "SELECT definition FROM catalog_objects "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (path.catalog, path.database, path.name),
            ).fetchone()
        return None if row is None else decode_object(path, json.loads(row[0]))

    def _no_object(self, path: ObjectPath, word: str) -> EddylineError:
        near = nearest(path.name, self.list_tables(path.database))
        hint = f"did you mean {' or '.join(near)}?" if near else "SHOW TABLES lists what there is"
        return EddylineError("not_found", f"there is no {word} {path.name}", hint=hint)

    def list_tables(self, database: str | None = None) -> list[str]:
        """Tables and views of a database in order of name, temporary ones too."""
        return self._names(database, (CatalogTable, CatalogView), ("table", "view"))

    def list_views(self, database: str | None = None) -> list[str]:
        """Views of a database in order of name."""
        return self._names(database, (CatalogView,), ("view",))

    def _names(
        self, database: str | None, kinds: tuple[type, ...], words: tuple[str, ...]
    ) -> list[str]:
        database = database or self.current_database
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name, kind FROM catalog_objects WHERE database = ?", (database,)
            ).fetchall()
        names = {name for name, kind in rows if kind in words}
        for path, found in self._temporary.items():
            if path.database == database and isinstance(found, kinds):
                names.add(path.name)
        return sorted(names)


def _exists(kind: str, path: ObjectPath) -> EddylineError:
    msg = f"{kind} {path} exists already"
    hint = f"DROP {kind.upper()} {path.name} first, or write IF NOT EXISTS to keep it"
    return EddylineError("already_exists", msg, hint=hint)
