"""What is known of queues and of the records they have given out, in ``queues.db``.

A queue reads its stream shard by shard and remembers how far it came; of the records before that
place only those not acknowledged yet have a row: when they are visible again, how often they were
received, whether they are dead letters, and the newest receipt. The data stay in the stream. Each
call is one transaction, so that all processes of the endpoint may serve a queue.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eddyline.aws.followers import Follower, Followers

if TYPE_CHECKING:
    from eddyline.log import Stream

READ_BYTES = 8 << 20
NEVER_DEAD = 1 << 40
# Rows looked at in one call; some may be of records that the stream has trimmed.
LOOKED_AT_MAX = 1000


@dataclass(kw_only=True)
class Queue(Follower):
    """One queue."""

    visibility_s: int
    receives_max: int | None
    start: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class Received:
    """A record that was given out."""

    receipt: str
    shard: int
    number: int
    key: str
    data: bytes
    arrival_ms: int
    first_ms: int
    receives: int


class Queues(Followers[Queue]):
    """All queues of a data directory."""

    noun, kind, file = "queue", Queue, "queues.db"
    tables = ("place", "flight")
    schema = (
        "CREATE TABLE IF NOT EXISTS flight (queue TEXT, shard INTEGER, number INTEGER, "
        "dead INTEGER, visible_ms INTEGER, receives INTEGER, first_ms INTEGER, receipt TEXT, "
        "PRIMARY KEY (queue, shard, number))",
        "CREATE INDEX IF NOT EXISTS flight_visible ON flight (queue, dead, visible_ms)",
    )

    def receive(
        self, queue: Queue, stream: Stream, limit: int, visibility_s: int, dead: bool
    ) -> list[Received]:
        """Give out up to ``limit`` visible records, or dead letters, for so many seconds."""
        now_ms = self._clock.now_ms()
        with self._changing() as db:
            most = NEVER_DEAD if queue.receives_max is None else queue.receives_max
            db.execute(
                "UPDATE flight SET dead = 1 WHERE queue = ? AND dead = 0 AND visible_ms <= ? "
                "AND receives >= ?",
                (queue.id, now_ms, most),
            )
            given = _ReceivedRecords(db, queue, stream, now_ms, visibility_s)
            given.again(limit, dead)
            if not dead:
                given.fresh(limit)
        return given.records

    def settle(self, queue: Queue, receipts: list[str], dead: bool, change: str) -> list[str]:
        """Do ``change`` (SQL on a row of ``flight``) for each; the receipts that are not valid."""
        with self._changing() as db:
            return [r for r in receipts if not _settle(db, queue, r, dead, change, ())]

    def hide(self, queue: Queue, entries: list[tuple[str, int]], dead: bool) -> list[str]:
        """Let records be invisible for so many seconds from now; the receipts not valid."""
        now_ms, change = self._clock.now_ms(), "UPDATE flight SET visible_ms = ?"
        with self._changing() as db:
            return [
                r
                for r, seconds in entries
                if not _settle(db, queue, r, dead, change, (now_ms + 1000 * seconds,))
            ]

    def next_visible_ms(self, queue: Queue, dead: bool) -> int | None:
        """When the next record becomes visible again; None if none is out."""
        sql = "SELECT MIN(visible_ms) FROM flight WHERE queue = ?"
        if not dead:
            sql += " AND dead = 0"
        times = [at for (at,) in self._rows(sql, (queue.id,)) if at is not None]
        return int(times[0]) if times else None


ACKNOWLEDGE = "DELETE FROM flight"
RESTORE = "UPDATE flight SET dead = 0, receives = 0, visible_ms = 0, receipt = ''"


def _settle(
    db: sqlite3.Connection, queue: Queue, receipt: str, dead: bool, change: str, values: Any
) -> bool:
    where = " WHERE queue = ? AND receipt = ? AND shard = ? AND number = ? AND dead = ?"
    shard, number = receipt_place(receipt)
    done = db.execute(change + where, (*values, queue.id, receipt, shard, number, int(dead)))
    return done.rowcount == 1


def receipt_place(receipt: str) -> tuple[int, int]:
    """(shard, offset) a receipt is for. Raises ValueError if it is none of ours."""
    shard, number, token = receipt.split("-")
    if len(token) != 32:
        raise ValueError(receipt)
    place = int(shard), int(number)
    if max(place) >= 1 << 63 or min(place) < 0:
        raise ValueError(receipt)
    return place


class _ReceivedRecords:
    """Records given out in one transaction."""

    def __init__(
        self, db: sqlite3.Connection, queue: Queue, stream: Stream, now_ms: int, visibility_s: int
    ) -> None:
        self._db = db
        self._queue = queue
        self._stream = stream
        self._now_ms = now_ms
        self._until_ms = now_ms + 1000 * visibility_s
        self.records: list[Received] = []
        self._room = READ_BYTES

    def again(self, limit: int, dead: bool) -> None:
        """Records that were out before; those that the stream has trimmed since are forgotten."""
        rows = self._db.execute(
            "SELECT shard, number, receives, first_ms FROM flight WHERE queue = ? AND dead = ? "
            "AND visible_ms <= ? ORDER BY visible_ms, shard, number LIMIT ?",
            (self._queue.id, int(dead), self._now_ms, LOOKED_AT_MAX),
        )
        for shard, number, receives, first_ms in rows.fetchall():
            if len(self.records) == limit or self._room <= 0:
                return
            got = self._stream.read(shard, number, 1)
            if not len(got) or got.first_offset != number:
                key = (self._queue.id, shard, number)
                self._db.execute(
                    "DELETE FROM flight WHERE queue = ? AND shard = ? AND number = ?", key
                )
                continue
            record = (got.keys[0].as_py(), got.data[0].as_py(), int(got.arrival_ms[0]))
            self._give(shard, number, record, receives + 1, first_ms or self._now_ms)

    def fresh(self, limit: int) -> None:
        """Records that were never out; closed shards first, for they are older."""
        rows = self._db.execute(
            "SELECT shard, next FROM place WHERE queue = ?", (self._queue.id,)
        ).fetchall()
        places = dict(rows)
        for info in self._stream.shards():
            left = limit - len(self.records)
            if left <= 0 or self._room <= 0:
                return
            at = places.get(info.index, 0)
            if info.closed_offset is not None and at >= info.closed_offset:
                continue
            got = self._stream.read(info.index, at, left, self._room)
            records = zip(
                got.keys.to_pylist(), got.data.to_pylist(), got.arrival_ms.tolist(), strict=True
            )
            for number, record in enumerate(records, got.first_offset):
                self._give(info.index, number, record, 1, self._now_ms)
            if got.next_offset > at:
                self._db.execute(
                    "INSERT OR REPLACE INTO place VALUES (?, ?, ?)",
                    (self._queue.id, info.index, got.next_offset),
                )

    def _give(
        self, shard: int, number: int, record: tuple[str, bytes, int], receives: int, first_ms: int
    ) -> None:
        key, data, arrival_ms = record
        receipt = f"{shard}-{number}-{os.urandom(16).hex()}"
        self._db.execute(
            "INSERT INTO flight VALUES (?, ?, ?, 0, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET visible_ms = excluded.visible_ms, "
            "receives = excluded.receives, first_ms = excluded.first_ms, "
            "receipt = excluded.receipt",
            (self._queue.id, shard, number, self._until_ms, receives, first_ms, receipt),
        )
        self._room -= len(data)
        received = Received(receipt, shard, number, key, data, arrival_ms, first_ms, receives)
        self.records.append(received)
