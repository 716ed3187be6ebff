"""A stream whose shards change under its reader: nothing lost, nothing twice, a key in order."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.clock import SYSTEM
from eddyline.engine.sources.kinesis import KinesisSource
from eddyline.engine.sources.source import Records, SourceContext
from eddyline.log import LogStore, PutBatch, Stream
from eddyline.settings import Settings

SETTINGS = Settings(fsync=False, stream_delay_ms=0, map_gib=1, block_bytes=4096)
KEYS = [f"k{i}" for i in range(6)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    store = LogStore(tmp_path, SETTINGS, SYSTEM)
    yield store
    store.close()


def source(store: LogStore, name: str, saved: dict[str, int] | None = None) -> KinesisSource:
    options = {"stream": name, "scan.stream.initpos": "TRIM_HORIZON"}
    source_ = KinesisSource(SourceContext("t", SETTINGS, SYSTEM, options), store)
    source_.open(saved)
    return source_


def put(stream: Stream, first: int, count: int) -> None:
    keys = [KEYS[n % 6] for n in range(first, first + count)]
    data = [f"{k}:{n}".encode() for n, k in enumerate(keys, first)]
    stream.put(PutBatch(keys, data)).result()


class Reader:
    """Polls, keeps what came, and may start over where it stood."""

    def __init__(self, store: LogStore, name: str) -> None:
        self.store, self.name = store, name
        self.source = source(store, name)
        self.got: dict[str, list[int]] = defaultdict(list)
        self.arrivals: list[tuple[int, int, int]] = []

    def poll(self, rows_max: int) -> bool:
        polled: Records | None = self.source.poll(rows_max)
        if polled is None:
            return False
        assert polled.payload is not None
        for record in polled.payload.to_pylist():
            key, _, number = record.decode().partition(":")
            self.got[key].append(int(number))
        shard = polled.shard.tolist() if polled.shard is not None else [0] * len(polled)
        self.arrivals += zip(polled.arrival_ms.tolist(), shard, polled.offset.tolist(), strict=True)
        return True

    def restart(self) -> None:
        self.source = source(self.store, self.name, self.source.positions())

    def drain(self) -> None:
        while self.poll(1000):
            pass

    def check(self, count: int) -> None:
        expected = defaultdict(list)
        for n in range(count):
            expected[KEYS[n % 6]].append(n)
        assert self.got == expected
        assert all(a[0] <= b[0] for a, b in pairwise(self.arrivals)), "in order of arrival"


STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 40)),
    st.tuples(st.just("poll"), st.integers(1, 30)),
    st.tuples(st.just("split"), st.integers(0, 9)),
    st.tuples(st.just("merge"), st.integers(0, 9)),
    st.tuples(st.just("scale"), st.integers(1, 5)),
    st.tuples(st.just("restart"), st.just(0)),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(1, 3), st.lists(STEP, max_size=30))
def test_steps_in_any_order(store: LogStore, shards: int, steps: list[tuple[str, int]]) -> None:
    name = f"s{len(store.names())}"
    stream = store.create(name, shards)
    reader, count = Reader(store, name), 0
    for what, number in steps:
        opened = sorted(
            (s for s in stream.shards() if s.closed_offset is None),
            key=lambda s: s.starting_hash_key,
        )
        if what == "put":
            put(stream, count, number)
            count += number
        elif what == "poll":
            reader.poll(number)
        elif what == "split":
            stream.split(opened[number % len(opened)].index)
        elif what == "merge" and len(opened) > 1:
            at = number % (len(opened) - 1)
            stream.merge(opened[at].index, opened[at + 1].index)
        elif what == "scale":
            stream.scale(number)
        elif what == "restart":
            reader.restart()
    reader.drain()
    reader.check(count)
    assert all(s.closed == (s.index in closed(stream)) for s in reader.source.shards.values())


def closed(stream: Stream) -> set[int]:
    return {s.index for s in stream.shards() if s.closed_offset is not None}


def test_shards_change_while_records_come(store: LogStore) -> None:
    stream = store.create("s", 2)
    reader = Reader(store, "s")
    over = threading.Event()
    count = 0

    def write() -> None:
        nonlocal count
        try:
            for n in range(150):
                put(stream, count, 13)
                count += 13
                if n % 10 == 9:
                    stream.scale(1 + n // 10 % 4)
        finally:
            over.set()

    thread = threading.Thread(target=write)
    thread.start()
    n = 0
    while not over.is_set():
        reader.poll(50)
        n += 1
        if n % 20 == 0:
            reader.restart()
    thread.join()
    assert count == 150 * 13
    reader.drain()
    reader.check(count)


def test_a_closed_shard_holds_no_watermark_back(store: LogStore) -> None:
    stream = store.create("s")
    reader = Reader(store, "s")
    put(stream, 0, 6)
    stream.split(0)
    put(stream, 6, 60)
    reader.drain()
    reader.source.rest()
    assert reader.source.shards[0].closed
    assert reader.source.shards[0].idle
    assert {s.name for s in reader.source.shards.values()} == {
        f"shardId-{i:012d}" for i in range(3)
    }
