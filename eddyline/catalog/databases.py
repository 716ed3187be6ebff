"""Catalogs and databases: the names above tables, kept in the same SQLite file.

A catalog that CREATE CATALOG makes is of the type ``generic_in_memory``: a name space of its own
in this data directory. Unlike Flink's it outlives the session, as everything here does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eddyline.errors import EddylineError, nearest
from eddyline.schema_version import upgrade

DEFAULT_CATALOG = "default_catalog"
DEFAULT_DATABASE = "default_database"
# What the studio of AWS calls its catalog, which is Glue's. It means the default one here, unless a
# catalog of that name was made.
GLUE_CATALOG = "hive"
IN_MEMORY = "generic_in_memory"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS catalog_databases (
  catalog TEXT NOT NULL, name TEXT NOT NULL, comment TEXT, PRIMARY KEY (catalog, name)
);
CREATE TABLE IF NOT EXISTS catalog_catalogs (
  name TEXT PRIMARY KEY, comment TEXT, options TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS catalog_database_options (
  catalog TEXT NOT NULL, name TEXT NOT NULL, options TEXT NOT NULL, PRIMARY KEY (catalog, name)
);
"""


class Databases:
    """One session's view of all catalogs and databases, and which of them are current.

    ``path`` is the SQLite file; None keeps everything in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._memory = None if path else sqlite3.connect(":memory:", check_same_thread=False)
        self.current_catalog = DEFAULT_CATALOG
        self.current_database = DEFAULT_DATABASE
        with self._transaction() as db:
            db.execute("BEGIN IMMEDIATE")
            upgrade(db, "databases", (_SCHEMA,))
            db.execute(
                "INSERT OR IGNORE INTO catalog_databases VALUES (?, ?, NULL)",
                (DEFAULT_CATALOG, DEFAULT_DATABASE),
            )

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

    # catalogs

    def list_catalogs(self) -> list[str]:
        """Catalogs in order of name."""
        with self._transaction() as db:
            rows = db.execute("SELECT name FROM catalog_catalogs").fetchall()
        return sorted({DEFAULT_CATALOG, *(r[0] for r in rows)})

    def create_catalog(
        self,
        name: str,
        options: dict[str, str],
        comment: str | None = None,
        if_not_exists: bool = False,
    ) -> bool:
        """Keep a catalog, with its database ``default``; False if it exists and that is allowed.

        Raises:
            EddylineError: ``already_exists``; ``sql_semantic`` without a type; ``sql_unsupported``
                for a type whose tables live elsewhere.
        """
        if name in self.list_catalogs():
            if if_not_exists:
                return False
            msg = f"catalog {name} exists already"
            raise EddylineError("already_exists", msg, hint="write IF NOT EXISTS to keep it")
        kind = options.get("type")
        if kind is None:
            hint = f"write WITH ('type' = '{IN_MEMORY}')"
            raise EddylineError("sql_semantic", f"catalog {name} has no option 'type'", hint=hint)
        if kind != IN_MEMORY:
            hint = (
                f"create one of the type '{IN_MEMORY}', and its tables with CREATE TABLE, whose "
                "options say where the rows are"
            )
            msg = f"a catalog of the type '{kind}' is not supported"
            raise EddylineError("sql_unsupported", msg, hint=hint)
        known = ("type", "default-database")
        for key in options:
            if key not in known:
                msg = f"catalog {name}: there is no option '{key}'"
                raise EddylineError("sql_semantic", msg, hint=f"there are {', '.join(known)}")
        with self._transaction() as db:
            row = (name, comment, json.dumps(options))
            db.execute("INSERT INTO catalog_catalogs VALUES (?, ?, ?)", row)
            database = options.get("default-database", "default")
            db.execute("INSERT INTO catalog_databases VALUES (?, ?, NULL)", (name, database))
        return True

    def catalog(self, name: str) -> tuple[dict[str, str], str | None]:
        """A catalog's options and comment.

        Raises:
            EddylineError: ``not_found``.
        """
        with self._transaction() as db:
            row = db.execute(
                "SELECT options, comment FROM catalog_catalogs WHERE name = ?", (name,)
            ).fetchone()
        if row is not None:
            return json.loads(row[0]), row[1]
        if name != DEFAULT_CATALOG:
            raise self._no_catalog(name)
        return {"type": IN_MEMORY}, None

    def alter_catalog(self, name: str, options: dict[str, str], comment: str | None) -> None:
        """Replace a catalog's options and comment.

        Raises:
            EddylineError: ``not_found``; ``conflict`` for a change of its type.
        """
        old, _ = self.catalog(name)
        if options.get("type") != old.get("type"):
            msg = f"the type of catalog {name} cannot change"
            raise EddylineError("conflict", msg, hint="DROP CATALOG and CREATE CATALOG")
        with self._transaction() as db:
            row = (name, comment, json.dumps(options))
            db.execute("INSERT OR REPLACE INTO catalog_catalogs VALUES (?, ?, ?)", row)

    def drop_catalog(self, name: str, if_exists: bool = False) -> bool:
        """Remove a catalog with everything in it; False if there is none and that is allowed.

        Raises:
            EddylineError: ``not_found``; ``conflict`` for the current one and the default one.
        """
        if name not in self.list_catalogs():
            if if_exists:
                return False
            raise self._no_catalog(name)
        if name in (self.current_catalog, DEFAULT_CATALOG):
            which = "current" if name == self.current_catalog else "default"
            msg = f"catalog {name} is the {which} one"
            raise EddylineError("conflict", msg, hint="USE CATALOG another one first")
        with self._transaction() as db:
            for table in ("objects", "functions", "databases", "database_options"):
                db.execute(f"DELETE FROM catalog_{table} WHERE catalog = ?", (name,))
            db.execute("DELETE FROM catalog_catalogs WHERE name = ?", (name,))
        return True

    def use_catalog(self, name: str) -> None:
        """Make a catalog the current one, and its default database the current database.

        Raises:
            EddylineError: ``not_found``.
        """
        name = self.catalog_named(name)
        if name not in self.list_catalogs():
            raise self._no_catalog(name)
        if name == self.current_catalog:
            return
        options, _ = self.catalog(name)
        default = DEFAULT_DATABASE if name == DEFAULT_CATALOG else "default"
        self.current_catalog = name
        self.current_database = options.get("default-database", default)

    def catalog_named(self, name: str | None) -> str:
        """The catalog that a name means; the current one for None."""
        if name == GLUE_CATALOG and name not in self.list_catalogs():
            return DEFAULT_CATALOG
        return name or self.current_catalog

    def _no_catalog(self, name: str) -> EddylineError:
        known = self.list_catalogs()
        near = nearest(name, known)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
        return EddylineError("not_found", f"there is no catalog {name}", hint=hint)

    # databases

    def list_databases(self, catalog: str | None = None) -> list[str]:
        """Databases of a catalog (the current one) in order of name.

        Raises:
            EddylineError: ``not_found`` for an unknown catalog.
        """
        catalog = self.catalog_named(catalog)
        if catalog not in self.list_catalogs():
            raise self._no_catalog(catalog)
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name FROM catalog_databases WHERE catalog = ? ORDER BY name",
                (catalog,),
            ).fetchall()
        return [r[0] for r in rows]

    def create_database(
        self,
        name: str,
        if_not_exists: bool = False,
        comment: str | None = None,
        *,
        catalog: str | None = None,
        options: dict[str, str] | None = None,
    ) -> bool:
        """A new database; False if it exists already and that is allowed.

        Raises:
            EddylineError: ``already_exists``; ``not_found`` for an unknown catalog.
        """
        catalog = self.catalog_named(catalog)
        if name in self.list_databases(catalog):
            if if_not_exists:
                return False
            msg = f"database {name} exists already"
            raise EddylineError("already_exists", msg, hint="write IF NOT EXISTS to keep it")
        with self._transaction() as db:
            row = (catalog, name, comment)
            db.execute("INSERT OR IGNORE INTO catalog_databases VALUES (?, ?, ?)", row)
        if options:
            self.alter_database(name, options, catalog=catalog)
        return True

    def database(
        self, name: str, *, catalog: str | None = None
    ) -> tuple[dict[str, str], str | None]:
        """A database's options and comment.

        Raises:
            EddylineError: ``not_found``.
        """
        catalog = self.catalog_named(catalog)
        if name not in self.list_databases(catalog):
            raise self._no_database(name)
        with self._transaction() as db:
            row = db.execute(
                "SELECT d.comment, o.options FROM catalog_databases d "
                "LEFT JOIN catalog_database_options o USING (catalog, name) "
                "WHERE catalog = ? AND name = ?",
                (catalog, name),
            ).fetchone()
        return json.loads(row[1]) if row[1] else {}, row[0]

    def alter_database(
        self, name: str, options: dict[str, str], *, catalog: str | None = None
    ) -> None:
        """Set options of a database.

        Raises:
            EddylineError: ``not_found``.
        """
        catalog = self.catalog_named(catalog)
        old, _ = self.database(name, catalog=catalog)
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO catalog_database_options VALUES (?, ?, ?)",
                (catalog, name, json.dumps(old | options)),
            )

    def comment_database(self, name: str, comment: str | None) -> None:
        """Change the comment of a database of the current catalog."""
        with self._transaction() as db:
            sql = "UPDATE catalog_databases SET comment = ? WHERE catalog = ? AND name = ?"
            db.execute(sql, (comment, self.current_catalog, name))

    def drop_database(
        self,
        name: str,
        if_exists: bool = False,
        cascade: bool = False,
        *,
        catalog: str | None = None,
    ) -> bool:
        """Remove a database; False if there is none and that is allowed.

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it is current, or not empty without
                ``cascade``.
        """
        catalog = self.catalog_named(catalog)
        if name not in self.list_databases(catalog):
            if if_exists:
                return False
            raise self._no_database(name)
        if (catalog, name) == (self.current_catalog, self.current_database):
            msg = f"database {name} is the current one"
            raise EddylineError("conflict", msg, hint="USE another database first")
        place = (catalog, name)
        with self._transaction() as db:
            held = db.execute(
                "SELECT count(*) FROM catalog_objects WHERE catalog = ? AND database = ?", place
            ).fetchone()[0]
            if held and not cascade:
                msg = f"database {name} is not empty ({held} tables and views)"
                raise EddylineError("conflict", msg, hint="write CASCADE to drop them too")
            for table in ("objects", "functions"):
                db.execute(f"DELETE FROM catalog_{table} WHERE catalog = ? AND database = ?", place)
            for table in ("databases", "database_options"):
                db.execute(f"DELETE FROM catalog_{table} WHERE catalog = ? AND name = ?", place)
        return True

    def use_database(self, parts: tuple[str, ...]) -> None:
        """Make a database the current one; ``catalog.database`` changes both.

        Raises:
            EddylineError: ``not_found``.
        """
        catalog = parts[0] if len(parts) > 1 else self.current_catalog
        if parts[-1] not in self.list_databases(catalog):
            raise self._no_database(parts[-1])
        self.current_catalog, self.current_database = catalog, parts[-1]

    def _no_database(self, name: str) -> EddylineError:
        near = nearest(name, self.list_databases())
        hint = f"did you mean {near[0]}?" if near else f"CREATE DATABASE {name} makes it"
        return EddylineError("not_found", f"there is no database {name}", hint=hint)
