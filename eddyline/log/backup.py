"""A stream as one file, taken while it is written to, and the stream made again from it.

What counts is the moment of the first look: all records that were there then, the shards with
their lineage, tags, attributes and the marks of exactly-once sinks. The records are read in short
steps afterwards, which is safe because they never change; so a backup holds nobody up. A restored
stream gives out the same sequence numbers, so that readers go on where they stood.

Bytes: ``EDSB`` and the digit of the version, then frames::

    0  1  kind: I description, M mark, B block, E end
    1  4  length of the payload, little-endian
    5  4  crc32 of kind and payload
    9     payload: msgpack; a block compressed with zstd

The end holds how many records there are and the SHA-256 of all bytes before it, so that a file
cut short or put together wrongly is never taken for a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import pyarrow as pa

from eddyline.checksum import crc32
from eddyline.errors import EddylineError
from eddyline.log.block import RecordBlock, decode
from eddyline.log.keys import (
    HEADS,
    INFO,
    MARKS,
    Head,
    Saved,
    block_key,
    pack_heads,
    pack_info,
    unpack_info,
)

if TYPE_CHECKING:
    from eddyline.log.store import LogStore
    from eddyline.log.stream import Stream

_FAMILY, _VERSION = b"EDSB", b"1"
BLOCK_RECORDS, BLOCK_BYTES = 10_000, 1 << 20
# Blocks are restored in transactions of about this size.
TRANSACTION_BYTES = 64 << 20
FRAME_BYTES_MAX = 1 << 30


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup holds; ``lost`` records were damaged in the stream, and are not in it."""

    name: str
    records: int
    bytes: int
    lost: int


class _Description(msgspec.Struct, frozen=True):
    info: bytes
    heads: list[dict[str, int]]


class _BlockFrame(msgspec.Struct, frozen=True, array_like=True):
    shard: int
    offset: int
    size: int
    packed: bytes


class _End(msgspec.Struct, frozen=True):
    records: int
    lost: int
    digest: bytes


class _Writer:
    """Frames into a file, with the digest of all of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()
        self.size = 0
        self.raw(_FAMILY + _VERSION)

    def raw(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)

    def frame(self, kind: bytes, value: Any) -> None:
        payload = msgspec.msgpack.encode(value)
        crc = crc32(payload, crc32(kind))
        head = kind + len(payload).to_bytes(4, "little") + crc.to_bytes(4, "little")
        self.raw(head + payload)


def backup(stream: Stream, file: BinaryIO) -> Report:
    """Write the stream, as it is now, into ``file``.

    Raises:
        EddylineError: ``not_found`` when it is deleted meanwhile, ``corrupt_data``.
    """
    out = _Writer(file)
    raw, heads, marks = stream.description()
    out.frame(b"I", _Description(raw, [asdict(h) for h in heads]))
    for key, value in marks.items():
        out.frame(b"M", (key, value))
    records = lost = 0
    for shard, head in enumerate(heads):
        expected = head.trim_offset
        for first, block in _blocks(stream, shard, head):
            lost += first - expected
            expected = first + len(block)
            records += len(block)
            data = block.encode(block_key(shard, first))
            packed = pa.compress(data, codec="zstd", asbytes=True)
            out.frame(b"B", _BlockFrame(shard, first, len(data), packed))
        lost += head.next_offset - expected
    out.frame(b"E", _End(records, lost, out.digest.digest()))
    return Report(stream.name, records, out.size, lost)


def _blocks(stream: Stream, shard: int, head: Head) -> Iterator[tuple[int, RecordBlock]]:
    """The records that were there, (first offset, block) by block."""
    at = head.trim_offset
    while at < head.next_offset:
        want = min(BLOCK_RECORDS, head.next_offset - at)
        got = stream.read(shard, at, want, BLOCK_BYTES)
        n = min(len(got), head.next_offset - got.first_offset)
        if n > 0:
            yield got.first_offset, RecordBlock(got.arrival_ms, got.keys, got.data).cut(0, n)
        at = got.next_offset


def _frames(file: BinaryIO, what: str) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(kind, payload, digest of all before) of each frame.

    Raises:
        EddylineError: ``bad_file``, ``corrupt_data`` or ``newer_format``.
    """
    start = file.read(5)
    if start[:4] != _FAMILY:
        msg = f"{what} is not a backup of a stream"
        raise EddylineError("bad_file", msg, hint="give a file that eddyline stream backup wrote")
    if start[4:] != _VERSION:
        msg = f"{what} was written by a newer Eddyline"
        raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
    digest = sha256(start)
    while head := file.read(9):
        size, crc = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:9], "little")
        payload = file.read(size) if len(head) == 9 and size < FRAME_BYTES_MAX else b""
        if len(payload) != size or crc32(payload, crc32(head[:1])) != crc:
            raise _damaged(what)
        yield head[:1], payload, digest.digest()
        digest.update(head + payload)


def _damaged(what: str) -> EddylineError:
    hint = "copy the file again, or use an older backup; nothing was restored"
    return EddylineError("corrupt_data", f"{what} is damaged or cut short", hint=hint)


def restore(store: LogStore, file: BinaryIO, what: str, name: str | None = None) -> Stream:
    """Make the stream of a backup, under its own name or another; ``what`` names the file.

    Nothing is there until all of it is, checked.

    Raises:
        EddylineError: ``bad_file``, ``corrupt_data``, ``newer_format``, ``already_exists``,
            ``disk_full``.
    """
    frames = _frames(file, what)
    try:
        kind, payload, _ = next(frames, (b"", b"", b""))
        if kind != b"I":
            raise _damaged(what)
        description = msgspec.msgpack.decode(payload, type=_Description)
        heads = [Head(**h) for h in description.heads]
        saved = unpack_info(description.info, what)
        restored = _Restored(saved, heads, frames, what)
        return store.make(saved, restored.fill, name)
    except (msgspec.DecodeError, TypeError, pa.ArrowException) as error:
        raise _damaged(what) from error


class _Restored:
    """The frames of a backup on their way into a new environment."""

    def __init__(
        self,
        saved: Saved,
        heads: list[Head],
        frames: Iterator[tuple[bytes, bytes, bytes]],
        what: str,
    ) -> None:
        self._heads = [
            Head(h.next_offset, h.trim_offset, h.last_ms, h.records_total, h.bytes_total)
            for h in heads
        ]
        self._frames = frames
        self._what = what
        self._records = 0
        if len(heads) != len(saved.shards):
            raise _damaged(what)

    def fill(self, environment: Any, saved: Saved) -> None:
        """Write everything, then what makes it a stream."""
        waiting: dict[bytes, bytes] = {}
        size, whole = 0, False
        for kind, payload, digest in self._frames:
            if whole:
                raise _damaged(self._what)
            if kind == b"B":
                key, raw = self._block(payload)
                waiting[key] = raw
                size += len(raw)
            elif kind == b"M":
                key, value = msgspec.msgpack.decode(payload, type=tuple[bytes, bytes])
                if key[:1] != MARKS:
                    raise _damaged(self._what)
                waiting[key] = value
            elif kind == b"E":
                end = msgspec.msgpack.decode(payload, type=_End)
                whole = end.digest == digest and end.records == self._records
            if size > TRANSACTION_BYTES:
                _write(environment, waiting)
                waiting, size = {}, 0
        if not whole:
            raise _damaged(self._what)
        for head in self._heads:
            if head.records_kept == 0:
                head.trim_offset = head.next_offset
        _write(environment, {**waiting, HEADS: pack_heads(self._heads), INFO: pack_info(saved)})

    def _block(self, payload: bytes) -> tuple[bytes, bytes]:
        """A block's key and bytes, checked; its shard's figures grow."""
        frame = msgspec.msgpack.decode(payload, type=_BlockFrame)
        if frame.size > FRAME_BYTES_MAX or not 0 <= frame.shard < len(self._heads):
            raise _damaged(self._what)
        raw = pa.decompress(frame.packed, frame.size, codec="zstd", asbytes=True)
        key = block_key(frame.shard, frame.offset)
        block, head = decode(raw, key, self._what), self._heads[frame.shard]
        if frame.offset < head.tail_offset or frame.offset + len(block) > head.next_offset:
            raise _damaged(self._what)
        self._records += len(block)
        head.records_kept = head.next_offset - head.trim_offset
        head.bytes_kept += block.payload
        head.stored_bytes += len(raw)
        head.tail_offset, head.tail_bytes = frame.offset, len(raw)
        return key, raw


def _write(environment: Any, values: dict[bytes, bytes]) -> None:
    with environment.begin(write=True) as txn:
        for key, value in values.items():
            txn.put(key, value)
