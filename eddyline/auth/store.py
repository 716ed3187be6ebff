"""Users, roles, policies, keys and sessions in one SQLite file that only its owner may read.

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
_USERS = """
CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, policy TEXT, created_ms INTEGER NOT NULL);
CREATE TABLE access_keys (key_id TEXT PRIMARY KEY, secret TEXT NOT NULL, user TEXT NOT NULL
  REFERENCES users ON DELETE CASCADE, created_ms INTEGER NOT NULL);
CREATE TABLE sessions (token TEXT PRIMARY KEY, user TEXT NOT NULL, ends_ms INTEGER NOT NULL);
CREATE TABLE links (token TEXT PRIMARY KEY, user TEXT NOT NULL, ends_ms INTEGER NOT NULL)
"""
# ``entities`` are roles, groups and the users that were made through IAM.
_IAM = """
ALTER TABLE access_keys ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
CREATE TABLE entities (kind TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL,
  path TEXT NOT NULL, created_ms INTEGER NOT NULL, trust TEXT, description TEXT,
  session_s INTEGER NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE group_members (group_name TEXT NOT NULL, user TEXT NOT NULL,
  PRIMARY KEY (group_name, user));
CREATE TABLE inline_policies (kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
  document TEXT NOT NULL, PRIMARY KEY (kind, owner, name));
CREATE TABLE managed_policies (arn TEXT PRIMARY KEY, name TEXT NOT NULL, id TEXT NOT NULL,
  path TEXT NOT NULL, description TEXT, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
  default_version INTEGER NOT NULL, last_version INTEGER NOT NULL, tags TEXT NOT NULL);
CREATE TABLE policy_versions (arn TEXT NOT NULL, version INTEGER NOT NULL, document TEXT NOT NULL,
  created_ms INTEGER NOT NULL, PRIMARY KEY (arn, version));
CREATE TABLE attachments (kind TEXT NOT NULL, owner TEXT NOT NULL, arn TEXT NOT NULL,
  PRIMARY KEY (kind, owner, arn));
CREATE TABLE temporary_keys (key_id TEXT PRIMARY KEY, secret TEXT NOT NULL, token TEXT NOT NULL,
  role TEXT NOT NULL, session TEXT NOT NULL, policy TEXT, ends_ms INTEGER NOT NULL)
"""
# Script n leads from version n of the file to n + 1; ``PRAGMA user_version`` has the version.
STEPS = (_USERS, _IAM)


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
            if version > len(STEPS):
                msg = f"{self.path} was written by a newer Eddyline"
                raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
            if version < len(STEPS):
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
        """Bring the tables to the newest version, inside the caller's transaction."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for script in STEPS[version:]:
            for statement in script.split(";"):
                db.execute(statement)
        if version < len(STEPS):
            db.execute(f"PRAGMA user_version={len(STEPS)}")

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
