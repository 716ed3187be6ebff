"""Many clients at once in one thread: the same request again and again on each connection.

A thread for each would measure the client's own lock; this takes a few microseconds a request.
"""

from __future__ import annotations

import re
import select
import socket
import time
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CLOSES = re.compile(rb"(?i)\r\nconnection: *close")
_OK = re.compile(rb"HTTP/1\.[01] 200 ")


class _Client:
    """One connection and what has come of its answer so far."""

    __slots__ = ("began", "rest", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.began = 0.0

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(request)


def crowd(endpoint: str, request: bytes, clients: int, seconds: float) -> list[float]:
    """Seconds that each answer of 200 took, of ``clients`` that each wait for theirs.

    Raises:
        RuntimeError: a client was not answered for a minute.
    """
    at = urlsplit(endpoint)
    address = (at.hostname or "", at.port or 80)
    poll, waiting, taken = select.epoll(), {}, []

    def begin() -> None:
        client = _Client(address)
        waiting[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
        client.send(request)

    def end(client: _Client) -> None:
        poll.unregister(client.socket)
        del waiting[client.socket.fileno()]
        client.socket.close()

    for _ in range(clients):
        begin()
    over = time.perf_counter() + seconds
    while waiting:
        ready = poll.poll(60)
        if not ready:
            msg = f"{len(waiting)} of {clients} clients were not answered for a minute"
            raise RuntimeError(msg)
        for number, _events in ready:
            client = waiting[number]
            more = client.socket.recv(1 << 16)
            client.rest += more
            if more and not _whole(client.rest):
                continue
            now = time.perf_counter()
            if _OK.match(client.rest):
                taken.append(now - client.began)
            closed = not more or _CLOSES.search(client.rest) is not None
            client.rest = b""
            if closed or now >= over:
                end(client)
                if now < over:
                    begin()
            else:
                client.send(request)
    poll.close()
    return taken


def _whole(answer: bytes) -> bool:
    """Whether all of an answer is there; one without a length ends with its connection."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head)
    if length is None:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= head + 4 + int(length[1])
