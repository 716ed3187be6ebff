"""What goes out of each shard and what is refused, as CloudWatch names it.

What comes in is counted by the log; reads leave no trace there, so each worker counts its own:
those of GetRecords and SubscribeToShard. Jobs and the command line read the log itself, uncounted,
for nothing goes out then.
"""

from __future__ import annotations

import msgspec

from eddyline.clock import SYSTEM, Clock

SHARDS_MAX = 20_000


class ShardFlow(msgspec.Struct):
    """One shard's figures; the age is that of the last read, at ``read_ms``."""

    records: int = 0
    bytes: int = 0
    age_ms: int = 0
    read_ms: int = 0
    writes_exceeded: int = 0
    reads_exceeded: int = 0

    def add(self, other: ShardFlow) -> None:
        """Take another worker's figures in."""
        self.records += other.records
        self.bytes += other.bytes
        if other.read_ms >= self.read_ms:
            self.age_ms, self.read_ms = other.age_ms, other.read_ms
        self.writes_exceeded += other.writes_exceeded
        self.reads_exceeded += other.reads_exceeded


Flows = dict[str, dict[int, ShardFlow]]


class ServedShards:
    """The shards of all streams that this worker has served."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.streams: Flows = {}
        self._clock = clock
        self._shards = 0

    def read(self, stream: str, shard: int, records: int, size: int, behind_ms: int) -> None:
        """So many records of so many bytes went out, and so far behind the newest they were."""
        flow = self._of(stream, shard)
        flow.records += records
        flow.bytes += size
        flow.age_ms, flow.read_ms = behind_ms, self._clock.now_ms()

    def write_exceeded(self, stream: str, shard: int) -> None:
        """A record was refused for now."""
        self._of(stream, shard).writes_exceeded += 1

    def read_exceeded(self, stream: str, shard: int) -> None:
        """A read was refused for now."""
        self._of(stream, shard).reads_exceeded += 1

    def _of(self, stream: str, shard: int) -> ShardFlow:
        shards = self.streams.get(stream)
        flow = None if shards is None else shards.get(shard)
        if flow is None:
            if self._shards >= SHARDS_MAX:  # of streams long gone
                self.streams, self._shards = {}, 0
            flow = self.streams.setdefault(stream, {})[shard] = ShardFlow()
            self._shards += 1
        return flow
