"""What a job counts while it runs, readable from any thread: totals, shards, operators."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK

# Shares of time are those of the last seconds.
WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class ShardMetrics:
    """One shard of one source: where the job stands in it.

    behind_ms: age of the oldest record that waits, 0 at the tip. watermark_ms: None before the
    first row. holds_back: whether the source's watermark is this shard's.
    """

    source: str
    shard: str
    position: int
    tip: int
    behind_ms: int
    idle: bool
    watermark_ms: int | None
    holds_back: bool = False


@dataclass(frozen=True, slots=True)
class OperatorMetrics:
    """One operator of a job since the job (this incarnation) began.

    inputs: names of the operators whose rows it takes. busy_ms: time spent in its steps.
    watermark_ms: after its last step, None before the first row time. state_rows: rows that it
    keeps, None where it keeps none.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    inputs: tuple[str, ...]
    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    filtered: int = 0
    bad_records: int = 0
    busy_ms: float = 0.0
    watermark_ms: int | None = None
    state_rows: int | None = None


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """Totals since the job (this incarnation) began.

    bad_records: set aside or skipped, as the table says. lost: records that the stream no longer
    had when the job came to read them. held: rows whose event time lies so far after their arrival
    that they did not move the watermark. steps: looks at the sources, complete with what they
    brought.
    watermark_ms: of the last operator that has one, None before the first. latency_ms: from a
    record's arrival to the end of the micro-batch it was in, of the newest record. behind_ms,
    behind_records: age of the oldest record that waits, and how many wait. busy, blocked: shares of
    the last seconds in which the job computed, and waited for its sink. commit_ms: how long the
    last commit took. state_rows, state_bytes: what is stored, None where nothing is.
    """

    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    null_time: int = 0
    filtered: int = 0
    bad_records: int = 0
    lost: int = 0
    held: int = 0
    watermark_ms: int | None = None
    shards: tuple[ShardMetrics, ...] = ()
    operators: tuple[OperatorMetrics, ...] = ()
    steps: int = 0
    epochs: int = 0
    last_commit_ms: int | None = None
    commit_ms: float | None = None
    latency_ms: int | None = None
    behind_ms: int = 0
    behind_records: int = 0
    busy: float = 0.0
    blocked: float = 0.0
    state_rows: int | None = None
    state_bytes: int | None = None


@dataclass(slots=True)
class OperatorCounts:
    """The running totals of one operator; written by the job's thread only."""

    name: str
    kind: str
    columns: tuple[str, ...]
    inputs: tuple[str, ...]
    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    filtered: int = 0
    bad_records: int = 0
    busy_s: float = 0.0
    watermark_ms: int = MIN_WATERMARK
    state_rows: int | None = None

    def snapshot(self) -> OperatorMetrics:
        """The totals as they are now."""
        known = MIN_WATERMARK < self.watermark_ms < MAX_WATERMARK
        return OperatorMetrics(
            self.name,
            self.kind,
            self.columns,
            self.inputs,
            self.rows_in,
            self.rows_out,
            self.late,
            self.filtered,
            self.bad_records,
            round(self.busy_s * 1000, 3),
            self.watermark_ms if known else None,
            self.state_rows,
        )


@dataclass(slots=True)
class Figures:
    """The running totals: written by the job's thread only, read by anybody."""

    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    null_time: int = 0
    filtered: int = 0
    bad_records: int = 0
    lost: int = 0
    held: int = 0
    watermark_ms: int = MIN_WATERMARK
    steps: int = 0
    epochs: int = 0
    last_commit_ms: int | None = None
    commit_ms: float | None = None
    latency_ms: int | None = None
    busy_s: float = 0.0
    blocked_s: float = 0.0
    state_bytes: int | None = None
    shards: tuple[ShardMetrics, ...] = field(default=())
    operators: tuple[OperatorCounts, ...] = field(default=())
    _seen: deque[tuple[float, float, float]] = field(default_factory=deque)

    def snapshot(self, now_s: float | None = None) -> JobMetrics:
        """The totals as they are now; ``now_s`` of the steady clock, for the shares of time."""
        known = self.watermark_ms > MIN_WATERMARK
        operators = tuple(counts.snapshot() for counts in self.operators)
        kept = [o.state_rows for o in operators if o.state_rows is not None]
        busy, blocked = self._shares(now_s) if now_s is not None else (0.0, 0.0)
        return JobMetrics(
            rows_in=self.rows_in,
            rows_out=self.rows_out,
            late=self.late,
            null_time=self.null_time,
            filtered=self.filtered,
            bad_records=self.bad_records,
            lost=self.lost,
            held=self.held,
            watermark_ms=self.watermark_ms if known else None,
            shards=_holding_back(self.shards),
            operators=operators,
            steps=self.steps,
            epochs=self.epochs,
            last_commit_ms=self.last_commit_ms,
            commit_ms=self.commit_ms,
            latency_ms=self.latency_ms,
            behind_ms=max((s.behind_ms for s in self.shards), default=0),
            behind_records=sum(s.tip - s.position for s in self.shards),
            busy=busy,
            blocked=blocked,
            state_rows=sum(kept) if kept else None,
            state_bytes=self.state_bytes,
        )

    def _shares(self, now_s: float) -> tuple[float, float]:
        """Shares of the last seconds: busy, and blocked by the sink."""
        seen = self._seen
        seen.append((now_s, self.busy_s, self.blocked_s))
        while len(seen) > 2 and now_s - seen[1][0] >= WINDOW_S:
            seen.popleft()
        then_s, busy_s, blocked_s = seen[0]
        passed = now_s - then_s
        if passed <= 0:
            return 0.0, 0.0
        shares = (self.busy_s - busy_s) / passed, (self.blocked_s - blocked_s) / passed
        return min(1.0, round(shares[0], 4)), min(1.0, round(shares[1], 4))


def _holding_back(shards: tuple[ShardMetrics, ...]) -> tuple[ShardMetrics, ...]:
    """The shards, those marked whose watermark is the least of their source's active ones."""
    least: dict[str, int] = {}
    for s in shards:
        if not s.idle:
            mark = MIN_WATERMARK if s.watermark_ms is None else s.watermark_ms
            least[s.source] = min(mark, least.get(s.source, mark))
    known = {s.source for s in shards if s.watermark_ms is not None}
    return tuple(
        replace(s, holds_back=True)
        if s.source in known
        and not s.idle
        and (MIN_WATERMARK if s.watermark_ms is None else s.watermark_ms) == least[s.source]
        else s
        for s in shards
    )
