"""What is too old goes, block by block; what is young stays, and figures stay right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_kit import blocks, overwrite, put, read_all, store_at

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.log import retention
from eddyline.log.retention import HOUR_MS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=25), st.integers(0, 48))
def test_exactly_the_old_ones_go(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], later: int
) -> None:
    clock = ManualClock()
    store = store_at(tmp_path_factory.mktemp("log"), clock, block_bytes=4096)
    stream = store.create("s", 2, retention_hours=24)
    model = []
    for i, gap in enumerate(gaps):
        clock.advance(gap * HOUR_MS // 4)
        put(stream, [b"%d" % i + b"x" * 700], key=str(i % 3))
        model.append(clock.now_ms())
    clock.advance(later * HOUR_MS)
    young = {i for i, at in enumerate(model) if at >= clock.now_ms() - 24 * HOUR_MS}
    gone = stream.trim()
    assert gone == len(model) - len(young)
    kept = [int(d.split(b"x")[0]) for shard in (0, 1) for d in read_all(stream, shard)]
    assert set(kept) == young
    counters = stream.counters()
    assert counters.records_kept == len(young)
    assert counters.records_total == len(model)
    expected = sum(len(str(i)) + 700 + 1 for i in young)
    assert counters.bytes_kept == expected
    put(stream, [b"new"])
    assert stream.trim() == 0
    store.close()
    stored = sum(len(v) for s in (0, 1) for _, v in blocks(tmp_path_of(store), s))
    assert stored == 0 or stored >= expected


def tmp_path_of(store: object) -> Path:
    return store._folder / "s"  # type: ignore[attr-defined]


def test_reading_below_the_horizon_begins_at_it(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"old"] * 3)
    clock.advance(25 * HOUR_MS)
    put(stream, [b"new"])
    assert stream.trim() == 3
    assert stream.bounds(0) == (3, 4)
    got = stream.read(0, 0)
    assert (got.first_offset, got.data.to_pylist()) == (3, [b"new"])
    assert got.damage is None
    assert stream.offset_at(0, 0) == 3
    store.close()


def test_space_is_used_again(tmp_path: Path) -> None:
    """A stream whose retention keeps step with its puts does not grow."""
    clock = ManualClock()
    store = store_at(tmp_path, clock, block_bytes=8192)
    stream = store.create("s", retention_hours=24)
    sizes = []
    for _ in range(12):
        for _ in range(20):
            put(stream, [b"x" * 1000] * 20)
        clock.advance(13 * HOUR_MS)
        store.sweep()
        sizes.append((tmp_path / "streams" / "s" / "data.mdb").stat().st_size)
    assert sizes[-1] < 1.2 * sizes[5], sizes
    store.close()


def test_a_longer_retention_keeps_a_shorter_one_trims(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"x"])
    stream.set_retention(8760)
    clock.advance(8759 * HOUR_MS)
    assert stream.trim() == 0
    stream.set_retention(24)
    assert stream.trim() == 1
    with pytest.raises(EddylineError, match="not possible"):
        stream.set_retention(8761)
    store.close()


def test_a_damaged_block_goes_once_what_follows_is_too_old(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock, block_bytes=4096)
    store.create("s")
    for i in range(4):
        put(store.open("s"), [b"%d" % i + b"x" * 5000])
    store.close()
    key, raw = blocks(tmp_path / "streams" / "s")[1]
    overwrite(tmp_path / "streams" / "s", key, raw[:-1] + b"?")
    stream = store.open("s")
    assert stream.trim() == 0
    clock.advance(25 * HOUR_MS)
    assert stream.trim() == 4
    assert stream.counters().stored_bytes == 0
    put(stream, [b"on"])
    assert read_all(stream) == [b"on"]
    store.close()


@pytest.mark.parametrize("at_once", [1, 2, 3, 64])
def test_any_number_of_blocks_goes_at_once_and_their_bytes_are_taken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(retention, "BLOCKS_A_TRANSACTION", at_once)
    clock = ManualClock()
    store = store_at(tmp_path, clock, block_bytes=4096)
    stream = store.create("s", 1, retention_hours=24)
    for n in range(7):
        put(stream, [b"%d" % n * 3000])
    clock.advance(25 * HOUR_MS)
    put(stream, [b"y" * 3000])
    clock.advance(24 * HOUR_MS - 1)
    assert stream.trim() == 7
    assert stream.bounds(0) == (7, 8)
    clock.advance(1)
    assert stream.trim() == 0, "a record of exactly the retention's age stays"
    counters = stream.counters()
    clock.advance(1)
    assert stream.trim() == 1
    assert stream.bounds(0) == (8, 8)
    emptied = stream.counters()
    put(stream, [b"z"])
    assert read_all(stream) == [b"z"]
    store.close()
    assert (counters.records_kept, counters.bytes_kept) == (1, 3000 + 1)
    assert counters.stored_bytes > 3000
    assert (emptied.records_kept, emptied.bytes_kept, emptied.stored_bytes) == (0, 0, 0)


def test_a_plan_that_another_process_was_quicker_with_changes_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock, block_bytes=4096)
    stream = store.create("s", 1, retention_hours=24)
    for n in range(3):
        put(stream, [b"%d" % n * 3000])
    opened = stream._opened
    with opened.environment.read() as txn:
        head = opened.heads(txn)[0]
        late = retention._plan(txn, head, 0, clock.now_ms() + 1)
    assert late.trim_offset == 3
    clock.advance(25 * HOUR_MS)
    assert stream.trim() == 3
    put(stream, [b"young"])
    before = stream.counters()
    assert not retention._carry_out(opened, 0, late)
    assert stream.counters() == before
    assert read_all(stream) == [b"young"]
    store.close()
