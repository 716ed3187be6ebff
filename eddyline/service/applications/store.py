"""Applications in ``meta.db``: a record, version, operation or snapshot is one JSON document."""

from __future__ import annotations

import sqlite3
from typing import Any, TypeVar

import msgspec

from eddyline.schema_version import upgrade
from eddyline.service.applications.model import Application, Operation, Snapshot, Version
from eddyline.service.database import read, transaction
from eddyline.service.directory import DataDirectory

T = TypeVar("T", Application, Operation, Snapshot, Version)
_TABLES = """
CREATE TABLE applications (name TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE application_versions (
  application TEXT NOT NULL, key INTEGER NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (application, key)
);
CREATE TABLE application_operations (
  application TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (application, key)
);
CREATE TABLE application_snapshots (
  application TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (application, key)
)
"""
# The newest operations of an application are kept.
OPERATIONS_KEPT = 200


class ApplicationStore:
    """The tables ``application*``; any process of the server's family may open it."""

    def __init__(self, directory: DataDirectory) -> None:
        self._path = directory.meta
        with transaction(self._path) as db:
            upgrade(db, "applications", (_TABLES,))

    def get(self, name: str) -> Application | None:
        """The application of that name."""
        rows = read(self._path, "SELECT document FROM applications WHERE name=?", (name,))
        return _decoded(rows[0][0], Application) if rows else None

    def all(self) -> list[Application]:
        """All applications, by name."""
        rows = read(self._path, "SELECT document FROM applications ORDER BY name")
        return [_decoded(row[0], Application) for row in rows]

    def add(self, application: Application) -> bool:
        """Keep a new application with its first version; False if the name is taken."""
        with transaction(self._path) as db:
            sql = "INSERT OR IGNORE INTO applications VALUES (?, ?)"
            if not db.execute(sql, (application.name, _encoded(application))).rowcount:
                return False
            self._keep_version(db, application)
            return True

    def save(self, application: Application, *, version: bool = False) -> None:
        """Keep a changed application; ``version``: as a version of its own."""
        with transaction(self._path) as db:
            sql = "UPDATE applications SET document=? WHERE name=?"
            db.execute(sql, (_encoded(application), application.name))
            if version:
                self._keep_version(db, application)

    def _keep_version(self, db: sqlite3.Connection, application: Application) -> None:
        document = _encoded(Version(application.version, application))
        row = (application.name, application.version, document)
        db.execute("INSERT OR REPLACE INTO application_versions VALUES (?, ?, ?)", row)

    def remove(self, name: str) -> None:
        """Forget an application with everything of it."""
        with transaction(self._path) as db:
            db.execute("DELETE FROM applications WHERE name=?", (name,))
            for part in ("versions", "operations", "snapshots"):
                db.execute(f"DELETE FROM application_{part} WHERE application=?", (name,))

    def versions(self, name: str) -> list[Version]:
        """All versions, newest first."""
        sql = "SELECT document FROM application_versions WHERE application=? ORDER BY key DESC"
        return [_decoded(row[0], Version) for row in read(self._path, sql, (name,))]

    def keep_operation(self, name: str, operation: Operation) -> None:
        """Keep an operation, new or changed."""
        with transaction(self._path) as db:
            row = (name, operation.id, _encoded(operation))
            db.execute("INSERT OR REPLACE INTO application_operations VALUES (?, ?, ?)", row)
            db.execute(
                "DELETE FROM application_operations WHERE application=?1 AND rowid <= (SELECT rowid"
                " FROM application_operations WHERE application=?1 ORDER BY rowid DESC"
                " LIMIT 1 OFFSET ?2)",
                (name, OPERATIONS_KEPT),
            )

    def operations(self, name: str) -> list[Operation]:
        """The operations that are kept, newest first."""
        sql = "SELECT document FROM application_operations WHERE application=?"
        operations = [_decoded(row[0], Operation) for row in read(self._path, sql, (name,))]
        return sorted(operations, key=lambda o: (o.started_ms, o.id), reverse=True)

    def keep_snapshot(self, name: str, snapshot: Snapshot) -> None:
        """Keep a snapshot, new or changed."""
        with transaction(self._path) as db:
            row = (name, snapshot.name, _encoded(snapshot))
            db.execute("INSERT OR REPLACE INTO application_snapshots VALUES (?, ?, ?)", row)

    def snapshots(self, name: str) -> list[Snapshot]:
        """All snapshots, newest first."""
        sql = "SELECT document FROM application_snapshots WHERE application=?"
        snapshots = [_decoded(row[0], Snapshot) for row in read(self._path, sql, (name,))]
        return sorted(snapshots, key=lambda s: (s.created_ms, s.name), reverse=True)

    def remove_snapshot(self, name: str, snapshot: str) -> None:
        """Forget a snapshot."""
        with transaction(self._path) as db:
            sql = "DELETE FROM application_snapshots WHERE application=? AND key=?"
            db.execute(sql, (name, snapshot))


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: object, kind: type[T]) -> T:
    return msgspec.json.decode(str(text), type=kind)
