"""A job that changed nothing in its database commits its progress with its rows: each once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.keyed import keyed_state
from eddyline.engine.state import JobState
from eddyline.settings import Settings

SETTINGS = Settings(worker_threads=1, poll_ms=1, batch_rows_max=7)
INSERT = "INSERT INTO dst SELECT n FROM src WHERE MOD(n, 3) <> 0"


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("src", "n INT", [{"n": n} for n in range(60)], shards=2)
    kit.table("dst", "n INT", [])
    yield kit
    kit.close()


class CrashAt:
    """Raises at the nth occurrence of a moment."""

    def __init__(self, moment: str, nth: int) -> None:
        self._moment, self._left = moment, nth

    def __call__(self, moment: str) -> None:
        self._left -= moment == self._moment
        if self._left < 0:
            raise Crash


def run(
    sql: Sql, directory: Path, incarnation: int, crash: CrashAt | None = None, insert: str = INSERT
) -> bool:
    """Whether the job came to its end."""
    job = Job(
        JobSpec(sql.plan(insert), "job", incarnation, directory),
        streams=sql.store,
        settings=SETTINGS,
        clock=SYSTEM,
        listener=Watcher(),
        crash=crash,
    )
    stop, over = threading.Event(), threading.Event()
    watch = threading.Thread(target=_stop_at_tip, args=(job, stop, over))
    watch.start()
    try:
        job.run(stop)
    except Crash:
        return False
    finally:
        over.set()
        watch.join()
    return True


def _stop_at_tip(job: Job, stop: threading.Event, over: threading.Event) -> None:
    while not over.wait(0.005):
        metrics = job.metrics()
        if metrics.shards and metrics.behind_records == 0:
            stop.set()


def numbers(sql: Sql) -> list[int]:
    data = sql.store.open("dst").read(0, 0).data.to_pylist()
    return sorted(json.loads(d)["n"] for d in data)


@pytest.mark.parametrize("moment", ["before commit", "after commit", "after delivery"])
def test_each_row_once_over_crashes(sql: Sql, tmp_path: Path, moment: str) -> None:
    for start in range(1, 6):
        run(sql, tmp_path / "job", start, CrashAt(moment, start))
        sql.put("src", [{"n": n} for n in range(60 + 20 * start, 80 + 20 * start)])
    assert run(sql, tmp_path / "job", 9)
    expected = [n for n in [*range(60), *range(80, 180)] if n % 3]
    assert numbers(sql) == expected


def test_the_mark_is_ahead_of_the_database_until_the_job_stops(sql: Sql, tmp_path: Path) -> None:
    assert not run(sql, tmp_path / "job", 1, CrashAt("after delivery", 3))
    mark = sql.store.open("dst").mark("job", "default_catalog.default_database.dst")
    assert mark is not None

    def stored_epoch() -> int:
        state = JobState(tmp_path / "job", SETTINGS)
        try:
            return state.progress().epoch
        finally:
            state.close()

    assert mark.progress
    assert mark.epoch > stored_epoch()
    assert run(sql, tmp_path / "job", 2)
    assert stored_epoch() > mark.epoch
    assert numbers(sql) == [n for n in range(60) if n % 3]


def test_a_fence_keeps_the_progress_of_the_incarnation_before(sql: Sql, tmp_path: Path) -> None:
    from eddyline.log import PutBatch
    from eddyline.log.keys import EpochMark

    stream, row = sql.store.open("dst"), PutBatch(["k"], [b"{}"])
    assert stream.append(row, EpochMark("job", 1, "sink", 5, b"five"))
    assert not stream.append(row, EpochMark("job", 2, "sink", 5))
    assert stream.mark("job", "sink") == EpochMark("job", 2, "sink", 5, b"five")


@pytest.mark.parametrize("moment", ["before commit", "after commit", "after delivery"])
def test_groups_of_few_rows_are_exact_over_crashes(
    sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Groups in memory commit with the sink's mark; some have left for files."""
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 3)
    sql.table("counts", "k INT, n BIGINT", [], format="debezium-json")
    insert = "INSERT INTO counts SELECT MOD(n, 7), COUNT(*) FROM src GROUP BY MOD(n, 7)"
    for start in range(1, 6):
        run(sql, tmp_path / "job", start, CrashAt(moment, start), insert)
        sql.put("src", [{"n": n} for n in range(60 + 20 * start, 80 + 20 * start)])
    assert run(sql, tmp_path / "job", 9, None, insert)
    assert list((tmp_path / "job" / "runs").rglob("*.rows"))
    counts: Counter[tuple[int, int]] = Counter()
    for data in sql.store.open("counts").read(0, 0).data.to_pylist():
        change = json.loads(data)
        for side, sign in (("before", -1), ("after", 1)):
            if change[side]:
                counts[change[side]["k"], change[side]["n"]] += sign
    expected = Counter(n % 7 for n in [*range(60), *range(80, 180)])
    assert +counts == Counter(dict.fromkeys(expected.items(), 1))
    assert not -counts
