"""A handle of one stream: put, append exactly once, read, wait for commits.

A handle belongs to one creation of a name. When any process deletes that stream, the handle
raises ``not_found``; it never touches a later stream of the same name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.log import reader, retention
from eddyline.log.keys import (
    HEADS,
    INFO,
    MARKS,
    EpochMark,
    Head,
    changed,
    mark_key,
    pack_heads,
    pack_info,
    saved_shards,
    unpack_head,
)
from eddyline.log.news import WATCH
from eddyline.log.opened import OpenStream, StreamLayout
from eddyline.log.put import Placement, PutBatch, prepared
from eddyline.log.reader import Damage, Slice, StreamSnapshot
from eddyline.log.reshard import Resharding
from eddyline.log.shard import ShardCounters, ShardInfo, StreamCounters, StreamInfo
from eddyline.log.writer import PutCallback, WriteTask
from eddyline.settings import Settings

RETENTION_HOURS_MAX = 8760
SHARDS_MAX = 10_000


class Stream:
    """One stream; safe for many threads, as for many processes.

    Every method raises ``EddylineError``: ``not_found`` once the stream was deleted or the store
    closed, ``corrupt_data`` or ``newer_format`` for a file that cannot be read.
    """

    def __init__(self, opened: OpenStream, settings: Settings, clock: Clock) -> None:
        self.name = opened.name
        self.stream_id = opened.stream_id
        self._opened = opened
        self._settings = settings
        self._clock = clock

    def now_ms(self) -> int:
        """The time at which a record put now would arrive; never decreases within one boot."""
        return self._clock.now_ms()

    def info(self) -> StreamInfo:
        """The stream as it is now."""
        with self._reading() as (_, layout):
            return layout.info(self._clock.now_ms())

    def latest_info(self) -> StreamInfo:
        """The stream as this process has last seen it, without a look at the file.

        Each read and each commit of this process looks; so it is behind by what other processes
        changed since then.
        """
        return self._opened.latest().info(self._clock.now_ms())

    def shards(self) -> tuple[ShardInfo, ...]:
        """All shards, open and closed."""
        with self._reading() as (_, layout):
            return layout.shards

    def put(self, batch: PutBatch) -> Future[Placement]:
        """Store records; the future resolves once they are durable.

        Records go to the shards whose ranges hold their hash keys; those of one call keep their
        order within a shard, and so do the calls of one caller.

        Raises:
            EddylineError: ``invalid_argument``, ``limit_exceeded`` at once; ``disk_full``,
                ``not_found`` through the future, and then nothing of the batch is stored.
        """
        future: Future[Placement] = Future()
        future.set_running_or_notify_cancel()
        self.put_with_callback(batch, future)
        return future

    def put_with_callback(self, batch: PutBatch, callback: PutCallback) -> None:
        """As ``put``; ``callback`` is called from a thread of the log and must not block.

        Raises:
            EddylineError: as ``put``.
        """
        self._opened.writer().submit(WriteTask(prepared(batch), self._clock, callback))

    def append(self, batch: PutBatch, mark: EpochMark) -> bool:
        """Store an epoch's rows together with its mark, durable on return.

        False, and nothing stored, when the epoch of (job, sink) is there already.

        Raises:
            EddylineError: ``conflict`` when a newer incarnation of the job has written, and what
                ``put`` raises.
        """
        future: Future[bool] = Future()
        future.set_running_or_notify_cancel()
        self._opened.writer().write(WriteTask(prepared(batch), self._clock, future, mark))
        return future.result()

    def mark(self, job: str, sink: str) -> EpochMark | None:
        """The newest mark of (job, sink)."""
        with self._reading() as (txn, _):
            raw = txn.get(mark_key(job, sink))
            return EpochMark.unpack(job, sink, bytes(raw)) if raw else None

    def read(
        self, shard: int, offset: int, max_records: int = 10_000, max_bytes: int = 10 * 2**20
    ) -> Slice:
        """Records from ``offset`` on: at most so many, and of at most so many bytes together.

        An offset below the oldest kept is moved up to it. At the tip the slice is empty; else it
        has at least one record, however large. A damaged block is skipped and described in
        ``Slice.damage``.

        Raises:
            EddylineError: ``invalid_argument`` for a shard that does not exist.
        """
        with self._reading(shard) as (txn, _):
            return reader.read(self._opened, txn, shard, offset, max_records, max_bytes)

    @contextmanager
    def snapshot(self) -> Iterator[StreamSnapshot]:
        """All shards at one moment, for readers that merge them; leave it within a second."""
        with self._reading() as (txn, layout):
            yield StreamSnapshot(self._opened, txn, layout.shards)

    def bounds(self, shard: int) -> tuple[int, int]:
        """(oldest offset kept, offset of the next record)."""
        with self._reading(shard) as (txn, _):
            head = unpack_head(bytes(txn.get(HEADS)), shard)
            return head.trim_offset, head.next_offset

    def offset_at(self, shard: int, timestamp_ms: int) -> int:
        """The first offset that arrived at that time or later; the tip if none has."""
        with self._reading(shard) as (txn, _):
            return reader.offset_at(txn, shard, timestamp_ms)

    def damages(self, shard: int) -> list[Damage]:
        """Every damaged block of a shard, found by reading all of it."""
        with self._reading(shard) as (txn, _):
            return reader.damages(self._opened, txn, shard)

    def counters(self) -> StreamCounters:
        """Records and bytes, ever put and kept; cheap."""
        with self._reading() as (txn, _):
            heads = self._opened.heads(txn)
        names = [f.name for f in fields(ShardCounters) if f.name != "index"]
        shards = tuple(
            ShardCounters(i, *(getattr(h, n) for n in names)) for i, h in enumerate(heads)
        )
        totals = {n: sum(getattr(h, n) for h in heads) for n in [*names, "stored_bytes"]}
        return StreamCounters(**totals, shards=shards)

    figures = counters

    def generation(self) -> int:
        """The number of the newest commit of any process; very cheap."""
        return self._opened.environment.last_transaction()

    def wait(self, generation: int, timeout_s: float) -> int:
        """Until something was committed after ``generation``, or the time is over; the newest.

        Commits of this process wake at once, those of others within ``poll_ms``.
        """
        event = threading.Event()
        end = self._clock.monotonic() + timeout_s
        self._opened.listen(event)
        try:
            while (newest := self.generation()) == generation:
                left = end - self._clock.monotonic()
                if left <= 0:
                    break
                self._clock.wait(event, min(left, self._settings.poll_ms / 1000))
                event.clear()
            return newest
        finally:
            self._opened.unlisten(event)

    @contextmanager
    def listening(self, callback: Callable[[], None]) -> Iterator[None]:
        """Have ``callback`` called, from any thread, soon after each commit to the stream.

        At once for commits of this process, within ``poll_ms`` for those of others; sometimes
        without anything new.
        """
        WATCH.add(self._opened, callback, self._settings.poll_ms / 1000)
        try:
            yield
        finally:
            WATCH.remove(self._opened, callback)

    def set_retention(self, hours: int) -> None:
        """Keep records so long from now on.

        Raises:
            EddylineError: ``invalid_argument`` outside 1 to 8,760 hours.
        """
        check_retention(hours)
        self._change(retention_hours=hours)

    def attributes(self) -> dict[str, Any]:
        """What the faces keep with the stream; not to be changed in place."""
        with self._reading() as (_, layout):
            return layout.saved.attributes

    def update(self, change: Callable[[StreamInfo], dict[str, Any]], *, slow: bool = False) -> None:
        """Change mode, tags or attributes in one transaction.

        ``change`` is given the stream as it is and gives the fields that are new; what it raises
        leaves everything as it was. ``slow``: the stream is UPDATING for a while afterwards.
        """
        with self._opened.environment.write() as txn:
            layout = self._opened.layout(txn)
            self._opened.check_there(layout, self._clock)
            now_ms = self._clock.now_ms()
            fields = change(layout.saved.info(now_ms, layout.shards))
            if slow:
                fields = {**fields, "updating_ms": now_ms + self._settings.stream_delay_ms}
            txn.put(INFO, pack_info(changed(layout.saved, **fields)))
        self._opened.tell()

    def reshard(
        self, change: Callable[[StreamInfo, Resharding], dict[str, Any] | None], slow: bool = True
    ) -> tuple[ShardInfo, ...]:
        """Rearrange the shards in one transaction; all shards as they are then.

        ``change`` is given the stream as it is and its shards to split, merge or scale, and may
        give further fields that are new, as in ``update``; what it raises leaves all as it was.
        Records put meanwhile go to the old shards or to the new ones, each once, and those of a
        key keep their order.
        """
        with self._opened.environment.write() as txn:
            layout = self._opened.layout(txn)
            self._opened.check_there(layout, self._clock)
            now_ms = self._clock.now_ms()
            resharding = Resharding(layout.shards, self._opened.heads(txn), now_ms)
            fields = change(layout.saved.info(now_ms, layout.shards), resharding) or {}
            if slow:
                fields = {**fields, "updating_ms": now_ms + self._settings.stream_delay_ms}
            saved = changed(layout.saved, **fields, shards=saved_shards(resharding.shards))
            txn.put(INFO, pack_info(saved))
            txn.put(HEADS, pack_heads(resharding.heads))
        self._opened.tell()
        return resharding.shards

    def split(self, shard: int, starting_hash_key: int | None = None) -> tuple[int, int]:
        """Close a shard and open two for it, the second from that hash key or the middle on.

        Raises:
            EddylineError: ``invalid_argument``, ``not_found``, ``conflict``.
        """
        made: list[tuple[int, int]] = []
        self.reshard(lambda _, shards: made.append(shards.split(shard, starting_hash_key)))
        return made[0]

    def merge(self, shard: int, adjacent: int) -> int:
        """Close two shards whose ranges touch and open one for both.

        Raises:
            EddylineError: ``invalid_argument``, ``not_found``, ``conflict``.
        """
        made: list[int] = []
        self.reshard(lambda _, shards: made.append(shards.merge(shard, adjacent)))
        return made[0]

    def scale(self, count: int) -> None:
        """Split and merge until so many open shards share the keys evenly.

        Raises:
            EddylineError: ``invalid_argument`` for a number no stream can have.
        """
        check_shard_count(count)
        self.reshard(lambda _, shards: shards.scale(count))

    def description(self) -> tuple[bytes, list[Head], dict[bytes, bytes]]:
        """(what the stream is, heads of its shards, marks by key), all of one moment."""
        with self._reading() as (txn, layout):
            cursor, marks = txn.cursor(), {}
            there = cursor.set_range(MARKS)
            while there and bytes(cursor.key()).startswith(MARKS):
                marks[bytes(cursor.key())] = bytes(cursor.value())
                there = cursor.next()
            return layout.raw, self._opened.heads(txn), marks

    def trim(self) -> int:
        """Delete what is older than the retention; gives the number of records."""
        with self._reading():
            pass
        return retention.trim(self._opened, self._clock.now_ms())

    def _change(self, **changes: object) -> None:
        with self._opened.environment.write() as txn:
            layout = self._opened.layout(txn)
            self._opened.check_there(layout, self._clock)
            txn.put(INFO, pack_info(changed(layout.saved, **changes)))
        self._opened.tell()

    @contextmanager
    def _reading(self, shard: int = 0) -> Iterator[tuple[Any, StreamLayout]]:
        """A read transaction on a stream that is still there and has that shard."""
        with self._opened.environment.read() as txn:
            layout = self._opened.layout(txn)
            self._opened.check_there(layout, self._clock)
            if not 0 <= shard < len(layout.shards):
                msg = f"stream {self.name} has no shard {shard}"
                hint = f"it has {len(layout.shards)}, counted from 0"
                raise EddylineError("invalid_argument", msg, hint=hint)
            yield txn, layout


def check_shard_count(count: int) -> None:
    """Raise ``invalid_argument`` for a number of shards no stream can have."""
    if not 1 <= count <= SHARDS_MAX:
        msg = f"a stream cannot have {count} shards"
        raise EddylineError("invalid_argument", msg, hint=f"give 1 to {SHARDS_MAX}")


def check_retention(hours: int) -> None:
    """Raise ``invalid_argument`` for a retention no stream can have."""
    if not 1 <= hours <= RETENTION_HOURS_MAX:
        msg = f"a retention of {hours} hours is not possible"
        hint = f"give 1 to {RETENTION_HOURS_MAX} hours"
        raise EddylineError("invalid_argument", msg, hint=hint)
