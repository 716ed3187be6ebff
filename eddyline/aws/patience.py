"""How long a request may take to arrive, watched for all of them by one timer.

A timer for each costs more than the rest of reading a request, and nearly none ever rings.
"""

from __future__ import annotations

import asyncio
from typing import Any

from eddyline.clock import Clock

LOOKS = 8


class Patience:
    """Cancels what is tried for longer than ``seconds``, an eighth of that later at most."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self._clock = clock
        # Since when; None once it has taken too long.
        self._since: dict[asyncio.Task[Any], float | None] = {}
        self._watching = False

    def tried(self) -> Tried:
        """What the running task does within this block is given its time.

        Raises:
            TimeoutError: it was over; at the block's end.
        """
        return Tried(self)

    def begin(self, task: asyncio.Task[Any]) -> None:
        """The task begins now."""
        self._since[task] = self._clock.monotonic()
        if not self._watching:
            self._watching = True
            self._look_later()

    def end(self, task: asyncio.Task[Any]) -> bool:
        """It is over; whether it took too long."""
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
