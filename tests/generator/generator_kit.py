"""What generator tests share: a clock that runs only while somebody waits, and a target."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from eddyline.generator.counters import SendResult

START_MS = 1_764_000_000_000  # Monday, 2025-11-24T16:00:00Z


class RunningClock:
    """Time passes while somebody waits, and a little whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return START_MS + int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.seconds += max(1e-6, seconds)  # as any clock, it never stands still
        return event.is_set()


class Collected:
    """A target that keeps what it is sent, and when."""

    def __init__(self, clock: RunningClock | None = None) -> None:
        self.records: list[bytes] = []
        self.keys: list[str] = []
        self.at: list[float] = []
        self._clock = clock

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        self.records += data.to_pylist()
        self.keys += keys.to_pylist()
        self.at += [self._clock.seconds if self._clock else 0.0] * len(data)
        return SendResult(len(data))

    def close(self) -> None:
        """Nothing is held."""

    def a_second(self) -> list[int]:
        """Records that came in each second."""
        counts: list[int] = np.bincount(np.array(self.at).astype(int)).tolist()
        return counts
