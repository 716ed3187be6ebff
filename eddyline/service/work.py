"""A plan at work in its session: the engine's job, its viewers, and its figures.

Rows reach a screen as snapshots: at once when the first ones come, then at most every
``refresh_ms``, always from a thread of their own, so that a slow screen never slows a query. A
changelog is the opposite: every change is sent before the next batch is read.
"""

from __future__ import annotations

import threading

from eddyline.engine.metrics import JobMetrics, OperatorMetrics, ShardMetrics
from eddyline.engine.scores import ScorePoints
from eddyline.engine.signals import StopSignal
from eddyline.engine.sinks.sink import PrintedLines
from eddyline.engines.engine import Prepared, RunSpec, StartFrom
from eddyline.record.batch import Batch, ChangeKind
from eddyline.service import events
from eddyline.service.child import in_thread
from eddyline.service.events import (
    JobFigures,
    OperatorFigures,
    Progress,
    RowsAppended,
    ShardFigures,
    StatementReads,
    TableSnapshot,
    Warning_,
)
from eddyline.service.job_log import JobLog
from eddyline.service.messages import Run
from eddyline.service.nested import nested_columns
from eddyline.service.printing import Printer
from eddyline.service.results import ResultView
from eddyline.service.scores import record_scores
from eddyline.service.session import Session
from eddyline.sql.options import SessionConfig

# Counters of a run are sent this often, and this often where nothing happens.
PROGRESS_S = 1.0
PROGRESS_S_MAX = 5.0
# How often a run is asked whether it has looked at its sources once.
FIRST_STEP_TICK_S = 0.02
CHANGES_A_MESSAGE = 5000


class StatementWork:
    """One SELECT or INSERT: ``run`` works until the input ends or ``stop`` is set."""

    def __init__(
        self,
        session: Session,
        run: Run,
        index: int,
        plan: Prepared,
        *,
        job_id: str | None = None,
        incarnation: int = 1,
        config: SessionConfig | None = None,
        same_statement: bool = False,
        start: StartFrom = StartFrom.STATE,
        log: JobLog | None = None,
    ) -> None:
        self._session = session
        self._run = run
        self._index = index
        self._log = log
        self._id = job_id or f"{run.run_id}-{index}"
        self.stop = StopSignal()
        self._over = threading.Event()
        self._came = threading.Event()
        self._is_query = job_id is None
        self._is_unbounded = plan.is_unbounded
        config = config or SessionConfig()
        self._shows_changes = run.changelog or (run.terminal and config.shows_changes)
        self._schema = plan.schema
        self._printer = Printer(plan.schema, config.zone)
        rows_max = session.settings.result_rows_max
        self._view = ResultView(self._printer, run.mode, rows_max, plan.insert_only)
        directory = session.directory.job(job_id) if job_id else None
        spec = RunSpec(self._id, incarnation, directory, config, same_statement, start)
        self._job = session.engine.start(plan, spec, self)

    def run(self) -> None:
        """Work to the end.

        Raises:
            EddylineError: what made it fail.
        """
        # A job's counters are sent by the thread that reports its state.
        watcher = in_thread(f"watch-{self._id}", self._watch) if self._is_query else None
        try:
            self._job.run(self.stop)
        finally:
            self._over.set()
            self._came.set()
            if watcher is not None:
                watcher.join()
            if self._is_query and not self._shows_changes and self._view.fresh:
                self._send_snapshot()
            self.send_progress()

    # callbacks of the engine, from the job's thread

    def on_rows(self, batch: Batch) -> None:
        """Rows of a SELECT."""
        if self._shows_changes:
            self._send_changes(batch)
            return
        self._view.apply(batch)
        self._came.set()

    def on_scores(self, scores: ScorePoints) -> None:
        """Points that a forest has scored."""
        for message in record_scores(self._session.monitor, self._id, scores):
            self._session.send(message)

    def on_printed(self, printed: PrintedLines) -> None:
        """Lines of the print connector."""
        if self._log is not None:
            for text in printed.lines:
                self._log.write("INFO", text)
        self._session.send(
            events.Printed(
                self._run.run_id,
                self._index,
                printed.table,
                printed.kinds,
                printed.lines,
                printed.to_error,
            )
        )

    def on_warning(self, text: str) -> None:
        """Something the user should know."""
        if self._log is not None:
            self._log.write("WARNING", text)
        self._session.send(Warning_(self._run.run_id, self._index, text))

    # figures, from any thread

    def figures(self) -> JobFigures:
        """The counters as they are now."""
        return figures_of(self._job.metrics(), detailed=not self._is_query)

    def has_stepped(self) -> bool:
        """Whether the first look at the sources, with all it brought, is complete."""
        return self._job.metrics().steps > 0

    def tell_first_step(self) -> bool:
        """Send that the first look at the sources is complete; False if it is not."""
        stepped = self.has_stepped()
        if stepped:
            self._session.send(StatementReads(self._run.run_id, self._index))
        return stepped

    def epoch(self) -> int:
        """The last committed micro-batch."""
        return self._job.epoch

    def why(self) -> list[str]:
        """Sentences: why nothing is shown or written; empty when something is."""
        return self._job.why_silent()

    def _watch(self) -> None:
        clock = self._session.clock
        refresh_s = max(0.02, self._run.refresh_ms / 1000)
        shows = self._is_query and not self._shows_changes
        if shows:
            self._send_snapshot()
        shown, reads = float("-inf"), False
        reported, pause_s, epoch = clock.monotonic(), PROGRESS_S, -1
        while not self._over.is_set():
            now = clock.monotonic()
            reads = reads or self.tell_first_step()
            wait_s = max(0.0, reported + pause_s - now)
            if not reads:
                wait_s = min(wait_s, FIRST_STEP_TICK_S)
            if shows and self._view.fresh:
                wait_s = min(wait_s, max(0.0, shown + refresh_s - now))
                self._over.wait(wait_s)
            else:
                self._came.wait(wait_s)
            self._came.clear()
            now = clock.monotonic()
            if shows and self._view.fresh and now >= shown + refresh_s:
                self._send_snapshot()
                shown = now
            if now >= reported + pause_s:
                self.send_progress()
                moved, epoch = self.epoch() != epoch, self.epoch()
                pause_s = PROGRESS_S if moved else min(PROGRESS_S_MAX, pause_s * 2)
                reported = now

    def _send_snapshot(self) -> None:
        rows, count, skipped = self._view.snapshot()
        self._session.send(
            TableSnapshot(
                self._run.run_id,
                self._index,
                self._printer.columns,
                self._printer.types,
                [list(row) for row in rows],
                count,
                skipped,
                self._is_unbounded,
            )
        )

    def _send_changes(self, batch: Batch) -> None:
        rows = [list(row) for row in self._printer.rows(batch.rows)]
        kinds = [0] * len(rows) if batch.kinds is None else batch.kinds.tolist()
        words = [ChangeKind(k).short for k in kinds]
        head = (self._run.run_id, self._index, self._printer.columns, self._printer.types)
        for at in range(0, len(rows), CHANGES_A_MESSAGE):
            end = at + CHANGES_A_MESSAGE
            nested = nested_columns(self._schema, batch.rows.slice(at, CHANGES_A_MESSAGE))
            self._session.send(RowsAppended(*head, words[at:end], rows[at:end], nested))

    def send_progress(self) -> None:
        """Send the counters to the listeners of the run."""
        figures = figures_of(self._job.metrics())
        run_id = self._run.run_id
        progress = Progress(run_id, self._index, figures, self.why(), self._is_unbounded)
        self._session.send(progress)


def figures_of(metrics: JobMetrics, *, detailed: bool = False) -> JobFigures:
    """The engine's counters as everybody sees them; ``detailed``: by operator and shard too."""
    operators = metrics.operators if detailed else ()
    shards = metrics.shards if detailed else ()
    return JobFigures(
        behind_records=metrics.behind_records,
        busy=metrics.busy,
        blocked=metrics.blocked,
        checkpoint_at_ms=metrics.last_commit_ms,
        checkpoint_ms=metrics.commit_ms,
        state_rows=metrics.state_rows,
        state_bytes=metrics.state_bytes,
        operators=[_operator(o) for o in operators],
        shards=[_shard(s) for s in shards],
        rows_in=metrics.rows_in,
        rows_out=metrics.rows_out,
        late=metrics.late,
        filtered=metrics.filtered,
        bad_records=metrics.bad_records,
        lost=metrics.lost,
        held=metrics.held,
        watermark_ms=metrics.watermark_ms,
        behind_ms=metrics.behind_ms,
        latency_ms=metrics.latency_ms,
    )


def _operator(o: OperatorMetrics) -> OperatorFigures:
    return OperatorFigures(
        name=o.name,
        kind=o.kind,
        columns=list(o.columns),
        inputs=list(o.inputs),
        rows_in=o.rows_in,
        rows_out=o.rows_out,
        late=o.late,
        filtered=o.filtered,
        bad_records=o.bad_records,
        busy_ms=o.busy_ms,
        watermark_ms=o.watermark_ms,
        state_rows=o.state_rows,
    )


def _shard(s: ShardMetrics) -> ShardFigures:
    return ShardFigures(
        source=s.source,
        shard=s.shard,
        position=s.position,
        behind_records=max(0, s.tip - s.position),
        behind_ms=s.behind_ms,
        idle=s.idle,
        watermark_ms=s.watermark_ms,
        holds_back=s.holds_back,
    )
