"""What a job does when its stream is not what it was: another one, or one with a gap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engine_kit import insert, scan, select, sink_table, watermark, window_aggregate
from test_stream_jobs import ROWS, TUMBLE, Live, make, put, row, stream_table

from eddyline.clock import SYSTEM, ManualClock
from eddyline.engine.state import STATE_FILE, JobProgress, JobState
from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.settings import Settings
from eddyline.sql import physical as p

START_MS = 1_800_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[LogStore]:
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
    opened = LogStore(tmp_path / "data", settings, clock)
    yield opened
    opened.close()


def copied(store: LogStore, **options: str) -> p.Plan:
    source = scan(stream_table("in", **options))
    table = sink_table(ROWS, connector="kinesis", stream="out")
    return insert(source, table)


def values(store: LogStore) -> list[int]:
    data = store.open("out").read(0, 0, 100_000).data.to_pylist()
    return [json.loads(d)["v"] for d in data]


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [row("a", v, v) for v in range(first, first + count)]


def read_all(store: LogStore, plan: p.Plan, home: Path, expected: int, nth: int = 1) -> Live:
    """A job that has written ``expected`` rows in all, stopped."""
    with Live(store, plan, home, nth) as live:
        live.until(lambda: len(values(store)) >= expected)
    return live


@pytest.mark.parametrize("more", [5, 40], ids=["shorter", "longer"])
@pytest.mark.parametrize("known", [True, False], ids=["identity", "old state"])
def test_a_recreated_stream_stops_the_job(
    store: LogStore, tmp_path: Path, more: int, known: bool
) -> None:
    put(make(store, "in"), *rows(0, 20))
    make(store, "out")
    read_all(store, copied(store), tmp_path / "job", 20)
    store.delete("in")
    put(make(store, "in"), *rows(100, more))
    if not known:
        if more > 20:
            pytest.skip("a state without identity cannot tell a longer stream from the same one")
        forget_identities(tmp_path / "job")
    refused = failure(store, copied(store), tmp_path / "job", 2)
    assert "deleted and created again" in refused.message
    assert refused.code == "conflict"
    assert "'scan.stream.recreated' = 'from-beginning'" in str(refused.hint)
    options = {"scan.stream.recreated": "from-beginning"}
    live = read_all(store, copied(store, **options), tmp_path / "job", 20 + more, 3)
    assert values(store)[20:] == [100 + v for v in range(more)]
    assert any("first record" in sentence for sentence in live.watcher.words)


def failure(store: LogStore, plan: p.Plan, home: Path | None = None, nth: int = 1) -> EddylineError:
    """The error that a job ends with."""
    live = Live(store, plan, home, nth)
    live.until(lambda: False)
    with pytest.raises(EddylineError) as refused:
        live.close()
    return refused.value


def forget_identities(home: Path) -> None:
    """The state as version 0.1.0 wrote it."""
    state = JobState(home, Settings())
    progress = state.progress()
    state.write(JobProgress(progress.epoch, progress.positions, progress.operators))
    state.close()
    assert (home / STATE_FILE).exists()


@pytest.mark.parametrize("policy", ["fail", "from-beginning"])
def test_a_stream_that_is_recreated_while_it_is_read(
    store: LogStore, tmp_path: Path, policy: str
) -> None:
    put(make(store, "in"), *rows(0, 20))
    make(store, "out")
    options = {"scan.stream.recreated": policy}
    live = Live(store, copied(store, **options), tmp_path / "job")
    live.until(lambda: len(values(store)) == 20)
    store.delete("in")
    try:
        put(make(store, "in"), *rows(100, 40))
    finally:
        live.until(lambda: len(values(store)) == 60)
    if live.error is not None:
        with pytest.raises(EddylineError, match=r"created again|was deleted"):
            live.close()
        assert values(store) == list(range(20))
        return
    live.close()
    assert policy == "from-beginning"
    assert values(store)[20:] == list(range(100, 140))


def test_an_idle_job_notices_that_its_stream_was_deleted(tmp_path: Path) -> None:
    """A deleted stream still answers for a moment; no commit tells when that is over."""
    settings = Settings(fsync=False, stream_delay_ms=400, map_gib=1)
    store = LogStore(tmp_path / "data", settings, SYSTEM)
    make(store, "out")
    put(make(store, "in"), *rows(0, 5))
    live = Live(store, copied(store), tmp_path / "job")
    live.until(lambda: len(values(store)) == 5)
    elsewhere = LogStore(tmp_path / "data", settings, SYSTEM)
    elsewhere.delete("in")
    elsewhere.close()
    try:
        live.until(lambda: False)
    finally:
        live.stop.set()
    with pytest.raises(EddylineError, match="stream in was deleted"):
        live.close()
    store.close()


def trimmed(store: LogStore, clock: ManualClock, name: str) -> None:
    """Let the retention of all that is in the stream pass."""
    clock.advance(25 * 3_600_000)
    store.open(name).trim()


def test_records_that_retention_took_are_counted(
    store: LogStore, clock: ManualClock, tmp_path: Path
) -> None:
    stream = make(store, "in")
    put(stream, *rows(0, 10))
    make(store, "out")
    read_all(store, copied(store), tmp_path / "job", 10)
    for at in range(10, 110, 10):
        put(stream, *rows(at, 10))
    trimmed(store, clock, "in")
    put(stream, *rows(500, 5))
    oldest = stream.bounds(0)[0]
    assert oldest > 10
    options = {"fail-on-data-loss": "true"}
    refused = failure(store, copied(store, **options), tmp_path / "job", 2)
    assert refused.code == "data_loss"
    assert f"{oldest - 10} records of stream in" in refused.message
    live = read_all(store, copied(store), tmp_path / "job", 10 + 115 - oldest, 3)
    assert values(store)[-5:] == list(range(500, 505))
    assert live.job.metrics().lost == oldest - 10
    (warning,) = [w for w in live.watcher.words if "were not read" in w]
    assert f"{oldest - 10} records of stream in, shardId-000000000000" in warning
    assert any("were gone" in reason for reason in live.job.why_silent())


def test_a_row_in_2099_makes_no_later_row_late(store: LogStore, clock: ManualClock) -> None:
    stream = make(store, "in")
    now_s = START_MS / 1000
    far = {"k": "a", "v": 0, "ts": "2099-01-01T00:00:00.000"}
    put(stream, row("a", 1, now_s), far, row("a", 2, now_s + 1), row("a", 3, now_s + 20))
    source = watermark(scan(stream_table("in")), "ts")
    plan = select(window_aggregate(source, TUMBLE, "ts", ("k",)))
    with Live(store, plan) as live:
        live.until(lambda: len(live.watcher.changes) >= 1)
    ((_, first),) = live.watcher.changes[:1]
    assert first[:2] == ("a", 2)
    metrics = live.job.metrics()
    assert (metrics.late, metrics.held) == (0, 1)
    assert any("'scan.watermark.max-ahead'" in reason for reason in live.job.why_silent())
    unbounded = watermark(scan(stream_table("in", **{"scan.watermark.max-ahead": "0"})), "ts")
    plan = select(window_aggregate(unbounded, TUMBLE, "ts", ("k",)))
    with Live(store, plan) as live:
        live.until(lambda: live.job.metrics().late == 2)


def test_a_row_without_a_time_is_named_or_set_aside(store: LogStore) -> None:
    stream = make(store, "in")
    put(stream, row("a", 1, 5.0), '{"k": "b", "v": 2}', row("c", 3, 6.0))
    refused = failure(store, with_time())
    assert "shardId-000000000000, sequence number 49" in refused.message
    assert "row time ts is NULL" in refused.message
    for options in ({"bad-records": "dead-letter"}, {"json.ignore-parse-errors": "true"}):
        with Live(store, with_time(**options)) as live:
            live.until(partial(has_changes, live, 2))
        assert [change[1] for _, change in live.watcher.changes] == [1, 3]
        assert live.job.metrics().bad_records == 1


def has_changes(live: Live, count: int) -> bool:
    return len(live.watcher.changes) >= count


def with_time(**options: str) -> p.Plan:
    return select(watermark(scan(stream_table("in", **options)), "ts"))


def test_the_idle_timeout_that_the_session_has_set() -> None:
    from eddyline.engine.sources.source import SourceContext, idle_timeout_ms

    def timeout(session_ms: int | None, **options: str) -> float:
        return idle_timeout_ms(SourceContext("t", Settings(), SYSTEM, options, session_ms))

    assert timeout(None) == Settings().idle_timeout_ms
    assert timeout(5000) == 5000
    assert timeout(0) == float("inf")
    assert timeout(5000, **{"scan.watermark.idle-timeout": "2 s"}) == 2000
    assert timeout(5000, **{"scan.shard.idle.interval": "70"}) == 70
