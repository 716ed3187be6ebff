"""Connections that nobody uses, found by the kernel's own figures and ended.

The server gives a request its time from its first byte on, but waits for that byte without end;
and each connection takes one of ``connections_max`` places. So a few hundred silent ones would
keep everybody out. Linux counts what came and when; elsewhere nothing is done.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import threading

from eddyline.clock import SYSTEM

LOOK_S = 5.0
# A subscription sends an event every few seconds; no request is silent for so long.
IDLE_S = 180.0
# struct tcp_info: state; milliseconds since data was sent, was received; bytes received.
_STATE, _SENT, _CAME, _BYTES = 0, 8 + 4 * 9, 8 + 4 * 11, 128
_INFO_BYTES = 136
_ESTABLISHED = 1


class IdleConnections:
    """Ends what has said nothing for ``silent_s``, or was not used for ``idle_s``."""

    def __init__(self, port: int, silent_s: float, idle_s: float = IDLE_S) -> None:
        self._port = port
        self._silent_ms = silent_s * 1000
        self._idle_ms = idle_s * 1000

    def start(self) -> None:
        """Look now and then, as long as the process lives."""
        if sys.platform == "linux":
            threading.Thread(target=self._run, name="idle", daemon=True).start()

    def _run(self) -> None:
        pause, every = threading.Event(), min(LOOK_S, self._silent_ms / 2000)
        while True:
            SYSTEM.wait(pause, every)
            self.sweep()

    def sweep(self) -> int:
        """End those whose time is over; returns how many."""
        return sum(self._ended(int(name)) for name in os.listdir("/proc/self/fd"))

    def _ended(self, descriptor: int) -> bool:
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return False
            # A descriptor of our own: the server may close its one, and the number come again.
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                if not self._is_over(connection):
                    return False
                connection.shutdown(socket.SHUT_RDWR)
                return True
        except OSError:  # closed meanwhile
            return False

    def _is_over(self, connection: socket.socket) -> bool:
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        if connection.getsockname()[1] != self._port:
            return False
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        if len(info) < _INFO_BYTES or info[_STATE] != _ESTABLISHED:
            return False
        (sent_ms,) = struct.unpack_from("=I", info, _SENT)
        (came_ms,) = struct.unpack_from("=I", info, _CAME)
        (size,) = struct.unpack_from("=Q", info, _BYTES)
        if size == 0:
            return bool(came_ms > self._silent_ms)
        return bool(min(sent_ms, came_ms) > self._idle_ms)
