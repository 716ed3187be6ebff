"""What tests of several processes share: a server to be killed, and waiting for what others do."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eddyline.errors import EddylineError
from eddyline.service.control import dial
from eddyline.service.directory import DataDirectory, free_port
from eddyline.service.remote import Remote
from eddyline.settings import Settings


def until(holds: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """What ``holds`` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class House:
    """A server in a process of its own, that may be killed and started again."""

    def __init__(self, path: Path, *, has_studio: bool = False) -> None:
        self.path = path
        self._studio = ["--port", "0"] if has_studio else ["--no-studio"]
        self.api_port = free_port("127.0.0.1")
        self.settings = Settings(data_dir=path, api_port=self.api_port, fsync=False)
        self.remote = Remote(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "eddyline.cli.main", "up", *self._studio]
        command += ["--data-dir", str(self.path), "--api-port", str(self.api_port)]
        with (self.path.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        until(self.answers, "the server answers", 90)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.path.parent / "server.log").read_text()[-2000:]
        try:
            dial(DataDirectory(self.path)).close()
        except EddylineError:
            return False
        return not self.port_is_dead()

    def port_is_dead(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.api_port), 1).close()
            return False
        return True

    def kill(self) -> None:
        """The server and, should it have outlived it, whoever holds the listening socket."""
        assert self.process is not None
        children = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(self.port_is_dead, "the port is dead", 10)
        until(lambda: not any(map(lives, children)), "all children are gone", 10)

    def stop(self) -> None:
        assert self.process is not None
        children = descendants(self.process.pid)
        self.process.terminate()
        assert self.process.wait(30) == 0
        assert not any(map(lives, children)), "a clean stop leaves no process"
        assert self.port_is_dead()


def descendants(pid: int) -> list[int]:
    pids = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                child = int(path.parent.name)
                pids += [child, *descendants(child)]
    return pids
