"""The framing of AWS's event streams (``application/vnd.amazon.eventstream``).

A frame, big-endian::

    0   4  length of the whole frame
    4   4  length of the headers
    8   4  crc32 of the eight bytes before
    12     headers: length of name (1), name, type 7, length of value (2), value
    ..     payload
    ..  4  crc32 of all before
"""

from __future__ import annotations

import struct

from eddyline.checksum import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE = struct.Struct(">II")
_STRING = 7


def event(name: str, content_type: str, payload: bytes) -> bytes:
    """An event's frame."""
    return frame(_headers("event", ":event-type", name, content_type), payload)


def exception(name: str, content_type: str, payload: bytes) -> bytes:
    """The frame of an error that ends the stream."""
    return frame(_headers("exception", ":exception-type", name, content_type), payload)


def _headers(kind: str, what: str, name: str, content_type: str) -> bytes:
    return b"".join(
        (
            _header(what, name.encode()),
            _header(":content-type", content_type.encode()),
            _header(":message-type", kind.encode()),
        )
    )


def _header(name: str, value: bytes) -> bytes:
    raw = name.encode()
    return struct.pack(">B", len(raw)) + raw + struct.pack(">BH", _STRING, len(value)) + value


def frame(headers: bytes, payload: bytes) -> bytes:
    """Any frame."""
    prelude = _PRELUDE.pack(16 + len(headers) + len(payload), len(headers))
    head = b"".join((prelude, crc32(prelude).to_bytes(4, "big"), headers))
    crc = crc32(payload, crc32(head))
    return b"".join((head, payload, crc.to_bytes(4, "big")))
