"""Streams in, streams out: merge order, idle shards, arrival time, exactly once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import (
    ISO,
    TS,
    Watcher,
    insert,
    iso,
    scan,
    select,
    sink_table,
    watermark,
    window_aggregate,
)

from eddyline.catalog.table import CatalogTable, ColumnKind, ObjectPath, TableColumn
from eddyline.clock import SYSTEM, Clock, ManualClock
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.sources.kinesis import KinesisSource
from eddyline.errors import EddylineError
from eddyline.log import LogStore, PutBatch
from eddyline.log.shard import StreamMode
from eddyline.record import types as t
from eddyline.record.schema import Column, Schema
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

ROWS = Schema.of(k=t.STRING, v=t.INT, ts=TS)
TUMBLE = Window(WindowKind.TUMBLE, 10_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
    store = LogStore(tmp_path / "data", settings, SYSTEM)
    yield store
    store.close()


def make(store: LogStore, name: str, shards: int = 1) -> Any:
    store.create(name, shards, StreamMode.PROVISIONED)
    return store.open(name)


def put(stream: Any, *rows: dict[str, Any] | str, keys: list[str] | None = None) -> None:
    data = [r.encode() if isinstance(r, str) else json.dumps(r).encode() for r in rows]
    stream.put(PutBatch(keys or ["key"] * len(data), data)).result()


def row(k: str, v: int, at: float) -> dict[str, Any]:
    return {"k": k, "v": v, "ts": iso(at)}


def stream_table(name: str, schema: Schema = ROWS, **options: str) -> CatalogTable:
    columns = tuple(TableColumn(c.name, c.type) for c in schema)
    where = {"connector": "kinesis", "stream": name, "scan.stream.initpos": "TRIM_HORIZON"}
    return CatalogTable(ObjectPath("c", "d", name), columns, options={**where, **ISO, **options})


class Live:
    """A job in a thread, until what is waited for has come."""

    def __init__(
        self,
        store: LogStore,
        plan: p.Plan,
        directory: Path | None = None,
        incarnation: int = 1,
        clock: Clock = SYSTEM,
        **settings: Any,
    ) -> None:
        self.watcher = Watcher()
        self.job = Job(
            JobSpec(plan, "job", incarnation, directory),
            streams=store,
            settings=Settings(worker_threads=1, poll_ms=1, **settings),
            clock=clock,
            listener=self.watcher,
        )
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.job.run(self.stop)
        except BaseException as e:
            self.error = e

    def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        end = SYSTEM.monotonic() + seconds
        while not condition() and self.error is None:
            assert SYSTEM.monotonic() < end, f"waited in vain: {self.job.why_silent()}"
            SYSTEM.wait(self.stop, 0.002)

    def close(self) -> None:
        self.stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_rows_and_metadata_of_two_shards(store: LogStore) -> None:
    stream = make(store, "in", 2)
    for n in range(20):
        put(stream, row("a", n, n), keys=[str(n)])
    table = stream_table("in")
    meta = (("at", "timestamp"), ("shard", "shard-id"), ("number", "sequence-number"))
    columns = (*ROWS.columns, Column("at", t.timestamp_ltz(3)), Column("shard", t.STRING))
    schema = Schema((*columns, Column("number", t.STRING)))
    with Live(store, select(p.Scan(table, ROWS, meta, schema))) as live:
        live.until(lambda: len(live.watcher.changes) == 20)
    rows = [r for _, r in live.watcher.changes]
    assert sorted(r[1] for r in rows) == list(range(20))
    assert {r[4] for r in rows} == {"shardId-000000000000", "shardId-000000000001"}
    assert all(len(r[5]) == 56 for r in rows)
    assert [r[3] for r in rows] == sorted(r[3] for r in rows), "merged by arrival"
    metrics = live.job.metrics()
    assert metrics.rows_in == 20
    assert [s.position == s.tip for s in metrics.shards] == [True, True]


def test_latest_is_resolved_before_the_first_read(store: LogStore) -> None:
    stream = make(store, "in")
    put(stream, row("old", 1, 1))
    plan = select(scan(stream_table("in", **{"scan.stream.initpos": "LATEST"})))
    with Live(store, plan) as live:
        live.until(lambda: bool(live.job.metrics().shards))
        put(stream, row("new", 2, 2))
        live.until(lambda: len(live.watcher.changes) == 1)
    assert live.watcher.changes[0][1][0] == "new"


def test_an_idle_shard_holds_nothing_back(store: LogStore) -> None:
    stream = make(store, "in", 2)
    for at in (1, 2, 15, 27):
        put(stream, row("a", 1, at))  # one key: the other shard stays empty
    plan = select(window_aggregate(watermark(scan(stream_table("in")), "ts"), TUMBLE, "ts", ("k",)))
    with Live(store, plan, idle_timeout_ms=2000) as live:
        live.until(lambda: any("held back" in w and "shardId" in w for w in live.job.why_silent()))
        assert live.job.metrics().rows_in == 4
        assert not live.watcher.changes
        live.until(lambda: len(live.watcher.changes) == 2)
    assert [r[1] for _, r in live.watcher.changes] == [2, 1]


def test_a_shard_that_trickles_is_not_idle(store: LogStore) -> None:
    stream = make(store, "in", 2)
    keys = keys_of_shards(stream)
    table = stream_table("in", **{"scan.stream.initpos": "LATEST"})
    plan = select(window_aggregate(watermark(scan(table), "ts"), TUMBLE, "ts", ("k",)))
    with Live(store, plan, idle_timeout_ms=2000) as live:
        live.until(lambda: bool(live.job.metrics().shards))
        for n in range(60):  # longer than the timeout; one shard is 100 s behind the other
            put(stream, row("ahead", 1, 200 + n), keys=[keys[0]])
            put(stream, row("behind", 1, 100 + n), keys=[keys[1]])
            SYSTEM.wait(threading.Event(), 0.05)
        assert not any(s.idle for s in live.job.metrics().shards)
        live.until(lambda: live.job.metrics().rows_in == 120)
    assert live.job.metrics().late == 0


def keys_of_shards(stream: Any) -> dict[int, str]:
    """A partition key for each of two shards."""
    for n in range(50):
        put(stream, row("probe", 0, 0), keys=[str(n)])
    return {shard: stream.read(shard, 0, 100, 1 << 20).keys[0].as_py() for shard in (0, 1)}


def test_a_shard_that_wakes_up_does_not_turn_time_back(store: LogStore) -> None:
    stream = make(store, "in", 2)
    keys = keys_of_shards(stream)
    table = stream_table("in", **{"scan.stream.initpos": "LATEST"})
    plan = select(window_aggregate(watermark(scan(table), "ts"), TUMBLE, "ts", ("k",)))
    with Live(store, plan, idle_timeout_ms=100) as live:
        live.until(lambda: bool(live.job.metrics().shards))
        put(stream, row("a", 1, 35), keys=[keys[0]])
        live.until(lambda: all(s.idle for s in live.job.metrics().shards))
        put(stream, row("late", 1, 5), row("fine", 1, 36), keys=[keys[1]] * 2)
        live.until(lambda: live.job.metrics().rows_in == 3)
        put(stream, row("end", 1, 50), keys=[keys[0]])
        put(stream, row("end", 1, 50), keys=[keys[1]])
        live.until(lambda: len(live.watcher.changes) >= 2)
    assert live.job.metrics().late == 1
    assert {r[0] for _, r in live.watcher.changes} == {"a", "fine"}


def arrival_table(name: str) -> tuple[CatalogTable, p.Node]:
    columns = (
        TableColumn("k", t.STRING),
        TableColumn("at", TS, ColumnKind.METADATA, "timestamp", True),
    )
    where = {"connector": "kinesis", "stream": name, "scan.stream.initpos": "TRIM_HORIZON"}
    table = CatalogTable(ObjectPath("c", "d", name), columns, options={**where, **ISO})
    schema = Schema.of(k=t.STRING, at=TS)
    return table, p.Scan(table, Schema.of(k=t.STRING), (("at", "timestamp"),), schema)


def test_windows_of_arrival_time_close_without_further_rows(store: LogStore) -> None:
    stream = make(store, "in", 2)
    put(stream, {"k": "a"})
    _, node = arrival_table("in")
    window = Window(WindowKind.TUMBLE, 500)
    plan = select(window_aggregate(watermark(node, "at"), window, "at", ("k",)))
    with Live(store, plan, idle_timeout_ms=60_000) as live:
        live.until(lambda: len(live.watcher.changes) == 1, seconds=5)
    assert live.watcher.changes[0][1][:2] == ("a", 1)


def test_what_comes_while_the_job_is_held_up_is_not_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that arrives just after a poll, before a pause of seconds, is in its window."""
    clock = ManualClock(1_764_000_000_000)
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1, worker_threads=1)
    store = LogStore(tmp_path / "data", settings, clock)
    stream = make(store, "in")
    put(stream, {"k": "a"})
    _, node = arrival_table("in")
    window = Window(WindowKind.TUMBLE, 1000)
    plan = select(window_aggregate(watermark(node, "at"), window, "at", ("k",)))
    watcher, stop = Watcher(), threading.Event()
    job = Job(
        JobSpec(plan, "job", 1), streams=store, settings=settings, clock=clock, listener=watcher
    )
    poll, polls = KinesisSource.poll, 0

    def held_up(self: KinesisSource, rows_max: int) -> Any:
        nonlocal polls
        records, polls = poll(self, rows_max), polls + 1
        if polls == 3:
            put(stream, {"k": "a"})
            clock.advance(5000)
        return records

    monkeypatch.setattr(KinesisSource, "poll", held_up)
    thread = threading.Thread(target=job.run, args=(stop,))
    thread.start()
    end = SYSTEM.monotonic() + 60
    while not watcher.changes and SYSTEM.monotonic() < end:
        clock.advance(1)
        SYSTEM.wait(threading.Event(), 0.005)
    stop.set()
    thread.join()
    store.close()
    assert [r[:2] for _, r in watcher.changes] == [("a", 2)]
    assert job.metrics().late == 0


def test_a_bad_record_is_named_by_shard_and_number(store: LogStore) -> None:
    stream = make(store, "in")
    put(stream, row("a", 1, 1), '{"k":"a","v":"one"}')
    with pytest.raises(EddylineError) as e, Live(store, select(scan(stream_table("in")))) as live:
        live.until(lambda: False)
    assert e.value.code == "bad_record"
    for word in ("stream in", "shardId-000000000000", "sequence number 49", "column v", "'one'"):
        assert word in e.value.message
    assert "json.ignore-parse-errors" in (e.value.hint or "")


def records(stream: Any) -> Counter[str]:
    out: Counter[str] = Counter()
    for shard in stream.shards():
        got = stream.read(shard.index, 0, 10_000, 1 << 24)
        out.update(d.as_py().decode() for d in got.data)
    return out


def filtered(name: str, out: str, directory: str = "") -> p.Plan:
    table = stream_table(name)
    sink = sink_table(ROWS, out, connector="kinesis", stream=out)
    return insert(scan(table), sink, ("k",))


class Killed(BaseException):
    """As a kill: nothing runs after it."""


@pytest.mark.parametrize("moment", ["before commit", "after commit", "after delivery"])
def test_each_row_reaches_the_stream_once(moment: str, store: LogStore, tmp_path: Path) -> None:
    stream, out = make(store, "in"), make(store, "out", 2)
    plan = filtered("in", "out")
    total = 0
    for incarnation in range(1, 5):
        for n in range(3):
            put(stream, row("a", total + n, 1))
        total += 3
        _run_until_killed(store, plan, tmp_path / "job", incarnation, moment)
    with Live(store, plan, tmp_path / "job", incarnation=9) as live:
        live.until(lambda: sum(records(out).values()) >= total)
    got = Counter(json.loads(line)["v"] for line in records(out).elements())
    assert got == Counter(range(total))


def _run_until_killed(
    store: LogStore, plan: p.Plan, directory: Path, incarnation: int, moment: str
) -> None:
    def crash(at: str) -> None:
        if at == moment:
            raise Killed

    job = Job(
        JobSpec(plan, "job", incarnation, directory),
        streams=store,
        settings=Settings(worker_threads=1, poll_ms=1),
        clock=SYSTEM,
        listener=Watcher(),
        crash=crash,
    )
    with pytest.raises(Killed):
        job.run(threading.Event())


def test_the_partition_key_is_the_partition_columns_text(store: LogStore, tmp_path: Path) -> None:
    stream, out = make(store, "in"), make(store, "out")
    put(stream, row("left", 1, 1), row("right", 2, 1))
    with Live(store, filtered("in", "out"), tmp_path / "job") as live:
        live.until(lambda: sum(records(out).values()) == 2)
    assert [k.as_py() for k in out.read(0, 0, 10, 1 << 20).keys] == ["left", "right"]


def test_two_jobs_read_one_stream_in_full(store: LogStore) -> None:
    stream = make(store, "in")
    plan = select(scan(stream_table("in")))
    with Live(store, plan) as one, Live(store, plan) as two:
        for n in range(50):
            put(stream, row("a", n, n))
        for live in (one, two):
            live.until(lambda live=live: len(live.watcher.changes) == 50)


def test_a_silent_job_says_why(store: LogStore) -> None:
    make(store, "in")
    with Live(store, select(scan(stream_table("in")))) as live:
        live.until(lambda: bool(live.job.metrics().shards))
        assert "no record has come in" in live.job.why_silent()[0]
