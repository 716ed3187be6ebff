"""Connections that say nothing give their place to those that do."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from eddyline.aws.idle import IdleConnections
from tests.aws.conftest import raw

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's figures are Linux's")
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as socket_:
        yield socket_


@pytest.fixture
def connected(listener: socket.socket) -> Iterator[Callable[[], Pair]]:
    with contextlib.ExitStack() as stack:

        def made() -> Pair:
            """(the caller's end, the server's)"""
            near = stack.enter_context(socket.create_connection(listener.getsockname()))
            return near, stack.enter_context(listener.accept()[0])

        yield made


def is_open(near: socket.socket) -> bool:
    near.setblocking(False)
    try:
        return near.recv(1) != b""
    except BlockingIOError:
        return True


def test_who_never_spoke_goes_first_then_who_has_long_been_silent(
    listener: socket.socket, connected: Callable[[], Pair]
) -> None:
    port = listener.getsockname()[1]
    (silent, _), (spoken, _), (listening, server) = connected(), connected(), connected()
    spoken.sendall(b"x")
    listening.sendall(b"x")
    time.sleep(0.3)
    assert IdleConnections(port, 60).sweep() == 0
    assert IdleConnections(port, 0.2).sweep() == 1
    assert not is_open(silent)
    assert is_open(spoken)
    server.sendall(b"event")
    assert IdleConnections(port, 60, 0.25).sweep() == 1
    assert not is_open(spoken)
    assert listening.recv(5) == b"event"
    assert is_open(listening)
    assert IdleConnections(port + 1, 0, 0).sweep() == 0


def test_a_full_endpoint_is_free_again_soon(started: Callable[..., Any]) -> None:
    endpoint = started(connections_max=4, request_s_max=2)
    parts = urlsplit(endpoint)
    silent = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(12)]
    assert raw(endpoint, b"", {}, "GET", "/").status == 200
    for each in silent:
        each.close()
