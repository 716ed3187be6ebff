"""Retention: whole blocks are deleted once their newest record is too old.

Records that are too old in a block that also holds younger ones are no longer shown (the trim
offset moves past them) and are deleted with the block later. Blocks are deleted in small
transactions, because LMDB rewrites the whole list of pages freed together whenever it takes pages
from it, and other writers wait meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline.errors import EddylineError
from eddyline.log.block import arrivals, decode, header
from eddyline.log.keys import (
    HEADS,
    Head,
    block_key,
    block_offset,
    block_prefix,
    pack_heads,
)

if TYPE_CHECKING:
    from eddyline.log.opened import OpenStream

HOUR_MS = 3_600_000
BLOCKS_A_TRANSACTION = 64


@dataclass(slots=True)
class _Plan:
    """What of a shard is too old: blocks (key, size), and the offset that becomes the oldest."""

    base: int
    trim_offset: int
    blocks: list[tuple[bytes, int]] = field(default_factory=list)
    size: int = 0
    full: bool = False


def trim(opened: OpenStream, now_ms: int) -> int:
    """Let go of what is older than the stream's retention; how many records that were."""
    layout = opened.latest()
    cutoff_ms = now_ms - layout.saved.retention_hours * HOUR_MS
    return sum(_trim_shard(opened, s.index, cutoff_ms) for s in layout.shards)


def _trim_shard(opened: OpenStream, shard: int, cutoff_ms: int) -> int:
    gone = 0
    while True:
        with opened.environment.read() as txn:
            plan = _plan(txn, opened.heads(txn)[shard], shard, cutoff_ms)
        if plan.trim_offset == plan.base or not _carry_out(opened, shard, plan):
            return gone
        gone += plan.trim_offset - plan.base
        if not plan.full:
            return gone


def _plan(txn: Any, head: Head, shard: int, cutoff_ms: int) -> _Plan:
    """Look, in a read transaction, at what can go; checksums are verified here, not later."""
    plan = _Plan(head.trim_offset, head.trim_offset)
    prefix = block_prefix(shard)
    cursor = txn.cursor()
    there = cursor.set_range(prefix)
    while there and bytes(cursor.key()).startswith(prefix):
        if len(plan.blocks) == BLOCKS_A_TRANSACTION:
            plan.full = True
            break
        key, raw = bytes(cursor.key()), bytes(cursor.value())
        there = cursor.next()
        more = there and bytes(cursor.key()).startswith(prefix)
        following = block_offset(bytes(cursor.key())) if more else head.next_offset
        later_ms = _first_arrival(cursor.value()) if more else head.last_ms
        if not _take(plan, key, raw, following, later_ms, cutoff_ms):
            break
    return plan


def _first_arrival(raw: memoryview) -> int:
    try:
        return int(arrivals(raw, header(raw, ""))[0])
    except EddylineError:
        return 0  # damaged itself: whatever is before it is at least as old


def _take(
    plan: _Plan, key: bytes, raw: bytes, following: int, later_ms: int, cutoff_ms: int
) -> bool:
    """Add a block's old records to the plan; False when younger ones follow.

    Of a damaged block it is only known that it is older than what comes behind it.
    """
    first = block_offset(key)
    skipped = max(0, plan.trim_offset - first)
    try:
        block = decode(raw, key, "")
    except EddylineError:
        if later_ms >= cutoff_ms:
            return False
        old, whole = following - first, True
        plan.size += len(raw)
    else:
        old = int(np.searchsorted(block.arrival_ms, cutoff_ms))
        whole = old == len(block)
        plan.size += int(block.sizes()[skipped : max(old, skipped)].sum())
    plan.trim_offset = max(plan.trim_offset, first + old)
    if whole:
        plan.blocks.append((key, len(raw)))
    return whole


def _carry_out(opened: OpenStream, shard: int, plan: _Plan) -> bool:
    """Do it, unless another process was quicker; then the next sweep looks again."""
    with opened.environment.write() as txn:
        heads = opened.heads(txn)
        head = heads[shard]
        same = all(len(txn.get(key) or b"") == size for key, size in plan.blocks)
        if head.trim_offset != plan.base or not same:
            return False
        for key, size in plan.blocks:
            txn.delete(key)
            head.stored_bytes -= size
            if block_key(shard, head.tail_offset) == key:
                head.tail_bytes = 0
        head.trim_offset = plan.trim_offset
        head.records_kept = head.next_offset - head.trim_offset
        head.bytes_kept = max(0, head.bytes_kept - plan.size) if head.records_kept else 0
        txn.put(HEADS, pack_heads(heads))
    opened.tell()
    return True
