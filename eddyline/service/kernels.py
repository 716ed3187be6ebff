"""Python kernels: one IPython process per notebook, started when it is first needed.

The notes of a notebook share their variables, and each runs its SQL in its own session. A kernel
runs one paragraph at a time. What it publishes becomes the same events that a run of SQL
sends, so that a paragraph shows and keeps both alike. The libraries are loaded with the first
kernel.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import re
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from eddyline.errors import EddylineError
from eddyline.service import events as e
from eddyline.service import printed
from eddyline.service.aws_environment import aws_environment, credentials_of_user
from eddyline.service.child import described, in_thread
from eddyline.service.events import RunEvent
from eddyline.service.kernel_shows import ShowRequest, Shows
from eddyline.service.role_check import role_of

if TYPE_CHECKING:
    from eddyline.service.services import Services

MODULE = "eddyline.kernel.main"
START_S = 60.0
POLL_S = 0.2
# What a paragraph prints is kept up to this; more is cut off.
TEXT_CHARACTERS_MAX = 500_000
TABLE_MIME = "application/vnd.eddyline.table+json"
QUERY_MIME = "application/vnd.eddyline.query+json"
FORM_MIME = "application/vnd.eddyline.form+json"
SESSION_VARIABLE = "_EDDYLINE_SESSION"
# boto3's own session keeps the keys of its first use, which may have been another user's.
_PREPARE = """
import os as _os, sys as _sys
if "boto3" in _sys.modules and {0!r}.get("AWS_ACCESS_KEY_ID") not in (
    None, _os.environ.get("AWS_ACCESS_KEY_ID")
):
    _sys.modules["boto3"].DEFAULT_SESSION = None
_os.environ.update({0!r})
"""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CELL_LINE = re.compile(r"Cell In\[\d+\], line (\d+)|^Line (\d+)", re.MULTILINE)
OnEvent = Callable[[RunEvent], None]


@dataclass(slots=True)
class _ParagraphRun:
    run_id: str
    session: str
    code: str
    parameters: dict[str, Any]
    on_event: OnEvent
    shows: Shows
    # Further variables of the process.
    variables: dict[str, str]
    cancelled: bool = False


@dataclass(slots=True)
class _PublishedOutputs:
    """What a run has published so far: texts by their place, tables by theirs."""

    places: dict[str, int] = field(default_factory=dict)
    text: str = ""
    text_places: list[int] = field(default_factory=list)
    following: int = 0

    def at(self, place: str | None = None) -> int:
        """The number of an output's place, a new one unless it is known."""
        self.text, self.text_places = "", []
        if place is not None and place in self.places:
            return self.places[place]
        self.following += 1
        if place is not None:
            self.places[place] = self.following
        return self.following


class Kernels:
    """All kernels of a server, by notebook."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._kernels: dict[str, Kernel] = {}
        self._shown: dict[str, Shows] = {}  # by run, until it is over

    def available(self) -> bool:
        """Whether Python can run: its libraries are here, and a server answers kernels."""
        if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
            return False
        if self._answers():
            return True
        self._services.serve_kernels()  # a command that runs a note without a server
        return self._answers()

    def _answers(self) -> bool:
        holder = self._services.directory.holder()
        return bool(holder and holder.get("api_port"))

    def submit(
        self, notebook: str, session: str, code: str, parameters: dict[str, Any], run_id: str,
        on_event: OnEvent, user: str | None = None,
    ) -> None:  # fmt: skip
        """Run ``code`` in the notebook's kernel; RunFinished is the last event.

        user: with whose rights its AWS clients call where keys are required, unless a role limits
        the notebook.
        """
        shows = Shows(self._services.sessions, session, run_id, on_event)
        with self._lock:
            self._shown = {known: s for known, s in self._shown.items() if not s.over}
            self._shown[run_id] = shows
            kernel = self._kernels.get(notebook)
            if kernel is None or kernel.ended:
                kernel = self._kernels[notebook] = Kernel(self.environment(session))
        variables = {} if kernel.has_role else self._credentials(kernel, user)
        kernel.submit(_ParagraphRun(run_id, session, code, parameters, on_event, shows, variables))

    def _credentials(self, kernel: Kernel, user: str | None) -> dict[str, str]:
        """A user's keys, the same ones as long as the kernel lives."""
        with self._lock:
            if user not in kernel.credentials:
                settings, directory = self._services.settings, self._services.directory
                kernel.credentials[user] = credentials_of_user(settings, directory, user)
            return kernel.credentials[user]

    def cancel(self, run_id: str) -> bool:
        """Interrupt a run, or end the queries that it shows; False if no kernel has it."""
        with self._lock:
            kernels = list(self._kernels.values())
            shows = self._shown.get(run_id)
        if shows is not None and not shows.over and shows.cancel():
            return True
        return any(kernel.cancel(run_id) for kernel in kernels)

    def close(self, notebook: str) -> None:
        """End a notebook's kernel; the next Python paragraph starts another."""
        with self._lock:
            kernel = self._kernels.pop(notebook, None)
        if kernel is not None:
            kernel.close()

    def stop(self) -> None:
        """End all kernels."""
        with self._lock:
            notebooks = list(self._kernels)
        for notebook in notebooks:
            self.close(notebook)

    def environment(self, session: str) -> dict[str, str]:
        """A kernel's environment: AWS clients reach this server, and never AWS by accident."""
        settings = self._services.settings
        directory = self._services.directory
        return {
            **aws_environment(settings, directory, role_of(directory, session)),
            "EDDYLINE_DATA_DIR": str(self._services.data_dir.absolute()),
            SESSION_VARIABLE: session,
            "EDDYLINE_KERNEL_MEMORY_MIB": str(settings.kernel_memory_mib),
        }


class Kernel:
    """One IPython process and the thread that feeds it paragraphs, one after the other."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        # Keys of a role, which hold for all runs.
        self.has_role = bool(environment.get("AWS_SESSION_TOKEN"))
        self.credentials: dict[str | None, dict[str, str]] = {}
        self._runs: queue.SimpleQueue[_ParagraphRun | None] = queue.SimpleQueue()
        self._current: _ParagraphRun | None = None
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="eddyline-kernel-"))
        self._manager: Any = None
        self._client: Any = None
        self._waiting: list[_ParagraphRun] = []
        self._executes = False
        self.ended = False
        self._thread = in_thread("kernel", self._serve)

    def submit(self, run: _ParagraphRun) -> None:
        """Run a paragraph when those before it are done."""
        with self._lock:
            self._waiting.append(run)
        self._runs.put(run)

    def cancel(self, run_id: str) -> bool:
        """Interrupt a run, or keep it from starting.

        A process that is still starting is not interrupted: others will need it.
        """
        with self._lock:
            run = next((run for run in self._waiting if run.run_id == run_id), None)
            if run is None:
                return False
            run.cancelled = True
            executes = run is self._current and self._executes
            if executes:
                self._interrupt()
        if not executes:
            run.shows.code_ended(e.RunFinished(run_id, "ABORT"))
        return True

    def close(self) -> None:
        """End the process and the thread."""
        with self._lock:
            for run in self._waiting:
                run.cancelled = True
            self._interrupt()
        self._runs.put(None)
        self._thread.join(10)

    def _interrupt(self) -> None:
        pid = getattr(getattr(self._manager, "provisioner", None), "pid", None)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def _serve(self) -> None:
        try:
            while (run := self._runs.get()) is not None:
                with self._lock:
                    self._current = run
                try:
                    self._run(run)
                finally:
                    with self._lock:
                        self._current, self._executes = None, False
                        self._waiting.remove(run)
        finally:
            self._end()

    def _run(self, run: _ParagraphRun) -> None:
        run.on_event(e.StatementStarted(run.run_id, 0, "PYTHON", 1))
        try:
            if run.cancelled:
                raise KeyboardInterrupt
            self._start()
            with self._lock:
                self._executes = not run.cancelled
            if run.cancelled:
                raise KeyboardInterrupt
            self._execute(run)
        except KeyboardInterrupt:
            run.shows.code_ended(e.RunFinished(run.run_id, "ABORT"))
        except Exception as failure:
            error = described(failure)
            end = e.RunFinished(run.run_id, "ERROR", error.as_dict(), error.pretty())
            run.shows.code_ended(end)
        else:
            run.shows.code_ended(e.RunFinished(run.run_id, "FINISHED"))

    def _start(self) -> None:
        """Start the process, unless it runs."""
        if self._manager is not None and self._manager.is_alive():
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its dependencies, not for a user of ours
            from jupyter_client.kernelspec import KernelSpec
            from jupyter_client.manager import KernelManager

            manager = KernelManager(
                transport="ipc",
                connection_file=str(self._folder / "connection.json"),
                ip=str(self._folder / "kernel"),
            )
            command = [sys.executable, "-m", MODULE, "-f", "{connection_file}"]
            manager._kernel_spec = KernelSpec(argv=command, display_name="notes", language="python")
            manager.start_kernel(env=self._environment, stdout=None, stderr=None)
            self._manager = manager
            self._client = manager.client()
            self._client.start_channels()
            try:
                self._client.wait_for_ready(timeout=START_S)
            except RuntimeError as error:
                self._stop_process()
                hint = "is there enough memory (kernel_memory_mib)? try again"
                msg = "Python for this notebook does not start"
                raise EddylineError("internal", msg, detail=str(error), hint=hint) from None

    def _execute(self, run: _ParagraphRun) -> None:
        shown = _PublishedOutputs()
        variables = {
            "_eddyline_parameters": json.dumps(run.parameters),
            SESSION_VARIABLE: run.session,
            **run.variables,
        }
        self._client.execute(_PREPARE.format(variables), silent=True, store_history=False)
        request_id = self._client.execute(run.code, allow_stdin=False)
        failure: EddylineError | None = None
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=POLL_S)
            except queue.Empty:
                if not self._manager.is_alive():
                    self._stop_process()
                    raise _died() from None
                continue
            if message["parent_header"].get("msg_id") != request_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "error":
                failure = _failure(content, run.code)
            elif kind == "display_data" and QUERY_MIME in content["data"]:
                show = msgspec.convert(content["data"][QUERY_MIME], ShowRequest)
                run.shows.add(show, shown.at())
            else:
                for event in _events(run.run_id, shown, kind, content):
                    run.on_event(event)
        if run.cancelled:
            raise KeyboardInterrupt
        if failure is not None:
            raise failure

    def _stop_process(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
        if self._manager is not None:
            self._manager.shutdown_kernel(now=True)
        self._client = self._manager = None

    def _end(self) -> None:
        self.ended = True
        with suppress(Exception):
            self._stop_process()
        with suppress(Exception):  # the loop that jupyter_client has made for this thread
            from jupyter_core.utils import ensure_event_loop

            ensure_event_loop().close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _died() -> EddylineError:
    msg = "Python for this notebook has ended; its variables are lost"
    hint = "it may have needed more memory than kernel_memory_mib; run the paragraphs again"
    return EddylineError("internal", msg, hint=hint)


def _failure(content: dict[str, Any], code: str) -> EddylineError:
    """An exception of the paragraph: its kind, its words, and the line it stands on."""
    name, words = content["ename"], content["evalue"]
    trace = _ANSI.sub("", "\n".join(content["traceback"]))
    message = words if name == "StatementError" else f"{name}: {words}"
    first, _, rest = message.partition("\n")
    place = _CELL_LINE.search(trace)
    if place is None and name == "SyntaxError":
        with suppress(ValueError):
            try:
                ast.parse(code)
            except SyntaxError as error:
                return _at(first, rest, error.lineno)
    blank = len(code) - len(code.lstrip("\n"))  # the header's place, which IPython leaves out
    return _at(first, rest, int(place[1] or place[2]) + blank if place else None)


def _at(first: str, rest: str, line: int | None) -> EddylineError:
    """An error with its line. rest: further words, which may name a detail and end with a hint."""
    place = f" (line {line}, column 1)" if line else ""
    detail, _, hint = f"\n{rest}".rpartition("\nhint: ") if "hint: " in rest else (rest, "", "")
    detail = detail.strip("\n").removeprefix("detail: ")
    message = f"{first}{place}"
    return EddylineError("invalid_argument", message, detail=detail or None, hint=hint or None)


def _events(
    run_id: str, shown: _PublishedOutputs, kind: str, content: dict[str, Any]
) -> list[RunEvent]:
    """The events of a kernel's message; none for those that show nothing."""
    if kind == "stream":
        return _printed(run_id, shown, str(content["text"]))
    if kind not in ("display_data", "execute_result"):
        return []
    data = content["data"]
    if FORM_MIME in data:
        return [e.FormMade(run_id, data[FORM_MIME])]
    if TABLE_MIME in data:
        table = data[TABLE_MIME]
        at = shown.at(table["place"])
        head = (run_id, at, table["columns"], table["types"], table["rows"])
        return [e.TableSnapshot(*head, table["row_count"], table["skipped"])]
    for mime, output in (("image/png", "IMG"), ("text/html", "HTML"), ("text/plain", "TEXT")):
        if mime in data:
            return [e.Shown(run_id, shown.at(), output, str(data[mime]))]
    return []


def _printed(run_id: str, shown: _PublishedOutputs, more: str) -> list[RunEvent]:
    """What was printed in one piece so far, by display: each event replaces the one before."""
    if len(shown.text) >= TEXT_CHARACTERS_MAX:
        return []
    shown.text += more
    if len(shown.text) > TEXT_CHARACTERS_MAX:
        shown.text = shown.text[:TEXT_CHARACTERS_MAX] + "\n... the rest is cut off"
    places, known = shown.text_places, len(shown.text_places)
    parts = printed.displays(shown.text)
    for _ in parts[known:]:
        shown.following += 1
        places.append(shown.following)
    first = max(known - 1, 0)
    return [
        printed.event(run_id, place, *part)
        for place, part in zip(places[first:], parts[first:], strict=True)
    ]
