"""The keys of a stream's LMDB environment and the small values behind them.

One ordered key space: ``i`` what the stream is, ``h`` the heads of all shards, ``b``+shard+offset
a block (by its first record's offset), ``m``+job+sink a mark. Numbers are big-endian, so that
keys sort numerically. All heads share one value, because each call into LMDB releases the GIL,
and reacquiring it is expensive in a busy process.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Any

import msgspec

from eddyline.errors import EddylineError
from eddyline.log.shard import ShardInfo, StreamInfo, StreamMode, StreamStatus

FORMAT = 1
INFO = b"i"
HEADS = b"h"
MARKS = b"m"
MARK_KEY_BYTES = 33
_HEAD = struct.Struct("<10q")
_BLOCK_KEY = struct.Struct(">cIQ")
BLOCK_KEY_BYTES = _BLOCK_KEY.size


def block_key(shard: int, offset: int) -> bytes:
    """The key of the block that begins at ``offset``."""
    return _BLOCK_KEY.pack(b"b", shard, offset)


def block_prefix(shard: int) -> bytes:
    """What the keys of all blocks of a shard begin with."""
    return b"b" + shard.to_bytes(4, "big")


def block_offset(key: bytes) -> int:
    """The offset in a block's key."""
    return int.from_bytes(key[5:13], "big")


def mark_key(job: str, sink: str) -> bytes:
    """The key of a mark; hashed, since LMDB's keys are short and names are not."""
    return MARKS + sha256(f"{len(job)}:{job}{sink}".encode()).digest()


@dataclass(slots=True)
class Head:
    """A shard's running figures, rewritten with every put.

    next_offset: where the next record goes. trim_offset: the oldest kept. last_ms: the newest
    arrival. Records and bytes (payload and key) are counted ever and kept; stored_bytes is the
    size of the blocks. tail_offset and tail_bytes: where the last block begins and its size.
    """

    next_offset: int = 0
    trim_offset: int = 0
    last_ms: int = 0
    records_total: int = 0
    bytes_total: int = 0
    records_kept: int = 0
    bytes_kept: int = 0
    stored_bytes: int = 0
    tail_offset: int = 0
    tail_bytes: int = 0


# Of all ways to take a dataclass apart the quickest; this runs with every put.
_fields = attrgetter(*Head.__dataclass_fields__)


def pack_heads(heads: list[Head]) -> bytes:
    """The value behind ``HEADS``."""
    return b"".join([_HEAD.pack(*_fields(h)) for h in heads])


def unpack_heads(raw: bytes) -> list[Head]:
    """The heads of all shards, by index."""
    return [Head(*fields) for fields in _HEAD.iter_unpack(raw)]


def unpack_head(raw: bytes, shard: int) -> Head:
    """One shard's head."""
    return Head(*_HEAD.unpack_from(raw, shard * _HEAD.size))


@dataclass(frozen=True, slots=True)
class EpochMark:
    """How far a job's sink has written: its newest epoch, and which incarnation of the job.

    progress: what the job needs to continue after this epoch, where it keeps that with its rows.
    """

    job: str
    incarnation: int
    sink: str
    epoch: int
    progress: bytes = b""

    def pack(self) -> bytes:
        """The value behind ``mark_key``."""
        values = (self.incarnation, self.epoch)
        return msgspec.msgpack.encode((*values, self.progress) if self.progress else values)

    @staticmethod
    def unpack(job: str, sink: str, raw: bytes) -> EpochMark:
        """The mark of (job, sink)."""
        incarnation, epoch, *progress = msgspec.msgpack.decode(raw)
        return EpochMark(job, incarnation, sink, epoch, *progress)


class SavedShard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shard at rest; hash keys as text, for they have 128 bits."""

    index: int
    start: str
    end: str
    created_ms: int
    parent: int | None = None
    adjacent: int | None = None
    closed: int | None = None


class Saved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream at rest.

    Status is derived from the clock, so that no timer must survive a crash: CREATING until
    active_ms, UPDATING until updating_ms, DELETING once gone_ms is set, and gone when it has
    passed. attributes: what the faces keep with a stream (policies, flags); plain values.
    """

    format: int = msgspec.field(default=FORMAT)
    name: str
    stream_id: str
    mode: StreamMode
    created_ms: int
    active_ms: int
    retention_hours: int
    shards: tuple[SavedShard, ...]
    gone_ms: int | None = None
    tags: dict[str, str] = {}
    updating_ms: int = 0
    attributes: dict[str, Any] = {}

    def shard_infos(self) -> tuple[ShardInfo, ...]:
        """The shards as values."""
        return tuple(
            ShardInfo(
                s.index, int(s.start), int(s.end), s.created_ms, s.parent, s.adjacent, s.closed
            )
            for s in self.shards
        )

    def status(self, now_ms: int) -> StreamStatus:
        """The state at that time."""
        if self.gone_ms is not None:
            return StreamStatus.DELETING
        if now_ms < self.active_ms:
            return StreamStatus.CREATING
        return StreamStatus.UPDATING if now_ms < self.updating_ms else StreamStatus.ACTIVE

    def info(self, now_ms: int, shards: tuple[ShardInfo, ...]) -> StreamInfo:
        """What is shown to callers."""
        return StreamInfo(
            self.name,
            self.stream_id,
            self.status(now_ms),
            self.mode,
            self.created_ms,
            self.retention_hours,
            shards,
            dict(self.tags),
            dict(self.attributes),
        )


def saved_shards(shards: tuple[ShardInfo, ...]) -> tuple[SavedShard, ...]:
    """Shards as they rest."""
    return tuple(
        SavedShard(
            s.index,
            str(s.starting_hash_key),
            str(s.ending_hash_key),
            s.created_ms,
            s.parent_index,
            s.adjacent_parent_index,
            s.closed_offset,
        )
        for s in shards
    )


class _Format(msgspec.Struct):
    format: int = FORMAT


def pack_info(saved: Saved) -> bytes:
    """The value behind ``INFO``; its format always named."""
    fields = msgspec.to_builtins(saved)
    return msgspec.msgpack.encode({**fields, "format": saved.format})


def unpack_info(raw: bytes | None, where: str) -> Saved:
    """A stream's description.

    Raises:
        EddylineError: ``newer_format`` or ``corrupt_data``, naming ``where``.
    """
    try:
        format_ = msgspec.msgpack.decode(raw or b"", type=_Format).format
        if format_ <= FORMAT:
            return msgspec.msgpack.decode(raw or b"", type=Saved)
    except msgspec.DecodeError:
        hint = "restore the stream from a backup, or delete it"
        msg = f"{where}: the description of the stream cannot be read"
        raise EddylineError("corrupt_data", msg, hint=hint) from None
    msg = f"{where} has format {format_}; this Eddyline knows formats up to {FORMAT}"
    raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")


def changed(saved: Saved, **changes: object) -> Saved:
    """A description with some fields replaced."""
    return msgspec.structs.replace(saved, **changes)
