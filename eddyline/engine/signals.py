"""Signals to a running job: to stop, and that there may be something to read."""

from __future__ import annotations

import threading
from collections.abc import Callable


class StopSignal(threading.Event):
    """Asks a job to stop, and wakes it."""

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Callable[[], None]] = []

    def on_set(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called when the signal is set."""
        self._callbacks.append(callback)
        if self.is_set():
            callback()

    def set(self) -> None:
        super().set()
        for callback in self._callbacks:
            callback()


class News(threading.Event):
    """Set when there may be something to read, or the job is to stop."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return self._stop.is_set() or super().is_set()
