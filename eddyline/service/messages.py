"""What the server and its worker processes say to each other, besides the events of runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec

from eddyline.generator.counters import Counters
from eddyline.generator.spec import GeneratorSpec
from eddyline.service.context_change import ContextChange
from eddyline.service.events import JobFigures, RunEvent
from eddyline.service.jobs import JobContext
from eddyline.settings import Settings


class Begin(msgspec.Struct, tag=True, frozen=True):
    """To a fresh worker: whose session it serves, and what that session has SET so far."""

    session: str
    settings: dict[str, Any]
    context: JobContext | None = None


class Adopt(msgspec.Struct, tag=True, frozen=True):
    """To a worker: what the group that it joins has SET, USEd and made temporary."""

    context: JobContext


class AdoptChange(msgspec.Struct, tag=True, frozen=True):
    """To a worker: what a statement of another session of its group has changed."""

    change: ContextChange


class Run(msgspec.Struct, tag=True, frozen=True):
    """To a worker: run a text."""

    run_id: str
    text: str
    mode: str = "update"
    refresh_ms: int = 1000
    parameters: dict[str, str] = {}
    changelog: bool = False
    job_name: str | None = None
    detach: bool = False
    terminal: bool = False
    start: str = "state"


class Resume(msgspec.Struct, tag=True, frozen=True):
    """To a worker: go on with the jobs of a run, which ran when their last worker ended.

    start: what of their saved states they begin with. detach: the run ends when they work.
    """

    run_id: str
    job_ids: list[str]
    start: str = "state"
    detach: bool = False


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """To a worker: end a run and the jobs it waits for."""

    run_id: str


class StopJob(msgspec.Struct, tag=True, frozen=True):
    """To a worker: stop a job after its batch."""

    job_id: str


class Generate(msgspec.Struct, tag=True, frozen=True):
    """To a generator's process: what to send."""

    spec: GeneratorSpec
    settings: dict[str, Any]


class Stop(msgspec.Struct, tag=True, frozen=True):
    """To any child: finish what is under way and end."""


class Ready(msgspec.Struct, tag=True, frozen=True):
    """From a worker: everything is imported, it can serve."""


class Beat(msgspec.Struct, tag=True, frozen=True):
    """From any child, about every second: it is alive."""


class Waiting(msgspec.Struct, tag=True, frozen=True):
    """From a worker: a run's statements are done; what is left of it are these jobs."""

    run_id: str
    job_ids: list[str]


class Remember(msgspec.Struct, tag=True, frozen=True):
    """From a worker: what the session has SET, USEd and made temporary by now.

    change: what the statement that just ended has changed of that; None if nothing.
    """

    context: JobContext
    change: ContextChange | None = None


class RequestStop(msgspec.Struct, tag=True, frozen=True):
    """From a worker: a statement stops a job, whichever worker runs it."""

    job_id: str


class JobReport(msgspec.Struct, tag=True, frozen=True):
    """From a worker: a job's actual state and its figures."""

    job_id: str
    actual: str
    figures: JobFigures | None = None
    why: list[str] = []
    error: dict[str, Any] | None = None


class Monitored(msgspec.Struct, tag=True, frozen=True):
    """From a worker: series got points (they are in ``monitor.db`` already), and new alerts."""

    series: list[str]
    alerts: list[int]


class Sent(msgspec.Struct, tag=True, frozen=True):
    """From a generator: its counters; ``done`` when it is over, with the error if it failed."""

    counters: Counters
    done: bool = False
    error: dict[str, Any] | None = None


ToWorker = Begin | Adopt | AdoptChange | Run | Resume | Cancel | StopJob | Generate | Stop
FromWorker = (
    Ready | Beat | Waiting | Remember | RequestStop | JobReport | Monitored | Sent | RunEvent
)


def packed(settings: Settings) -> dict[str, Any]:
    """Settings as plain values, to be sent."""
    return {f.name: _plain(getattr(settings, f.name)) for f in dataclasses.fields(settings)}


def _plain(value: Any) -> Any:
    return str(value.absolute()) if isinstance(value, Path) else value


def unpacked(values: dict[str, Any]) -> Settings:
    """Settings from what ``packed`` made of them."""
    return Settings(**{**values, "data_dir": Path(values["data_dir"])})
