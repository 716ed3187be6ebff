"""Time, in one place, so that tests can hold it.

Nothing else in the package reads the system's clock (``tests/test_tidy.py`` sees to it).
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from: wall time in epoch milliseconds, and a steady one in seconds."""

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970-01-01T00:00:00Z."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait at most ``seconds`` of this clock for ``event``; True if it was set."""


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(max(0.0, seconds))


SYSTEM: Clock = SystemClock()


class ManualClock:
    """A clock that stands still until it is told to move; for tests."""

    def __init__(self, start_ms: int = 1_764_000_000_000) -> None:
        self._ms = start_ms
        self._moved = threading.Condition()

    def now_ms(self) -> int:
        with self._moved:
            return self._ms

    def monotonic(self) -> float:
        return self.now_ms() / 1000

    def advance(self, ms: int) -> None:
        """Move time forward and wake whoever waits for it."""
        with self._moved:
            self._ms += ms
            self._moved.notify_all()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        end = self.now_ms() + seconds * 1000
        while not event.is_set() and self.now_ms() < end:
            with self._moved:
                self._moved.wait(0.005)
        return event.is_set()
