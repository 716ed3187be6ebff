"""The timeout for receiving a request, watched by one timer for all requests.

A timer per request would cost more than the rest of reading it, and almost none would ever fire.
"""

from __future__ import annotations

import asyncio
from typing import Any

from eddyline.clock import Clock

CHECKS_PER_TIMEOUT = 8


class RequestTimeout:
    """Cancels tasks that take longer than ``seconds``, at most an eighth of that later."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self._clock = clock
        # The start of each task's time; None once it has taken too long.
        self._since: dict[asyncio.Task[Any], float | None] = {}
        self._watching = False

    def limit(self) -> TimedBlock:
        """A context in which the running task may spend ``seconds``.

        Raises:
            TimeoutError: at the end of the context, if it took longer.
        """
        return TimedBlock(self)

    def begin(self, task: asyncio.Task[Any]) -> None:
        """Start the task's time."""
        self._since[task] = self._clock.monotonic()
        if not self._watching:
            self._watching = True
            self._check_later()

    def end(self, task: asyncio.Task[Any]) -> bool:
        """Stop the task's time; True if it took too long."""
        return self._since.pop(task) is None

    def _check_later(self) -> None:
        asyncio.get_running_loop().call_later(self.seconds / CHECKS_PER_TIMEOUT, self._check)

    def _check(self) -> None:
        latest = self._clock.monotonic() - self.seconds
        for task, since in self._since.items():
            if since is not None and since <= latest:
                self._since[task] = None
                task.cancel()
        self._watching = bool(self._since)
        if self._watching:
            self._check_later()


class TimedBlock:
    """A block of one task whose time is limited."""

    __slots__ = ("_task", "_timeout")

    def __init__(self, timeout: RequestTimeout) -> None:
        self._timeout = timeout
        task = asyncio.current_task()
        assert task is not None
        self._task = task

    def __enter__(self) -> None:
        self._timeout.begin(self._task)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        late = self._timeout.end(self._task)
        if late and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise TimeoutError
