"""What all tests share: no pollution from the caller's environment."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

# A busy machine makes an example slow, not wrong.
examples.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("patient")

# A shell starts what runs in its background without Ctrl-C, and the commands that tests start would
# inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Modules that take a minute each. They begin first, so that no process is left alone with one.
LONG = ("test_readme.py", "test_cases.py", "test_walk.py", "test_note_page.py", "test_kill.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = ("EDDYLINE_KILL_ROUNDS", "EDDYLINE_SCREENSHOTS")
    for name in list(os.environ):
        if name.startswith("EDDYLINE_") and name not in keep:
            monkeypatch.delenv(name)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
