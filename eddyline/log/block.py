"""A block: records of one shard as contiguous Arrow buffers behind a checksummed header.

Bytes, little-endian::

    0   4  magic "EDB1" (the last digit is the format version)
    4   4  crc32 of the block's key in LMDB, then of everything behind these four bytes
    8   4  n, records
    12  4  key bytes
    16  8  data bytes
    24  8n    arrival times, int64 epoch ms
    ..  4n+4  key offsets, int32      (padded to 8)
    ..  4n+4  data offsets, int32     (padded to 8)
    ..        keys, UTF-8             (padded to 8)
    ..        data

Shard and first offset are the block's key and are not repeated here; but they are part of the
checksum, so a block that turns up in the wrong place is noticed. Reading needs no loop over
records: the buffers become Arrow arrays as they lie.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.errors import EddylineError

_HEADER = struct.Struct("<4sIIIQ")
_COUNTS = struct.Struct("<IIQ")
_CHECKED_FROM = 8
_FAMILY, _VERSION = b"EDB", b"1"

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """n records: arrival_ms (n,), keys (n,) utf8, data (n,) binary."""

    arrival_ms: Int64s
    keys: pa.StringArray
    data: pa.BinaryArray

    def __len__(self) -> int:
        return len(self.arrival_ms)

    def cut(self, start: int, stop: int) -> Block:
        """The records from ``start`` up to ``stop``, without copying."""
        n = stop - start
        return Block(
            self.arrival_ms[start:stop], self.keys.slice(start, n), self.data.slice(start, n)
        )

    @property
    def size(self) -> int:
        """Bytes of the block when encoded."""
        return encoded_size(len(self), span(self.keys), span(self.data))

    def sizes(self) -> Int64s:
        """(n,) bytes of each record: key and payload."""
        lengths: Int64s = np.diff(_offsets(self.keys)) + np.diff(_offsets(self.data)).astype(
            np.int64
        )
        return lengths


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the records."""

    crc: int
    records: int
    key_bytes: int
    data_bytes: int

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return encoded_size(self.records, self.key_bytes, self.data_bytes)


def encoded_size(records: int, key_bytes: int, data_bytes: int) -> int:
    """How many bytes a block of so many records takes."""
    width = 4 * (records + 1)
    columns = 8 * records + 2 * (width + _pad(width))
    return _HEADER.size + columns + key_bytes + _pad(key_bytes) + data_bytes


def _pad(n: int) -> int:
    return -n % 8


def _offsets(array: pa.Array) -> npt.NDArray[np.int32]:
    """int32 (n+1,) as they lie in the array's buffer."""
    offsets = array.buffers()[1]
    if offsets is None or not len(array):
        return np.zeros(1, np.int32)
    return np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]


def span(array: pa.Array) -> int:
    """Bytes of an array's values."""
    offsets = _offsets(array)
    return int(offsets[-1]) - int(offsets[0])


def _parts(array: pa.Array) -> tuple[npt.NDArray[np.int32], memoryview]:
    """int32 offsets from 0, and the bytes they point into."""
    whole, data = _offsets(array), array.buffers()[2]
    low, high = int(whole[0]), int(whole[-1])
    body = memoryview(data)[low:high] if data is not None else memoryview(b"")
    return (whole - low if low else whole), body


def encode(block: Block, key: bytes) -> bytes:
    """The block's bytes, to be stored under ``key``."""
    key_offsets, keys = _parts(block.keys)
    data_offsets, data = _parts(block.data)
    n = len(block)
    pad = b"\0" * _pad(4 * (n + 1))
    counts = _COUNTS.pack(n, len(keys), len(data))
    columns = (
        np.ascontiguousarray(block.arrival_ms, np.int64).data.cast("B"),
        key_offsets.tobytes() + pad,
        data_offsets.tobytes() + pad,
        keys,
        b"\0" * _pad(len(keys)),
        data,
    )
    crc = zlib.crc32(counts, zlib.crc32(key))
    for column in columns:
        crc = zlib.crc32(column, crc)
    return b"".join((_FAMILY + _VERSION, crc.to_bytes(4, "little"), counts, *columns))


def header(raw: bytes | memoryview, where: str) -> Header:
    """The header of a block's bytes, of which nothing else has been checked.

    Raises:
        EddylineError: ``corrupt_data`` naming ``where``, or ``newer_format``.
    """
    if len(raw) < _HEADER.size or raw[:3] != _FAMILY:
        raise corrupt(where, "its first bytes are not a block's")
    if raw[3:4] != _VERSION:
        if not bytes(raw[3:4]).isdigit():
            raise corrupt(where, "its first bytes are not a block's")
        msg = f"{where} was written by a newer Eddyline"
        raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
    _, crc, n, key_bytes, data_bytes = _HEADER.unpack_from(raw)
    found = Header(crc, n, key_bytes, data_bytes)
    if found.size != len(raw) or n == 0:
        raise corrupt(where, f"it has {len(raw)} bytes where its header promises {found.size}")
    return found


def check(raw: bytes | memoryview, key: bytes, where: str) -> Header:
    """The header of a block whose bytes are as they were written.

    Raises:
        EddylineError: ``corrupt_data`` naming ``where``, or ``newer_format``.
    """
    found = header(raw, where)
    if zlib.crc32(memoryview(raw)[_CHECKED_FROM:], zlib.crc32(key)) != found.crc:
        raise corrupt(where, "its checksum does not match")
    return found


def decode(raw: bytes, key: bytes, where: str) -> Block:
    """The records of a block, without copying.

    Raises:
        EddylineError: ``corrupt_data`` naming ``where``, or ``newer_format``.
    """
    found = check(raw, key, where)
    n, buffer = found.records, pa.py_buffer(raw)
    at = _HEADER.size + 8 * n
    width = 4 * (n + 1)
    key_offsets = buffer.slice(at, width)
    at += width + _pad(width)
    data_offsets = buffer.slice(at, width)
    at += width + _pad(width)
    keys = buffer.slice(at, found.key_bytes)
    data = buffer.slice(at + found.key_bytes + _pad(found.key_bytes), found.data_bytes)
    return Block(
        np.frombuffer(raw, np.int64, n, _HEADER.size),
        pa.StringArray.from_buffers(n, key_offsets, keys),
        pa.Array.from_buffers(pa.binary(), n, [None, data_offsets, data]),
    )


def arrivals(raw: bytes | memoryview, found: Header) -> Int64s:
    """The arrival times of a block's bytes."""
    return np.frombuffer(raw, np.int64, found.records, _HEADER.size)


def join(blocks: list[Block]) -> Block:
    """All of them, one after the other."""
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        np.concatenate([b.arrival_ms for b in blocks]),
        pa.concat_arrays([b.keys for b in blocks]),
        pa.concat_arrays([b.data for b in blocks]),
    )


def corrupt(where: str, why: str) -> EddylineError:
    """The error of a damaged block."""
    hint = "the records of this block are lost; those before and behind it can be read"
    return EddylineError("corrupt_data", f"{where} is damaged: {why}", hint=hint)
