"""Appending to a shard: new records become a block, and small blocks are compacted in tiers.

A separate block for every put would make a slow stream slow to read. Rewriting one tail block of
up to 256 KiB for every put would write a thousand times what was put. So blocks are compacted in
tiers with a fan-out of 8 (4, 32, 256 KiB), like an LSM tree. When a put crosses a tier boundary,
the blocks since the previous boundary are merged into one. Each record is rewritten once or
twice, however small the puts, and fewer than twenty small blocks follow a full one. A block of an
eighth of ``block_bytes`` or more is never rewritten: reading a few of them costs little, whereas
writing the data of a busy endpoint again would cost it a tenth of its time. Below ``SMALL_BYTES``
rewriting is free, because LMDB writes whole pages anyway. The shard's head says where its last
block begins, so no lookup is needed.
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
# The fan-out: how many blocks of one tier make one of the next.
FAN = 8
# The overhead of a record within a block, and of a block, in bytes.
_RECORD_BYTES = 16
_BLOCK_BYTES = 48


def append(
    txn: Any, name: str, shard: int, head: Head, new: Packed, now_ms: int, block_bytes: int
) -> None:
    """Store ``new`` after the shard's records and update ``head``.

    Arrival times never decrease, whatever the clock says.
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
            break  # damaged, or followed by a gap: the records after it keep their offsets
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
    """The byte of the shard from which on blocks are merged into one of begin to end."""
    unit = block_bytes
    while unit > SMALL_BYTES and begin // unit == end // unit:
        unit //= FAN
    return begin // unit * unit


def _worth(head: Head, room: int, block_bytes: int) -> bool:
    """Whether to rewrite the last block: it is small, and it begins within ``room``."""
    return 0 < head.tail_bytes < block_bytes // FAN and head.tail_bytes - _BLOCK_BYTES <= room


def _last(txn: Any, name: str, shard: int, head: Head) -> tuple[bytes, Packed] | None:
    """Arrival times and records of the last block; None if it is damaged and must stay as it is."""
    key = block_key(shard, head.tail_offset)
    where = f"stream {name}, shardId-{shard:012d}, block at offset {head.tail_offset}"
    try:
        return unpack(bytes(txn.get(key) or b""), key, where)
    except EddylineError as error:
        if error.code == "corrupt_data":
            return None
        raise


def _forget_last(txn: Any, shard: int, head: Head) -> None:
    """Delete the last block; the one before it becomes the last."""
    cursor = txn.cursor()
    cursor.set_key(block_key(shard, head.tail_offset))
    head.stored_bytes -= head.tail_bytes
    more = cursor.prev() and bytes(cursor.key()).startswith(block_prefix(shard))
    tail = (block_offset(bytes(cursor.key())), len(cursor.value())) if more else (0, 0)
    cursor.close()
    txn.delete(block_key(shard, head.tail_offset))
    head.tail_offset, head.tail_bytes = tail


def _pieces(records: Packed, size: int, block_bytes: int) -> list[tuple[int, int]]:
    """Where blocks of about ``block_bytes`` begin and end, with at least one record in each."""
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
