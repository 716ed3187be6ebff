"""A worker's process of Python functions, as the worker sees it: start, call, time limit, end.

There is one such process per worker, started with the first call. Calls of several jobs take
turns. If the process dies or must be killed, the call that was in progress fails and the next one
starts another process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from eddyline.catalog.codec import encode_type
from eddyline.catalog.function import CatalogFunction
from eddyline.errors import EddylineError
from eddyline.record.types import BYTES_TYPE, DataType, arrow_type
from eddyline.udf.wire import Message, receive, send

MODULE = "eddyline.udf.child"
# How long a process may take to start and to load a function, with the libraries it imports.
LOAD_S = 120.0
# How long an interrupted function may take to report its place before the process is killed.
GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process of functions may use: seconds per call, MiB of memory (0: no limit)."""

    call_s: float = 60.0
    memory_mib: int = 2048


class FunctionProcess:
    """Calls functions in a process of their own."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        # The variables of the process, read when it starts.
        self.environment: Callable[[], dict[str, str]] = _environment
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded: set[str] = set()

    def call(
        self,
        function: CatalogFunction,
        types: tuple[DataType, ...],
        result: DataType,
        columns: tuple[pa.Array, ...],
        rows: int,
    ) -> pa.Array:
        """The function's values for ``rows`` rows.

        Raises:
            EddylineError: ``sql_runtime`` for what the function met, with arguments and line;
                ``limit_exceeded`` if it took too long or too much memory.
        """
        key = f"{function.key}:{','.join(map(str, types))}"
        with self._lock:
            if self._channel is None:
                self._start()
            if key not in self._loaded:
                self._load(key, function, types, result)
            header = {"action": "call", "key": key, "name": function.path.name, "rows": rows}
            return self._exchange(Message(header, columns), function.path.name).columns[0]

    def describe(self, reference: str, paths: list[str]) -> dict[str, Any]:
        """The definition of the Python object ``module.function``, see ``definition.py``.

        Raises:
            EddylineError: ``sql_runtime``: there is no such object, or it is no function.
        """
        with self._lock:
            if self._channel is None:
                self._start()
            header = {"action": "describe", "name": reference, "paths": paths}
            answer = self._exchange(Message(header), reference)
            definition: dict[str, Any] = answer.header["definition"]
            return definition

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _load(
        self, key: str, function: CatalogFunction, types: tuple[DataType, ...], result: DataType
    ) -> None:
        header = {
            "action": "load",
            "key": key,
            "name": function.path.name,
            "kind": function.kind.value,
            "vectorised": function.vectorised,
            "source": function.source,
            "first_line": function.first_line,
            "result": encode_type(result),
            "arguments": [encode_type(t) for t in types],
        }
        pickled = pa.array([function.pickle], arrow_type(BYTES_TYPE))
        self._exchange(Message(header, (pickled,)), function.path.name)
        self._loaded.add(key)

    def _exchange(self, message: Message, name: str) -> Message:
        assert self._channel is not None
        try:
            limit_s = self._limit_s(message)
            self._channel.settimeout(limit_s)
            send(self._channel, message)
            answer = receive(self._channel)
        except TimeoutError:
            answer = self._interrupted()
        except (EOFError, OSError):
            raise self._died(name) from None
        header = answer.header
        if "late" in header:
            limit_s = self._limit_s(message)
            msg = f"function {name} did not return within {limit_s:g} s{header['place']}"
            hint = "does it loop without end? raise EDDYLINE_FUNCTION_TIMEOUT_MS if it needs longer"
            raise EddylineError("limit_exceeded", msg, hint=hint)
        if "memory" in header:
            raise self._no_memory(name, header["place"])
        if "error" in header:
            detail = header.get("detail") or None
            raise EddylineError("sql_runtime", header["error"], detail=detail)
        return answer

    def _limit_s(self, message: Message) -> float:
        calls = message.header["action"] == "call"
        return self.limits.call_s if calls else max(LOAD_S, self.limits.call_s)

    def _interrupted(self) -> Message:
        """Have the function report where it is; kill a process that does not."""
        assert self._channel is not None
        assert self._process is not None
        with suppress(OSError, EOFError):
            os.kill(self._process.pid, signal.SIGUSR1)
            self._channel.settimeout(GRACE_S)
            answer = receive(self._channel)
            if "late" in answer.header:
                return answer
        self._end()
        return Message({"late": True, "place": ""})

    def _died(self, name: str) -> EddylineError:
        process = self._process
        assert process is not None
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
        code = process.returncode
        self._end()
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        msg = f"the process of Python functions ended {how} while it ran {name}"
        hint = (
            f"did {name} end it, or take more memory than the machine has? a new process is "
            "started with the next call"
        )
        return EddylineError("sql_runtime", msg, hint=hint)

    def _no_memory(self, name: str, place: str) -> EddylineError:
        msg = f"function {name} needs more memory than {self.limits.memory_mib:,} MiB{place}"
        hint = "raise EDDYLINE_FUNCTION_MEMORY_MIB, or have the function keep less"
        return EddylineError("limit_exceeded", msg, hint=hint)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        started = threading.Event()
        # The process dies with the thread that started it (the kernel's parent-death signal), so
        # that a thread is kept for it.
        arguments = (theirs, started)
        threading.Thread(target=self._run, args=arguments, name="functions", daemon=True).start()
        started.wait()
        theirs.close()
        if self._process is None:
            ours.close()
            msg = "the process of Python functions does not start"
            raise EddylineError("internal", msg, hint="is there memory for another process?")
        self._channel = ours
        self._loaded = set()

    def _run(self, theirs: socket.socket, started: threading.Event) -> None:
        self._process = None
        try:
            command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(os.getpid())]
            process = subprocess.Popen(
                [*command, str(self.limits.memory_mib)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno() if _has_number(sys.stderr) else None,
                env=self.environment(),
            )
        except OSError:
            started.set()
            return
        self._process = process
        started.set()
        process.wait()

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._loaded = set()


def _has_number(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True


def _environment() -> dict[str, str]:
    """This process's variables without those that name its session."""
    return {k: v for k, v in os.environ.items() if not k.startswith("_EDDYLINE")}


PROCESS = FunctionProcess()
