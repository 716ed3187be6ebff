"""The machine's clock is set: no row put afterwards is late, and windows close at their time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from engine_kit import TS, Watcher, scan, select, watermark, window_aggregate
from test_stream_jobs import ROWS, TUMBLE, Live, make, put, row, stream_table

from eddyline.clock import SYSTEM, ManualClock
from eddyline.engines.engine import RunSpec, StatementSet
from eddyline.log import LogStore
from eddyline.log.retention import HOUR_MS
from eddyline.record.schema import Column, Schema
from eddyline.service.session import Session
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql.parse import parse_script

START_MS = 1_800_000_000_000
ARRIVAL = Schema((*ROWS.columns, Column("at", TS)))


def opened(directory: Path, clock: ManualClock) -> LogStore:
    settings = Settings(fsync=False, stream_delay_ms=100, map_gib=1)
    return LogStore(directory / "data", settings, clock)


class JobClock(ManualClock):
    """Its dates are moved by the test; the job's pauses take their real time."""

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return SYSTEM.wait(event, seconds)


@pytest.fixture
def clock() -> ManualClock:
    return JobClock(START_MS)


def by_arrival() -> p.Plan:
    """Rows counted in windows of ten seconds of their arrival."""
    source = p.Scan(stream_table("in"), ROWS, (("at", "timestamp"),), ARRIVAL)
    return select(window_aggregate(watermark(source, "at"), TUMBLE, "at", ()))


def counted(live: Live) -> list[tuple[int, str]]:
    return [(change[0], str(change[2])) for _, change in live.watcher.changes]


@pytest.mark.parametrize("reboot", [False, True], ids=["same boot", "reboot"])
@pytest.mark.parametrize("jump_ms", [HOUR_MS, 24 * HOUR_MS, -HOUR_MS], ids=["hour", "day", "back"])
def test_no_row_put_after_a_jump_is_late(
    tmp_path: Path, clock: ManualClock, jump_ms: int, reboot: bool
) -> None:
    """The clock is set, the job runs on for three seconds, the clock is right again; then the
    server restarts, in the same boot or, with the clock set back by a day, in another one."""
    store = opened(tmp_path, clock)
    make(store, "in")
    clock.advance(100)

    def step(live: Live, total: int) -> None:
        clock.advance(1000)
        put(store.open("in"), row("a", 1, 0))
        live.until(lambda: live.job.metrics().rows_in == total)

    with Live(store, by_arrival(), tmp_path / "job", clock=clock) as live:
        step(live, 1)
        clock.set_wall(jump_ms)
        for n in range(3):
            step(live, 2 + n)
        clock.set_wall(0)
        step(live, 5)
        clock.advance(11_000)  # the window of the first five rows is over
        live.until(lambda: len(live.watcher.changes) == 1)
        assert live.job.metrics().late == 0
        assert live.job.metrics().watermark_ms <= START_MS + 17_000
    store.sweep()
    store.close()
    if reboot:  # and the clock of the machine's hardware is a day behind
        clock = JobClock(70_000, "another boot")
        clock.set_wall(START_MS - 24 * HOUR_MS)
    store = opened(tmp_path, clock)
    clock.advance(100)
    assert store.open("in").info().status == "ACTIVE"
    with Live(store, by_arrival(), tmp_path / "job", 2, clock=clock) as live:
        for n in range(40):
            clock.advance(50)
            put(store.open("in"), row("a", 1, n))
        live.until(lambda: live.job.metrics().rows_in == 40)
        clock.advance(20_000)
        live.until(lambda: sum(n for n, _ in counted(live)) == 40)
        assert live.job.metrics().late == 0
    store.close()


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
def test_processing_time_stands_still_while_the_clock_is_behind(
    tmp_path: Path, clock: ManualClock, jump_ms: int
) -> None:
    """Even if a job's own clock jumps, no window fires twice: the last one waits for the clock."""
    store = opened(tmp_path, clock)
    make(store, "in")
    columns = Schema((*ROWS.columns, Column("pt", TS)))
    now = p.Projection("pt", p.Expr("getvariable('eddyline_now')::TIMESTAMP", TS))
    same = tuple(p.Projection(c.name, p.Expr(f'"{c.name}"', c.type)) for c in ROWS)
    calc = p.Calc(scan(stream_table("in")), (*same, now), None, columns)
    plan = select(window_aggregate(p.ProcessingTime(calc, "pt", columns), TUMBLE, "pt", ()))

    def some(live: Live) -> None:
        before = live.job.metrics().rows_in
        put(store.open("in"), row("a", 1, 0))
        live.until(lambda: live.job.metrics().rows_in == before + 1)

    with Live(store, plan, tmp_path / "job", clock=clock) as live:
        some(live)
        clock.set_wall(jump_ms)
        some(live)
        clock.set_wall(0)
        some(live)
    with Live(store, plan, tmp_path / "job", 2, clock=clock) as again:
        some(again)
        clock.advance(2 * HOUR_MS)
        again.until(lambda: sum(_n(c) for c in live.watcher.changes + again.watcher.changes) == 4)
        assert again.job.metrics().late == live.job.metrics().late == 0
    windows = [change[1][1] for change in live.watcher.changes + again.watcher.changes]
    assert len(windows) == len(set(windows)) == (2 if jump_ms > 0 else 1)
    store.close()


def test_the_jobs_of_a_session_use_the_clock_that_does_not_jump(
    tmp_path: Path, clock: ManualClock
) -> None:
    settings = Settings(data_dir=tmp_path / "data", fsync=False, stream_delay_ms=0, map_gib=1)
    settings.data_dir.mkdir()
    session = Session("s", settings, lambda message: True, clock=clock)
    session.streams.create("in")
    assert session.streams.clock.now_ms() == START_MS
    (query,) = parse_script("SELECT 1")
    (prepared,) = session.engine.prepare(StatementSet((query,), session.catalog, session.config))
    job = session.engine.start(prepared, RunSpec("job", 1, None, session.config), Watcher())
    clock.advance(1000)
    clock.set_wall(HOUR_MS)
    assert job._time.now_ms() == START_MS + 1000
    session.streams.close()


def _n(change: tuple[str, tuple[Any, ...]]) -> int:
    return int(change[1][0])
