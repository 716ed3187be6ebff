"""Runs an application's code: its paragraphs in order, and its INSERTs as jobs of their own."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

from eddyline.errors import EddylineError
from eddyline.service.applications.deployment import Steps, is_dml
from eddyline.service.applications.model import Application, Snapshot
from eddyline.service.events import RunEvent, RunFinished
from eddyline.service.jobs import ENDED, RUNNING, JobInfo
from eddyline.sql import statement as s
from eddyline.sql.parse import parse_script

if TYPE_CHECKING:
    from eddyline.service.services import Services

# How long one paragraph may take until its jobs have done their first step.
STEP_S = 300.0


def session_of(name: str) -> str:
    """The session in which an application's code runs."""
    return f"application:{name}"


def job_name(name: str, number: int) -> str:
    """The name of the job of an application's n-th INSERT."""
    return f"{name}-{number}"


class CodeRun:
    """One start of an application's code."""

    def __init__(self, services: Services, application: Application) -> None:
        self._services = services
        self._application = application
        self._session = session_of(application.name)
        self._inserts = 0

    def start(self, steps: Steps, snapshot: Snapshot | None) -> None:
        """Run the steps; returns once the jobs have done their first step.

        snapshot: what the jobs start from; None: with empty state.

        Raises:
            EddylineError: of the statement that failed, or ``access_denied`` of the role.
        """
        texts = [step.sql or "" for step in steps if step.python is None]
        split = snapshot is not None and _has_job_for_each_insert(snapshot, texts)
        for step in steps:
            if step.python is not None:
                self._python(step.python)
            else:
                self._sql(step.sql or "", snapshot, split=split)

    def _sql(self, text: str, snapshot: Snapshot | None, *, split: bool) -> None:
        """Run a text; ``split``: each INSERT of a statement set is a job of its own."""
        for statement in parse_script(text):
            if not is_dml(statement):
                self._run(statement.source.text, None, {})
                continue
            parts: tuple[s.Statement, ...] = (statement,)
            if split and isinstance(statement, s.StatementSet):
                parts = statement.inserts
            for part in parts:
                self._inserts += 1
                parameters = {}
                savepoint = snapshot.savepoints.get(str(self._inserts)) if snapshot else None
                if savepoint is not None:
                    parameters["execution.savepoint.path"] = savepoint
                name = job_name(self._application.name, self._inserts)
                self._run(part.source.text, name, parameters)

    def _run(self, text: str, name: str | None, parameters: dict[str, str]) -> None:
        ended = _Ended()
        self._services.sessions.submit(
            self._session,
            text,
            ended,
            job_name=name,
            parameters=parameters,
            detach=True,
            start="fresh",
        )
        ended.wait(text)

    def _python(self, code: str) -> None:
        if not self._services.kernels.available():
            message = "Python cannot run: ipykernel is not installed, or no server runs"
            raise EddylineError("sql_unsupported", message, hint="pip install ipykernel")
        ended = _Ended()
        self._services.kernels.submit(
            self._session, self._session, code, {}, uuid.uuid4().hex, ended
        )
        ended.wait(code)


def _has_job_for_each_insert(snapshot: Snapshot, texts: list[str]) -> bool:
    """Whether a snapshot was taken when every INSERT of a statement set was a job of its own."""
    jobs = [d for text in texts for d in parse_script(text) if is_dml(d)]
    inserts = sum(len(j.inserts) if isinstance(j, s.StatementSet) else 1 for j in jobs)
    return len(jobs) < inserts == len(snapshot.savepoints)


def jobs_of(services: Services, name: str) -> list[JobInfo]:
    """The jobs of an application, by the number of their statements."""
    return [job for job in services.jobs.list() if job.session == session_of(name)]


def stop_jobs(services: Services, name: str) -> list[JobInfo]:
    """Stop an application's jobs after their micro-batches; their states stay."""
    stopped = []
    for job in jobs_of(services, name):
        if job.actual not in ENDED or job.desired == RUNNING:
            stopped.append(services.jobs.stop(job.job_id))
    services.kernels.close(session_of(name))
    return stopped


def remove_jobs(services: Services, name: str) -> None:
    """Stop an application's jobs and forget their states."""
    for job in jobs_of(services, name):
        services.jobs.remove(job.job_id)
    services.kernels.close(session_of(name))
    services.sessions.close(session_of(name))


class _Ended:
    """A listener that waits for the end of a run."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._finished: RunFinished | None = None

    def __call__(self, event: RunEvent) -> None:
        if isinstance(event, RunFinished):
            self._finished = event
            self._over.set()

    def wait(self, text: str) -> None:
        """Wait for the end. Raises the run's error, or ``timed_out``."""
        if not self._over.wait(STEP_S):
            message = f"the statement did not begin within {STEP_S:g} s: {text.strip()[:100]}"
            raise EddylineError("timed_out", message)
        finished = self._finished
        if finished is None or finished.status == "FINISHED":
            return
        error = finished.error or {"code": "internal", "message": "the run was cancelled"}
        raise EddylineError(
            str(error.get("code", "internal")),
            str(error.get("message", "")),
            detail=error.get("detail"),
            hint=error.get("hint"),
        )
