"""Waits until one of some files was written to, by any process, or looks at intervals.

On Linux the kernel tells of writes (inotify), so that waiting costs nothing; elsewhere, and where
the kernel refuses, ``wait`` is a pause, and its caller looks for itself.
"""

from __future__ import annotations

import ctypes
import os
import select
import threading
from collections.abc import Iterable

from eddyline.clock import SYSTEM

_MODIFY = 0x00000002  # IN_MODIFY
# A write that went unnoticed, for example on a network's file system, is found after so long.
UNNOTICED_S_MAX = 0.5
# So many pauses make one while writes follow one another within them.
BUSY_PAUSES = 3


# A path and the number of the file there: a file that was deleted and made again is another one.
WatchedFile = tuple[str, int]


class FileChanges:
    """Belongs to one thread, except for ``interrupt``."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._pause = threading.Event()
        self._interrupts = os.pipe()
        for end in self._interrupts:
            os.set_blocking(end, False)
        self._libc = ctypes.CDLL(None, use_errno=True)
        start = getattr(self._libc, "inotify_init1", None)
        self._fd: int = start(os.O_NONBLOCK | os.O_CLOEXEC) if start is not None else -1
        self._watched: dict[WatchedFile, int] = {}

    def watch(self, files: Iterable[WatchedFile]) -> bool:
        """Wait for these files from now on; False if the caller must look at intervals."""
        current = set(files)
        for file in self._watched.keys() - current:
            self._libc.inotify_rm_watch(self._fd, self._watched.pop(file))
        for file in current - self._watched.keys():
            number = -1
            if self._fd >= 0:
                number = self._libc.inotify_add_watch(self._fd, os.fsencode(file[0]), _MODIFY)
            if number < 0:
                return False
            self._watched[file] = number
        return True

    def wait(self) -> None:
        """Until a file was written to, ``interrupt`` was called, or half a second is over; at
        least the pause, so that a busy file is not looked at without end. While files are written
        to all the time the pause is longer: their readers come back by themselves."""
        began = SYSTEM.monotonic()
        if self._fd >= 0:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            poll.register(self._interrupts[0], select.POLLIN)
            for fd, _ in poll.poll(UNNOTICED_S_MAX * 1000):
                _drain(fd)
        is_busy = SYSTEM.monotonic() - began < self._pause_s * BUSY_PAUSES
        SYSTEM.wait(self._pause, self._pause_s * (BUSY_PAUSES if is_busy else 1))

    def pause(self) -> None:
        """The pause alone."""
        SYSTEM.wait(self._pause, self._pause_s)

    def interrupt(self) -> None:
        """Have ``wait`` return, from any thread."""
        try:
            os.write(self._interrupts[1], b"x")
        except BlockingIOError:
            return  # it is full: the interrupt is on its way already

    def close(self) -> None:
        for fd in (*self._interrupts, self._fd):
            if fd >= 0:
                os.close(fd)


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 65536):
            continue
    except BlockingIOError:
        return
