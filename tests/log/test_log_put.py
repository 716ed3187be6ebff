"""Putting and reading: order, routing, group commit, positions, news, exactly-once marks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_kit import put, read_all, store_at

from eddyline.clock import SYSTEM, ManualClock
from eddyline.errors import EddylineError
from eddyline.log import EpochMark, LogStore, PutBatch, StreamMode, StreamStatus
from eddyline.log.shard import HASH_KEYS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    store = store_at(tmp_path)
    yield store
    store.close()


def test_records_come_back_in_order_with_offsets_keys_and_times(store: LogStore) -> None:
    stream = store.create("s")
    before = SYSTEM.now_ms()
    placed = stream.put(PutBatch(["a", "b", "c"], [b"1", b"", b"3" * 5000])).result()
    assert placed.offset.tolist() == [0, 1, 2]
    assert placed.shard_ids() == ["shardId-000000000000"] * 3
    got = stream.read(0, 0)
    assert got.keys.to_pylist() == ["a", "b", "c"]
    assert got.data.to_pylist() == [b"1", b"", b"3" * 5000]
    assert (got.first_offset, got.next_offset, got.tip_offset) == (0, 3, 3)
    # The log's clock does not follow corrections of the wall clock, which may be under way.
    assert all(before - 1000 <= t <= SYSTEM.now_ms() + 1000 for t in got.arrival_ms.tolist())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.integers(1, 5),
    st.lists(
        st.lists(st.tuples(st.text(min_size=1, max_size=4), st.binary(max_size=3000)), max_size=30),
        max_size=12,
    ),
)
def test_the_log_is_a_list_a_shard(
    store: LogStore, shards: int, puts: list[list[tuple[str, bytes]]]
) -> None:
    """The model: a list of (key, data) for each shard, appended to by the MD5 of the key."""
    name = f"s{len(store.names())}"
    stream = store.create(name, shards)
    model: list[list[tuple[str, bytes]]] = [[] for _ in range(shards)]
    ranges = [(s.starting_hash_key, s.ending_hash_key) for s in stream.shards()]
    for records in puts:
        keys, data = [k for k, _ in records], [d for _, d in records]
        placed = stream.put(PutBatch(keys, data)).result()
        for (key, payload), shard, offset in zip(
            records, placed.shard.tolist(), placed.offset.tolist(), strict=True
        ):
            low, high = ranges[shard]
            assert low <= int.from_bytes(md5(key.encode()).digest(), "big") <= high
            assert offset == len(model[shard])
            model[shard].append((key, payload))
    for shard, expected in enumerate(model):
        got = stream.read(shard, 0)
        assert list(zip(got.keys.to_pylist(), got.data.to_pylist(), strict=True)) == expected
        assert read_all(stream, shard, max_records=3) == [d for _, d in expected]
        assert stream.bounds(shard) == (0, len(expected))
        if expected:
            middle = len(expected) // 2
            assert stream.read(shard, middle, 1).data.to_pylist() == [expected[middle][1]]


def test_hash_keys_partition_the_space_and_explicit_ones_override(store: LogStore) -> None:
    stream = store.create("s", 7)
    edges = [(s.starting_hash_key, s.ending_hash_key) for s in stream.shards()]
    assert edges[0][0] == 0
    assert edges[-1][1] == HASH_KEYS - 1
    assert all(a[1] + 1 == b[0] for a, b in pairwise(edges))
    expected = [e for low, high in edges for e in (low, high)]
    placed = stream.put(PutBatch(["k"] * 14, [b"x"] * 14, expected)).result()
    assert placed.shard.tolist() == [i for i in range(7) for _ in range(2)]
    with pytest.raises(EddylineError, match="outside the key space"):
        stream.put(PutBatch(["k"], [b"x"], [HASH_KEYS]))


def test_sequence_numbers_of_a_put_are_those_of_its_records(store: LogStore) -> None:
    stream = store.create("s", 3)
    placed = stream.put(PutBatch([str(i) for i in range(50)], [b"x"] * 50)).result()
    numbers = placed.sequence_numbers()
    assert len(set(numbers)) == 50
    for shard in range(3):
        own = [int(n) for n, s in zip(numbers, placed.shard.tolist(), strict=True) if s == shard]
        assert own == sorted(own)


def test_limits_of_a_read(store: LogStore) -> None:
    stream = store.create("s")
    put(stream, [bytes([i]) * 100 for i in range(50)])
    assert len(stream.read(0, 10, 7)) == 7
    assert len(stream.read(0, 0, 100, 101 * 5)) == 5
    assert len(stream.read(0, 0, 100, 1)) == 1, "one at least, however large"
    assert len(stream.read(0, 50)) == 0
    with pytest.raises(EddylineError, match="has no shard 1"):
        stream.read(1, 0)


def test_what_cannot_be_stored_is_refused_at_once(store: LogStore) -> None:
    stream = store.create("s")
    for batch in (
        PutBatch(["a"], [b"1", b"2"]),
        PutBatch(["\ud800"], [b"x"]),
        PutBatch(pa.array(["a", None]), [b"1", b"2"]),
    ):
        with pytest.raises(EddylineError) as failure:
            stream.put(batch)
        assert failure.value.code == "invalid_argument"
    assert stream.bounds(0) == (0, 0)
    assert len(stream.put(PutBatch([], [])).result().offset) == 0


def test_many_small_puts_share_a_commit_and_keep_their_order(store: LogStore) -> None:
    stream = store.create("s", 2)
    began = stream.generation()
    with stream._opened.environment.write():  # nothing else can be written meanwhile: puts wait
        futures = [stream.put(PutBatch([f"k{i % 5}"], [b"%d" % i])) for i in range(2000)]
    for future in futures:
        future.result(30)
    assert stream.generation() - began < 20, "puts that wait are committed together"
    for shard in range(2):
        numbers = [int(d) for d in read_all(stream, shard)]
        assert numbers == sorted(numbers)


def test_threads_put_and_read_at_once(store: LogStore) -> None:
    stream = store.create("s")
    seen: list[bytes] = []
    done = threading.Event()

    def follow() -> None:
        at = 0
        while not done.is_set() or at < stream.bounds(0)[1]:
            got = stream.read(0, at, 100)
            seen.extend(got.data.to_pylist())
            at = got.next_offset

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda w: [put(stream, [b"%d:%d" % (w, i)]) for i in range(100)], range(4)))
    done.set()
    reader.join(30)
    assert len(seen) == 400
    for writer in range(4):
        own = [int(s.split(b":")[1]) for s in seen if s.startswith(b"%d:" % writer)]
        assert own == list(range(100))


def test_positions_by_time(tmp_path: Path) -> None:
    clock = ManualClock(1_000_000)
    store = store_at(tmp_path, clock, block_bytes=4096)
    stream = store.create("s")
    times = []
    for i in range(200):
        put(stream, [b"x" * 300] * 2)
        times += [clock.now_ms()] * 2
        clock.advance(i % 3)
    for at in range(999_990, clock.now_ms() + 10, 7):
        expected = next((i for i, t in enumerate(times) if t >= at), len(times))
        assert stream.offset_at(0, at) == expected, at
    store.close()


def test_arrival_never_runs_backwards(tmp_path: Path) -> None:
    clock = ManualClock(5_000)
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"1"])
    clock.advance(-3_000)
    put(stream, [b"2"])
    assert stream.read(0, 0).arrival_ms.tolist() == [5_000, 5_000]
    store.close()


def test_waiting_for_news(store: LogStore) -> None:
    stream = store.create("s")
    seen = stream.generation()
    assert stream.wait(seen, 0.02) == seen
    timer = threading.Timer(0.05, put, (stream, [b"x"]))
    timer.start()
    assert stream.wait(seen, 10) > seen
    timer.join()


def test_a_marked_append_is_stored_once_and_older_incarnations_are_fenced(store: LogStore) -> None:
    stream = store.create("s")
    batch = PutBatch(["k"], [b"row"])
    assert stream.append(batch, EpochMark("job", 1, "sink", 1))
    assert not stream.append(batch, EpochMark("job", 1, "sink", 1))
    assert stream.append(batch, EpochMark("job", 1, "sink", 2))
    assert not stream.append(batch, EpochMark("job", 2, "sink", 2)), "there, and from now on fenced"
    with pytest.raises(EddylineError, match="incarnation 2 has taken over"):
        stream.append(batch, EpochMark("job", 1, "sink", 3))
    assert stream.append(batch, EpochMark("other", 1, "sink", 1))
    assert stream.mark("job", "sink") == EpochMark("job", 2, "sink", 2)
    assert stream.bounds(0) == (0, 3)


def test_counters_add_up(store: LogStore) -> None:
    stream = store.create("s", 2)
    stream.put(PutBatch(["aa", "b"] * 10, [b"123"] * 20)).result()
    counters = stream.counters()
    assert counters.records_total == counters.records_kept == 20
    assert counters.bytes_total == 20 * 3 + 30
    assert sum(s.records_total for s in counters.shards) == 20
    assert counters.stored_bytes > counters.bytes_total


def test_life_of_a_stream(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock, stream_delay_ms=500)
    stream = store.create("s", mode=StreamMode.ON_DEMAND, tags={"a": "b"})
    assert stream.info().status is StreamStatus.CREATING
    assert len(stream.shards()) == 4
    clock.advance(500)
    assert stream.info().status is StreamStatus.ACTIVE
    with pytest.raises(EddylineError, match="exists already"):
        store.create("s")
    store.delete("s")
    assert stream.info().status is StreamStatus.DELETING
    with pytest.raises(EddylineError, match="deleted"):
        put(stream, [b"x"])
    clock.advance(500)
    with pytest.raises(EddylineError) as failure:
        stream.read(0, 0)
    assert failure.value.code == "not_found"
    again = store.create("s")
    assert again.stream_id != stream.stream_id
    assert again.bounds(0) == (0, 0)
    with pytest.raises(EddylineError):
        stream.read(0, 0)
    store.close()


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "a/b", "ä", "a\n"])
def test_what_is_no_name(store: LogStore, name: str) -> None:
    with pytest.raises(EddylineError, match="no name for a stream"):
        store.create(name)


def test_an_unknown_stream_hints_at_the_nearest(store: LogStore) -> None:
    for name in ("clicks", ".hidden", "..", "."):
        store.create(name)
    assert store.names() == [".", "..", ".hidden", "clicks"]
    with pytest.raises(EddylineError) as failure:
        store.open("clikcs")
    assert "clicks" in (failure.value.hint or "")


def test_attributes_change_in_one_transaction(store: LogStore) -> None:
    stream = store.create("s")

    def refuse(_: Any) -> dict[str, Any]:
        raise EddylineError("conflict", "not now")

    stream.update(lambda _: {"attributes": {"a": 1}})
    with pytest.raises(EddylineError, match="not now"):
        stream.update(refuse)
    assert stream.attributes() == {"a": 1}
    with ThreadPoolExecutor(4) as pool:
        one_more = lambda i: {"attributes": {"a": i.attributes["a"] + 1}}  # noqa: E731
        list(pool.map(lambda _: stream.update(one_more), range(40)))
    assert stream.attributes() == {"a": 41}
