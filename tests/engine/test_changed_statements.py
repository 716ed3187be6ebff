"""A changed statement keeps the state that still fits and says what it drops, if it may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.errors import EddylineError
from eddyline.settings import Settings

DISTINCT = "SELECT DISTINCT n FROM src"
COUNTS = "SELECT n, COUNT(*) AS c FROM src WHERE n < 9 GROUP BY n"


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("src", "n INT", [{"n": n} for n in (1, 1, 2)])
    yield kit
    kit.close()


def run(sql: Sql, query: str, directory: Path, start: int, *, allowed: bool = False) -> Watcher:
    watcher, over = Watcher(), threading.Event()
    job = Job(
        JobSpec(sql.plan(query), "job", start, directory, allow_unclaimed=allowed),
        streams=sql.store,
        settings=Settings(worker_threads=1, poll_ms=1),
        clock=SYSTEM,
        listener=watcher,
    )

    def stop_at_tip() -> None:
        while not over.wait(0.005):
            metrics = job.metrics()
            if metrics.shards and metrics.behind_records == 0:
                stop.set()

    stop, thread = threading.Event(), threading.Thread(target=stop_at_tip)
    thread.start()
    try:
        job.run(stop)
    finally:
        over.set()
        thread.join()
    return watcher


def test_what_fits_is_kept_and_the_rest_dropped_where_that_is_allowed(
    sql: Sql, tmp_path: Path
) -> None:
    directory = tmp_path / "job"
    assert set(run(sql, DISTINCT, directory, 1).folded()) == {(1,), (2,)}
    sql.put("src", [{"n": 2}, {"n": 3}])
    with pytest.raises(EddylineError, match="belongs to another statement") as refused:
        run(sql, COUNTS, directory, 2)
    assert "--allow-non-restored-state" in str(refused.value.hint)
    watcher = run(sql, COUNTS, directory, 3, allowed=True)
    assert watcher.folded() == {(2, 1): 1, (3, 1): 1}, "positions are kept, counts start over"
    (notice,) = watcher.words
    assert "was dropped" in notice
    assert "began without state" in notice
    sql.put("src", [{"n": 3}])
    assert run(sql, COUNTS, directory, 4).changes[-1] == ("+U", (3, 2)), "from now on as any state"


def test_a_statement_that_fits_keeps_everything_where_dropping_is_allowed(
    sql: Sql, tmp_path: Path
) -> None:
    directory = tmp_path / "job"
    run(sql, COUNTS, directory, 1)
    sql.put("src", [{"n": 2}])
    watcher = run(sql, COUNTS.replace("n < 9", "n < 8"), directory, 2, allowed=True)
    assert watcher.changes == [("-U", (2, 1)), ("+U", (2, 2))]
    assert watcher.words == []
