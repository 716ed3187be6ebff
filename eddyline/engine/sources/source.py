"""What every source promises: records in order, and positions from which to read on.

A source is polled; it never blocks and never loses its place: a position moves when the records
before it have left ``poll``, and is written in the transaction that holds what became of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.clock import Clock
from eddyline.engine.metrics import Figures, ShardMetrics
from eddyline.options import any_table
from eddyline.options.connectors import kinesis
from eddyline.settings import Settings

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """n records in merge order: arrival, shard, offset.

    payload: (n,) bytes, or ``rows`` for a source that makes rows itself. shard: (n,) int32, None
    if there is one shard. arrival_ms, offset: (n,) int64. metadata: (n,) arrays by key,
    beside those that follow from the others. partition: values of columns that are the same in all.
    """

    payload: pa.BinaryArray | None
    rows: pa.Table | None
    shard: npt.NDArray[np.int32] | None
    arrival_ms: Int64s
    offset: Int64s
    metadata: Mapping[str, Any] = field(default_factory=dict)
    partition: Mapping[str, str | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offset)


@dataclass(slots=True)
class ShardProgress:
    """Where a source stands in one shard.

    position: the next record to hand out. tip: the record after the newest known. quiet_since: the
    steady clock when the newest record was handed out, None while there is more. rested: the
    position after the poll before. was_idle: as it stood before the last poll.
    """

    index: int
    name: str
    position: int = 0
    tip: int = 0
    next_arrival_ms: int | None = None
    quiet_since: float | None = None
    rested: int = -1
    idle: bool = False
    was_idle: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source is given.

    idle_timeout_ms: what the session has SET, 0 for never. warn: takes a sentence for the user.
    """

    name: str
    settings: Settings
    clock: Clock
    options: dict[str, str] = field(default_factory=dict)
    idle_timeout_ms: int | None = None
    figures: Figures = field(default_factory=Figures)
    warn: Callable[[str], None] = lambda sentence: None


class Source:
    """Base of all sources."""

    bounded = False
    # Whether records are rows already, which no format has to decode.
    gives_rows = False
    # Whether a record's arrival time is when it arrived in a log.
    has_arrival = False

    def __init__(self, context: SourceContext) -> None:
        self.context = context
        self.shards: dict[int, ShardProgress] = {}
        self.ended = False
        # Records that were there already when the job began at the newest one.
        self.skipped = 0
        self._idle_ms = idle_timeout_ms(context)

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        """Take positions as saved, or resolve where to begin.

        identity: of the source that the positions belong to; None where it is not known.

        Raises:
            EddylineError: ``conflict`` if the positions belong to another stream of this name.
        """
        raise NotImplementedError

    @property
    def stream_name(self) -> str:
        """The stream that is read; empty for other sources."""
        return ""

    @property
    def beginning(self) -> str:
        """A sentence: where reading begins without positions; empty if there is but one place."""
        position = kinesis.INITIAL_POSITION.read(self.context.options)
        if not self.stream_name:
            return ""
        return f"stream {self.stream_name} is read from {position.value} on"

    def identity(self) -> str:
        """What tells this source from another one of the same name; empty if nothing does."""
        return ""

    def now_ms(self) -> int:
        """The time by which records get their arrival times, epoch milliseconds."""
        return self.context.clock.now_ms()

    @property
    def max_ahead_ms(self) -> int:
        """How far after its arrival a row may move the watermark; 0: without bound."""
        return any_table.MAX_AHEAD.read(self.context.options)

    def positions(self) -> dict[str, int]:
        """Where to read on, by shard or file."""
        return {str(s.index): s.position for s in self.shards.values()}

    def wake(self, on_news: Callable[[], None]) -> bool:
        """Have ``on_news`` called, from any thread, when there may be something to read, until the
        source is closed; False if this source must be polled."""
        return False

    def poll(self, rows_max: int) -> Records | None:
        """What has come, at most about ``rows_max``; None if nothing."""
        raise NotImplementedError

    def place(self, shard: int, offset: int) -> str:
        """Where a record rests, for a message."""
        return f"{self.context.name}, record {offset}"

    def sequence_numbers(self, records: Records) -> pa.Array:
        """Metadata ``sequence-number`` of each record."""
        return pa.array(records.offset).cast(pa.string())

    def metrics(self, watermarks: dict[int, int]) -> list[ShardMetrics]:
        """One row per shard."""
        now = self.context.clock.now_ms()
        return [
            ShardMetrics(
                source=self.context.name,
                shard=s.name,
                position=s.position,
                tip=max(s.tip, s.position),
                behind_ms=max(0, now - s.next_arrival_ms) if s.next_arrival_ms is not None else 0,
                idle=s.idle,
                watermark_ms=watermarks.get(s.index),
            )
            for s in self.shards.values()
        ]

    def rest(self) -> None:
        """Note which shards are at their tip, and since when; called after every poll."""
        now = self.context.clock.monotonic()
        for s in self.shards.values():
            s.was_idle = s.idle
            moved, s.rested = s.position != s.rested, s.position
            if self.bounded or s.position < s.tip:
                s.quiet_since, s.idle = None, False
                continue
            if moved or s.quiet_since is None:
                s.quiet_since = now
            s.idle = s.closed or (now - s.quiet_since) * 1000 >= self._idle_ms

    @property
    def will_be_idle(self) -> bool:
        """Whether some shard is not idle yet and will be if no record comes."""
        return self._idle_ms < float("inf") and any(not s.idle for s in self.shards.values())

    def rest_as_idle(self, shards: set[int]) -> None:
        """Shards that were idle before a restart still are, until they give a record."""
        long_ago = self.context.clock.monotonic() - self._idle_ms / 1000
        for s in self.shards.values():
            if s.index in shards:
                s.idle, s.quiet_since, s.rested = True, long_ago, s.position

    def close(self) -> None:
        """Let go of files and streams."""


def idle_timeout_ms(context: SourceContext) -> float:
    """After how long at its tip a shard is idle: the table's options, else the session's, else
    the setting; infinite for never."""
    timeout = any_table.IDLE_TIMEOUT.get(context.options)
    if timeout is not None:
        return timeout
    interval = kinesis.IDLE_INTERVAL.read(context.options)
    if interval > 0:
        return interval
    if context.idle_timeout_ms is not None:
        return context.idle_timeout_ms or float("inf")
    return context.settings.idle_timeout_ms


def arrays(values: list[Any], kind: pa.DataType) -> pa.Array:
    """One contiguous array out of pieces."""
    return values[0] if len(values) == 1 else pa.concat_arrays(values).cast(kind)
