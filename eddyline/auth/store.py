"""Users, access keys, sessions and links in one SQLite file that only its owner may read.

It is a file of its own, not part of ``meta.db``, because it holds secrets: access keys must be
kept as they are (SigV4 signs with them), passwords are kept as scrypt hashes, sessions and links
as SHA-256 of their tokens. Any process may write it, in short transactions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eddyline.errors import EddylineError

FILE = "users.db"
BUSY_S = 10.0
_VERSION = 1
_TABLES = """
CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, policy TEXT, created_ms INTEGER NOT NULL);
CREATE TABLE access_keys (key_id TEXT PRIMARY KEY, secret TEXT NOT NULL, user TEXT NOT NULL
  REFERENCES users ON DELETE CASCADE, created_ms INTEGER NOT NULL);
CREATE TABLE sessions (token TEXT PRIMARY KEY, user TEXT NOT NULL, ends_ms INTEGER NOT NULL);
CREATE TABLE links (token TEXT PRIMARY KEY, user TEXT NOT NULL, ends_ms INTEGER NOT NULL);
"""


class AccessStore:
    """The file below a data directory; made at the first write."""

    def __init__(self, directory: Path) -> None:
        self.path = Path(directory) / FILE

    def read(self, sql: str, arguments: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """The rows of one query; none while there is no file.

        Raises:
            EddylineError: ``corrupt_data``, ``newer_format``, ``access_denied``.
        """
        if not self.path.exists():
            return []
        with self._open() as db:
            return db.execute(sql, arguments).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable once it has been left without an error.

        Raises:
            EddylineError: as ``read``, and ``disk_full``.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                self._prepare(db)
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = None
        try:
            self._private()
            db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA foreign_keys=ON")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                msg = f"{self.path} was written by a newer Eddyline"
                raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
            if version == 0:
                db.execute("BEGIN IMMEDIATE")
                self._prepare(db)
                db.execute("COMMIT")
            yield db
        except (sqlite3.Error, OSError) as error:
            raise self._described(error) from error
        finally:
            if db is not None:
                db.close()

    def _private(self) -> None:
        """Make the file before SQLite does, so that nobody else can ever read it."""
        if not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def _prepare(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES.split(";")[:-1]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version={_VERSION}")

    def _described(self, error: Exception) -> EddylineError:
        text = str(error)
        if "full" in text or "disk I/O" in text or getattr(error, "errno", 0) == 28:
            msg = f"no room is left on the disk for {self.path.name}"
            return EddylineError("disk_full", msg, detail=text, hint="make room, then try again")
        if "malformed" in text or "not a database" in text:
            msg = f"{self.path} is damaged"
            hint = "restore it from a backup, or remove it and add the users again"
            return EddylineError("corrupt_data", msg, detail=text, hint=hint)
        if isinstance(error, OSError) or "readonly" in text or "unable to open" in text:
            msg = f"{self.path} may not be written: {text}"
            hint = "give this user the right to write the data directory"
            return EddylineError("access_denied", msg, hint=hint)
        return EddylineError("internal", f"{self.path}: {text}", hint="try again")
