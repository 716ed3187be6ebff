"""The small pool of writer threads that all streams of a process share.

A stream with something to write is queued once. A free thread writes everything that waits for
that stream in one transaction. A thousand open streams therefore need no thousand threads, and a
stream's puts keep their order, because two threads never write to one stream at the same time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

# A thread mostly waits for the disk; more threads than this only compete with each other.
THREADS_MAX = 8

# Returns True if there is more work.
Work = Callable[[], bool]

_line: queue.SimpleQueue[Work] = queue.SimpleQueue()
_lock = threading.Lock()
_idle = 0
_running = 0


def run(work: Work) -> None:
    """Have a thread call ``work``, which must not raise, until it returns False."""
    global _idle, _running
    with _lock:
        if _idle:
            _idle -= 1
        elif _running < THREADS_MAX:
            _running += 1
            threading.Thread(target=_serve, name=f"log writer {_running}", daemon=True).start()
        _line.put(work)


def _serve() -> None:
    global _idle
    while True:
        work = _line.get()
        # Continuing in this thread saves a switch, but other streams that wait come first.
        while more := work():
            if not _line.empty():
                _line.put(work)
                break
        with _lock:
            if not more and _line.empty():
                _idle += 1
