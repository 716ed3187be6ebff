"""Shell paragraphs: each is one ``bash`` process, whose output becomes the events of a run.

They are off unless the setting ``shell`` allows them: whoever can run one can do what the user of
the server can do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from eddyline.errors import EddylineError
from eddyline.service import events as e
from eddyline.service import printed
from eddyline.service.child import described, in_thread
from eddyline.service.events import RunEvent

if TYPE_CHECKING:
    from eddyline.service.services import Services

TEXT_CHARACTERS_MAX = 500_000
READ_BYTES = 65_536
_CUT = "\n... the rest is cut off"
OnEvent = Callable[[RunEvent], None]


class Shells:
    """The shell paragraphs at work, by run."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._cancelled: set[str] = set()

    def submit(self, session: str, text: str, run_id: str, on_event: OnEvent) -> None:
        """Run ``text`` with bash; RunFinished is the last event.

        Raises:
            EddylineError: ``access_denied`` unless the setting ``shell`` is on.
        """
        if not self._services.settings.shell:
            msg = "%sh paragraphs are off, because they can do whatever the server's user can do"
            hint = "start the server with EDDYLINE_SHELL=true, or run the commands in a terminal"
            raise EddylineError("access_denied", msg, hint=hint)
        environment = self._services.kernels.environment(session)
        process = subprocess.Popen(
            ["bash", "-c", text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        with self._lock:
            self._processes[run_id] = process
        in_thread("shell", self._follow, process, run_id, on_event)

    def cancel(self, run_id: str) -> bool:
        """End a run with all its processes; False if it is none of these."""
        with self._lock:
            process = self._processes.get(run_id)
            if process is None:
                return False
            self._cancelled.add(run_id)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        return True

    def stop(self) -> None:
        """End all runs."""
        with self._lock:
            runs = list(self._processes)
        for run_id in runs:
            self.cancel(run_id)

    def _follow(self, process: subprocess.Popen[bytes], run_id: str, on_event: OnEvent) -> None:
        on_event(e.StatementStarted(run_id, 0, "SHELL", 1))
        try:
            self._show(process, run_id, on_event)
            code = process.wait()
        except Exception as failure:
            error = described(failure)
            finished = e.RunFinished(run_id, "ERROR", error.as_dict(), error.pretty())
        else:
            finished = self._finished(run_id, code)
        with self._lock:
            self._processes.pop(run_id, None)
            self._cancelled.discard(run_id)
        on_event(finished)

    def _show(self, process: subprocess.Popen[bytes], run_id: str, on_event: OnEvent) -> None:
        assert process.stdout is not None, "it is a pipe"
        shown = b""
        with process.stdout as output:
            while more := os.read(output.fileno(), READ_BYTES):
                if len(shown) >= TEXT_CHARACTERS_MAX:
                    continue  # the process must not wait for a full pipe
                shown += more
                cut = _CUT if len(shown) > TEXT_CHARACTERS_MAX else ""
                text = shown[:TEXT_CHARACTERS_MAX].decode("utf-8", "replace") + cut
                for place, part in enumerate(printed.displays(text), 1):
                    on_event(printed.event(run_id, place, *part))

    def _finished(self, run_id: str, code: int) -> e.RunFinished:
        if run_id in self._cancelled:
            return e.RunFinished(run_id, "ABORT")
        if code == 0:
            return e.RunFinished(run_id, "FINISHED")
        error = EddylineError("invalid_argument", f"the shell ended with exit value {code}")
        return e.RunFinished(run_id, "ERROR", error.as_dict(), error.pretty())
