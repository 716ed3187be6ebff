"""Messages between a worker and the process of its Python functions.

A message is a JSON header and columns, which travel as an Arrow stream: lengths, header, stream.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_LENGTHS = struct.Struct("<IQ")


@dataclass(frozen=True, slots=True)
class Message:
    """A header and, if there are any, columns of equal length."""

    header: dict[str, Any]
    columns: tuple[pa.Array, ...] = ()


def send(channel: socket.socket, message: Message) -> None:
    """Send a message; raises OSError where the other side has ended."""
    header = json.dumps(message.header).encode()
    payload = _packed(message.columns)
    channel.sendall(_LENGTHS.pack(len(header), len(payload)) + header)
    if payload:
        channel.sendall(payload)


def receive(channel: socket.socket) -> Message:
    """The next message.

    Raises:
        EOFError: the other side has ended.
        TimeoutError: the channel's time limit has passed.
    """
    header_bytes, payload_bytes = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size))
    header = json.loads(_exactly(channel, header_bytes))
    if not payload_bytes:
        return Message(header)
    with pa.ipc.open_stream(pa.py_buffer(_exactly(channel, payload_bytes))) as reader:
        batch = reader.read_next_batch()
    return Message(header, tuple(batch.columns))


def _packed(columns: tuple[pa.Array, ...]) -> memoryview | bytes:
    if not columns:
        return b""
    batch = pa.record_batch(list(columns), names=[str(i) for i in range(len(columns))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def _exactly(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        received = channel.recv_into(view[at:])
        if not received:
            raise EOFError
        at += received
    return data
