"""The timeout for receiving a request, watched by one timer for all requests.

A timer per request would cost more than the rest of reading it, and almost none would ever fire.
"""

from __future__ import annotations

import asyncio
from typing import Any

from eddyline.clock import Clock

LOOKS = 8


class Patience:
    """Cancels tasks that take longer than ``seconds``, at most an eighth of that later."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self._clock = clock
        # The start of each task's time; None once it has taken too long.
        self._since: dict[asyncio.Task[Any], float | None] = {}
        self._watching = False

    def tried(self) -> Tried:
        """A context in which the running task may spend ``seconds``.

        Raises:
            TimeoutError: at the end of the context, if it took longer.
        """
        return Tried(self)

    def begin(self, task: asyncio.Task[Any]) -> None:
        """Start the task's time."""
        self._since[task] = self._clock.monotonic()
        if not self._watching:
            self._watching = True
            self._look_later()

    def end(self, task: asyncio.Task[Any]) -> bool:
        """Stop the task's time; True if it took too long."""
        return self._since.pop(task) is None

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(self.seconds / LOOKS, self._look)

    def _look(self) -> None:
        latest = self._clock.monotonic() - self.seconds
        for task, since in self._since.items():
            if since is not None and since <= latest:
                self._since[task] = None
                task.cancel()
        self._watching = bool(self._since)
        if self._watching:
            self._look_later()


class Tried:
    """One task's block."""

    __slots__ = ("_patience", "_task")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        task = asyncio.current_task()
        assert task is not None
        self._task = task

    def __enter__(self) -> None:
        self._patience.begin(self._task)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        late = self._patience.end(self._task)
        if late and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise TimeoutError
