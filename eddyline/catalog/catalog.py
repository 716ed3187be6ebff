"""The catalog: databases, tables and views by name, kept in SQLite so that they outlive a session.

Any process may open the file and write one short transaction (WAL, a busy timeout); no
connection stays open between calls, so nothing is held across threads or forks. Temporary
objects live in the ``Catalog`` object, which is one session's view; so do the current catalog and
database. Names are case-sensitive, as in Flink.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from eddyline.catalog.codec import decode_object, encode_object
from eddyline.catalog.databases import DEFAULT_CATALOG as DEFAULT_CATALOG
from eddyline.catalog.databases import DEFAULT_DATABASE as DEFAULT_DATABASE
from eddyline.catalog.databases import Databases
from eddyline.catalog.function import CatalogFunction
from eddyline.catalog.functions import SCHEMA as FUNCTION_SCHEMA
from eddyline.catalog.functions import Functions
from eddyline.catalog.table import CatalogTable, CatalogView, ObjectPath
from eddyline.errors import EddylineError, nearest
from eddyline.schema_version import upgrade

CatalogObject = CatalogTable | CatalogView

_SCHEMA = """
CREATE TABLE IF NOT EXISTS catalog_objects (
  catalog TEXT NOT NULL, database TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (catalog, database, name)
);
"""


class Catalog(Databases):
    """One session's view of all tables.

    ``path`` is the SQLite file (``<data_dir>/meta.db``), created if missing; None keeps all in
    memory, for one session alone.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self._temporary: dict[ObjectPath, CatalogObject] = {}
        self.functions = Functions(self._transaction)
        with self._transaction() as db:
            db.execute("BEGIN IMMEDIATE")
            upgrade(db, "catalog", (_SCHEMA + FUNCTION_SCHEMA,))

    def session(self) -> Catalog:
        """Another session's view of the same tables: its own temporary objects and USE."""
        if self._path is None:
            msg = "a catalog in memory has one session"
            raise EddylineError("internal", msg)
        return Catalog(self._path)

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
        if len(parts) == 3:
            return ObjectPath(self.catalog_named(parts[0]), *parts[1:])
        whole = (self.current_catalog, self.current_database)[: 3 - len(parts)] + tuple(parts)
        return ObjectPath(*whole)

    def create_table(
        self, table: CatalogTable, if_not_exists: bool = False, or_replace: bool = False
    ) -> bool:
        """Keep a table; False if it was there and that is allowed.

        Raises:
            EddylineError: ``already_exists``, ``not_found`` for its database.
        """
        if or_replace and isinstance(self._find(table.path), CatalogTable):
            self._remove(table.path)
        return self._create(table, "table", if_not_exists)

    def create_view(
        self, view: CatalogView, if_not_exists: bool = False, or_replace: bool = False
    ) -> bool:
        """Keep a view; as ``create_table``."""
        if or_replace and isinstance(self._find(view.path), CatalogView):
            self._remove(view.path)
        return self._create(view, "view", if_not_exists)

    def _create(self, item: CatalogObject, kind: str, if_not_exists: bool) -> bool:
        path = item.path
        if path.database not in self.list_databases(path.catalog):
            raise self._no_database(path.database)
        old = self._temporary.get(path) if item.temporary else self._kept(path)
        if old is not None:
            if if_not_exists:
                return False
            what = "table" if isinstance(old, CatalogTable) else "view"
            raise _exists(what, path)
        if item.temporary:
            self._temporary[path] = item
            return True
        row = (path.catalog, path.database, path.name, kind, json.dumps(encode_object(item)))
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
        item = self._temporary.get(path) if temporary else self._find(path)
        if item is None:
            if if_exists:
                return False
            raise self._no_object(path, word)
        if not isinstance(item, kind):
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

    def alter_table(self, table: CatalogTable) -> None:
        """Put another definition of a table in the place of the one of its path.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is a view.
        """
        path = table.path
        self._replace(self.table((path.catalog, path.database, path.name)), table)

    def alter_view(self, view: CatalogView) -> None:
        """Put another query of a view in the place of the one of its path."""
        path = view.path
        self._replace(self.view((path.catalog, path.database, path.name)), view)

    def rename_table(self, parts: tuple[str, ...], name: str) -> None:
        """Give a table another name in its database.

        Raises:
            EddylineError: ``not_found``, ``already_exists``.
        """
        self._rename(self.table(parts), name)

    def rename_view(self, parts: tuple[str, ...], name: str) -> None:
        """Give a view another name in its database; as ``rename_table``."""
        self._rename(self.view(parts), name)

    def _rename(self, old: CatalogObject, name: str) -> None:
        path = ObjectPath(old.path.catalog, old.path.database, name)
        if self._find(path) is not None:
            raise _exists("table", path)
        self._replace(old, replace(old, path=path))

    def _replace(self, old: CatalogObject, new: CatalogObject) -> None:
        if old.path in self._temporary:
            del self._temporary[old.path]
            self._temporary[new.path] = replace(new, temporary=True)
            return
        old_key = (old.path.catalog, old.path.database, old.path.name)
        with self._transaction() as db:
            db.execute(
                "UPDATE catalog_objects SET name = ?, definition = ? "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (new.path.name, json.dumps(encode_object(new)), *old_key),
            )

    def stored_definition(self, path: ObjectPath) -> str | None:
        """The text that is kept for a table or view; None for a temporary one."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT definition FROM catalog_objects "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (path.catalog, path.database, path.name),
            ).fetchone()
        return None if row is None else str(row[0])

    def replace_object(self, old: ObjectPath, new: CatalogObject) -> None:
        """Put a table or view in the place of another one, whose name and database may differ."""
        kind = "table" if isinstance(new, CatalogTable) else "view"
        text = json.dumps(encode_object(new))
        with self._transaction() as db:
            db.execute(
                "UPDATE catalog_objects SET database = ?, name = ?, kind = ?, definition = ? "
                "WHERE catalog = ? AND database = ? AND name = ?",
                (new.path.database, new.path.name, kind, text, old.catalog, old.database, old.name),
            )

    def resolve(self, parts: tuple[str, ...]) -> CatalogObject:
        """The table or view of that name; temporary ones hide kept ones.

        Raises:
            EddylineError: ``not_found``, with the nearest names.
        """
        path = self.path_of(parts)
        item = self._find(path)
        if item is None:
            raise self._no_object(path, "table or view")
        return item

    def has(self, parts: tuple[str, ...]) -> bool:
        """Whether there is a table or view of that name."""
        return self._find(self.path_of(parts)) is not None

    def table(self, parts: tuple[str, ...]) -> CatalogTable:
        """The table of that name.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is a view.
        """
        table = self.resolve(parts)
        if isinstance(table, CatalogTable):
            return table
        raise EddylineError("conflict", f"{table.path} is a view, not a table")

    def view(self, parts: tuple[str, ...]) -> CatalogView:
        """The view of that name; as ``table``."""
        view = self.resolve(parts)
        if isinstance(view, CatalogView):
            return view
        raise EddylineError("conflict", f"{view.path} is a table, not a view")

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
        near = nearest(path.name, self._all_names(path.catalog, path.database))
        hint = f"did you mean {' or '.join(near)}?" if near else "SHOW TABLES lists what there is"
        return EddylineError("not_found", f"there is no {word} {path.name}", hint=hint)

    def list_tables(self, database: str | None = None, catalog: str | None = None) -> list[str]:
        """Tables and views of a database in order of name, temporary ones too.

        Raises:
            EddylineError: ``not_found`` for an unknown database.
        """
        return self._listed(catalog, database, (CatalogTable, CatalogView))

    def list_views(self, database: str | None = None, catalog: str | None = None) -> list[str]:
        """Views of a database in order of name; as ``list_tables``."""
        return self._listed(catalog, database, (CatalogView,))

    def _listed(
        self, catalog: str | None, database: str | None, kinds: tuple[type, ...]
    ) -> list[str]:
        catalog = self.catalog_named(catalog)
        database = database or self.current_database
        if database not in self.list_databases(catalog):
            raise self._no_database(database)
        return self._all_names(catalog, database, kinds)

    def _all_names(
        self,
        catalog: str,
        database: str,
        kinds: tuple[type, ...] = (CatalogTable, CatalogView),
    ) -> list[str]:
        words = [_WORDS[kind] for kind in kinds]
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name, kind FROM catalog_objects WHERE catalog = ? AND database = ?",
                (catalog, database),
            ).fetchall()
        names = {name for name, kind in rows if kind in words}
        for path, item in self._temporary.items():
            if (path.catalog, path.database) == (catalog, database) and isinstance(item, kinds):
                names.add(path.name)
        return sorted(names)


_WORDS: dict[type, str] = {CatalogTable: "table", CatalogView: "view"}


def _exists(kind: str, path: ObjectPath) -> EddylineError:
    msg = f"{kind} {path} exists already"
    hint = f"DROP {kind.upper()} {path.name} first, or write IF NOT EXISTS to keep it"
    return EddylineError("already_exists", msg, hint=hint)
