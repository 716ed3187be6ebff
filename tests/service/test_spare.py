"""A worker is kept ready while somebody may soon run something, and only then."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eddyline.service import sessions
from eddyline.service.services import Services
from eddyline.settings import Settings

PATIENCE_S = 60.0


def _until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.02)


def test_a_worker_is_ready_once_expected_and_ends_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "TICK_S", 0.02)
    services = Services(Settings(data_dir=tmp_path))
    services.start()
    try:
        assert services.supervisor.pids() == []  # a server that only keeps streams has none
        services.sessions.expect()
        services.sessions.expect()
        _until(lambda: len(services.supervisor.pids()) == 1)
        monkeypatch.setattr(sessions, "IDLE_S", 0.0)
        _until(lambda: services.supervisor.pids() == [])
    finally:
        services.stop()
