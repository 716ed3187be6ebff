"""A job: one statement that runs from its sources to its sink, in micro-batches.

A micro-batch is whatever has arrived since the last one. It runs through all operators inside one
transaction of the job's database, together with the sources' positions and the sink's rows; only
after the commit do rows leave the job. After a crash the job first gives out what was committed,
then continues to read from the committed positions.

A job without state beyond its positions commits these with its rows in a sink that can hold them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from eddyline.clock import Clock
from eddyline.engine.batch_clock import BatchClock
from eddyline.engine.build import BuildContext, build, keyed_files, operators
from eddyline.engine.dead_letters import move_dead_letters
from eddyline.engine.flow import Flow, has_waiting
from eddyline.engine.job_listener import JobListener, ListenerAdapter
from eddyline.engine.job_spec import JobSpec as JobSpec
from eddyline.engine.job_spec import StartFrom as StartFrom
from eddyline.engine.keyed.keyed_state import remove_unnamed
from eddyline.engine.layout import layout_of
from eddyline.engine.metrics import Figures, JobMetrics, ShardMetrics
from eddyline.engine.operators.assign_watermark import AssignWatermark
from eddyline.engine.operators.operator import Operator, Step
from eddyline.engine.operators.processing_time import ProcessingTime
from eddyline.engine.operators.scan import Scan
from eddyline.engine.pace import Pace
from eddyline.engine.signals import News, StopSignal
from eddyline.engine.sinks.sink import Sink
from eddyline.engine.state import JobProgress, JobState
from eddyline.errors import EddylineError
from eddyline.record.batch import MAX_WATERMARK
from eddyline.record.formats.kernel import NO_MEMORY
from eddyline.settings import Settings
from eddyline.sql import physical as p

# A job whose progress is kept with its rows also writes it into its own database this often.
SAVE_S = 5.0
# Nodes without state but progress (which records were read, and the watermark), and those that can
# keep theirs without a change of the database.
STATELESS = (
    p.Scan, p.Calc, p.AssignWatermark, p.WindowTable, p.Union, p.Unnest, p.Expand, p.Sink,
    p.Collect, p.GroupAggregate, p.WindowAggregate,
    p.Join, p.Rank, p.Deduplicate,
)  # fmt: skip
# How often time alone is looked at while it may change something, and otherwise.
QUIET_S = 0.1
IDLE_S = 1.0
# While nothing comes, the shards' figures are brought up to date this often.
NOTE_S = 0.05
# A clock that is behind what the job has seen by less is not worth a sentence.
CLOCK_TOLERANCE_MS = 2000
# So much of a statement is shown in a message.
SHOWN_CHARACTERS = 120


class Job:
    """Runs in the thread that calls ``run``; its figures are read from any other.

    ``crash``: a hook for tests of recovery, called with the name of each moment around a commit.
    """

    def __init__(
        self,
        spec: JobSpec,
        *,
        streams: Any,
        settings: Settings,
        clock: Clock,
        listener: JobListener,
        crash: Callable[[str], None] | None = None,
    ) -> None:
        self._spec = spec
        self._streams = streams
        self._settings = settings
        self._clock = clock
        self._listener = listener
        self._crash = crash or (lambda moment: None)
        self._time = BatchClock(clock)
        self._figures = Figures()
        self._root: Sink | None = None
        self._news: News | None = None
        self._epoch = 0
        self._empty = self._partial = False
        self._notice: str | None = None
        self._asks_time = "eddyline_now" in repr(spec.plan)
        self._is_stateless = all(type(node) in STATELESS for node in p.walk(spec.plan.root))
        self._is_clock_driven = False  # whether time alone moves some watermark
        self._sleeps = False
        self._saved_at = clock.monotonic()
        self._is_saved = True
        # Whether the database has the progress; if not, files that it names are still needed.
        self._is_kept = True

    def run(self, stop: threading.Event) -> str:
        """Work until the input is over ("finished") or ``stop`` is set ("stopped").

        Raises:
            EddylineError: what failed; the state stays that of the last commit.
        """
        state = JobState(self._spec.directory, self._settings)
        try:
            names = self._resumed(state)
            share = names is None or self._can_share(state, names)
            self._root = build(self._spec.plan.root, self._build_context(state), names, share=share)
            self._open(state, self._root)
            ended = self._loop(state, self._root, stop)
            self._save(state, self._root)
            return ended
        finally:
            if self._root is not None:
                for op in operators(self._root):
                    op.close()
            state.close()

    @property
    def epoch(self) -> int:
        """The last committed micro-batch."""
        return self._epoch

    def metrics(self) -> JobMetrics:
        """The counts as they are now."""
        return self._figures.snapshot(self._clock.monotonic())

    def end_input(self) -> None:
        """What has been read is all there is: everything still open fires, the job finishes."""
        if self._root is not None:
            for scan in self._scans(self._root):
                scan.source.ended = True
        if self._news is not None:
            self._news.set()

    def why_silent(self) -> list[str]:
        """Sentences: why the job shows nothing, nearest cause first."""
        f, root = self._figures, self._root
        if root is None:
            return ["the job is starting"]
        ops = list(operators(root))
        reasons = [s for op in ops for s in op.why_silent()]
        reasons += [self._notice] if self._notice else []
        if self._time.waits_ms > CLOCK_TOLERANCE_MS:
            seconds = self._time.waits_ms // 1000
            reasons.append(f"the clock is {seconds} s behind what the job has seen: its time waits")
        if f.rows_in == 0:
            return ["no record has come in since the job began", *reasons]
        if f.filtered == f.rows_in and f.rows_out == 0:
            reasons.insert(0, f"all {f.filtered} rows so far were filtered out by WHERE")
        if f.late:
            reasons.append(f"{f.late} rows came too late for their window and were dropped")
        if f.bad_records:
            reasons.append(f"{f.bad_records} records did not fit the table and were set aside")
        if f.lost:
            reasons.append(f"{f.lost} records were gone from their stream before they were read")
        return reasons

    def _build_context(self, state: JobState) -> BuildContext:
        return BuildContext(
            job_id=self._spec.job_id,
            incarnation=self._spec.incarnation,
            zone=self._spec.zone,
            idle_timeout_ms=self._spec.idle_timeout_ms,
            db=state.db,
            settings=self._settings,
            clock=self._time,
            figures=self._figures,
            listener=ListenerAdapter(self._listener),
            streams=self._streams,
            durable=self._spec.directory is not None,
            directory=self._spec.directory,
            state_ttl_ms=self._spec.plan.state_ttl_ms,
        )

    def _resumed(self, state: JobState) -> list[str] | None:
        """The names of a saved state's operators; None for a new job.

        A state of the same statement that cannot be used any more leaves its positions: the job
        reads on from them with empty state, and says so.
        """
        if state.is_new:
            return None
        spec = self._spec
        self._empty = spec.start is StartFrom.POSITIONS
        root, same = spec.plan.root, spec.same_statement
        try:
            self._partial = spec.allow_unclaimed and not self._empty
            return state.resume(
                root,
                spec.incarnation,
                same_statement=same,
                empty=self._empty,
                partial=self._partial,
            )
        except EddylineError as error:
            if error.code != "state_mismatch" or not same:
                raise
            self._empty = True
            self._notice = f"{error.message}; the job read on from its positions with empty state"
            self._listener.on_warning(self._notice)
            return state.resume(root, spec.incarnation, same_statement=same, empty=True)

    def _can_share(self, state: JobState, names: list[str]) -> bool:
        """Whether a source that the plan reads several times is read once.

        It is not where the saved state has a position for each use, as older versions wrote it, or
        where some of its operators begin anew.
        """
        if self._empty:
            return True
        seen: set[int] = set()
        positions = state.progress().positions
        for name, node in zip(names, p.walk(self._spec.plan.root), strict=True):
            if id(node) in seen and (self._partial or name in positions):
                return False
            seen.add(id(node))
        return True

    def _open(self, state: JobState, root: Sink) -> None:
        """Make or take back the state; let out what the last run committed."""
        scans = self._scans(root)
        if state.is_new:
            with state.db.transaction():
                state.create(layout_of(self._spec.plan.root), self._spec.incarnation)
                for op in operators(root):
                    op.create()
                for scan in scans:
                    scan.source.open(None)
                state.write(self._progress(root))
            return
        if self._spec.directory is not None:
            with state.db.transaction():
                move_dead_letters(state.db, self._spec.directory)
        progress = state.progress()
        newer = root.progress_after(progress.epoch)
        if newer is not None:
            progress = msgspec.json.decode(newer, type=JobProgress)
            with state.db.transaction():
                state.write(progress)
        self._epoch = progress.epoch
        self._time.resume(progress.now_ms)
        if self._empty:
            progress = self._emptied(state, root, progress)
        fresh = self._claim(state, root) if self._partial else []
        for op in operators(root):
            if op.keyed is not None:
                op.keyed.restore(progress.keyed.get(op.name))
        with state.db.transaction():
            for op in operators(root):
                op.adapt()
            if (keyed := keyed_files(root)) != progress.keyed:
                progress.keyed = keyed
                state.write(progress)
        for op in operators(root):
            saved = progress.operators.get(op.name)
            if saved is not None:
                op.restore(saved)
            if isinstance(op, AssignWatermark) and op.scan is not None and op.scan.name in fresh:
                op.forget_shards()
        for scan in scans:
            positions = progress.positions.get(scan.name)
            scan.source.open(positions, progress.identities.get(scan.name))
        if self._spec.directory is not None:
            remove_unnamed(self._spec.directory, (op.name for op in operators(root)))
        root.recover(self._epoch)
        for op in operators(root):
            op.committed(self._epoch)

    def _emptied(self, state: JobState, root: Sink, before: JobProgress) -> JobProgress:
        """Make the operators' tables again; positions go to the sources of the same streams."""
        known = {before.identities.get(name) or name: name for name in before.positions}
        progress = JobProgress(before.epoch)
        for scan in self._scans(root):
            old = known.get(scan.source.identity(), scan.name)
            if old in before.positions:
                progress.positions[scan.name] = before.positions[old]
                progress.identities[scan.name] = before.identities.get(old, "")
        with state.db.transaction():
            state.empty(self._spec.plan.root, self._spec.incarnation)
            for op in operators(root):
                op.create()
            state.write(progress)
        return progress

    def _claim(self, state: JobState, root: Sink) -> list[str]:
        """Take the state that still fits; operators without state begin without it: their names."""
        ops = list(operators(root))
        plan_root = self._spec.plan.root
        names = [op.name for op in ops]
        with state.db.transaction():
            claim = state.claim(plan_root, self._spec.incarnation, names)
            for op in ops:
                if op.name in claim.fresh:
                    op.create()
        if claim.fresh or claim.dropped:
            sentences = []
            if claim.dropped:
                sentences.append(f"the state of {', '.join(claim.dropped)} was dropped")
            if claim.fresh:
                sentences.append(f"{', '.join(claim.fresh)} began without state")
            begun = [s.source.beginning for s in self._scans(root) if s.name in claim.fresh]
            self._notice = "; ".join([*sentences, *filter(None, begun)])
            self._listener.on_warning(self._notice)
        return claim.fresh

    def _loop(self, state: JobState, root: Sink, stop: threading.Event) -> str:
        scans, ops = self._scans(root), list(operators(root))
        poll_s = self._settings.poll_ms / 1000
        rows_max = 1 if self._spec.plan.row_by_row else self._settings.batch_rows_max
        live = any(not scan.source.bounded for scan in scans)
        news = self._news = News(stop)
        wakes = all([scan.source.wake(news.set) for scan in scans])  # noqa: C419 - each is to wake
        self._sleeps = isinstance(stop, StopSignal)
        if isinstance(stop, StopSignal):
            stop.on_set(news.set)
        noted = float("-inf")
        flow, pace = Flow(root, self._figures, self._clock), Pace(self._clock)
        self._is_clock_driven = any(op.is_clock_driven for op in ops)
        while not stop.is_set():
            began = self._clock.monotonic()
            waiting = has_waiting(root)
            came = [0 if waiting else scan.poll(rows_max) for scan in scans]
            ended, due = self._due(root)
            if any(came) or due or ended or waiting:
                over = self._micro_batch(state, flow, root, ops)
                self._figures.steps += 1
                self._figures.busy_s += self._clock.monotonic() - began
                self._note(scans, ops)
                self._note_latency(scans)
                if began - noted >= IDLE_S:
                    self._note_state(state, flow)
                    noted = began
                if over:
                    return "finished"
                if live and not waiting and max(came, default=0) < rows_max // 2:
                    self._clock.wait(stop, pace.pause_s(began))
                continue
            self._figures.steps += 1
            if began - noted >= NOTE_S:
                self._note(scans, ops)
                self._note_state(state, flow)
                noted = began
            self._clock.wait(news, self._quiet_s(scans) if wakes else poll_s)
            news.clear()
        return "stopped"

    def _quiet_s(self, scans: list[Scan]) -> float:
        """How long to wait for records at most: short where time alone may change something."""
        if not self._sleeps or self._is_clock_driven:
            return QUIET_S
        waiting = any(scan.waits_for_idleness for scan in scans)
        return QUIET_S if waiting else IDLE_S

    def _due(self, root: Sink) -> tuple[bool, bool]:
        """Whether the input is over, and whether time alone would make some operator act."""
        any_due = False

        def visit(op: Operator) -> int:
            nonlocal any_due
            if op.satisfied:
                return MAX_WATERMARK
            mark, due = op.due(tuple(visit(child) for child in op.inputs) or (0,))
            any_due = any_due or due
            return mark

        end = visit(root)
        return Step(None, end).ended, any_due

    def _micro_batch(self, state: JobState, flow: Flow, root: Sink, ops: list[Operator]) -> bool:
        """One transaction, then let its rows out. True if the input is over."""
        epoch, clock = self._epoch + 1, self._clock
        root.epoch = epoch
        with state.db.transaction():
            step = self._stepped(state, flow, ops)
            computed = clock.monotonic()
            if state.path is not None and not self._commits_in_sink(state, root, epoch):
                root.store(epoch)
                state.write(self._progress(root, epoch))
                known = root.acknowledged()
                if known:
                    state.forget_outbox(known)
            self._crash("before commit")
        self._epoch = epoch
        self._figures.epochs += 1
        self._figures.last_commit_ms = clock.now_ms()
        self._figures.commit_ms = round((clock.monotonic() - computed) * 1000, 2)
        self._crash("after commit")
        for op in ops:
            op.committed(epoch)
            if self._is_kept and op.keyed is not None:
                op.keyed.committed()
        delivering = clock.monotonic()
        root.deliver(epoch)
        self._figures.blocked_s += clock.monotonic() - delivering
        self._crash("after delivery")
        return step.ended

    def _commits_in_sink(self, state: JobState, root: Sink, epoch: int) -> bool:
        """Whether the sink has committed the step, or there is nothing in it to commit.

        That is so for a job without state beyond its progress. Its progress goes to the database
        every few seconds and when the job stops; the sink holds what is newer.
        """
        self._is_kept = True
        if not self._is_stateless:
            return False
        now = self._clock.monotonic()
        if not state.db.has_changes and now - self._saved_at < SAVE_S:
            self._is_saved = self._is_kept = False
            if not root.took_rows:
                return True
            self._crash("before commit")
            appended = root.append_with(epoch, msgspec.json.encode(self._progress(root, epoch)))
            self._figures.blocked_s += self._clock.monotonic() - now
            if appended:
                return True
        self._is_saved = self._is_kept = True
        self._saved_at = now
        return False

    def _save(self, state: JobState, root: Sink) -> None:
        """Bring the progress in the database up to date, before the job stops, and forget the
        rows that are out, so that they stand in no other sink's way."""
        known = root.acknowledged()
        if state.path is not None and (known or not self._is_saved):
            with state.db.transaction():
                if not self._is_saved:
                    state.write(self._progress(root, self._epoch))
                if known:
                    state.forget_outbox(known)
            self._is_saved = True

    def _stepped(self, state: JobState, flow: Flow, ops: list[Operator]) -> Step:
        """One step of the plan, during which time stands still; an error for want of memory names
        operator and statement."""
        # Kept before there was a time of the job: rows would be late before what windows have seen.
        self._time.resume(
            max([0, *(op.reached_ms for op in ops if isinstance(op, ProcessingTime))])
        )
        self._time.begin()
        try:
            if self._asks_time:
                now_us = self._time.now_ms() * 1000
                state.db.set_variable("eddyline_now", f"make_timestamp({now_us})")
            return flow.step()
        except EddylineError as error:
            text = " ".join(self._spec.plan.sql.split())
            shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
            if error.code == "sql_runtime" and error.span is None and shown:
                error.detail = f"{error.detail}, in {shown}" if error.detail else f"in {shown}"
            if not error.message.startswith(NO_MEMORY):
                raise
            message = f"{error.message}, in {shown}"
            raise EddylineError(error.code, message, hint=error.hint) from error
        finally:
            self._time.end()

    def _progress(self, root: Sink, epoch: int = 0) -> JobProgress:
        scans = self._scans(root)
        positions = {s.name: s.source.positions() for s in scans}
        identities = {s.name: s.source.identity() for s in scans}
        saved = {op.name: op.save() for op in operators(root)}
        return JobProgress(
            epoch,
            positions,
            {k: v for k, v in saved.items() if v is not None},
            identities,
            keyed_files(root),
            self._time.reached_ms,
        )

    def _scans(self, root: Sink) -> list[Scan]:
        return [op for op in operators(root) if isinstance(op, Scan)]

    def _note_state(self, state: JobState, flow: Flow) -> None:
        """Bring the size of the state up to date, now and then."""
        flow.count_state(state.db)
        if state.path is not None:
            files = sum(op.keyed.num_bytes for op in operators(flow.root) if op.keyed is not None)
            self._figures.state_bytes = state.stored_bytes() + files

    def _note_latency(self, scans: list[Scan]) -> None:
        newest = [s.newest_ms for s in scans if s.newest_ms is not None]
        if newest:
            self._figures.latency_ms = max(0, self._clock.now_ms() - max(newest))

    def _note(self, scans: list[Scan], ops: list[Operator]) -> None:
        """Bring the shards' figures up to date."""
        rows: list[ShardMetrics] = []
        marks = [op for op in ops if isinstance(op, AssignWatermark)]
        for scan in scans:
            above = next((m for m in marks if m.scan is scan), None)
            rows += scan.source.metrics(above.shard_watermarks if above else {})
        self._figures.shards = tuple(rows)
