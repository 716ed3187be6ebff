"""A channel: typed messages over a stream socket, each msgpack behind its length.

The same framing serves server and workers (a socket pair) and server and command line (the
control socket).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from eddyline.errors import EddylineError

_LENGTH = struct.Struct(">I")
MESSAGE_BYTES_MAX = 256 * 1024 * 1024


class MessageChannel:
    """Sends any msgspec message, from any thread; receives messages of one union of types."""

    def __init__(self, sock: socket.socket, receives: Any) -> None:
        self._socket = sock
        self._decoder = msgspec.msgpack.Decoder(receives)
        self._encoder = msgspec.msgpack.Encoder()
        self._sending = threading.Lock()
        self._file = sock.makefile("rb")

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def send(self, message: Any) -> bool:
        """Send one message, waiting while the other side is slow; False if it is gone."""
        body = self._encoder.encode(message)
        if len(body) > MESSAGE_BYTES_MAX:
            msg = f"a message of {len(body)} bytes is too long to send"
            raise EddylineError("limit_exceeded", msg)
        try:
            with self._sending:
                self._socket.sendall(_LENGTH.pack(len(body)) + body)
        except OSError:
            return False
        return True

    def receive(self) -> Any | None:
        """The next message; None when the other side is gone.

        Raises:
            EddylineError: ``internal`` for bytes that are no message, ``timed_out``.
        """
        body = self._body()
        if body is None:
            return None
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise EddylineError("internal", f"not a message of ours: {error}") from error

    def _body(self) -> bytes | None:
        try:
            head = self._file.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return None
            (length,) = _LENGTH.unpack(head)
            if length > MESSAGE_BYTES_MAX:
                raise EddylineError("internal", f"a message of {length} bytes is too long")
            body = self._file.read(length)
        except TimeoutError:
            msg = f"no answer came within {self._socket.gettimeout():g} s"
            raise EddylineError("timed_out", msg, hint="try again; see the server's log") from None
        except (OSError, ValueError):  # ValueError: closed by another thread meanwhile
            return None
        return body if len(body) == length else None

    def __iter__(self) -> Iterator[Any]:
        while (message := self.receive()) is not None:
            yield message

    def close(self) -> None:
        """End the conversation; whoever waits in ``receive`` wakes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._file.close()
        self._socket.close()
