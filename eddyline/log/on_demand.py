"""On-demand streams grow: a shard that is half busy is split, as often as it takes.

Only where shards have limits at all (setting ``throttle``): without them more shards would carry
no more. Rates are measured between two sweeps; the number of shards never shrinks by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eddyline.clock import Clock
from eddyline.log.shard import StreamMode, StreamStatus

if TYPE_CHECKING:
    from eddyline.log.stream import Stream

# What a shard takes a second, and the share of it from which on it is split.
RECORDS_A_SECOND, BYTES_A_SECOND = 1000, 1 << 20
BUSY = 0.5
OPEN_SHARDS_MAX = 200
# Two looks closer together than this say little.
LOOK_S_MIN = 5.0

_Counts = dict[int, tuple[int, int]]


class OnDemand:
    """The busy shards of a data directory's on-demand streams."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before: dict[str, tuple[float, _Counts]] = {}

    def look(self, stream: Stream) -> list[int]:
        """Split what was busy since the last look; which shards that were."""
        info = stream.info()
        if info.mode is not StreamMode.ON_DEMAND:
            return []
        now = self._clock.monotonic()
        counts = {s.index: (s.records_total, s.bytes_total) for s in stream.counters().shards}
        then, before = self._before.get(stream.stream_id, (now, counts))
        seconds = now - then
        if stream.stream_id in self._before and seconds < LOOK_S_MIN:
            return []
        self._before[stream.stream_id] = (now, counts)
        opened = [s.index for s in info.shards if s.closed_offset is None]
        busy = [i for i in opened if seconds and _is_busy(counts[i], before.get(i), seconds)]
        busy = busy[: max(0, OPEN_SHARDS_MAX - len(opened))]
        if busy and info.status is StreamStatus.ACTIVE:
            for index in busy:
                stream.split(index)
            return busy
        return []


def _is_busy(now: tuple[int, int], before: tuple[int, int] | None, seconds: float) -> bool:
    records, size = before or (0, 0)
    return (now[0] - records) / seconds >= BUSY * RECORDS_A_SECOND or (
        now[1] - size
    ) / seconds >= BUSY * BYTES_A_SECOND
