"""Records that a producer has packed together, taken apart.

The Kinesis Producer Library puts many small user records into one record of the stream: four bytes
of mark, a protobuf message (1: table of partition keys, 3: records; of a record 1: index of its
key, 3: its data), and the MD5 of the message. What carries the mark and the right digest is taken
apart; anything else is a record like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.sources.source import Records
from eddyline.record.formats.kernel import are_few

MARK = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_RECORDS, _DATA = 3, 3


def taken_apart(records: Records) -> Records:
    """The same records, packed ones replaced by those within; arrival and offset are theirs."""
    payload = records.payload
    if payload is None or not _is_any_marked(payload):
        return records
    out: list[bytes] = []
    counts = np.ones(len(records), np.int64)
    for i, data in enumerate(payload.to_pylist()):
        within = user_records(data)
        counts[i] = len(within)
        out += within
    return Records(
        pa.array(out, pa.binary()),
        None,
        None if records.shard is None else np.repeat(records.shard, counts),
        np.repeat(records.arrival_ms, counts),
        np.repeat(records.offset, counts),
        {
            key: values.take(pa.array(np.repeat(np.arange(len(records)), counts)))
            for key, values in records.metadata.items()
        },
    )


def _is_any_marked(payload: pa.BinaryArray) -> bool:
    if are_few(len(payload)):
        return any(data.startswith(MARK) for data in payload.to_pylist())
    return bool(pc.any(pc.starts_with(payload, MARK)).as_py())


def user_records(data: bytes) -> list[bytes]:
    """The data of the records within, or the data itself if it is not packed."""
    body = data[len(MARK) : -_DIGEST_BYTES]
    if not data.startswith(MARK) or md5(body).digest() != data[-_DIGEST_BYTES:]:
        return [data]
    try:
        return [_data(record) for number, record in _fields(body) if number == _RECORDS]
    except (ValueError, IndexError):
        return [data]


def _data(record: bytes) -> bytes:
    return next((value for number, value in _fields(record) if number == _DATA), b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of a message's fields; those that are no bytes are passed over.

    Raises:
        ValueError: for what is no protobuf.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a field is cut short")
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number has more than 64 bits")
