"""Child processes as the server sees them: started, listened to, restarted, ended.

One thread that lives as long as the server spawns all children, because the kernel ties the
parent-death signal to the thread that started a child, not to the process.
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

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.service.channel import MessageChannel
from eddyline.service.child import in_thread
from eddyline.service.messages import Beat, FromWorker, Stop

STOP_WAIT_S = 5.0
# How often children are checked, and how long one may be silent; it sends a heartbeat each second.
LOOK_S = 1.0
SILENCE_S = 20.0


class ChildProcess:
    """A running child process and the channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], channel: MessageChannel) -> None:
        self._process = process
        self._channel = channel
        self._expected = False
        self._hung = False
        self._handling = False
        self._silent_s = 0.0
        self.gone = threading.Event()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def rss_mib(self) -> float:
        """Its resident memory; 0 if the system does not report it or the process is gone."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def send(self, message: Any) -> bool:
        """Send it a message; False if it is gone."""
        return self._channel.send(message)

    def is_silent(self, look_s: float, silence_s: float) -> bool:
        """Whether it sent nothing for ``silence_s``; to be called every ``look_s``.

        Silence is counted in calls, not by the clock, so that no child is killed after the machine
        or this process was suspended. While an earlier message is being handled, later ones wait
        in the socket; that does not count as silence.
        """
        self._silent_s = 0.0 if self._handling else self._silent_s + look_s
        return self._silent_s >= silence_s

    def end_hung(self) -> None:
        """Kill it because it does not answer; this counts as an unexpected death."""
        self._hung = True
        self._process.kill()

    def kill(self, *, expected: bool = True) -> None:
        """Kill it; not ``expected``: treated as if it had died by itself."""
        self._expected = expected
        self._process.kill()

    def stop(self, wait_s: float = STOP_WAIT_S) -> None:
        """Stop it gracefully, or kill it if that takes longer than ``wait_s``."""
        self._expected = True
        if not (self._channel.send(Stop()) and self.gone.wait(wait_s)):
            self._process.kill()
            self.gone.wait(STOP_WAIT_S)

    def listen(self, on_message: Callable[[ChildProcess, Any], None], on_exit: OnExit) -> None:
        """Receive its messages until it ends; the body of its thread."""
        try:
            for message in self._channel:
                self._handling = True
                if not isinstance(message, Beat):
                    on_message(self, message)
                self._silent_s, self._handling = 0.0, False
        except EddylineError as error:
            sys.stderr.write(f"{error.pretty()}\n")
            self._process.kill()
        finally:
            code = self._process.wait()
            self._channel.close()
            self.gone.set()
            how = "did not answer and was killed" if self._hung else how_it_ended(code)
            on_exit(self, how, self._expected)


OnExit = Callable[[ChildProcess, str, bool], None]


class Supervisor:
    """Starts children, ends those that hang, and ends them all; their logs go to ``logs``."""

    def __init__(self, logs: Path, silence_s: float = SILENCE_S) -> None:
        self._logs = logs
        self._silence_s = silence_s
        self._ended = threading.Event()
        self._watching = False
        self._children: set[ChildProcess] = set()
        self._listeners: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._closed = False

    def start(
        self, module: str, on_message: Callable[[ChildProcess, Any], None], on_exit: OnExit
    ) -> ChildProcess:
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
            if not self._watching:
                self._watching = True
                in_thread("watch-children", self._watch)

        def forget(ended: ChildProcess, how: str, expected: bool) -> None:
            with self._lock:
                self._children.discard(ended)
            on_exit(ended, how, expected)

        listener = in_thread(f"child-{child.pid}", child.listen, on_message, forget)
        with self._lock:
            self._listeners = {known for known in self._listeners if known.is_alive()} | {listener}
        return child

    def _watch(self) -> None:
        """Kill children that hang, so that they are restarted like children that died."""
        while not SYSTEM.wait(self._ended, LOOK_S):
            with self._lock:
                children = list(self._children)
            for child in children:
                if child.is_silent(LOOK_S, self._silence_s):
                    words = f"process {child.pid} has not answered for {self._silence_s:.0f} s"
                    sys.stderr.write(f"{words}; ending it\n")
                    child.end_hung()

    def _spawn(self, module: str) -> ChildProcess:
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
        return ChildProcess(process, MessageChannel(ours, FromWorker))

    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._lock:
            return sorted(child.pid for child in self._children)

    def close(self) -> None:
        """End every child, all at the same time, and wait until all has been done about it.

        What is told of a child's end may still be written, which needs the data directory.
        """
        with self._lock:
            self._closed = True
            children, listeners = list(self._children), list(self._listeners)
        stops = [in_thread("stop", child.stop) for child in children]
        for thread in stops:
            thread.join()
        for listener in listeners:
            if listener is not threading.current_thread():
                listener.join(STOP_WAIT_S)
        self._ended.set()
        self._spawner.shutdown()


@dataclass(slots=True)
class BackOff:
    """The wait before a restart: it doubles, and is reset after a quiet period."""

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
