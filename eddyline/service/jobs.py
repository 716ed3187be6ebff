"""Jobs: INSERT statements that run, with a desired and an actual state that outlive processes.

A job's row is written before its first micro-batch, by the worker that runs it. The next worker or
server resumes every job whose desired state is RUNNING. The row carries all
that planning needs (text, session options, tables as they were), so that dropping a table does
not touch a running job.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from eddyline.catalog.databases import DEFAULT_CATALOG
from eddyline.clock import Clock
from eddyline.errors import EddylineError, nearest
from eddyline.schema_version import upgrade
from eddyline.service.database import read, transaction
from eddyline.service.directory import DataDirectory
from eddyline.service.events import STARTS, JobFigures
from eddyline.service.job_log import read_log, remove_log

RUNNING, STOPPED, FINISHED, FAILED = "RUNNING", "STOPPED", "FINISHED", "FAILED"
STARTING, RESTARTING = "STARTING", "RESTARTING"
ENDED = (STOPPED, FINISHED, FAILED)
# Ended jobs without a name are forgotten beyond this many.
ENDED_KEPT = 100
# Of each job the newest failures are kept.
FAILURES_KEPT = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  job_id TEXT PRIMARY KEY, name TEXT, session TEXT NOT NULL, run_id TEXT NOT NULL,
  statement_index INTEGER NOT NULL, sql TEXT NOT NULL, context TEXT NOT NULL,
  desired TEXT NOT NULL, actual TEXT NOT NULL, incarnation INTEGER NOT NULL,
  restarts INTEGER NOT NULL, error TEXT, created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS jobs_name ON jobs (name) WHERE name IS NOT NULL
"""
_FAILURES = """
CREATE TABLE job_failures (
  job_id TEXT NOT NULL, at_ms INTEGER NOT NULL, incarnation INTEGER NOT NULL, error TEXT NOT NULL
);
CREATE INDEX job_failures_job ON job_failures (job_id, at_ms)
"""
_COLUMNS = (
    "job_id, name, session, run_id, statement_index, sql, context, desired, actual, "
    "incarnation, restarts, error, created_ms"
)


class JobFailure(msgspec.Struct, frozen=True):
    """One failure of a job: when, in which incarnation, and why."""

    at_ms: int
    incarnation: int
    error: dict[str, Any]


class JobInfo(msgspec.Struct, frozen=True):
    """A job as everybody sees it; ``error`` is ``EddylineError.as_dict()``."""

    job_id: str
    name: str | None
    session: str
    run_id: str
    statement_index: int
    sql: str
    desired: str
    actual: str
    incarnation: int
    restarts: int
    error: dict[str, Any] | None
    created_ms: int
    figures: JobFigures | None = None
    why: list[str] = []


JobInfos = list[JobInfo]
JobFailures = list[JobFailure]
Reasons = list[str]
LogLines = list[str]


class JobContext(msgspec.Struct, frozen=True):
    """What planning a statement again needs: current database and catalog, session options, tables
    and views."""

    database: str
    options: dict[str, str]
    objects: list[dict[str, Any]]
    catalog: str = DEFAULT_CATALOG


class JobStore:
    """The rows of ``meta.db``; any process of the server's family uses it."""

    def __init__(self, directory: DataDirectory, clock: Clock) -> None:
        self._directory = directory
        self._path: Path = directory.meta
        self._clock = clock
        self.data_dir = directory.path
        with transaction(self._path) as db:
            upgrade(db, "jobs", (_SCHEMA, _FAILURES))

    def create(
        self,
        *,
        name: str | None,
        session: str,
        run_id: str,
        index: int,
        sql: str,
        context: JobContext,
        fresh: bool = False,
    ) -> str:
        """A new job, desired RUNNING; or, for a name that is known, that job with its state.

        fresh: an ended job of the name is forgotten with its state.

        Raises:
            EddylineError: ``conflict`` when the job of that name still runs.
        """
        with transaction(self._path) as db:
            job_id = self._take_over(db, name, fresh) if name else None
            job_id = job_id or uuid.uuid4().hex[:16]
            row = (job_id, name, session, run_id, index, sql, msgspec.json.encode(context).decode())
            db.execute(
                f"INSERT INTO jobs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 'RUNNING', "
                "'STARTING', 0, 0, NULL, ?) ON CONFLICT (job_id) DO UPDATE SET "
                "session = excluded.session, run_id = excluded.run_id, "
                "statement_index = excluded.statement_index, sql = excluded.sql, "
                "context = excluded.context, desired = 'RUNNING', actual = 'STARTING', "
                "error = NULL",
                (*row, self._clock.now_ms()),
            )
            self._forget_old(db)
        return job_id

    def ended(self, name: str) -> str | None:
        """The id of the job of that name, if it has ended and its state is there to go on from."""
        sql = "SELECT job_id FROM jobs WHERE name = ? AND actual IN ('STOPPED', 'FAILED')"
        rows = read(self._path, sql, (name,))
        return str(rows[0][0]) if rows else None

    def has_statement(self, name: str | None, sql: str, context: JobContext) -> bool:
        """Whether the job of that name has exactly this statement over these tables."""
        if name is None:
            return False
        rows = read(self._path, "SELECT sql, context FROM jobs WHERE name = ?", (name,))
        return rows == [(sql, msgspec.json.encode(context).decode())]

    def restart(self, job_id: str, *, fresh: bool) -> JobInfo:
        """Have an ended job run again, as a run of its own; ``fresh``: it forgets its state.

        A job that starts over has another id, because its sinks know what the old one has written.

        Raises:
            EddylineError: ``conflict`` when it was started meanwhile.
        """
        new = uuid.uuid4().hex[:16] if fresh else job_id
        with transaction(self._path) as db:
            changed = db.execute(
                "UPDATE jobs SET job_id = ?, run_id = ?, desired = 'RUNNING', actual = 'STARTING', "
                "error = NULL WHERE job_id = ? AND actual IN ('STOPPED', 'FINISHED', 'FAILED')",
                (new, uuid.uuid4().hex, job_id),
            ).rowcount
            if changed and fresh:
                self._delete(db, job_id)
        if not changed:
            raise _running(self.get(job_id).name or job_id)
        return self.get(new)

    def _take_over(self, db: sqlite3.Connection, name: str, fresh: bool) -> str | None:
        row = db.execute("SELECT job_id, actual FROM jobs WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        job_id, actual = row
        if actual not in ENDED:
            raise _running(name)
        if actual == FINISHED or fresh:  # all of its input was read: the next one starts over
            self._delete(db, job_id)
            return None
        return str(job_id)

    def _forget_old(self, db: sqlite3.Connection) -> None:
        old = db.execute(
            "SELECT job_id FROM jobs WHERE name IS NULL AND desired <> 'RUNNING' AND actual IN "
            "('STOPPED', 'FINISHED', 'FAILED') ORDER BY created_ms DESC LIMIT -1 OFFSET ?",
            (ENDED_KEPT,),
        ).fetchall()
        for (job_id,) in old:
            self._delete(db, job_id)

    def begin(self, job_id: str) -> int:
        """Count one more incarnation of the job and return it."""
        with transaction(self._path) as db:
            row = db.execute(
                "UPDATE jobs SET incarnation = incarnation + 1, actual = 'STARTING' "
                "WHERE job_id = ? RETURNING incarnation",
                (job_id,),
            ).fetchone()
        if row is None:
            raise _no_job(job_id, [])
        return int(row[0])

    def reached(self, job_id: str, actual: str, error: dict[str, Any] | None = None) -> None:
        """Keep a job's actual state and why; one that has ended by itself is not started again."""
        over = actual in ENDED
        with transaction(self._path) as db:
            if error is not None:
                self._keep_failure(db, job_id, error)
            db.execute(
                "UPDATE jobs SET actual = ?, error = ?, desired = CASE WHEN ? THEN 'STOPPED' "
                "ELSE desired END, restarts = restarts + ? WHERE job_id = ?",
                (
                    actual,
                    json.dumps(error) if error else None,
                    over,
                    actual == RESTARTING,
                    job_id,
                ),
            )

    def _keep_failure(self, db: sqlite3.Connection, job_id: str, error: dict[str, Any]) -> None:
        db.execute(
            "INSERT INTO job_failures SELECT job_id, ?, incarnation, ? FROM jobs WHERE job_id = ?",
            (self._clock.now_ms(), json.dumps(error), job_id),
        )
        db.execute(
            "DELETE FROM job_failures WHERE job_id = ?1 AND rowid <= (SELECT rowid FROM "
            "job_failures WHERE job_id = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)",
            (job_id, FAILURES_KEPT),
        )

    def failures(self, job_id: str) -> JobFailures:
        """The newest failures of a job, oldest first."""
        sql = "SELECT at_ms, incarnation, error FROM job_failures WHERE job_id = ? ORDER BY rowid"
        rows = read(self._path, sql, (job_id,))
        return [JobFailure(int(str(a)), int(str(i)), json.loads(str(e))) for a, i, e in rows]

    def desire(self, job_id: str, desired: str) -> None:
        """Keep what a job should do."""
        with transaction(self._path) as db:
            db.execute("UPDATE jobs SET desired = ? WHERE job_id = ?", (desired, job_id))

    def context(self, job_id: str) -> JobContext:
        """What planning the job's statement again needs."""
        rows = read(self._path, "SELECT context FROM jobs WHERE job_id = ?", (job_id,))
        if not rows:
            raise _no_job(job_id, [])
        return msgspec.json.decode(str(rows[0][0]), type=JobContext)

    def get(self, job_id: str) -> JobInfo:
        """One job by id or name.

        Raises:
            EddylineError: ``not_found``.
        """
        rows = self.list()
        for row in rows:
            if job_id in (row.job_id, row.name):
                return row
        raise _no_job(job_id, [r.name or r.job_id for r in rows])

    def list(self) -> JobInfos:
        """All jobs, oldest first."""
        rows = read(self._path, f"SELECT {_COLUMNS} FROM jobs ORDER BY created_ms, rowid")
        return [_info(row) for row in rows]

    def remove(self, job_id: str) -> None:
        """Forget a job and its state."""
        with transaction(self._path) as db:
            self._delete(db, job_id)

    def _delete(self, db: sqlite3.Connection, job_id: str) -> None:
        db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))
        db.execute("DELETE FROM job_failures WHERE job_id = ?", (job_id,))
        shutil.rmtree(self._directory.job(job_id), ignore_errors=True)
        remove_log(self.data_dir, job_id)


class Workers(Protocol):
    """What stopping a job needs of the sessions."""

    def stop_job(self, session: str, job_id: str, wait_s: float) -> bool:
        """Stop it where it runs; False if it runs nowhere."""

    def start_job(self, job: JobInfo, start: str) -> None:
        """Have an ended job run again, and wait until it works or fails."""

    def figures_of(self, job_id: str) -> tuple[JobFigures | None, Reasons]:
        """The newest figures, and why nothing is written if nothing is."""

    def state_of(self, job_id: str) -> tuple[str, dict[str, Any] | None] | None:
        """A job's state and error as its worker reported them last, unless it just runs."""

    def forget(self, job_id: str) -> None:
        """Keep nothing of a job that was removed."""


class Jobs:
    """The jobs of a data directory, as the faces see them."""

    def __init__(
        self, store: JobStore, workers: Workers, forget: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._workers = workers
        self._forget = forget

    def list(self) -> JobInfos:
        """All jobs with their figures, oldest first."""
        return [self._with_figures(job) for job in self._store.list()]

    def get(self, job_id: str) -> JobInfo:
        """One job, by id or name. Raises ``not_found``."""
        return self._with_figures(self._store.get(job_id))

    def _with_figures(self, job: JobInfo) -> JobInfo:
        figures, why = self._workers.figures_of(job.job_id)
        job = msgspec.structs.replace(job, figures=figures, why=why)
        state = self._workers.state_of(job.job_id)
        if state is not None and job.actual == RUNNING:  # on a full disk it cannot be written down
            job = msgspec.structs.replace(job, actual=state[0], error=state[1])
        if job.actual in (FAILED, RESTARTING) and job.error is not None:
            job = msgspec.structs.replace(job, why=[*_reasons(job.actual, job.error), *why])
        return job

    def failures(self, job_id: str) -> JobFailures:
        """The newest failures of a job, oldest first. Raises ``not_found``."""
        return self._store.failures(self._store.get(job_id).job_id)

    def log(self, job_id: str, lines: int = 200) -> LogLines:
        """The newest lines of a job's log, oldest first. Raises ``not_found``."""
        return read_log(self._store.data_dir, self._store.get(job_id).job_id, lines)

    def stop(self, job_id: str) -> JobInfo:
        """Stop a job after its micro-batch; its state stays. Raises ``not_found``."""
        job = self._store.get(job_id)
        if job.actual in ENDED and job.desired == STOPPED:
            return self._with_figures(job)
        self._store.desire(job.job_id, STOPPED)
        if not self._workers.stop_job(job.session, job.job_id, 10.0):
            self._store.reached(job.job_id, STOPPED)
        return self.get(job.job_id)

    def start(self, job_id: str, start: str = "state") -> JobInfo:
        """Have a job that has stopped or failed run again, with its own statement.

        start: "state", "positions" (it reads on with empty state) or "fresh" (it starts over).

        Raises:
            EddylineError: ``not_found``; ``conflict`` if it runs, or has read all of its input.
        """
        job = self._store.get(job_id)
        name = job.name or job.job_id
        if start not in STARTS:
            message = f"a job does not start from {start!r}"
            raise EddylineError("invalid_argument", message, hint=f"choose {', '.join(STARTS)}")
        if job.actual not in ENDED:
            raise _running(name)
        fresh = start == "fresh"
        if job.actual == FINISHED and not fresh:
            message = f"job {name} has read all of its input"
            hint = f"eddyline job start {name} --fresh starts over"
            raise EddylineError("conflict", message, hint=hint)
        started = self._store.restart(job.job_id, fresh=fresh)
        self._workers.forget(job.job_id)
        self._workers.start_job(started, "state" if fresh else start)
        return self.get(started.job_id)

    def remove(self, job_id: str) -> None:
        """Stop a job and forget it and its state. Raises ``not_found``."""
        job = self.stop(job_id)
        self._store.remove(job.job_id)
        self._workers.forget(job.job_id)
        self._forget(job.job_id)


def _reasons(actual: str, error: dict[str, Any]) -> Reasons:
    """Why a job that failed writes nothing."""
    what = "has failed" if actual == FAILED else "failed and will be tried again"
    reasons = [f"the job {what}: {error.get('message', '')}"]
    return [*reasons, f"to do: {error['hint']}"] if error.get("hint") else reasons


def _running(name: str) -> EddylineError:
    hint = f"stop it first (eddyline job stop {name}), or give another 'pipeline.name'"
    return EddylineError("conflict", f"job {name} is running already", hint=hint)


def _info(row: tuple[Any, ...]) -> JobInfo:
    job_id, name, session, run_id, index, sql, _, desired, actual, count, restarts, error, at = row
    problem = json.loads(error) if error else None
    return JobInfo(
        job_id, name, session, run_id, index, sql, desired, actual, count, restarts, problem, at
    )


def _no_job(name: str, known: list[str]) -> EddylineError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]}?" if near else "eddyline job list shows them all"
    return EddylineError("not_found", f"there is no job {name}", hint=hint)
