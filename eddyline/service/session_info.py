"""A session in a list."""

from __future__ import annotations

import msgspec

from eddyline.service.supervisor import ChildProcess


class SessionInfo(msgspec.Struct, frozen=True):
    """A session: its worker's process id and memory, and its runs."""

    name: str
    pid: int | None
    state: str
    runs: list[str]
    rss_mib: float


SessionInfos = list[SessionInfo]


def info_of(name: str, child: ChildProcess | None, runs: list[str], *, idle: bool) -> SessionInfo:
    """A session as everybody sees it; ``child`` is its worker, None if it has none."""
    if child is None:
        return SessionInfo(name, None, "stopped", runs, 0.0)
    state = "idle" if idle else "running"
    return SessionInfo(name, child.pid, state, runs, round(child.rss_mib, 1))
