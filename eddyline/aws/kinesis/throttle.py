"""AWS's limits of a shard, for tests of how a client bears them: off unless a setting says so.

A bucket fills with what a second allows and holds as much. Writes are refused when it lacks what a
record needs. Reads go by what has been read: a page of 10 MiB keeps the shard closed until it has
been paid for, five seconds later. Exact for one process; so a throttled server has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.clock import Clock

WRITE_RECORDS, WRITE_BYTES = 1000, 1 << 20
READS, READ_BYTES = 5, 2 << 20
SHARDS_MAX = 10_000


# Levels are whole numbers of millionths, so that nothing is lost to rounding.
MICRO = 1_000_000


@dataclass(slots=True)
class _Bucket:
    """What is left of a second's worth of one thing, in millionths; ``at`` in microseconds."""

    a_second: int
    left: int
    at: int

    def fill(self, now: int) -> int:
        """What is there at that time, in whole things."""
        self.left = min(self.a_second * MICRO, self.left + (now - self.at) * self.a_second)
        self.at = now
        return self.left // MICRO

    def take(self, n: int) -> None:
        self.left -= n * MICRO


class Throttle:
    """The buckets of all shards in use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shards: dict[tuple[str, int], tuple[_Bucket, _Bucket, _Bucket, _Bucket]] = {}

    def write(self, stream_id: str, shard: int, size: int) -> bool:
        """Whether the shard takes a record of so many bytes now; takes its share if so."""
        records, payload, _, _ = self._of(stream_id, shard)
        now = self._now()
        needed = min(size, WRITE_BYTES)
        if records.fill(now) < 1 or payload.fill(now) < needed:
            return False
        records.take(1)
        payload.take(size)
        return True

    def read(self, stream_id: str, shard: int) -> bool:
        """Whether the shard may be read now; takes one read if so."""
        _, _, reads, payload = self._of(stream_id, shard)
        now = self._now()
        if reads.fill(now) < 1 or payload.fill(now) < 1:
            return False
        reads.take(1)
        return True

    def has_read(self, stream_id: str, shard: int, size: int) -> None:
        """So many bytes were read."""
        self._of(stream_id, shard)[3].take(size)

    def _now(self) -> int:
        return round(self._clock.monotonic() * MICRO)

    def _of(self, stream_id: str, shard: int) -> tuple[_Bucket, _Bucket, _Bucket, _Bucket]:
        budget = self._shards.get((stream_id, shard))
        if budget is None:
            if len(self._shards) >= SHARDS_MAX:  # shards of streams long gone
                self._shards.clear()
            now = self._now()
            limits = (WRITE_RECORDS, WRITE_BYTES, READS, READ_BYTES)
            made = [_Bucket(n, n * MICRO, now) for n in limits]
            budget = self._shards[stream_id, shard] = (made[0], made[1], made[2], made[3])
        return budget
