"""What all tests share: no pollution from the caller's environment."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples

# A busy machine makes an example slow, not wrong.
examples.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("patient")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = ("EDDYLINE_KILL_ROUNDS", "EDDYLINE_SCREENSHOTS")
    for name in list(os.environ):
        if name.startswith("EDDYLINE_") and name not in keep:
            monkeypatch.delenv(name)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
