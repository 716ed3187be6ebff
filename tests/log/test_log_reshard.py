"""Split, merge, scale: lineage, order of a key's records, closed parents that stay readable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import md5
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_kit import child, put, read_all, store_at

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.log import LogStore, PutBatch, Stream, StreamStatus
from eddyline.log.retention import HOUR_MS
from eddyline.log.shard import HASH_KEYS, ShardInfo


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    store = store_at(tmp_path)
    yield store
    store.close()


def open_ranges(shards: tuple[ShardInfo, ...]) -> list[tuple[int, int]]:
    return sorted(
        (s.starting_hash_key, s.ending_hash_key) for s in shards if s.closed_offset is None
    )


def check_whole(shards: tuple[ShardInfo, ...]) -> None:
    """The open shards share the key space, and lineage is sound."""
    ranges = open_ranges(shards)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == HASH_KEYS - 1
    assert all(a[1] + 1 == b[0] for a, b in pairwise(ranges))
    for s in shards:
        for parent in (s.parent_index, s.adjacent_parent_index):
            if parent is not None:
                assert parent < s.index
                assert shards[parent].closed_offset is not None
                assert shards[parent].created_ms < s.created_ms
                ending = shards[parent].ending_sequence_number
                assert ending is not None
                assert int(ending) < int(s.starting_sequence_number)


def family_order(stream: Stream) -> list[bytes]:
    """All records, parents before children."""
    return [d for s in stream.shards() for d in read_all(stream, s.index)]


def test_a_split_keeps_the_parent_and_its_records(store: LogStore) -> None:
    stream = store.create("s")
    put(stream, [b"a", b"b"])
    assert stream.split(0) == (1, 2)
    shards = stream.shards()
    check_whole(shards)
    assert shards[0].closed_offset == 2
    assert (shards[1].parent_index, shards[1].adjacent_parent_index) == (0, None)
    assert shards[1].ending_hash_key == HASH_KEYS // 2 - 1
    assert read_all(stream, 0) == [b"a", b"b"]
    keys = [str(i) for i in range(40)]
    placed = stream.put(PutBatch(keys, [b"x"] * 40)).result()
    for key, shard in zip(keys, placed.shard.tolist(), strict=True):
        upper = int.from_bytes(md5(key.encode()).digest(), "big") >= HASH_KEYS // 2
        assert shard == (2 if upper else 1)
    assert stream.bounds(0) == (0, 2)


def test_a_merge_has_two_parents(store: LogStore) -> None:
    stream = store.create("s", 3)
    assert stream.merge(1, 0) == 3
    shards = stream.shards()
    check_whole(shards)
    assert (shards[3].parent_index, shards[3].adjacent_parent_index) == (1, 0)
    for wrong, code in (
        (lambda: stream.merge(0, 1), "conflict"),
        (lambda: stream.merge(9, 2), "not_found"),
        (lambda: stream.split(3, 0), "invalid_argument"),
        (lambda: stream.split(3, HASH_KEYS), "invalid_argument"),
        (lambda: stream.scale(0), "invalid_argument"),
        (lambda: stream.scale(10_001), "invalid_argument"),
    ):
        with pytest.raises(EddylineError) as failure:
            wrong()
        assert failure.value.code == code
        assert failure.value.hint
    assert stream.shards() == shards
    apart = store.create("t", 3)
    with pytest.raises(EddylineError, match="not adjacent"):
        apart.merge(0, 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_scaling_shares_the_keys_evenly(
    tmp_path_factory: pytest.TempPathFactory, first: int, counts: list[int]
) -> None:
    store = store_at(tmp_path_factory.mktemp("log"))
    stream = store.create("s", first)
    expected = []
    for n, count in enumerate(counts):
        put(stream, [b"%d" % n], key="the key")
        expected.append(b"%d" % n)
        stream.scale(count)
        shards = stream.shards()
        check_whole(shards)
        ranges = open_ranges(shards)
        assert len(ranges) == count
        widths = {high - low for low, high in ranges}
        assert max(widths) - min(widths) <= count
        assert family_order(stream) == expected
    before = stream.shards()
    stream.scale(counts[-1])
    assert stream.shards() == before, "nothing to do is nothing done"
    store.close()


def test_a_large_change_is_quick(store: LogStore) -> None:
    stream = store.create("s", 1500)
    stream.scale(2000)
    check_whole(stream.shards())


def test_scaling_to_two_and_back_makes_no_detours(store: LogStore) -> None:
    stream = store.create("s", 2)
    stream.scale(4)
    assert [s.parent_index for s in stream.shards()] == [None, None, 0, 0, 1, 1]
    stream.scale(2)
    assert [s.parent_index for s in stream.shards()[6:]] == [2, 4]
    assert [s.adjacent_parent_index for s in stream.shards()[6:]] == [3, 5]


def test_a_child_never_arrives_before_its_parents(tmp_path: Path) -> None:
    clock = ManualClock(10_000)
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"a"])
    clock.advance(-5_000)
    stream.split(0)
    put(stream, [b"b"])
    arrivals = [t for s in stream.shards() for t in stream.read(s.index, 0).arrival_ms.tolist()]
    assert arrivals == [10_000, 10_000]
    check_whole(stream.shards())
    store.close()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(1, 30)),
            st.tuples(st.just("split"), st.integers(0, 50)),
            st.tuples(st.just("merge"), st.integers(0, 50)),
            st.tuples(st.just("scale"), st.integers(1, 6)),
        ),
        max_size=25,
    )
)
def test_whatever_is_done_a_key_keeps_its_order(
    store: LogStore, steps: list[tuple[str, int]]
) -> None:
    stream = store.create(f"s{len(store.names())}", 2)
    sent: dict[str, list[int]] = {}
    n = 0
    for what, number in steps:
        opened = sorted(
            (s for s in stream.shards() if s.closed_offset is None),
            key=lambda s: s.starting_hash_key,
        )
        if what == "put":
            keys = [f"k{(n + i) % 7}" for i in range(number)]
            stream.put(PutBatch(keys, [b"%d" % (n + i) for i in range(number)])).result()
            for i, key in enumerate(keys):
                sent.setdefault(key, []).append(n + i)
            n += number
        elif what == "split":
            stream.split(opened[number % len(opened)].index)
        elif what == "merge" and len(opened) > 1:
            at = number % (len(opened) - 1)
            stream.merge(opened[at].index, opened[at + 1].index)
        elif what == "scale":
            stream.scale(number)
        check_whole(stream.shards())
    got: dict[str, list[int]] = {}
    for s in stream.shards():
        read = stream.read(s.index, 0)
        for key, data in zip(read.keys.to_pylist(), read.data.to_pylist(), strict=True):
            got.setdefault(key, []).append(int(data))
    assert got == sent


def test_puts_go_on_while_shards_change(store: LogStore) -> None:
    """Puts routed by the old shards and committed after the change land on the new ones."""
    stream = store.create("s", 2)
    over = threading.Event()

    def reshape() -> None:
        try:
            for count in (4, 2, 3, 1, 5, 2) * 3:
                stream.scale(count)
        finally:
            over.set()

    thread = threading.Thread(target=reshape)
    thread.start()
    n, futures = 0, []
    while not over.is_set() or n < 200:
        futures.append(stream.put(PutBatch(["a", "b"], [b"%d" % n] * 2)))
        n += 1
    thread.join()
    for future in futures:
        placed = future.result(30)
        for shard, offset in zip(placed.shard.tolist(), placed.offset.tolist(), strict=True):
            closed = stream.shards()[shard].closed_offset
            assert closed is None or offset < closed
    for expected in ("a", "b"):
        got = []
        for s in stream.shards():
            read = stream.read(s.index, 0, 1_000_000)
            pairs = zip(read.keys.to_pylist(), read.data.to_pylist(), strict=True)
            got += [int(d) for k, d in pairs if k == expected]
        assert got == list(range(n))


def test_another_process_sees_the_new_shards(store: LogStore, tmp_path: Path) -> None:
    stream = store.create("s")
    put(stream, [b"a"])
    code = (
        "import sys; sys.path.insert(0, 'tests/log')\n"
        "from pathlib import Path; from log_kit import store_at\n"
        "store_at(Path(sys.argv[1])).open('s').split(0)"
    )
    process = child(code, tmp_path)
    process.communicate(timeout=30)
    assert process.returncode == 0
    placed = put(stream, [b"b"])
    assert placed.shard.tolist()[0] in (1, 2)
    assert len(stream.shards()) == 3


def test_closed_shards_are_trimmed_like_others(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    put(stream, [b"a"])
    stream.split(0)
    clock.advance(25 * HOUR_MS)
    assert stream.trim() == 1
    assert stream.bounds(0) == (1, 1)
    assert len(stream.read(0, 0)) == 0
    store.close()


def test_the_stream_is_updating_for_a_while(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock, stream_delay_ms=200)
    stream = store.create("s")
    clock.advance(200)
    stream.split(0)
    assert stream.info().status is StreamStatus.UPDATING
    put(stream, [b"a"])
    clock.advance(200)
    assert stream.info().status is StreamStatus.ACTIVE
    store.close()
