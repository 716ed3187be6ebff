"""The few threads of a process that write, for all its streams.

A stream with something to write stands in line once; whoever is free writes all that waits there in
one transaction. So a thousand open streams need no thousand threads, and a stream's puts keep their
order, for it is never written by two at a time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

# A thread mostly waits for the disk; more of them than this only stand in each other's way.
THREADS_MAX = 8

# True for work of which there is more.
Work = Callable[[], bool]

_line: queue.SimpleQueue[Work] = queue.SimpleQueue()
_lock = threading.Lock()
_idle = 0
_running = 0


def run(work: Work) -> None:
    """Have ``work``, which must not raise, done by a thread soon, until it says False."""
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
        # Going on oneself saves the way to another thread, but others that wait come first.
        while more := work():
            if not _line.empty():
                _line.put(work)
                break
        with _lock:
            if not more and _line.empty():
                _idle += 1
