"""Compiles the forests' machine code ahead of need, in a process of its own that then ends.

The first compilation takes many seconds; it is kept on disk, so that every later process reads
it in a fraction of one. A process of its own costs the server no memory and no pause.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

from eddyline.errors import EddylineError
from eddyline.service.child import join_parent
from eddyline.service.supervisor import ChildProcess, Supervisor

MODULE = "eddyline.service.warming"


def warm(supervisor: Supervisor) -> threading.Event:
    """Begin; the event is set when it is over, whether well or not."""
    over = threading.Event()

    def on_message(child: ChildProcess, message: Any) -> None:
        """It says nothing."""

    def exited(child: ChildProcess, how: str, expected: bool) -> None:
        over.set()

    with contextlib.suppress(EddylineError):  # the server is stopping
        supervisor.start(MODULE, on_message, exited)
        return over
    over.set()
    return over


def main() -> None:
    """Entry of the process."""
    join_parent(sys.argv[1:])
    from eddyline.anomaly.detector import warm as compile_all

    compile_all()
    os._exit(0)


if __name__ == "__main__":
    main()
