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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.checksum import crc32
from eddyline.errors import EddylineError
from eddyline.log.packed import Packed, from_arrow, offsets

_HEADER = struct.Struct("<4sIIIQ")
_COUNTS = struct.Struct("<IIQ")
_CHECKED_FROM = 8
_FAMILY, _VERSION = b"EDB", b"1"

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """n records: arrival_ms (n,), keys (n,) utf8, data (n,) binary."""

    arrival_ms: Int64s
    keys: pa.StringArray
    data: pa.BinaryArray

    def __len__(self) -> int:
        return len(self.arrival_ms)

    def cut(self, start: int, stop: int) -> RecordBlock:
        """The records from ``start`` up to ``stop``, without copying."""
        n = stop - start
        return RecordBlock(
            self.arrival_ms[start:stop], self.keys.slice(start, n), self.data.slice(start, n)
        )

    @property
    def size(self) -> int:
        """Bytes of the block when encoded."""
        return encoded_size(len(self), span(self.keys), span(self.data))

    @property
    def payload(self) -> int:
        """Bytes of keys and payloads."""
        return span(self.keys) + span(self.data)

    def sizes(self) -> Int64s:
        """(n,) bytes of each record: key and payload."""
        lengths: Int64s = np.diff(offsets(self.keys)) + np.diff(offsets(self.data)).astype(np.int64)
        return lengths

    def encode(self, key: bytes) -> bytes:
        """The block's bytes, to be stored under ``key``."""
        times = np.ascontiguousarray(self.arrival_ms, np.int64)
        return encode(from_arrow(self.keys, self.data), times.tobytes(), key)


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What stands before the records."""

    crc: int
    records: int
    key_bytes: int
    data_bytes: int

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return encoded_size(self.records, self.key_bytes, self.data_bytes)

    def places(self) -> tuple[slice, slice, slice, slice]:
        """Where key offsets, data offsets, keys and data lie."""
        width = 4 * (self.records + 1)
        keys_at = _HEADER.size + 8 * self.records
        data_at = keys_at + width + _pad(width)
        at = data_at + width + _pad(width)
        end = at + self.key_bytes
        data = end + _pad(self.key_bytes)
        return (
            slice(keys_at, keys_at + width),
            slice(data_at, data_at + width),
            slice(at, end),
            slice(data, data + self.data_bytes),
        )


def encoded_size(records: int, key_bytes: int, data_bytes: int) -> int:
    """How many bytes a block of so many records takes."""
    width = 4 * (records + 1)
    columns = 8 * records + 2 * (width + _pad(width))
    return _HEADER.size + columns + key_bytes + _pad(key_bytes) + data_bytes


def _pad(n: int) -> int:
    return -n % 8


def span(array: pa.Array) -> int:
    """Bytes of an array's values."""
    ends = offsets(array)
    return int(ends[-1]) - int(ends[0])


def encode(records: Packed, arrivals: bytes, key: bytes) -> bytes:
    """A block's bytes, to be stored under ``key``; arrivals as they will lie there, 8n bytes."""
    n, keys = len(records), records.keys
    pad = b"\0" * _pad(4 * (n + 1))
    before = b"".join(
        (
            _COUNTS.pack(n, len(keys), len(records.data)),
            arrivals,
            records.key_offsets.data.cast("B"),
            pad,
            records.data_offsets.data.cast("B"),
            pad,
            keys,
            b"\0" * _pad(len(keys)),
        )
    )
    # Few long pieces: the checksum releases and reacquires the GIL for each.
    crc = crc32(records.data, crc32(before, crc32(key)))
    return b"".join((_FAMILY, _VERSION, crc.to_bytes(4, "little"), before, records.data))


def header(raw: bytes | memoryview, where: str) -> BlockHeader:
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
    header_ = BlockHeader(crc, n, key_bytes, data_bytes)
    if header_.size != len(raw) or n == 0:
        raise corrupt(where, f"it has {len(raw)} bytes where its header promises {header_.size}")
    return header_


def check(raw: bytes | memoryview, key: bytes, where: str) -> BlockHeader:
    """The header of a block whose bytes are as they were written.

    Raises:
        EddylineError: ``corrupt_data`` naming ``where``, or ``newer_format``.
    """
    header_ = header(raw, where)
    if crc32(memoryview(raw)[_CHECKED_FROM:], crc32(key)) != header_.crc:
        raise corrupt(where, "its checksum does not match")
    return header_


def decode(raw: bytes, key: bytes, where: str) -> RecordBlock:
    """The records of a block, without copying.

    Raises:
        EddylineError: ``corrupt_data`` naming ``where``, or ``newer_format``.
    """
    header_ = check(raw, key, where)
    n, buffer = header_.records, pa.py_buffer(raw)
    key_offsets, data_offsets, keys, data = (buffer[p] for p in header_.places())
    return RecordBlock(
        np.frombuffer(raw, np.int64, n, _HEADER.size),
        pa.StringArray.from_buffers(n, key_offsets, keys),
        pa.Array.from_buffers(pa.binary(), n, [None, data_offsets, data]),
    )


def unpack(raw: bytes, key: bytes, where: str) -> tuple[bytes, Packed]:
    """Arrivals and records of a block, for who writes them again.

    Raises:
        EddylineError: as ``decode``.
    """
    header_ = check(raw, key, where)
    whole = memoryview(raw)
    key_offsets, data_offsets, keys, data = (whole[p] for p in header_.places())
    arrivals = raw[_HEADER.size : _HEADER.size + 8 * header_.records]
    return arrivals, Packed(
        np.frombuffer(key_offsets, np.int32), keys, np.frombuffer(data_offsets, np.int32), data
    )


def arrivals(raw: bytes | memoryview, header_: BlockHeader) -> Int64s:
    """The arrival times of a block's bytes."""
    return np.frombuffer(raw, np.int64, header_.records, _HEADER.size)


def join(blocks: list[RecordBlock]) -> RecordBlock:
    """All of them, one after the other."""
    if len(blocks) == 1:
        return blocks[0]
    return RecordBlock(
        np.concatenate([b.arrival_ms for b in blocks]),
        pa.concat_arrays([b.keys for b in blocks]),
        pa.concat_arrays([b.data for b in blocks]),
    )


def corrupt(where: str, why: str) -> EddylineError:
    """The error of a damaged block."""
    hint = "the records of this block are lost; those before and behind it can be read"
    return EddylineError("corrupt_data", f"{where} is damaged: {why}", hint=hint)
