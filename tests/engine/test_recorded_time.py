"""Crashes between any two steps, and another clock afterwards: results do not depend on it.

A job's time is recorded with each micro-batch. So processing time never goes back, windows of the
clock are given once and hold every row, and state does not become older than it is when the clock
is set back before the job goes on.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Watcher
from statement_kit import Sql
from test_progress_in_mark import Crash, CrashAt

from eddyline.clock import SYSTEM, ManualClock
from eddyline.engine.batch_clock import BatchClock
from eddyline.engine.job import Job, JobSpec
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

T0 = 1_900_000_000_000
HOUR_MS = 3_600_000
MOMENTS = ("before commit", "after commit", "after delivery")
COLUMNS = "k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, pt AS PROCTIME()"
Records = list[dict[str, Any]]


class JobClock(ManualClock):
    """Its dates are moved by the test; pauses take their real time."""

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return SYSTEM.wait(event, seconds)


class Trial:
    """A stream of two shards, of which one stays empty, and a job that writes into another."""

    def __init__(self, directory: Path, insert: str, columns: str, **options: str) -> None:
        self.sql = Sql(directory)
        self.sql.table("t", COLUMNS, [], shards=2)
        self.sql.table("dst", columns, [])
        (statement,) = parse_script(insert)
        assert isinstance(statement, st.Insert)
        config = SessionConfig({"table.exec.source.idle-timeout": "50 ms", **options})
        self._plan = Planner(self.sql.catalog, config).insert(statement)
        self._directory, self.runs = directory / "job", 0

    def run(self, at_ms: int, records: int = 0, crash: CrashAt | None = None) -> bool:
        """Put records into one shard, and have the job read them by a clock that shows ``at_ms``
        and then a minute more; whether it was not killed."""
        stream, self.runs = self.sql.store.open("t"), self.runs + 1
        first = stream.bounds(0)[1]
        rows = [_row(n) for n in range(first, first + records)]
        if rows:
            from eddyline.log import PutBatch

            keys = ["key"] * len(rows)
            hashes = [0] * len(rows)
            data = [json.dumps(row).encode() for row in rows]
            stream.put(PutBatch(keys, data, hashes)).result()
        clock = JobClock(at_ms)
        job = Job(
            JobSpec(self._plan, "job", self.runs, self._directory, idle_timeout_ms=50,
                    same_statement=True),
            streams=self.sql.store,
            settings=Settings(worker_threads=1, poll_ms=1, batch_rows_max=3),
            clock=clock,
            listener=Watcher(),
            crash=crash,
        )  # fmt: skip
        stop, over = threading.Event(), threading.Event()
        ender = threading.Thread(target=_end, args=(job, clock, stop, over))
        ender.start()
        try:
            job.run(stop)
        except Crash:
            return False
        finally:
            over.set()
            ender.join()
        return True

    def rows(self) -> Records:
        data = self.sql.store.open("dst").read(0, 0).data.to_pylist()
        return [json.loads(d) for d in data]


def _row(n: int) -> dict[str, Any]:
    return {"k": "ab"[n % 2], "v": n, "ts": f"2026-01-01 00:00:{n % 60:02d}"}


def _end(job: Job, clock: JobClock, stop: threading.Event, over: threading.Event) -> None:
    """Let a minute pass by the clock once everything is read, then stop the job."""
    for minutes in (0, 1):
        clock.advance(60_000 * minutes)
        steps = job.metrics().steps
        limit = SYSTEM.monotonic() + 20
        while SYSTEM.monotonic() < limit and not over.wait(0.005):
            metrics = job.metrics()
            idle = bool(metrics.shards) and all(s.idle for s in metrics.shards)
            if idle and metrics.behind_records == 0 and metrics.steps >= steps + 3:
                break
    stop.set()


def in_order(rows: Records, count: int) -> None:
    """Processing time does not go back, and each row is there once."""
    times = [row["seen"] for row in rows]
    assert times == sorted(times)
    assert sorted(row["v"] for row in rows) == list(range(count))


def windows_once(rows: Records, count: int) -> None:
    """Each window is given once per key, and all rows are in one."""
    assert len({(row["w"], row["k"]) for row in rows}) == len(rows)
    assert sum(row["n"] for row in rows) == count


def numbered(rows: Records, count: int) -> None:
    """The rows of a key are numbered in the order in which they came."""
    for key in "ab":
        numbers = [row["n"] for row in rows if row["k"] == key]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(rows) == count


def counted(rows: Records, count: int) -> None:
    """The count of a key rises by one: nothing was forgotten, nothing counted twice."""
    numbered(rows, count)


CASES: dict[str, tuple[str, str, Callable[[Records, int], None], dict[str, str]]] = {
    "values": (
        "v INT, seen STRING", "SELECT v, CAST(PROCTIME() AS STRING) FROM t", in_order, {}
    ),
    "windows of the clock": (
        "w STRING, k STRING, n BIGINT",
        "SELECT CAST(window_end AS STRING), k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(pt),"
        " INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k", windows_once, {},
    ),
    "windows beside an idle shard": (
        "w STRING, k STRING, n BIGINT",
        "SELECT CAST(window_end AS STRING), k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts),"
        " INTERVAL '1' SECOND)) GROUP BY window_start, window_end, k", windows_once, {},
    ),
    "rows in order of arrival": (
        "k STRING, n BIGINT",
        "SELECT k, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) FROM t", numbered, {},
    ),
    "state that is forgotten": (
        "k STRING, n BIGINT",
        "SELECT k, COUNT(*) OVER (PARTITION BY k ORDER BY pt) FROM t", counted,
        {"table.exec.state.ttl": "30 min"},
    ),
}  # fmt: skip


@pytest.fixture
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    columns, query, _, options = CASES[request.param]
    made = Trial(tmp_path, f"INSERT INTO dst {query}", columns, **options)
    yield made
    made.sql.close()


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("trial", "name"), [(n, n) for n in CASES], indirect=["trial"])
def test_a_kill_and_another_clock_change_nothing(trial: Trial, name: str, moment: str) -> None:
    assert trial.run(T0, 1), "the first time that is recorded"
    count = 1
    for n, away_ms in enumerate((0, -HOUR_MS, -2 * HOUR_MS, 0)):
        trial.run(T0 + away_ms, 8, CrashAt(moment, n))
        count += 8
    assert trial.run(T0 - HOUR_MS, 1)
    assert trial.run(T0 + 60_000)
    rows = trial.rows()
    if name == "windows beside an idle shard":  # the last second's window is still open
        assert len({(row["w"], row["k"]) for row in rows}) == len(rows)
        assert sum(row["n"] for row in rows) == count
    else:
        CASES[name][2](rows, count + 1)


def test_time_stands_still_in_a_micro_batch_and_never_goes_back() -> None:
    machine = ManualClock(T0)
    clock = BatchClock(machine)
    clock.begin()
    assert clock.now_ms() == T0
    machine.advance(5000)
    assert clock.now_ms() == T0
    clock.end()
    assert clock.now_ms() == T0 + 5000
    later = BatchClock(machine)
    later.resume(T0 + HOUR_MS)
    assert later.now_ms() == T0 + HOUR_MS
    assert later.waits_ms == HOUR_MS - 5000
    machine.advance(2 * HOUR_MS)
    assert (later.now_ms(), later.waits_ms) == (T0 + 5000 + 2 * HOUR_MS, 0)
