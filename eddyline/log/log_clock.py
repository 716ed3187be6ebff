"""The clock of a data directory: the time at which records arrive, which never jumps.

The wall clock jumps when it is set: after a virtual machine resumes, when NTP corrects it, by
hand. Arrival times order records, close windows and decide what retention removes, so they must
not follow such a jump. This clock therefore counts with the machine's boot clock, from an anchor
that all processes share through a small file:

- Within one boot it is the boot clock plus an offset. Stopping and starting the server changes
  nothing.
- After a reboot the anchor is the wall clock, but not before the newest time that is stored, nor
  before the time that this clock had reached, which ``follow`` notes each time it is called. A
  machine that starts with its clock set back therefore goes on where it was.
- A wall clock that stays away for ``GRACE_MS`` is followed, because the machine was paused or its
  clock was corrected. The log's clock then runs at double or half speed until the two agree.

A change of speed is published ``LEAD_MS`` before it begins, and every process looks at the file
every ``LOOK_MS``, so that the clocks of all processes agree at each moment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from eddyline.clock import Clock
from eddyline.private import FILE_MODE

FILE, LOCK = ".clock", ".clock-lock"
LOOK_MS, LEAD_MS = 1_000, 5_000
# A difference to the wall clock that is smaller than this, or that is younger, is left alone.
TOLERANCE_MS, GRACE_MS = 1_000, 300_000
FASTER, SLOWER = 2.0, 0.5
_NEVER = 1 << 62


class ClockCurve(msgspec.Struct, frozen=True):
    """Log time as a function of the boot clock, both in milliseconds.

    Log time is boot time plus ``offset_ms``; from ``from_ms`` to ``until_ms`` of the boot clock it
    runs at ``speed``, afterwards at the boot clock's own speed again. ``reached_ms`` is a log time
    that had passed when the curve was written.
    """

    boot_id: str
    offset_ms: int
    from_ms: int = _NEVER
    until_ms: int = _NEVER
    speed: float = 1.0
    reached_ms: int = 0

    def at(self, boot_ms: int) -> int:
        """The log's time at that time of the boot clock."""
        if boot_ms <= self.from_ms:
            return boot_ms + self.offset_ms
        changed_ms = min(boot_ms, self.until_ms) - self.from_ms
        return boot_ms + self.offset_ms + int((self.speed - 1.0) * changed_ms)


class LogClock:
    """Implements ``Clock`` with the log's time as ``now_ms``.

    folder: where the file lies; as long as there is no such folder, nothing is stored and the
    wall clock counts. ``newest_ms`` gives the newest stored time; it is called by the constructor
    at most, when the folder has no anchor of this boot.
    """

    def __init__(self, folder: Path, machine: Clock, newest_ms: Callable[[], int]) -> None:
        self.machine = machine
        self._folder = folder
        self._boot_id = machine.boot_id()
        self._lock = threading.Lock()
        self._curve: ClockCurve | None = None
        self._version = (0, 0)
        self._look_at_ms = 0
        self._away_since_ms: int | None = None
        if folder.is_dir():
            self._anchor(newest_ms)

    def now_ms(self) -> int:
        """The log's time in milliseconds since 1970; never decreases within one boot."""
        boot_ms = self.machine.boot_ms()
        if boot_ms >= self._look_at_ms:
            self._look(boot_ms)
        curve = self._curve
        return self.machine.now_ms() if curve is None else curve.at(boot_ms)

    def boot_ms(self) -> int:
        return self.machine.boot_ms()

    def boot_id(self) -> str:
        return self.machine.boot_id()

    def monotonic(self) -> float:
        return self.machine.monotonic()

    def thread_cpu_s(self) -> float:
        return self.machine.thread_cpu_s()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return self.machine.wait(event, seconds)

    def ahead_ms(self) -> int:
        """How far the log's time is ahead of the wall clock; negative if it is behind."""
        return self.now_ms() - self.machine.now_ms()

    def follow(self) -> None:
        """Note how far the clock has come, and begin to approach a wall clock that has stayed away;
        to be called every minute or so."""
        if self._folder.is_dir():
            self.now_ms()  # reads what other processes have written
            self._note_reached()
        boot_ms, away_ms = self.machine.boot_ms(), -self.ahead_ms()
        curve = self._curve
        changing = curve is not None and curve.from_ms != _NEVER and boot_ms < curve.until_ms
        if curve is None or abs(away_ms) < TOLERANCE_MS or changing:
            self._away_since_ms = None
        elif self._away_since_ms is None:
            self._away_since_ms = boot_ms
        elif boot_ms - self._away_since_ms >= GRACE_MS:
            self._away_since_ms = None
            self._publish(self._approach(boot_ms, away_ms))

    def _note_reached(self) -> None:
        with self._exclusive(), self._lock:
            if self._read_if_changed() and self._curve is not None:
                reached_ms = self._curve.at(self.machine.boot_ms())
                self._write(msgspec.structs.replace(self._curve, reached_ms=reached_ms))

    def _approach(self, boot_ms: int, away_ms: int) -> ClockCurve:
        """The curve that meets the wall clock, which is ``away_ms`` ahead."""
        assert self._curve is not None
        speed = FASTER if away_ms > 0 else SLOWER
        begin = boot_ms + LEAD_MS
        offset_ms = self._curve.at(boot_ms) - boot_ms
        return ClockCurve(
            self._boot_id, offset_ms, begin, begin + int(away_ms / (speed - 1.0)), speed
        )

    def _anchor(self, newest_ms: Callable[[], int]) -> None:
        """Take over the anchor of this boot, or set it for all processes."""
        with self._exclusive(), self._lock:
            if not self._read():
                self._write(self._anchored(max(newest_ms(), self._reached_ms())))

    def _anchored(self, newest_ms: int) -> ClockCurve:
        begin_ms = max(self.machine.now_ms(), newest_ms)
        return ClockCurve(self._boot_id, begin_ms - self.machine.boot_ms())

    def _reached_ms(self) -> int:
        """The time that was noted last, in whatever boot; 0 if there is none."""
        try:
            return msgspec.json.decode(
                (self._folder / FILE).read_bytes(), type=ClockCurve
            ).reached_ms
        except (OSError, msgspec.DecodeError):
            return 0

    def _look(self, boot_ms: int) -> None:
        """Read the file again if it has changed; write it if it is missing."""
        with self._lock:
            if boot_ms < self._look_at_ms:
                return
            if not self._folder.is_dir():
                return
            if self._read_if_changed():
                self._look_at_ms = boot_ms + LOOK_MS
                return
        with self._exclusive(), self._lock:
            # Without an own curve nothing has been stored when this object was made.
            if not self._read_if_changed():
                self._write(self._curve or self._anchored(0))
            self._look_at_ms = boot_ms + LOOK_MS

    def _publish(self, curve: ClockCurve) -> None:
        with self._exclusive(), self._lock:
            self._write(curve)

    def _read_if_changed(self) -> bool:
        """Whether there is an anchor of this boot; it is read if it is a new one."""
        try:
            status = os.stat(self._folder / FILE)
        except OSError:
            return False
        if (status.st_ino, status.st_mtime_ns) == self._version and self._curve is not None:
            return True
        return self._read()

    def _read(self) -> bool:
        try:
            with (self._folder / FILE).open("rb") as file:
                status = os.fstat(file.fileno())
                curve = msgspec.json.decode(file.read(), type=ClockCurve)
        except (OSError, msgspec.DecodeError):
            return False
        if curve.boot_id != self._boot_id:
            return False
        self._curve, self._version = curve, (status.st_ino, status.st_mtime_ns)
        return True

    def _write(self, curve: ClockCurve) -> None:
        """Make the curve the one of all processes; of this one alone where nothing can be written.

        A full or write-protected disk must not keep streams from being read.
        """
        self._curve = curve
        file, aside = self._folder / FILE, self._folder / f"{FILE}-new"
        with contextlib.suppress(OSError):
            try:
                aside.touch(FILE_MODE)
                aside.write_bytes(msgspec.json.encode(curve))
                os.replace(aside, file)
                status = os.stat(file)
                self._version = (status.st_ino, status.st_mtime_ns)
            finally:
                aside.unlink(missing_ok=True)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """The file's lock among all processes, where a lock file can be written."""
        try:
            lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        except OSError:
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
