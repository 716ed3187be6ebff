"""Child processes seen from the server: started, listened to, restarted, ended.

All children are spawned by one thread that lives as long as the server: the kernel's
parent-death signal is tied to the thread that started a child, not to the process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eddyline.clock import Clock
from eddyline.errors import EddylineError
from eddyline.service.channel import Channel
from eddyline.service.child import in_thread
from eddyline.service.messages import FromWorker, Stop

STOP_WAIT_S = 5.0


class Child:
    """A running child process and the channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        self._process = process
        self._channel = channel
        self._expected = False
        self.gone = threading.Event()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def rss_mib(self) -> float:
        """Its resident memory; 0 where the system does not tell or the process is gone."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def send(self, message: Any) -> bool:
        """Say something to it; False if it is gone."""
        return self._channel.send(message)

    def kill(self, *, expected: bool = True) -> None:
        """End it at once; not ``expected``: as if it had died by itself."""
        self._expected = expected
        self._process.kill()

    def stop(self, wait_s: float = STOP_WAIT_S) -> None:
        """End it in good order, or by force if it takes longer than ``wait_s``."""
        self._expected = True
        if not (self._channel.send(Stop()) and self.gone.wait(wait_s)):
            self._process.kill()
            self.gone.wait(STOP_WAIT_S)

    def listen(self, on_message: Callable[[Child, Any], None], on_exit: OnExit) -> None:
        """Hear it out to its end; the body of the thread that belongs to it."""
        try:
            for message in self._channel:
                on_message(self, message)
        except EddylineError as error:
            sys.stderr.write(f"{error.pretty()}\n")
            self._process.kill()
        finally:
            code = self._process.wait()
            self._channel.close()
            self.gone.set()
            on_exit(self, how_it_ended(code), self._expected)


OnExit = Callable[[Child, str, bool], None]


class Supervisor:
    """Starts children and ends them all; logs of children go to ``logs``."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._closed = False

    def start(
        self, module: str, on_message: Callable[[Child, Any], None], on_exit: OnExit
    ) -> Child:
        """A new process of ``python -m module``; both callbacks come from its own thread.

        ``on_exit(child, how, expected)`` comes last; ``expected`` if we ended it.

        Raises:
            EddylineError: ``conflict`` when the server is about to end.
        """
        with self._lock:
            if self._closed:
                raise EddylineError("conflict", "the server is stopping")
        child = self._spawner.submit(self._spawn, module).result()
        with self._lock:
            self._children.add(child)

        def forget(ended: Child, how: str, expected: bool) -> None:
            with self._lock:
                self._children.discard(ended)
            on_exit(ended, how, expected)

        in_thread(f"child-{child.pid}", child.listen, on_message, forget)
        return child

    def _spawn(self, module: str) -> Child:
        ours, theirs = socket.socketpair()
        self._logs.mkdir(parents=True, exist_ok=True)
        with theirs, (self._logs / f"{module.rpartition('.')[2]}.log").open("ab") as log:
            fd = theirs.fileno()
            command = [sys.executable, "-m", module, str(fd), str(os.getpid())]
            process = subprocess.Popen(
                command,
                pass_fds=[fd],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return Child(process, Channel(ours, FromWorker))

    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._lock:
            return sorted(child.pid for child in self._children)

    def close(self) -> None:
        """End every child, all at the same time."""
        with self._lock:
            self._closed = True
            children = list(self._children)
        stops = [in_thread("stop", child.stop) for child in children]
        for thread in stops:
            thread.join()
        self._spawner.shutdown()


@dataclass(slots=True)
class BackOff:
    """How long to wait before a thing is started again: doubling, forgotten after a quiet time."""

    clock: Clock
    first_s: float = 0.1
    longest_s: float = 30.0
    quiet_s: float = 60.0
    _next_s: float = 0.0
    _last: float = float("-inf")

    def next_s(self) -> float:
        """The wait before the next start."""
        now = self.clock.monotonic()
        quiet = now - self._last > self.quiet_s
        self._next_s = self.first_s if quiet else min(self.longest_s, self._next_s * 2)
        self._last = now
        return self._next_s


def how_it_ended(code: int) -> str:
    """A sentence's end about a process's return code: "was killed by SIGKILL"."""
    if code >= 0:
        return f"ended with code {code}"
    name = str(-code)
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
    return f"was killed by {name}"
