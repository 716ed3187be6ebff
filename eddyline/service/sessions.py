"""Sessions: each runs its SQL in a worker process of its own, started when it is first needed.

The server keeps what a worker's death must not take along: who listens to which run, what the
session has SET, and (in ``meta.db``) which jobs are to run. A worker that dies is replaced after
a pause that doubles; its jobs go on from their saved state, what was only on screen is lost and
said so.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.service import messages
from eddyline.service.child import in_thread
from eddyline.service.events import (
    MODES,
    STARTS,
    STOPPED_WITH_SERVER,
    JobFigures,
    RunEvent,
    RunFinished,
    Warning_,
)
from eddyline.service.jobs import ENDED, RESTARTING, RUNNING, STOPPED, JobContext, JobInfo, JobStore
from eddyline.service.live_session import (
    LiveSession,
    OnEvent,
    SessionRun,
    call_listener,
    lost_worker,
    nobody,
)
from eddyline.service.session_groups import SessionGroups
from eddyline.service.session_info import SessionInfos, info_of
from eddyline.service.supervisor import BackOff, ChildProcess, Supervisor
from eddyline.settings import Settings

WORKER = "eddyline.service.worker"
# A worker without runs and jobs ends after this long.
IDLE_S = 300.0
TICK_S = 5.0
# A run that does not heed Cancel for this long takes its worker with it.
CANCEL_S = 10.0
# How long the start of a job is waited for.
START_S = 20.0
# Reports of ended jobs that are kept for their last figures.
REPORTS_KEPT = 200

OnMonitored = Callable[[messages.Monitored], None]


Reasons = list[str]


class Sessions:
    """All sessions of a server; callbacks come from threads of their workers."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        supervisor: Supervisor,
        store: JobStore,
        on_monitored: OnMonitored,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._supervisor = supervisor
        self._store = store
        self._on_monitored = on_monitored
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._sessions: dict[str, LiveSession] = {}
        self._groups = SessionGroups()
        self._reports: dict[str, messages.JobReport] = {}
        self._spare: ChildProcess | None = None
        self._preparing = False
        self._expected = 0.0
        self._closing = threading.Event()

    def start(self, *, resume: bool) -> None:
        """Begin: ``resume`` the jobs that are to run."""
        if resume:
            to_resume = [job for job in self._store.list() if job.desired == RUNNING]
            for name in dict.fromkeys(job.session for job in to_resume):
                self._resume(name)
        in_thread("idle-sessions", self._end_idle)

    def expect(self) -> None:
        """Somebody may soon run something: have a worker ready, so that nobody waits for its start.

        Unused for ``IDLE_S`` it ends again; a server that only keeps streams never has one.
        """
        with self._lock:
            self._want_spare(0.0)

    def stop(self) -> None:
        """No more restarts; the supervisor ends the workers."""
        self._closing.set()

    def submit(
        self,
        session: str,
        text: str,
        on_event: OnEvent,
        *,
        run_id: str | None = None,
        mode: str = "update",
        refresh_ms: int = 1000,
        parameters: dict[str, str] | None = None,
        changelog: bool = False,
        job_name: str | None = None,
        detach: bool = False,
        terminal: bool = False,
        start: str = "state",
    ) -> str:
        """Run ``text`` in ``session``; every event goes to ``on_event``, RunFinished the last.

        mode: how a SELECT is folded (update, append, single), shown every ``refresh_ms``.
        parameters: session options for this run alone. changelog: send a SELECT's changes
        (RowsAppended) instead of snapshots, each before the next batch is read. job_name: the name
        of the run's INSERT. detach: the run ends once its INSERTs have done their first step; it
        fails if one of them has failed by then. terminal: the session's result mode applies. start:
        what a job whose name is known begins with: its state, its positions alone, or fresh.

        Returns the run's id. Raises ``invalid_argument``.
        """
        if mode not in MODES:
            msg = f"result mode {mode!r} is none of {', '.join(MODES)}"
            raise EddylineError("invalid_argument", msg)
        if start not in STARTS:
            msg = f"a job starts from {', '.join(STARTS)}, not {start!r}"
            raise EddylineError("invalid_argument", msg)
        run_id = run_id or uuid.uuid4().hex
        run = messages.Run(
            run_id,
            text,
            mode,
            refresh_ms,
            parameters or {},
            changelog,
            job_name,
            detach,
            terminal,
            start,
        )
        with self._lock:
            live = self._session(session)
            live.runs[run_id] = SessionRun(run_id, on_event)
            child = self._child_of(live)
        if not child.send(run):
            self._finish(live, run_id, lost_worker("ended"))
        return run_id

    def join(self, session: str, group: str) -> None:
        """Have a session share with a group what its statements SET, USE and make temporary."""
        with self._lock:
            context = self._groups.join(session, group)
            if context is not None:
                self._adopt(self._session(session), context)

    def _remember(self, session: LiveSession, message: messages.Remember) -> None:
        """Keep a session's context, and have the others of its group take on what is new in it."""
        context, change = message.context, message.change
        session.context, others = self._groups.share(session.name, context, change)
        for name in others:
            other = self._session(name)
            other.context = session.context
            if change is not None and other.child is not None:
                other.child.send(messages.AdoptChange(change))

    def _adopt(self, session: LiveSession, context: JobContext) -> None:
        session.context = context
        if session.child is not None:
            session.child.send(messages.Adopt(context))

    def watch(self, run_id: str, on_event: OnEvent) -> bool:
        """Listen again to a run that waits for its jobs (after a restart); False if it is over."""
        with self._lock:
            for session in self._sessions.values():
                if run_id in session.runs:
                    session.runs[run_id].on_event = on_event
                    return True
        return False

    def cancel(self, run_id: str) -> None:
        """End a run and the jobs it waits for. Raises ``not_found`` if there is none."""
        with self._lock:
            session = next((s for s in self._sessions.values() if run_id in s.runs), None)
            child = session.child if session else None
        if session is None:
            raise EddylineError("not_found", f"there is no run {run_id}; it may be over already")
        for job in self._store.list():
            if job.run_id == run_id and job.desired == RUNNING:
                self._store.desire(job.job_id, STOPPED)
        if child is None or not child.send(messages.Cancel(run_id)):
            self._aborted(session, run_id)
            return
        in_thread("cancel", self._insist, session, child, run_id)

    def _aborted(self, session: LiveSession, run_id: str) -> None:
        for job in self._store.list():
            if job.run_id == run_id and job.actual not in ENDED:
                self._store.reached(job.job_id, STOPPED)
        self._finish(session, run_id, None)

    def _insist(self, session: LiveSession, child: ChildProcess, run_id: str) -> None:
        with self._moved:
            heeded = self._moved.wait_for(lambda: run_id not in session.runs, CANCEL_S)
        if not heeded:
            self._finish(session, run_id, None)
            child.kill(expected=False)

    def close(self, session: str) -> None:
        """End a session: its runs are cancelled, its worker ends; its detached jobs go on."""
        with self._lock:
            live = self._sessions.get(session)
            runs = list(live.runs) if live else []
        if live is None:
            return
        for run_id in runs:
            self.cancel(run_id)
        with self._moved:
            self._moved.wait_for(lambda: not live.runs, CANCEL_S)
            if live.idle:
                self._end(live)
                self._groups.leave(session)
                del self._sessions[session]

    def list(self) -> SessionInfos:
        """All sessions, by name."""
        with self._lock:
            live = sorted(self._sessions.values(), key=lambda s: s.name)
            return [info_of(s.name, s.child, list(s.runs), idle=s.idle) for s in live]

    # jobs

    def stop_job(self, session: str, job_id: str, wait_s: float) -> bool:
        """Stop a job where it runs and wait for it; False if it runs nowhere."""
        with self._lock:
            live = self._sessions.get(session)
            running = live is not None and job_id in live.jobs
            child = live.child if live and running else None
        if child is None or not child.send(messages.StopJob(job_id)):
            return False
        with self._moved:
            assert live is not None
            if not self._moved.wait_for(lambda: job_id not in live.jobs, wait_s):
                msg = f"job {job_id} does not stop; it is in the middle of a long step"
                raise EddylineError("conflict", msg, hint="try again in a moment")
        return True

    def start_job(self, job: JobInfo, start: str) -> None:
        """Have an ended job run again, and wait until it works or fails.

        start: what of its saved state it begins with.
        """
        ended = threading.Event()

        def on_event(event: RunEvent) -> None:
            if isinstance(event, RunFinished):
                ended.set()

        with self._lock:
            session = self._session(job.session)
            child = self._child_of(session)
            session.jobs.add(job.job_id)
            session.runs[job.run_id] = SessionRun(job.run_id, on_event)
            child.send(messages.Resume(job.run_id, [job.job_id], start, detach=True))
        self._clock.wait(ended, START_S)

    def _stop_requested(self, job_id: str) -> None:
        """Stop a job that a statement stops; the statement itself waits for its end."""
        with suppress(EddylineError):
            job = self._store.get(job_id)
            if not self.stop_job(job.session, job.job_id, CANCEL_S):
                self._store.reached(job.job_id, STOPPED)

    def forget(self, job_id: str) -> None:
        """Keep no report of a job that was removed."""
        self._reports.pop(job_id, None)

    def figures_of(self, job_id: str) -> tuple[JobFigures | None, Reasons]:
        """A job's newest figures, and why it writes nothing if it does not."""
        report = self._reports.get(job_id)
        return (report.figures, report.why) if report else (None, [])

    def state_of(self, job_id: str) -> tuple[str, dict[str, Any] | None] | None:
        """A job's state and error as its worker reported them last, unless it just runs."""
        report = self._reports.get(job_id)
        return (report.actual, report.error) if report and report.actual != RUNNING else None

    # workers

    def _session(self, name: str) -> LiveSession:
        live = self._sessions.get(name)
        if live is None:
            live = self._sessions[name] = LiveSession(name, BackOff(self._clock))
        live.used = self._clock.monotonic()
        return live

    def _child_of(self, session: LiveSession) -> ChildProcess:
        """The session's worker, the spare one or a new one; with the lock held."""
        if session.child is not None:
            return session.child
        child, self._spare = self._spare, None
        used_spare = child is not None
        if child is None or child.gone.is_set():
            child = self._supervisor.start(WORKER, self._on_message, self._exited)
        session.child = child
        child.send(messages.Begin(session.name, messages.packed(self._settings), session.context))
        if used_spare:
            self._want_spare(2.0)
        return child

    def _want_spare(self, wait_s: float) -> None:
        """Have a spare worker after a while, if there is none; with the lock held."""
        self._expected = self._clock.monotonic()
        spare = self._spare
        if (spare is None or spare.gone.is_set()) and not self._preparing:
            self._preparing = True
            in_thread("spare", self._prepare_spare, wait_s)

    def _prepare_spare(self, wait_s: float) -> None:
        child = None
        try:
            if not self._clock.wait(self._closing, wait_s):
                child = self._supervisor.start(WORKER, self._on_message, self._exited)
        except EddylineError:  # the server is stopping
            return
        finally:
            with self._lock:
                self._spare, self._preparing = child, False

    def _resume(self, name: str) -> None:
        """Have the jobs of a session that are to run go on."""
        runs: dict[str, list[JobInfo]] = {}
        for job in self._store.list():
            if job.desired == RUNNING and job.session == name:
                runs.setdefault(job.run_id, []).append(job)
        with self._lock:
            session = self._session(name)
            waiting = [r for r, run in session.runs.items() if run.jobs is not None]
        for run_id in waiting:
            if run_id not in runs:  # its jobs were stopped in the meantime
                self._aborted(session, run_id)
        if not runs:
            return
        with self._lock:
            child = self._child_of(session)
            for run_id, jobs in runs.items():
                ids = [job.job_id for job in jobs]
                session.jobs.update(ids)
                session.runs.setdefault(run_id, SessionRun(run_id, nobody, ids))
                child.send(messages.Resume(run_id, ids))

    def _on_message(self, child: ChildProcess, message: Any) -> None:
        with self._lock:
            session = next((s for s in self._sessions.values() if s.child is child), None)
        if session is None:
            return
        if isinstance(message, messages.JobReport):
            self._job_moved(session, message)
        elif isinstance(message, messages.Waiting):
            with self._lock:
                if message.run_id in session.runs:
                    session.runs[message.run_id].jobs = message.job_ids
        elif isinstance(message, messages.Remember):
            with self._lock:
                self._remember(session, message)
        elif isinstance(message, messages.RequestStop):
            in_thread("stop-job", self._stop_requested, message.job_id)
        elif isinstance(message, messages.Monitored):
            self._on_monitored(message)
        elif not isinstance(message, messages.Ready):
            self._tell(session, message)

    def _job_moved(self, session: LiveSession, report: messages.JobReport) -> None:
        with self._moved:
            self._reports.pop(report.job_id, None)  # the newest report is the last
            self._reports[report.job_id] = report
            if report.actual in ENDED:
                session.jobs.discard(report.job_id)
                self._forget_old_reports()
            else:
                session.jobs.add(report.job_id)
            self._moved.notify_all()

    def _forget_old_reports(self) -> None:
        """Reports of ended jobs are kept as long as the store keeps the jobs; lock held."""
        ended = [j for j, report in self._reports.items() if report.actual in ENDED]
        for job_id in ended[: max(0, len(ended) - REPORTS_KEPT)]:
            del self._reports[job_id]

    def _tell(self, session: LiveSession, event: RunEvent) -> None:
        with self._lock:
            run = session.runs.get(event.run_id)
        if run is None:
            return
        call_listener(run, event)
        if isinstance(event, RunFinished):
            self._forget(session, event.run_id)

    def _forget(self, session: LiveSession, run_id: str) -> None:
        with self._moved:
            session.runs.pop(run_id, None)
            session.used = self._clock.monotonic()
            self._moved.notify_all()

    def _finish(self, session: LiveSession, run_id: str, error: EddylineError | None) -> None:
        """End a run in its worker's place."""
        with self._lock:
            run = session.runs.get(run_id)
        if run is None:
            return
        if error is None:
            call_listener(run, RunFinished(run_id, "ABORT"))
        else:
            call_listener(run, RunFinished(run_id, "ERROR", error.as_dict(), error.pretty()))
        self._forget(session, run_id)

    def _exited(self, child: ChildProcess, how: str, expected: bool) -> None:
        with self._lock:
            if self._spare is child:
                self._spare = None
            session = next((s for s in self._sessions.values() if s.child is child), None)
            if session is None:
                return
            session.child = None
            jobs, session.jobs = session.jobs, set()
            lost = [run_id for run_id, run in session.runs.items() if run.jobs is None]
        for run_id in lost:
            if self._closing.is_set():
                self._tell(session, Warning_(run_id, 0, STOPPED_WITH_SERVER))
            self._finish(session, run_id, None if self._closing.is_set() else lost_worker(how))
        if not expected and not self._closing.is_set():
            self._restart(session, jobs, how)

    def _restart(self, session: LiveSession, jobs: set[str], how: str) -> None:
        to_resume = [j for j in self._store.list() if j.session == session.name]
        to_resume = [j for j in to_resume if j.desired == RUNNING]
        for job in self._store.list():
            if job.job_id in jobs and job.desired == STOPPED and job.actual not in ENDED:
                self._store.reached(job.job_id, STOPPED)
        if not to_resume and not session.runs:
            return
        error = lost_worker(how).as_dict()
        for job in to_resume:
            self._store.reached(job.job_id, RESTARTING, error)
        wait_s = session.back_off.next_s()
        in_thread("restart", self._resume_later, session.name, wait_s)

    def _resume_later(self, name: str, wait_s: float) -> None:
        if not self._clock.wait(self._closing, wait_s):
            try:
                self._resume(name)
            except EddylineError as error:
                if not self._closing.is_set():
                    raise error

    def _end_idle(self) -> None:
        while not self._clock.wait(self._closing, TICK_S):
            with self._lock:
                now = self._clock.monotonic()
                for session in self._sessions.values():
                    if session.idle and session.child and now - session.used > IDLE_S:
                        self._end(session)
                spare = self._spare
                if spare is not None and now - self._expected > IDLE_S:
                    self._spare = None
                    in_thread("stop", spare.stop)

    def _end(self, session: LiveSession) -> None:
        child, session.child = session.child, None
        if child is not None:
            in_thread("stop", child.stop)
