"""Reading a shard: slices by offset, offsets by time, and how damaged blocks are skipped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.log.block import Int64s, RecordBlock, arrivals, corrupt, decode, header, join
from eddyline.log.cache import BLOCKS
from eddyline.log.keys import HEADS, Head, block_key, block_offset, block_prefix, unpack_head
from eddyline.log.shard import ShardInfo

if TYPE_CHECKING:
    from eddyline.log.opened import OpenStream

_log = logging.getLogger("eddyline.log")


@dataclass(frozen=True, slots=True)
class Damage:
    """Lost records: those of ``shard`` from first_offset up to, not including, next_offset."""

    shard: int
    first_offset: int
    next_offset: int
    message: str

    def error(self) -> EddylineError:
        """The damage as an error, for callers that stop instead of skipping it."""
        hint = f"{self.next_offset - self.first_offset} records are lost; reading can go on behind"
        return EddylineError("corrupt_data", self.message, hint=hint)


@dataclass(frozen=True, slots=True)
class Slice:
    """Successive records of one shard: arrival_ms (n,), keys (n,), data (n,).

    The first has first_offset; next_offset is where to read on; tip_offset is where the next
    record will be written, and tip_arrival_ms when the newest arrived, both as of this read.
    damage describes lost records between the requested offset and first_offset.
    """

    shard: int
    first_offset: int
    arrival_ms: Int64s
    keys: pa.StringArray
    data: pa.BinaryArray
    next_offset: int
    tip_offset: int
    tip_arrival_ms: int
    damage: Damage | None = None

    def __len__(self) -> int:
        return len(self.arrival_ms)


@dataclass(frozen=True, slots=True)
class StreamSnapshot:
    """All shards of a stream at one moment, within a read transaction."""

    opened: OpenStream
    txn: Any
    shards: tuple[ShardInfo, ...]

    def read(self, shard: int, offset: int, max_records: int, max_bytes: int) -> Slice:
        """As ``Stream.read``."""
        return read(self.opened, self.txn, shard, offset, max_records, max_bytes)

    def bounds(self, shard: int) -> tuple[int, int]:
        """As ``Stream.bounds``."""
        head = unpack_head(bytes(self.txn.get(HEADS)), shard)
        return head.trim_offset, head.next_offset


@cache
def _nothing() -> RecordBlock:
    """No records; made at first use, since it starts Arrow's memory pool."""
    return RecordBlock(np.empty(0, np.int64), pa.array([], pa.string()), pa.array([], pa.binary()))


def read(
    opened: OpenStream, txn: Any, shard: int, offset: int, max_records: int, max_bytes: int
) -> Slice:
    """Records from ``offset`` or the oldest kept; at least one if there is any."""
    head = unpack_head(bytes(txn.get(HEADS)), shard)
    offset = max(offset, head.trim_offset)
    blocks: list[RecordBlock] = []
    first, damage = offset, None
    for key, raw, following in _blocks(txn, shard, offset, head):
        if offset < block_offset(key):  # a gap before this block
            missing = _missing(opened, shard, offset)
            damage = _damaged(shard, damage, offset, block_offset(key), missing)
            first = offset = block_offset(key)
        try:
            block = _block(opened, shard, key, raw)
        except EddylineError as error:
            if error.code != "corrupt_data":
                raise
            if blocks:
                break  # return what was read so far first
            damage = _damaged(shard, damage, offset, following, error)
            first = offset = following
            continue
        start = offset - block_offset(key)
        if start >= len(block):  # a gap between this block and the next
            if blocks:
                break
            missing = _missing(opened, shard, offset)
            damage = _damaged(shard, damage, offset, following, missing)
            first = offset = following
            continue
        taken = _fit(block, start, max_records, max_bytes, bool(blocks))
        if taken == 0:
            break
        blocks.append(block.cut(start, start + taken))
        offset += taken
        max_records -= taken
        max_bytes -= blocks[-1].payload
        if start + taken < len(block) or max_records <= 0 or max_bytes <= 0:
            break
    else:
        if not blocks and offset < head.next_offset:  # no block is left before the tip
            missing = _missing(opened, shard, offset)
            damage = _damaged(shard, damage, offset, head.next_offset, missing)
            first = offset = head.next_offset
    got = join(blocks) if blocks else _nothing()
    return Slice(
        shard,
        first,
        got.arrival_ms,
        got.keys,
        got.data,
        offset,
        head.next_offset,
        head.last_ms,
        damage,
    )


def offset_at(txn: Any, shard: int, timestamp_ms: int) -> int:
    """The first offset whose record arrived at ``timestamp_ms`` or later; the tip if none has."""
    head = unpack_head(bytes(txn.get(HEADS)), shard)
    low, high = head.trim_offset, head.next_offset
    if low == high or timestamp_ms > head.last_ms:
        return high
    # Arrival never decreases, so a probe costs one block's header and one number.
    while low < high:
        at = next(_blocks(txn, shard, (low + high) // 2, head), None)
        if at is None:
            return high
        key, raw, following = at
        begin = max(block_offset(key), low)
        times = _arrivals(raw)
        if times is None or int(times[-1]) < timestamp_ms:
            low = following
        elif begin - block_offset(key) >= len(times):  # a gap; what is behind it arrived later
            return low
        elif int(times[begin - block_offset(key)]) >= timestamp_ms and begin > low:
            high = begin
        else:
            return begin + int(np.searchsorted(times[begin - block_offset(key) :], timestamp_ms))
    return low


def damages(opened: OpenStream, txn: Any, shard: int) -> list[Damage]:
    """Every damaged block of a shard; reads all of it."""
    head = unpack_head(bytes(txn.get(HEADS)), shard)
    damages_: list[Damage] = []
    for key, raw, following in _blocks(txn, shard, head.trim_offset, head):
        try:
            decode(bytes(raw), key, _where(opened, shard, key))
        except EddylineError as error:
            damages_.append(Damage(shard, block_offset(key), following, error.message))
    return damages_


def _blocks(
    txn: Any, shard: int, offset: int, head: Head
) -> Iterator[tuple[bytes, memoryview, int]]:
    """(key, bytes, the next block's first offset) from the block that holds ``offset``."""
    if offset >= head.next_offset:
        return
    prefix = block_prefix(shard)
    cursor = txn.cursor()
    target = block_key(shard, offset)
    there = cursor.set_range(target)
    if not there or cursor.key() != target:
        there = cursor.prev() if there else cursor.last()
    if not there or bytes(cursor.key())[: len(prefix)] != prefix:
        there = cursor.set_range(prefix)  # earlier blocks are gone: begin with the first
    while there:
        key, raw = bytes(cursor.key()), cursor.value()
        if not key.startswith(prefix):
            return
        there = cursor.next()
        more = there and bytes(cursor.key()).startswith(prefix)
        yield key, raw, block_offset(bytes(cursor.key())) if more else head.next_offset


def _block(opened: OpenStream, shard: int, key: bytes, raw: memoryview) -> RecordBlock:
    where = _where(opened, shard, key)
    crc = header(raw, where).crc
    block = BLOCKS.get(opened, shard, key, crc)
    if block is None:
        block = decode(bytes(raw), key, where)
        BLOCKS.put(opened, shard, key, crc, block)
    return block


def _where(opened: OpenStream, shard: int, key: bytes) -> str:
    return f"stream {opened.name}, shardId-{shard:012d}, block at offset {block_offset(key)}"


def _missing(opened: OpenStream, shard: int, offset: int) -> EddylineError:
    """The error of a block that should begin at ``offset``, or hold it."""
    return corrupt(_where(opened, shard, block_key(shard, offset)), "it is missing")


def _arrivals(raw: memoryview) -> Int64s | None:
    try:
        return arrivals(raw, header(raw, ""))
    except EddylineError:
        return None


def _damaged(
    shard: int, before: Damage | None, offset: int, following: int, error: EddylineError
) -> Damage:
    _log.error("%s; offsets %d to %d are skipped", error.message, offset, following - 1)
    if before is not None:
        return Damage(shard, before.first_offset, following, before.message)
    return Damage(shard, offset, following, error.message)


def _fit(block: RecordBlock, start: int, max_records: int, max_bytes: int, something: bool) -> int:
    """How many records from ``start`` fit; one at least while there is nothing yet."""
    n = min(len(block) - start, max_records)
    candidate = block.cut(start, start + n)
    if candidate.payload > max_bytes:
        n = int(np.searchsorted(np.cumsum(candidate.sizes()), max_bytes, side="right"))
    return n if something else max(n, 1)
