"""Followers of a stream (channels, queues, delivery streams) and how far each has read.

Each kind has a SQLite file of its own: a table named like the kind (id, name, facts as JSON), and
``place`` with the next offset to take of each shard. Every change is one short transaction, so
that all processes of the endpoint may make it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eddyline.service.database import BUSY_S, transaction

if TYPE_CHECKING:
    from eddyline.aws.context import ServiceContext


@dataclass(kw_only=True)
class Follower:
    """One that follows a stream. Its state follows from the clock: see ``status``."""

    id: str
    name: str
    stream: str
    stream_id: str
    stream_created_ms: int
    created_ms: int
    active_ms: int
    updating_ms: int = 0
    gone_ms: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    policy: str | None = None

    def status(self, now_ms: int) -> str:
        """CREATING, ACTIVE, UPDATING or DELETING."""
        if self.gone_ms is not None:
            return "DELETING"
        if now_ms < self.active_ms:
            return "CREATING"
        return "UPDATING" if now_ms < self.updating_ms else "ACTIVE"


F = TypeVar("F", bound=Follower)


class Followers(Generic[F]):
    """All followers of one kind in a data directory.

    noun: the kind, as its table and the column that refers to it are called. tables: those with
    rows of a follower, beside its own; ``schema`` makes them.
    """

    noun: str
    kind: type[F]
    file: str
    tables: tuple[str, ...] = ("place",)
    schema: tuple[str, ...] = ()

    def __init__(self, context: ServiceContext) -> None:
        self._path: Path = context.settings.data_dir / self.file
        self._clock = context.clock
        self._durable = context.settings.fsync

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with transaction(self._path, durable=self._durable) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in self._statements():
                    db.execute(statement)
            yield db

    def _statements(self) -> tuple[str, ...]:
        return (
            f"CREATE TABLE IF NOT EXISTS {self.noun} (id TEXT PRIMARY KEY, name TEXT UNIQUE, "
            "facts TEXT)",
            f"CREATE TABLE IF NOT EXISTS place ({self.noun} TEXT, shard INTEGER, next INTEGER, "
            f"PRIMARY KEY ({self.noun}, shard))",
            *self.schema,
            "PRAGMA user_version = 1",
        )

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        if not self._path.exists():
            return []
        db = sqlite3.connect(self._path, timeout=BUSY_S)
        try:
            return db.execute(sql, values).fetchall()
        except sqlite3.OperationalError:  # another process is just making the tables
            return []
        finally:
            db.close()

    def all(self) -> list[F]:
        """Those that are there, by name."""
        now_ms = self._clock.now_ms()
        rows = self._rows(f"SELECT facts FROM {self.noun} ORDER BY name")
        followers = [self.kind(**json.loads(facts)) for (facts,) in rows]
        return [f for f in followers if f.gone_ms is None or f.gone_ms > now_ms]

    def get(self, follower_id: str) -> F | None:
        """The one of that id."""
        return next((f for f in self.all() if f.id == follower_id), None)

    def add(self, follower: F, places: dict[int, int]) -> bool:
        """Keep a new one that begins at those places; False if its name is taken."""
        with self._changing() as db:
            self._clear(db)
            taken = f"SELECT 1 FROM {self.noun} WHERE name = ?"
            if db.execute(taken, (follower.name,)).fetchone():
                return False
            values = (follower.id, follower.name, _facts(follower))
            db.execute(f"INSERT INTO {self.noun} VALUES (?, ?, ?)", values)
            rows = [(follower.id, shard, at) for shard, at in places.items()]
            db.executemany("INSERT INTO place VALUES (?, ?, ?)", rows)
        return True

    def change(self, follower_id: str, **new: Any) -> F | None:
        """Give one new values; None if it is not there."""
        with self._changing() as db:
            sql = f"SELECT facts FROM {self.noun} WHERE id = ?"
            row = db.execute(sql, (follower_id,)).fetchone()
            if row is None:
                return None
            changed = self.kind(**{**json.loads(row[0]), **new})
            values = (_facts(changed), follower_id)
            db.execute(f"UPDATE {self.noun} SET facts = ? WHERE id = ?", values)
        return changed

    def positions(self, follower_id: str) -> dict[int, int]:
        """The next offset to read, by shard; a shard that is missing starts at 0."""
        sql = f"SELECT shard, next FROM place WHERE {self.noun} = ?"
        return dict(self._rows(sql, (follower_id,)))

    def advance(self, follower_id: str, shard: int, offset: int) -> None:
        """Store that a follower has done with all records of a shard below that offset."""
        with self._changing() as db:
            values = (follower_id, shard, offset)
            db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", values)

    def _clear(self, db: sqlite3.Connection) -> None:
        """Remove what is left of those that are gone."""
        now_ms = self._clock.now_ms()
        for follower_id, facts in db.execute(f"SELECT id, facts FROM {self.noun}").fetchall():
            gone_ms = json.loads(facts).get("gone_ms")
            if gone_ms is not None and gone_ms <= now_ms:
                db.execute(f"DELETE FROM {self.noun} WHERE id = ?", (follower_id,))
                for table in self.tables:
                    db.execute(f"DELETE FROM {table} WHERE {self.noun} = ?", (follower_id,))


def _facts(follower: Follower) -> str:
    return json.dumps({f.name: getattr(follower, f.name) for f in fields(follower)})
