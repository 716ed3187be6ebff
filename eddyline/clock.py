"""The sources of time, in one place, so that tests can control them.

Nothing else in the package reads the system's clocks (``tests/test_tidy.py`` checks it).
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """A source of time: the wall clock, which may jump, and clocks that never do."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since 1970-01-01T00:00:00Z; it jumps when it is set."""

    def boot_ms(self) -> int:
        """Milliseconds since the machine started, sleep included; the same in all processes."""

    def boot_id(self) -> str:
        """Which start of the machine ``boot_ms`` counts from."""

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""

    def thread_cpu_s(self) -> float:
        """Seconds of a processor that the calling thread has used."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait at most ``seconds`` of this clock for ``event``; True if it was set."""


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(_BOOT_CLOCK) // 1_000_000

    def boot_id(self) -> str:
        return _boot_id()

    def monotonic(self) -> float:
        return time.monotonic()

    def thread_cpu_s(self) -> float:
        return time.thread_time()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(min(max(0.0, seconds), threading.TIMEOUT_MAX))


SYSTEM: Clock = SystemClock()

# macOS counts sleep in its monotonic clock; Linux has a clock of its own for that.
_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@functools.cache
def _boot_id() -> str:
    """The kernel's name for this boot, with the time namespace that shifts the boot clock."""
    if sys.platform == "darwin":
        import subprocess

        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/time")
    if not boot.exists():  # a sandbox: its first process tells its starts apart
        return Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
    shift = os.readlink(namespace) if namespace.is_symlink() else ""
    return f"{boot.read_text().strip()} {shift}"


class ManualClock:
    """A clock that stands still until it is moved; for tests.

    boot: a name for the boot, so that a test can restart the machine.
    """

    def __init__(self, start_ms: int = 1_764_000_000_000, boot: str = "manual") -> None:
        self._ms = start_ms
        self._wall_ahead_ms = 0
        self._boot = boot
        self._moved = threading.Condition()

    def now_ms(self) -> int:
        with self._moved:
            return self._ms + self._wall_ahead_ms

    def boot_ms(self) -> int:
        with self._moved:
            return self._ms

    def boot_id(self) -> str:
        return self._boot

    def monotonic(self) -> float:
        return self.boot_ms() / 1000

    def thread_cpu_s(self) -> float:
        """None: what costs nothing is never put off."""
        return 0.0

    def advance(self, ms: int) -> None:
        """Move time forward and wake the threads that wait for it."""
        with self._moved:
            self._ms += ms
            self._moved.notify_all()

    def set_wall(self, ahead_ms: int) -> None:
        """Set the wall clock alone: so far ahead of where it would have been without jumps."""
        with self._moved:
            self._wall_ahead_ms = ahead_ms

    def wait(self, event: threading.Event, seconds: float) -> bool:
        end = self.boot_ms() + seconds * 1000
        while not event.is_set() and self.boot_ms() < end:
            with self._moved:
                self._moved.wait(0.005)
        return event.is_set()
