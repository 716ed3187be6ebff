"""What is known of channels and how far each has delivered, in ``channels.db``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eddyline.service.database import BUSY_S, transaction

if TYPE_CHECKING:
    from eddyline.aws.kinesis.home import Home

FILE = "channels.db"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS channel (id TEXT PRIMARY KEY, name TEXT UNIQUE, facts TEXT)",
    "CREATE TABLE IF NOT EXISTS place (channel TEXT, shard INTEGER, next INTEGER, "
    "PRIMARY KEY (channel, shard))",
    "PRAGMA user_version = 1",
)


@dataclass(slots=True)
class Channel:
    """One channel. destination, encryption, logging: members as they were given.

    failed: why nothing can be delivered just now.
    """

    id: str
    name: str
    stream: str
    stream_id: str
    stream_created_ms: int
    created_ms: int
    active_ms: int
    role: str
    record_format: str
    freshness_s: int
    destination: dict[str, Any]
    logging: dict[str, Any]
    encryption: dict[str, Any] | None = None
    updating_ms: int = 0
    gone_ms: int | None = None
    failed: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    policy: str | None = None

    def status(self, now_ms: int) -> str:
        """CREATING, ACTIVE, UPDATING, DELETING or FAILED."""
        if self.gone_ms is not None:
            return "DELETING"
        if now_ms < self.active_ms:
            return "CREATING"
        if now_ms < self.updating_ms:
            return "UPDATING"
        return "ACTIVE" if self.failed is None else "FAILED"


class Channels:
    """All channels of a data directory."""

    def __init__(self, home: Home) -> None:
        self._path: Path = home.settings.data_dir / FILE
        self._clock = home.clock
        self._durable = home.settings.fsync

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with transaction(self._path, durable=self._durable) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA:
                    db.execute(statement)
            yield db

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

    def all(self) -> list[Channel]:
        """Those that are there, by name."""
        now_ms = self._clock.now_ms()
        rows = self._rows("SELECT facts FROM channel ORDER BY name")
        found = [Channel(**json.loads(facts)) for (facts,) in rows]
        return [c for c in found if c.gone_ms is None or c.gone_ms > now_ms]

    def get(self, channel_id: str) -> Channel | None:
        """The channel of that id."""
        return next((c for c in self.all() if c.id == channel_id), None)

    def add(self, channel: Channel, places: dict[int, int]) -> bool:
        """Keep a new channel that begins at those places; False if its name is taken."""
        with self._changing() as db:
            self._clear(db)
            if db.execute("SELECT 1 FROM channel WHERE name = ?", (channel.name,)).fetchone():
                return False
            values = (channel.id, channel.name, _facts(channel))
            db.execute("INSERT INTO channel VALUES (?, ?, ?)", values)
            rows = [(channel.id, shard, at) for shard, at in places.items()]
            db.executemany("INSERT INTO place VALUES (?, ?, ?)", rows)
        return True

    def change(self, channel_id: str, **fields: Any) -> Channel | None:
        """Give a channel new values; None if it is not there."""
        with self._changing() as db:
            row = db.execute("SELECT facts FROM channel WHERE id = ?", (channel_id,)).fetchone()
            if row is None:
                return None
            found = Channel(**{**json.loads(row[0]), **fields})
            db.execute("UPDATE channel SET facts = ? WHERE id = ?", (_facts(found), channel_id))
        return found

    def _clear(self, db: sqlite3.Connection) -> None:
        """Remove what is left of channels that are gone."""
        now_ms = self._clock.now_ms()
        for channel_id, facts in db.execute("SELECT id, facts FROM channel").fetchall():
            gone_ms = json.loads(facts).get("gone_ms")
            if gone_ms is not None and gone_ms <= now_ms:
                db.execute("DELETE FROM channel WHERE id = ?", (channel_id,))
                db.execute("DELETE FROM place WHERE channel = ?", (channel_id,))

    def places(self, channel_id: str) -> dict[int, int]:
        """The next offset to deliver, by shard; of a shard that is missing, the first."""
        sql = "SELECT shard, next FROM place WHERE channel = ?"
        return dict(self._rows(sql, (channel_id,)))

    def delivered(self, channel_id: str, shard: int, following: int) -> None:
        """All before that offset is in the bucket."""
        with self._changing() as db:
            values = (channel_id, shard, following)
            db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", values)


def _facts(channel: Channel) -> str:
    return json.dumps({name: getattr(channel, name) for name in Channel.__dataclass_fields__})
