"""A job's own time: recorded with each micro-batch, and never before what was recorded.

All that depends on the clock in a micro-batch (processing time, when state was written, what is
too old) sees one time. It is committed with the batch as part of the job's progress, so that a
run that takes over, with whatever clock, goes on from it: what was written does not become younger
than what follows, and no window or key is left behind a clock that was set back.
"""

from __future__ import annotations

import threading

from eddyline.clock import Clock


class BatchClock:
    """A clock that stands still during a micro-batch and otherwise follows ``machine``, unless
    that is behind ``reached_ms``."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._batch_ms: int | None = None
        self._is_batch = False
        self.reached_ms = 0

    def resume(self, reached_ms: int) -> None:
        """Go on from what an earlier run has recorded."""
        self.reached_ms = max(self.reached_ms, reached_ms)

    def begin(self) -> None:
        """A micro-batch begins: its time is that at which it is first asked for."""
        self._is_batch, self._batch_ms = True, None

    def end(self) -> None:
        """The micro-batch is over."""
        self._is_batch, self._batch_ms = False, None

    @property
    def waits_ms(self) -> int:
        """How far the machine's clock is behind."""
        return max(0, self.reached_ms - self._machine.now_ms())

    def now_ms(self) -> int:
        if self._batch_ms is not None:
            return self._batch_ms
        now_ms = max(self.reached_ms, self._machine.now_ms())
        if self._is_batch:
            self.reached_ms = self._batch_ms = now_ms
        return now_ms

    def boot_ms(self) -> int:
        return self._machine.boot_ms()

    def boot_id(self) -> str:
        return self._machine.boot_id()

    def monotonic(self) -> float:
        return self._machine.monotonic()

    def thread_cpu_s(self) -> float:
        return self._machine.thread_cpu_s()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return self._machine.wait(event, seconds)
