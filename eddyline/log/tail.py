"""How a shard grows: new records become a block, and small blocks at the end become large ones.

A block of its own for every put would make a slow stream slow to read; rewriting one tail block up
to 256 KiB for every put would write a thousand times what was put. So small blocks are gathered as
the digits of a number are when it counts on: a put that takes the shard over a multiple of 4 KiB,
32 KiB or 256 KiB swallows what was stored since the multiple before. Each record is rewritten once
or twice in its life, however small the puts, and a full block is followed by fewer than twenty
small ones. A block of an eighth of ``block_bytes`` is never touched again: to read a few of those
costs little, to write what a busy endpoint puts once more costs it a tenth of its time. Below
``SMALL_BYTES`` rewriting is free, for LMDB writes whole pages anyway. How far the shard has come
its head tells, so that nothing is looked up for it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from eddyline.errors import EddylineError
from eddyline.log.block import encode, encoded_size, unpack
from eddyline.log.keys import Head, block_key, block_offset, block_prefix
from eddyline.log.packed import Packed, join

SMALL_BYTES = 4096
# How many blocks of one size make one of the next.
FAN = 8
# Bytes that a record takes in a block besides its key and payload, and a block besides its records.
_RECORD_BYTES = 16
_BLOCK_BYTES = 48


def append(
    txn: Any, name: str, shard: int, head: Head, new: Packed, now_ms: int, block_bytes: int
) -> None:
    """Store ``new`` behind the shard's records and bring ``head`` up to date.

    Arrival never runs backwards, whatever the clock says.
    """
    count, payload, first = len(new), new.payload, head.next_offset
    arrival_ms = max(now_ms, head.last_ms)
    arrivals = arrival_ms.to_bytes(8, "little", signed=True) * count
    size = encoded_size(count, len(new.keys), len(new.data))
    before: list[tuple[bytes, Packed]] = []
    begin = head.bytes_total + _RECORD_BYTES * head.records_total
    floor = _floor(begin, begin + payload + _RECORD_BYTES * count, block_bytes)
    while _worth(head, begin - floor, block_bytes):
        last = _last(txn, name, shard, head)
        if last is None or head.tail_offset + len(last[1]) != first:
            break  # damaged, or followed by a gap: records behind it keep their offsets
        before.append(last)
        first = head.tail_offset
        begin -= head.tail_bytes - _BLOCK_BYTES
        size += head.tail_bytes
        _forget_last(txn, shard, head)
    if before:
        before.reverse()
        arrivals = b"".join([*(times for times, _ in before), arrivals])
        new = join([*(records for _, records in before), new])
    for a, b in _pieces(new, size, block_bytes):
        key = block_key(shard, first + a)
        raw = encode(new.cut(a, b), arrivals[8 * a : 8 * b], key)
        txn.put(key, raw)
        head.stored_bytes += len(raw)
        head.tail_offset, head.tail_bytes = first + a, len(raw)
    head.next_offset = first + len(new)
    head.last_ms = arrival_ms
    head.records_total += count
    head.records_kept += count
    head.bytes_total += payload
    head.bytes_kept += payload


def _floor(begin: int, end: int, block_bytes: int) -> int:
    """Since which byte of the shard's life blocks are swallowed by one of begin to end."""
    unit = block_bytes
    while unit > SMALL_BYTES and begin // unit == end // unit:
        unit //= FAN
    return begin // unit * unit


def _worth(head: Head, room: int, block_bytes: int) -> bool:
    """Whether the last block is to be rewritten: it is small, and began within ``room``."""
    return 0 < head.tail_bytes < block_bytes // FAN and head.tail_bytes - _BLOCK_BYTES <= room


def _last(txn: Any, name: str, shard: int, head: Head) -> tuple[bytes, Packed] | None:
    """Arrivals and records of the last block; None if it is damaged: it is left as it lies."""
    key = block_key(shard, head.tail_offset)
    where = f"stream {name}, shardId-{shard:012d}, block at offset {head.tail_offset}"
    try:
        return unpack(bytes(txn.get(key) or b""), key, where)
    except EddylineError as error:
        if error.code == "corrupt_data":
            return None
        raise


def _forget_last(txn: Any, shard: int, head: Head) -> None:
    """Take the last block away; the one before it is the last now."""
    cursor = txn.cursor()
    cursor.set_key(block_key(shard, head.tail_offset))
    head.stored_bytes -= head.tail_bytes
    more = cursor.prev() and bytes(cursor.key()).startswith(block_prefix(shard))
    tail = (block_offset(bytes(cursor.key())), len(cursor.value())) if more else (0, 0)
    cursor.close()
    txn.delete(block_key(shard, head.tail_offset))
    head.tail_offset, head.tail_bytes = tail


def _pieces(records: Packed, size: int, block_bytes: int) -> list[tuple[int, int]]:
    """Where blocks of about ``block_bytes`` begin and end, one record at least in each."""
    n = len(records)
    count = min(max(1, size // block_bytes), n)
    if count == 1:
        return [(0, n)]
    ends = np.arange(1, n + 1, dtype=np.int64) * _RECORD_BYTES
    ends += records.key_offsets[1:]
    ends += records.data_offsets[1:]
    marks = np.arange(1, count) * (int(ends[-1]) / count)
    cuts = np.unique(np.searchsorted(ends, marks, side="left") + 1)
    return list(pairwise([0, *cuts[cuts < n].tolist(), n]))
