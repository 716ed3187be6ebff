"""Messages between a worker and the process of its Python functions.

A message is a JSON header and columns, which travel as an Arrow stream: lengths, header, stream.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

_LENGTHS = struct.Struct("<IQ")
_ALIGNED = 64
# Enough for a column of numbers of one call, so that most messages are received at once.
_FIRST_BYTES = 32_768
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Message:
    """A header and, if there are any, columns of equal length."""

    header: dict[str, Any]
    columns: tuple[pa.Array, ...] = ()


def send(channel: socket.socket, message: Message) -> None:
    """Send a message; raises OSError where the other side has ended."""
    header = _ENCODER.encode(message.header)
    # Filled up with blanks, so that the columns begin where Arrow wants them.
    header += b" " * (-(_LENGTHS.size + len(header)) % _ALIGNED)
    payload = _packed(message.columns)
    parts = (_LENGTHS.pack(len(header), len(payload)), header, payload)
    # In one piece: the other process is woken once.
    sent = channel.sendmsg(parts)
    if sent < _LENGTHS.size + len(header) + len(payload):
        channel.sendall(memoryview(b"".join(parts))[sent:])


def receive(channel: socket.socket) -> Message:
    """The next message. Messages take turns, so that none begins in what is received of another.

    Raises:
        EOFError: the other side has ended.
        TimeoutError: the channel's time limit has passed.
    """
    data = bytearray(_FIRST_BYTES)
    received = _fill(channel, data, 0, _LENGTHS.size)
    header_bytes, payload_bytes = _LENGTHS.unpack_from(data)
    start = _LENGTHS.size + header_bytes
    size = start + payload_bytes
    if size > len(data):
        data += bytes(size - len(data))
    _fill(channel, data, received, size)
    view = memoryview(data)
    header = _DECODER.decode(view[_LENGTHS.size : start])
    if not payload_bytes:
        return Message(header)
    with pa.ipc.open_stream(pa.py_buffer(view[start:size])) as reader:
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


def _fill(channel: socket.socket, data: bytearray, at: int, size: int) -> int:
    """Receive until ``size`` bytes are there, or more; how many there are."""
    with memoryview(data) as view:
        while at < size:
            received = channel.recv_into(view[at:])
            if not received:
                raise EOFError
            at += received
    return at
