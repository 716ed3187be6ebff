"""The delivery worker: a thread that reads streams and stores their records as objects in buckets.

One process of the endpoint delivers for a service at a time; a lock file determines which. An
object's key follows from its first record, so an object that was stored while its progress was not,
because the process died in between, is stored again under the same key.
"""

from __future__ import annotations

import fcntl
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from eddyline.aws.delivery.buckets import Buckets
from eddyline.aws.delivery.records import compressed, rendered
from eddyline.aws.delivery.source import Delivery, DeliverySource, ObjectStart, ObjectTarget
from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.log import ShardInfo, Slice, Stream

INTERVAL_S = 0.5
OBJECT_RECORDS = 100_000
# After a failure a delivery is retried after a pause that doubles up to the maximum.
PAUSE_S, PAUSE_S_MAX = 2.0, 60.0
# Records that are not due are read again only when there are this many times as many.
GROWTH = 1.25

_log = logging.getLogger("eddyline.delivery")


@dataclass(frozen=True, slots=True)
class Fresh:
    """Records of a shard that were read and are not due yet: from ``offset``, so many."""

    offset: int
    count: int
    first_ms: int


class DeliveryWorker:
    """Delivers for one service. ``name`` is that of the thread and of the lock file."""

    def __init__(
        self, name: str, source: DeliverySource, buckets: Buckets, clock: Clock, data_dir: Path
    ) -> None:
        self._name = name
        self._source = source
        self._buckets = buckets
        self._clock = clock
        self._data_dir = data_dir
        self._pauses: dict[str, tuple[float, float]] = {}  # delivery -> (until, seconds)
        self._fresh: dict[tuple[str, int], Fresh] = {}
        self._stop = threading.Event()
        self._lock: IO[str] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; it does nothing while the service has no deliveries."""
        self._thread.start()

    def stop(self) -> None:
        """End after the object that is being stored."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            self._lock.close()

    def _run(self) -> None:
        while not self._clock.wait(self._stop, INTERVAL_S):
            try:
                if self._source.is_used() and self._owns_lock():
                    self.step()
            except Exception:  # a fault here must not end the thread
                _log.exception("the deliveries of %s could not be examined", self._name)

    def _owns_lock(self) -> bool:
        if self._lock is not None:
            return True
        lock = (self._data_dir / f"{self._name}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def step(self) -> int:
        """Deliver what is due; returns the number of reads whose records were stored."""
        stored = 0
        for delivery in self._source.deliveries():
            if self._is_paused(delivery):
                continue
            try:
                stored += self._deliver(delivery)
            except EddylineError as error:
                self._pause(delivery, error)
            else:
                self._pauses.pop(delivery.id, None)
                if delivery.failure is not None:
                    self._source.report(delivery.id, None)
        return stored

    def _is_paused(self, delivery: Delivery) -> bool:
        until, _ = self._pauses.get(delivery.id, (0.0, 0.0))
        return self._clock.monotonic() < until

    def _pause(self, delivery: Delivery, error: EddylineError) -> None:
        _, before = self._pauses.get(delivery.id, (0.0, PAUSE_S / 2))
        seconds = min(2 * before, PAUSE_S_MAX)
        self._pauses[delivery.id] = (self._clock.monotonic() + seconds, seconds)
        if delivery.failure != error.message:
            _log.error("%s %s: %s", self._name, delivery.name, error.message)
            self._source.report(delivery.id, error.message)

    def _deliver(self, delivery: Delivery) -> int:
        stream = self._source.stream(delivery)
        positions, stored = self._source.positions(delivery.id), 0
        for shard in stream.shards():
            offset = positions.get(shard.index, 0)
            while not self._stop.is_set():
                records = self._due(delivery, stream, shard, offset)
                if records is None:
                    break
                if len(records):
                    self._store(delivery, stream, shard, records)
                    stored += 1
                offset = records.next_offset
                self._source.advance(delivery.id, shard.index, offset)
        return stored

    def _due(
        self, delivery: Delivery, stream: Stream, shard: ShardInfo, offset: int
    ) -> Slice | None:
        """The next records of a shard, if they have to be stored now."""
        key = (delivery.id, shard.index)
        if self._is_fresh(self._fresh.get(key), delivery, stream, shard, offset):
            return None
        records = stream.read(shard.index, offset, OBJECT_RECORDS, delivery.object_bytes)
        if not len(records):
            return records if records.damage is not None else None
        first_ms = int(records.arrival_ms[0])
        is_full = records.next_offset < records.tip_offset
        if is_full or shard.closed_offset is not None or self._is_old(first_ms, delivery):
            self._fresh.pop(key, None)
            return records
        self._fresh[key] = Fresh(offset, len(records), first_ms)
        return None

    def _is_fresh(
        self,
        known: Fresh | None,
        delivery: Delivery,
        stream: Stream,
        shard: ShardInfo,
        offset: int,
    ) -> bool:
        """Whether it is known without reading that the records at ``offset`` are not due."""
        if known is None or known.offset != offset or shard.closed_offset is not None:
            return False
        count = stream.bounds(shard.index)[1] - offset
        return count < GROWTH * known.count and not self._is_old(known.first_ms, delivery)

    def _is_old(self, first_ms: int, delivery: Delivery) -> bool:
        return self._clock.now_ms() - first_ms >= 1000 * delivery.freshness_s

    def _store(self, delivery: Delivery, stream: Stream, shard: ShardInfo, records: Slice) -> None:
        good, rejected = rendered(delivery.record_format, shard, records)
        first_ms = int(records.arrival_ms[0])
        start = ObjectStart(stream.name, shard.shard_id, first_ms, records.first_offset)
        if rejected:
            lines = b"".join(msgspec.json.encode(r) + b"\n" for r in rejected)
            self._put(delivery.rejects, start, lines)
        if good:
            body = compressed(b"".join(good), delivery.compression)
            self._put(delivery.target, start, body)

    def _put(self, target: ObjectTarget, start: ObjectStart, body: bytes) -> None:
        self._buckets.put(target.bucket, target.key(start), body, **target.put_options)
