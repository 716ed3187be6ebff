"""A crash on request, at the moments when it would be most awkward; for tests of recovery.

With ``EDDYLINE_CRASH_FILE`` set, a worker that reaches the moment which that file names ("before
commit", "after commit", "after delivery") takes the file away and kills itself, as ``kill -9``
would. Nothing reads the variable otherwise.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

VARIABLE = "EDDYLINE_CRASH_FILE"


def crash_on_request() -> Callable[[str], None] | None:
    """The engine's hook, None where nobody asked for crashes."""
    name = os.environ.get(VARIABLE)
    if name is None:
        return None
    file = Path(name)

    def at(moment: str) -> None:
        try:
            requested = file.read_text()
        except FileNotFoundError:
            return
        if requested == moment:
            file.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)

    return at
