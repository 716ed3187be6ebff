"""Blocks kept for the next read: never a wrong one, never more than the bound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from log_kit import put, read_all, store_at

from eddyline.log.block import RecordBlock
from eddyline.log.cache import BLOCKS, BlockCache


def block(size: int) -> RecordBlock:
    return RecordBlock(np.zeros(1, np.int64), pa.array(["k"]), pa.array([b"x" * size], pa.binary()))


def test_the_bound_holds_and_the_longest_unused_go_first() -> None:
    cache, owner = BlockCache(10_000), object()
    for shard in range(3):
        cache.put(owner, shard, b"key", 1, block(3_000))
    assert cache.get(owner, 0, b"key", 1) is not None
    cache.put(owner, 3, b"key", 1, block(3_000))
    assert cache.size <= 10_000
    assert cache.get(owner, 1, b"key", 1) is None
    assert cache.get(owner, 0, b"key", 1) is not None
    assert cache.get(owner, 0, b"other", 1) is None
    assert cache.get(owner, 0, b"key", 2) is None
    assert cache.get(object(), 0, b"key", 1) is None
    cache.put(owner, 9, b"key", 1, block(20_000))
    assert cache.size == 0, "one that is too large is not kept"
    cache.put(owner, 0, b"key", 1, block(10))
    cache.forget(owner)
    assert cache.size == 0


def test_a_block_that_was_rewritten_is_read_anew_and_a_closed_stream_holds_none(
    tmp_path: Path,
) -> None:
    store = store_at(tmp_path)
    before = BLOCKS.size
    stream = store.create("s")
    for i in range(20):
        put(stream, [b"%d" % i])
        assert read_all(stream) == [b"%d" % n for n in range(i + 1)]
    assert BLOCKS.size > before
    store.close()
    assert BLOCKS.size == before
