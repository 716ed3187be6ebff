"""The processes of the AWS endpoint, as the server that starts them sees them.

One listening socket is made here, without SO_REUSEPORT, inherited by all workers and closed here.
A port therefore belongs to one server, connections go to whichever worker is free, and only a
worker accepts them. If one worker dies, all are started again on the same port.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.settings import Settings

BACKLOG = 1024
START_S = 60.0
STOP_S = 5.0
READY = b"ready\n"
# A worker's event loop writes a heartbeat this often. A worker silent for ``SILENCE_S`` hangs.
BEAT, BEAT_S = b".", 1.0
SILENCE_S = 10.0


class ApiWorkers:
    """``api_workers`` processes on one port."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = settings.api_port
        self._processes: list[subprocess.Popen[bytes]] = []
        self._silent_s: dict[int, float] = {}
        # Stopping and restarting exclude each other.
        self._lock = threading.RLock()
        self._keeps_running = False

    def start(self) -> int:
        """Begin to serve; returns the port.

        Raises:
            EddylineError: ``port_in_use``, or ``internal`` when a worker does not come up.
        """
        with self._lock:
            self._begin()
            self._keeps_running = True
            return self._port

    def restart(self) -> None:
        """Start all again on the same port, unless they were stopped meanwhile.

        Raises:
            EddylineError: as ``start``; it may be tried again.
        """
        with self._lock:
            if self._keeps_running:
                self._end()
                self._begin()

    def _begin(self) -> None:
        with _listening(self._settings.host, self._port) as listener:
            self._port = int(listener.getsockname()[1])
            try:
                self._spawn_all(listener)
            except BaseException:
                self._end()
                raise

    def _spawn_all(self, listener: socket.socket) -> None:
        # Exact limits per shard need one process that counts.
        count = 1 if self._settings.throttle else self._settings.api_workers
        for number in range(count):
            self._processes.append(self._spawn(listener, number))
        for process in self._processes:
            self._until_ready(process)

    def alive(self) -> bool:
        """Whether all workers are running."""
        return bool(self._processes) and all(p.poll() is None for p in self._processes)

    def end_hung(self, look_s: float, silence_s: float = SILENCE_S) -> list[int]:
        """Kill workers that were silent for ``silence_s``; gives their pids.

        To be called every ``look_s``. Silence is counted in calls, not by the clock, so that no
        worker is killed after the machine or this process was suspended.
        """
        ended = []
        with self._lock:
            for process in self._processes:
                silent_s = 0.0 if _has_beaten(process) else self._silent_s[process.pid] + look_s
                self._silent_s[process.pid] = silent_s
                if silent_s >= silence_s and process.poll() is None:
                    process.kill()
                    process.wait()
                    ended.append(process.pid)
        return ended

    def stop(self) -> None:
        """End all workers; they finish their current requests first."""
        with self._lock:
            self._keeps_running = False
            self._end()

    def _end(self) -> None:
        processes, self._processes = self._processes, []
        self._silent_s.clear()
        for process in processes:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()  # a worker ends when its standard input does
        end = SYSTEM.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(0.1, end - SYSTEM.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def _log(self) -> Path:
        return self._settings.data_dir / "logs" / "api.log"

    def _spawn(self, listener: socket.socket, number: int) -> subprocess.Popen[bytes]:
        settings_json = msgspec.json.encode(self._settings, enc_hook=str).decode()
        command = [sys.executable, "-m", "eddyline.aws.worker", str(listener.fileno())]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*command, str(os.getpid()), str(number), settings_json],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(listener.fileno(),),
            )

    def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        waiting, _, _ = select.select([process.stdout], [], [], START_S)
        if waiting and process.stdout.readline() == READY:
            os.set_blocking(process.stdout.fileno(), False)
            self._silent_s[process.pid] = 0.0
            return
        last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
        msg = "the AWS endpoint does not start"
        raise EddylineError("internal", msg, detail="".join(last), hint=f"see {self._log}")


def _has_beaten(process: subprocess.Popen[bytes]) -> bool:
    """Whether the worker has written anything since the last look."""
    assert process.stdout is not None
    with contextlib.suppress(BlockingIOError):
        return bool(os.read(process.stdout.fileno(), 4096))
    return False


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        msg = f"cannot listen on port {port} of {host}: {error.strerror}"
        hint = "choose another one with --api-port, or stop the program that has it"
        raise EddylineError("port_in_use", msg, hint=hint) from None
    return listener
