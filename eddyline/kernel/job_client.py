"""The running job of an INSERT, as PyFlink's ``JobClient``."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any

from eddyline.kernel.named import MissingNames
from eddyline.kernel.running import RunningText, remote
from eddyline.service import jobs

JobStatus = Enum(
    "JobStatus",
    "CREATED RUNNING FAILING FAILED CANCELLING CANCELED FINISHED RESTARTING SUSPENDED RECONCILING",
)
_STATUS = {
    jobs.STARTING: "CREATED",
    jobs.RUNNING: "RUNNING",
    jobs.RESTARTING: "RESTARTING",
    jobs.FAILED: "FAILED",
    jobs.FINISHED: "FINISHED",
    jobs.STOPPED: "CANCELED",
}


def status_of(job: jobs.JobInfo) -> str:
    """A job's state by Flink's name."""
    return _STATUS[job.actual]


class CompletableFuture(MissingNames):
    """A value that ``result()`` waits for."""

    def __init__(self, wait: Callable[[], Any], is_done: Callable[[], bool]) -> None:
        self._wait = wait
        self._is_done = is_done

    def result(self) -> Any:
        """The value, once it is there."""
        return self._wait()

    def done(self) -> bool:
        """Whether the value is there."""
        return self._is_done()


class JobClient(MissingNames):
    """A running INSERT."""

    def __init__(self, running: RunningText, job_id: str) -> None:
        self._running = running
        self._job_id = job_id

    def get_job_id(self) -> str:
        """The job's id, as ``eddyline job list`` shows it."""
        return self._job_id

    def get_job_status(self) -> CompletableFuture:
        """A future of the job's state: ``get_job_status().result()``."""
        return CompletableFuture(
            lambda: JobStatus[status_of(remote().jobs.get(self._job_id))], lambda: True
        )

    def get_job_execution_result(self) -> CompletableFuture:
        """A future that is there when the job is over; ``result()`` raises what the job met."""
        return CompletableFuture(self._finish, lambda: self._running.over)

    def _finish(self) -> None:
        self._running.wait()

    def cancel(self) -> CompletableFuture:
        """Stop the job."""
        self._running.cancel()
        return CompletableFuture(lambda: None, lambda: True)


class QueryClient(MissingNames):
    """A query, which runs while its rows are read."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._id = uuid.uuid4().hex
        self._status = "RUNNING"

    def get_job_id(self) -> str:
        """An id; a query is no job of ``eddyline job list``."""
        return self._id

    def get_job_status(self) -> CompletableFuture:
        """A future of RUNNING, or CANCELED after ``cancel``."""
        return CompletableFuture(lambda: JobStatus[self._status], lambda: True)

    def cancel(self) -> CompletableFuture:
        """End the query; no further rows come."""
        self._cancel()
        self._status = "CANCELED"
        return CompletableFuture(lambda: None, lambda: True)
