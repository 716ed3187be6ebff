"""What a job counts while it runs, readable from any thread."""

from __future__ import annotations

from dataclasses import dataclass, field

from eddyline.record.batch import MIN_WATERMARK


@dataclass(frozen=True, slots=True)
class ShardMetrics:
    """One shard of one source: where the job stands in it.

    behind_ms: age of the oldest record that waits, 0 at the tip. watermark_ms: None before the
    first row.
    """

    source: str
    shard: str
    position: int
    tip: int
    behind_ms: int
    idle: bool
    watermark_ms: int | None


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """Totals since the job (this incarnation) began.

    bad_records: set aside or skipped, as the table says. lost: records that the stream no longer
    had when the job came to read them. held: rows whose event time lies so far after their arrival
    that they did not move the watermark. steps: looks at the sources, complete with what they
    brought.
    watermark_ms: of the last operator that has one, None before the first. latency_ms: from a
    record's arrival to the end of the micro-batch it was in, of the newest record.
    """

    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    null_time: int = 0
    filtered: int = 0
    bad_records: int = 0
    lost: int = 0
    held: int = 0
    keys_dropped: int = 0
    watermark_ms: int | None = None
    shards: tuple[ShardMetrics, ...] = ()
    steps: int = 0
    epochs: int = 0
    last_commit_ms: int | None = None
    latency_ms: int | None = None
    behind_ms: int = 0


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
    keys_dropped: int = 0
    watermark_ms: int = MIN_WATERMARK
    steps: int = 0
    epochs: int = 0
    last_commit_ms: int | None = None
    latency_ms: int | None = None
    shards: tuple[ShardMetrics, ...] = field(default=())

    def snapshot(self) -> JobMetrics:
        """The totals as they are now."""
        known = self.watermark_ms > MIN_WATERMARK
        return JobMetrics(
            rows_in=self.rows_in,
            rows_out=self.rows_out,
            late=self.late,
            null_time=self.null_time,
            filtered=self.filtered,
            bad_records=self.bad_records,
            lost=self.lost,
            held=self.held,
            keys_dropped=self.keys_dropped,
            watermark_ms=self.watermark_ms if known else None,
            shards=self.shards,
            steps=self.steps,
            epochs=self.epochs,
            last_commit_ms=self.last_commit_ms,
            latency_ms=self.latency_ms,
            behind_ms=max((s.behind_ms for s in self.shards), default=0),
        )
