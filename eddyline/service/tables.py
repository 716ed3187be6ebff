"""The tables and views of a data directory, listed with what reads and writes them.

A table outlives the note or the script that created it. This module shows every one of them, so
that a name that is taken can be inspected, reused, renamed or dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.catalog.catalog import Catalog, CatalogObject
from eddyline.catalog.table import CatalogTable
from eddyline.errors import EddylineError
from eddyline.service.jobs import ENDED, JobStore
from eddyline.service.showing import definition
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner
from eddyline.sql.statement import CreateTable

if TYPE_CHECKING:
    from eddyline.service.services import Services


class TableInfo(msgspec.Struct, frozen=True):
    """A table or view. ``path`` is catalog.database.name; ``connector`` is empty for views.

    ``location`` is what the table reads or writes: a stream, a path, a topic or a table.
    ``jobs`` are the ids of the INSERT jobs that are not over and use the table.
    """

    path: str
    database: str
    name: str
    kind: str
    columns: int
    connector: str = ""
    location: str = ""
    comment: str | None = None
    jobs: list[str] = []


TableInfos = list[TableInfo]
ColumnTypes = list[tuple[str, str]]
# Ids of the jobs that use a table, by its path.
Users = dict[str, list[str]]


class Tables:
    """Lists, describes, renames and drops tables and views."""

    def __init__(self, catalog: Catalog, jobs: JobStore) -> None:
        self._catalog = catalog
        self._jobs = jobs

    def list(self, database: str | None = None) -> TableInfos:
        """All tables and views, by database and name; those of one ``database`` if given.

        Raises:
            EddylineError: ``not_found`` for an unknown database.
        """
        known = self._catalog.list_databases()
        if database is not None and database not in known:
            hint = f"there is {', '.join(known[:20])}"
            raise EddylineError("not_found", f"there is no database {database}", hint=hint)
        users = self._users()
        return [
            _info(table, users.get(str(table.path), []))
            for name in ([database] if database is not None else known)
            for table in self._objects(name)
        ]

    def info(self, name: str) -> TableInfo:
        """One table or view by ``name``, ``database.name`` or its whole path.

        Raises:
            EddylineError: ``not_found``, with the nearest names.
        """
        table = self._catalog.resolve(parts_of(name))
        return _info(table, self._users().get(str(table.path), []))

    def columns(self, name: str) -> ColumnTypes:
        """Names and types of the columns."""
        schema = self._catalog.resolve(parts_of(name)).schema
        return [(column.name, str(column.type)) for column in schema.columns]

    def definition(self, name: str) -> str:
        """The statement that creates the table or view again."""
        return definition(self._catalog.resolve(parts_of(name)))

    def drop(self, name: str) -> None:
        """Drop a table or view. Its stream, and running jobs, which keep their copy, stay.

        Raises:
            EddylineError: ``not_found``.
        """
        table = self._catalog.resolve(parts_of(name))
        parts = (table.path.catalog, table.path.database, table.path.name)
        if isinstance(table, CatalogTable):
            self._catalog.drop_table(parts)
        else:
            self._catalog.drop_view(parts)

    def create(self, ddl: str) -> str:
        """Create the table that a CREATE TABLE statement describes; returns its path.

        Raises:
            EddylineError: ``already_exists``; ``invalid_argument`` for another statement.
        """
        statement = parse_script(ddl)[0]
        if not isinstance(statement, CreateTable):
            raise EddylineError("invalid_argument", "only CREATE TABLE creates a table here")
        table = Planner(self._catalog).table(statement)
        self._catalog.create_table(table)
        return str(table.path)

    def rename(self, name: str, new_name: str) -> None:
        """Give a table another name in its database.

        Raises:
            EddylineError: ``not_found``; ``conflict`` for a view; ``already_exists``;
                ``invalid_argument`` for an empty name or one with a dot.
        """
        new_name = new_name.strip()
        if not new_name or "." in new_name:
            msg = "a table's new name is one word without a dot"
            raise EddylineError("invalid_argument", msg, hint="the table stays in its database")
        self._catalog.rename_table(parts_of(name), new_name)

    def _objects(self, database: str) -> Iterator[CatalogObject]:
        catalog = self._catalog.current_catalog
        for name in self._catalog.list_tables(database):
            try:
                yield self._catalog.resolve((catalog, database, name))
            except EddylineError as error:
                if error.code != "not_found":  # dropped by another process meanwhile
                    raise

    def _users(self) -> Users:
        """Ids of the jobs that are not over, by the path of each table they use."""
        users: Users = {}
        for job in self._jobs.list():
            if job.actual in ENDED:
                continue
            for entry in self._jobs.context(job.job_id).objects:
                users.setdefault(".".join(entry["path"]), []).append(job.job_id)
        return users


def tables_of(services: Services) -> Tables:
    """The tables of a data directory, whether a server runs on it or not."""
    return Tables(services.catalog, JobStore(services.directory, services.clock))


def _info(table: CatalogObject, jobs: list[str]) -> TableInfo:
    path = table.path
    columns = len(table.schema.columns)
    if not isinstance(table, CatalogTable):
        return TableInfo(
            str(path), path.database, path.name, "view", columns, comment=table.comment, jobs=jobs
        )
    return TableInfo(
        str(path),
        path.database,
        path.name,
        "table",
        columns,
        table.options.get("connector", ""),
        location_of(table.options),
        table.comment,
        jobs,
    )


# The options that say where a table's rows are, by connector.
_LOCATIONS = ("stream", "stream.arn", "topic", "path", "table-name", "delivery-stream")


def location_of(options: dict[str, Any]) -> str:
    """What a table reads or writes; empty where its connector has no place."""
    for key in _LOCATIONS:
        if options.get(key):
            value = str(options[key])
            return value.rpartition("/")[2] if value.startswith("arn:") else value
    return ""


_PART = re.compile(r"`((?:[^`]|``)+)`|([^`.]+)")


def parts_of(name: str) -> tuple[str, ...]:
    """``db.t`` as its parts; backticks keep a dot in a name.

    Raises:
        EddylineError: ``invalid_argument`` for a text that is no name.
    """
    parts: list[str] = []
    at = 0
    while match := _PART.match(name, at):
        parts.append(match[1].replace("``", "`") if match[1] else match[2])
        at = match.end()
        if at == len(name):
            return tuple(parts)
        if name[at] != ".":
            break
        at += 1
    hint = "write table, database.table or catalog.database.table"
    raise EddylineError("invalid_argument", f"{name!r} is not a table's name", hint=hint)
