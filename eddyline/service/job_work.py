"""One INSERT job in its worker: it works, reports what it does, and restarts after a failure.

Every failure is kept with its cause; the restart strategy decides whether another attempt follows
(``restart_policy``). A job that has failed for good raises an alert, so that nobody has to look.
"""

from __future__ import annotations

import threading

from eddyline.engines.engine import Prepared, StartFrom
from eddyline.errors import EddylineError
from eddyline.service import messages
from eddyline.service.child import described, in_thread
from eddyline.service.events import StatementFinished, Warning_
from eddyline.service.job_log import JobLog
from eddyline.service.jobs import FAILED, FINISHED, RESTARTING, RUNNING, STOPPED
from eddyline.service.restart_policy import restart_policy
from eddyline.service.session import Session
from eddyline.service.work import FIRST_STEP_TICK_S, StatementWork
from eddyline.sql.options import SessionConfig

# A running job's figures are reported this often, and this often where they do not change.
REPORT_S = 0.5
REPORT_S_MAX = 5.0
# A detached run waits at most this long for its job's first step, to tell whether it works.
FIRST_STEP_S = 10.0


class JobWork:
    """A job in its worker."""

    def __init__(
        self,
        session: Session,
        run: messages.Run,
        index: int,
        plan: Prepared,
        job_id: str,
        config: SessionConfig,
    ) -> None:
        self.job_id = job_id
        self.index = index
        self.error: EddylineError | None = None
        # Whether the plan is of the statement that wrote the saved state, and what of it is used.
        self.same_statement = False
        self.start_from = StartFrom.STATE
        self._session = session
        self._run = run
        self._plan = plan
        self._config = config
        self._stopping = threading.Event()  # to stop for good
        self._paused = False
        self._reporting = threading.Lock()
        self._ended = False
        self._work: StatementWork | None = None
        self._attempt_error: EddylineError | None = None
        self._log = JobLog(session.directory.path, job_id, session.clock)
        self._began = session.clock.monotonic()
        self.over = threading.Event()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        in_thread(f"job-{self.job_id}", self._run_attempts)

    def stop(self) -> None:
        """Stop for good."""
        self._stopping.set()
        work = self._work
        if work is not None:
            work.stop.set()

    def pause(self) -> None:
        """Stop because the worker ends; the job is still to run."""
        self._paused = True
        self.stop()

    def first_failure(self) -> EddylineError | None:
        """Wait for the first step; the error if the first attempt fails before it is done."""
        clock = self._session.clock
        end = clock.monotonic() + FIRST_STEP_S
        while clock.monotonic() < end and self._attempt_error is None:
            work = self._work
            if (work is not None and work.has_stepped()) or clock.wait(
                self.over, FIRST_STEP_TICK_S
            ):
                break
        return self._attempt_error

    def _run_attempts(self) -> None:
        policy = restart_policy(self._config, self.job_id)
        clock = self._session.clock
        while True:
            error = self._attempt()
            if error is None or self._stopping.is_set():
                break
            if self._work is not None and self._work.has_stepped():
                self.start_from = StartFrom.STATE
            epoch = self._work.epoch() if self._work else 0
            wait_s = policy.next_s(error, clock.monotonic(), epoch)
            if wait_s is None:
                break
            self._reach(RESTARTING, error)
            self._report(RESTARTING, self._work, error)
            self._attempt_error = error  # whoever waits for it finds the state that it led to
            self.warn(f"{error.message}; the job is tried again in {wait_s:.1f} s")
            if clock.wait(self._stopping, wait_s):
                error = None
                break
        self._end(error)

    def _attempt(self) -> EddylineError | None:
        try:
            incarnation = self._session.jobs.begin(self.job_id)
            work = StatementWork(
                self._session,
                self._run,
                self.index,
                self._plan,
                job_id=self.job_id,
                incarnation=incarnation,
                config=self._config,
                same_statement=self.same_statement,
                start=self.start_from,
                log=self._log,
            )
            self._log.write("INFO", f"start {incarnation}")
            self._work = work
            if self._stopping.is_set():
                work.stop.set()
            self._session.jobs.reached(self.job_id, RUNNING)
            in_thread("report", self._report_while_running, work)
            in_thread("first-step", self._tell_first_step, work)
            work.run()
        except Exception as failure:
            return described(failure)
        return None

    def _tell_first_step(self, work: StatementWork) -> None:
        while work is self._work and not work.tell_first_step():
            if self._session.clock.wait(self.over, FIRST_STEP_TICK_S):
                break

    def _report_while_running(self, work: StatementWork) -> None:
        wait_s, steps = REPORT_S, -1
        while not self.over.is_set() and work is self._work:
            with self._reporting:  # no report of a running job after that of its end
                if not self._ended:
                    self._report(RUNNING, work)
                    work.send_progress()
            moved, steps = work.epoch() != steps, work.epoch()
            wait_s = REPORT_S if moved else min(REPORT_S_MAX, wait_s * 2)
            self._session.clock.wait(self.over, wait_s)

    def _report(
        self, actual: str, work: StatementWork | None, error: EddylineError | None = None
    ) -> None:
        figures, why = (work.figures(), work.why()) if work else (None, [])
        problem = error.as_dict() if error else None
        self._session.send(messages.JobReport(self.job_id, actual, figures, why, problem))

    def _end(self, error: EddylineError | None) -> None:
        self.error = error
        if error is not None:
            self._log.write("ERROR", error.pretty())
        self._log.write("INFO", "the worker ends" if self._paused else "the job ends")
        if not self._paused:
            actual = FAILED if error else STOPPED if self._stopping.is_set() else FINISHED
            self._reach(actual, error)
            with self._reporting:
                self._ended = True
                self._report(actual, self._work, error)
            if error is not None:
                self._alert(error)
            ms = round((self._session.clock.monotonic() - self._began) * 1000)
            self._session.send(StatementFinished(self._run.run_id, self.index, ms))
        self._attempt_error = error or self._attempt_error
        self.over.set()

    def _alert(self, error: EddylineError) -> None:
        try:
            alert_of_failure(self._session, self.job_id, error)
        except Exception as failure:  # the disk is full: the job's state tells it all the same
            self.warn(described(failure).message)

    def _reach(self, actual: str, error: EddylineError | None) -> None:
        try:
            self._session.jobs.reached(self.job_id, actual, error.as_dict() if error else None)
        except Exception as failure:  # a full disk again: the report still goes out
            self.warn(described(failure).message)

    def warn(self, text: str) -> None:
        """Tell the listeners of the run, and the job's log."""
        self._log.write("WARNING", text)
        self._session.send(Warning_(self._run.run_id, self.index, text))


def alert_of_failure(session: Session, job_id: str, error: EddylineError) -> None:
    """Raise the alert of a job that has failed."""
    name = session.jobs.get(job_id).name or job_id
    sentence = f"job {name} has failed: {error.message}"
    session.send(session.monitor.add_failure(job_id, name, sentence, session.clock.now_ms()))
