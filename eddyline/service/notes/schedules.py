"""Notes that run by themselves: at the times of their cron expressions, while the server runs.

A time that passes while the server is down is left out, and so is one at which the note is still
being run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.service.child import in_thread
from eddyline.service.notes.cron import parse

LONGEST_S = 3600.0


class Schedules:
    """Runs notes at their times. ``crons``: the cron expression of each note that has one."""

    def __init__(
        self, clock: Clock, crons: Callable[[], dict[str, str]], run: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._crons = crons
        self._run = run
        self._changed = threading.Event()
        self._ended = False
        self._since_ms = clock.now_ms()

    def start(self) -> None:
        """Begin to run notes."""
        in_thread("note-schedules", self._go)

    def stop(self) -> None:
        """Run no more."""
        self._ended = True
        self._changed.set()

    def changed(self) -> None:
        """A note has another schedule."""
        self._changed.set()

    def next_ms(self, now_ms: int) -> int | None:
        """The next time at which a note runs; None if none has a schedule."""
        times = [parse(cron).after(now_ms) for cron in self._crons().values()]
        return min((time for time in times if time is not None), default=None)

    def run_due(self, now_ms: int) -> None:
        """Run the notes whose time has come since this was called last."""
        since_ms, self._since_ms = self._since_ms, now_ms
        for note_id, cron in self._crons().items():
            due = parse(cron).after(since_ms)
            if due is None or due > now_ms:
                continue
            try:
                self._run(note_id)
            except EddylineError as error:
                sys.stderr.write(f"a note did not run at its time: {error.pretty()}\n")

    def _go(self) -> None:
        while not self._ended:
            now_ms = self._clock.now_ms()
            self.run_due(now_ms)
            following = self.next_ms(now_ms)
            wait_s = LONGEST_S
            if following is not None:
                wait_s = min(wait_s, max(0.0, (following - now_ms) / 1000))
            self._clock.wait(self._changed, wait_s)
            self._changed.clear()
