"""Who is subscribed to a shard as which consumer, seen by all processes of the endpoint.

One row a consumer and shard in ``consumers.db``: the newest subscription, when it began, and
whether it still runs. A row of a process that was killed does no harm: it can be taken over after
five seconds like any other.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eddyline.service.database import BUSY_S, transaction

if TYPE_CHECKING:
    from eddyline.aws.kinesis.context import KinesisContext

FILE = "consumers.db"
TAKEOVER_MS = 5_000
# Older rows are of connections that ended long ago.
FORGET_MS = 3_600_000


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction; a power failure may take it, for then all subscriptions are gone too."""
    with transaction(path, durable=False) as db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS subscription (consumer TEXT, shard TEXT, holder TEXT, "
            "since_ms INTEGER, PRIMARY KEY (consumer, shard))"
        )
        yield db


@dataclass(frozen=True, slots=True)
class Lease:
    """A running subscription's claim."""

    path: Path
    consumer: str
    shard: str
    holder: str

    @staticmethod
    def take(context: KinesisContext, consumer: str, shard: str) -> Lease | None:
        """The claim, from whoever held it; None if that one began less than 5 seconds ago."""
        lease = Lease(context.settings.data_dir / FILE, consumer, shard, os.urandom(16).hex())
        now_ms = context.clock.now_ms()
        with _database(lease.path) as db:
            db.execute("DELETE FROM subscription WHERE since_ms < ?", (now_ms - FORGET_MS,))
            young = db.execute(
                "SELECT 1 FROM subscription WHERE consumer = ? AND shard = ? AND since_ms > ?",
                (consumer, shard, now_ms - TAKEOVER_MS),
            ).fetchone()
            if young is not None:
                return None
            db.execute(
                "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)",
                (consumer, shard, lease.holder, now_ms),
            )
        return lease

    def holds(self) -> bool:
        """Whether nobody has taken over."""
        db = sqlite3.connect(self.path, timeout=BUSY_S)
        try:
            row = db.execute(
                "SELECT holder FROM subscription WHERE consumer = ? AND shard = ?",
                (self.consumer, self.shard),
            ).fetchone()
        finally:
            db.close()
        return row is None or row[0] == self.holder

    def release(self) -> None:
        """The subscription has ended; the next one need not wait."""
        with _database(self.path) as db:
            db.execute("DELETE FROM subscription WHERE holder = ?", (self.holder,))
