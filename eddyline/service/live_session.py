"""A session as the server knows it: its worker process, its runs, who listens to them, its jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from eddyline.errors import EddylineError
from eddyline.service.events import RunEvent
from eddyline.service.jobs import JobContext
from eddyline.service.supervisor import BackOff, ChildProcess

# What it returns counts for callers of the control socket alone: False ends their listening.
OnEvent = Callable[[RunEvent], object]


@dataclass(slots=True)
class SessionRun:
    """A run under way. ``jobs``: the jobs it only waits for, once its statements are done."""

    run_id: str
    on_event: OnEvent
    jobs: list[str] | None = None


@dataclass(slots=True)
class LiveSession:
    """A session of this server: ``child`` is its worker, None until it is needed."""

    name: str
    back_off: BackOff
    child: ChildProcess | None = None
    context: JobContext | None = None
    runs: dict[str, SessionRun] = field(default_factory=dict)
    jobs: set[str] = field(default_factory=set)
    used: float = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing runs in it."""
        return not self.runs and not self.jobs


def call_listener(run: SessionRun, event: RunEvent) -> None:
    """Call the listener; one that fails is not called again, and the session goes on."""
    try:
        run.on_event(event)
    except Exception as failure:
        sys.stderr.write(f"a listener of run {run.run_id} failed: {failure!r}\n")
        run.on_event = nobody


def nobody(event: RunEvent) -> None:
    """A run of the server before this one: until somebody watches, nobody listens."""


def lost_worker(how: str) -> EddylineError:
    """The error of a run whose worker ended under it."""
    msg = f"the session's worker process {how}"
    detail = "a result on screen is lost; INSERT jobs go on by themselves, each row once"
    return EddylineError("internal", msg, detail=detail, hint="run it again")
