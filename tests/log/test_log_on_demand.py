"""On-demand streams: busy shards are split, idle ones are not, and only where limits are on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from log_kit import store_at

from eddyline.clock import ManualClock
from eddyline.log import LogStore, PutBatch, Stream, StreamMode


def fill(stream: Stream, records: int, hash_key: int, size: int = 1) -> None:
    batch = PutBatch(["k"] * records, [b"x" * size] * records, [hash_key] * records)
    stream.put(batch).result()


def opened(stream: Stream) -> int:
    return sum(s.closed_offset is None for s in stream.shards())


def made(path: Path, **settings: Any) -> tuple[LogStore, ManualClock]:
    clock = ManualClock()
    return store_at(path, clock, **settings), clock


def test_a_busy_shard_is_split_an_idle_one_is_not(tmp_path: Path) -> None:
    store, clock = made(tmp_path, throttle=True)
    stream = store.create("s", mode=StreamMode.ON_DEMAND)
    fixed = store.create("fixed", 1)
    clock.advance(1000)
    store.sweep()
    fill(stream, 30_000, 0)
    fill(fixed, 30_000, 0)
    clock.advance(60_000)
    store.sweep()
    assert stream.shards()[0].closed_offset == 30_000
    assert (opened(stream), opened(fixed)) == (5, 1)
    clock.advance(60_000)
    store.sweep()
    assert opened(stream) == 5, "nothing came since"
    fill(stream, 600, 2**127, 60_000)
    clock.advance(60_000)
    store.sweep()
    assert opened(stream) == 6, "by bytes too"
    store.close()


def test_without_limits_nothing_is_split(tmp_path: Path) -> None:
    store, clock = made(tmp_path)
    stream = store.create("s", mode=StreamMode.ON_DEMAND)
    clock.advance(1000)
    store.sweep()
    fill(stream, 60_000, 0)
    clock.advance(60_000)
    store.sweep()
    assert opened(stream) == 4
    store.close()
