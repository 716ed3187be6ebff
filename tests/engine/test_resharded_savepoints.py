"""A savepoint taken before its stream was split or merged is restored behind it: each row once."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.clock import SYSTEM
from eddyline.engine.state import JobState
from eddyline.log import Stream
from eddyline.settings import Settings

COLUMNS = "k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
QUERIES = {
    "groups": "SELECT k, COUNT(*), SUM(v) FROM s GROUP BY k",
    "windows": "SELECT k, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts),"
    " INTERVAL '1' DAY)) GROUP BY k, window_start, window_end",
    "rows": "SELECT k, v, 1 FROM s",
}


def split_all(stream: Stream) -> None:
    """Two shards become four."""
    for shard in (0, 1):
        stream.split(shard)


def merge_all(stream: Stream) -> None:
    """Two shards become one."""
    stream.merge(0, 1)


def split_twice(stream: Stream) -> None:
    """A child of a child is read too: two shards become four, then five."""
    split_all(stream)
    stream.split(2)


RESHARDINGS: list[Callable[[Stream], None]] = [split_all, merge_all, split_twice]


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("s", COLUMNS, [], shards=2)
    yield kit
    kit.close()


def put(sql: Sql, first: int, count: int) -> None:
    ts = "2026-01-01 00:00:00"
    sql.put("s", [{"k": n % 5, "v": n, "ts": ts} for n in range(first, first + count)])


def stopped_after(sql: Sql, query: str, records: int, directory: Path) -> Watcher:
    """What a job gives of so many records before it is stopped."""
    watcher, stop = Watcher(), threading.Event()
    job = sql.job(sql.plan(query), watcher, directory=directory)
    thread = threading.Thread(target=job.run, args=(stop,))
    thread.start()
    end = SYSTEM.monotonic() + 30
    while job.metrics().rows_in < records and SYSTEM.monotonic() < end:
        stop.wait(0.002)
    stop.set()
    thread.join()
    assert job.metrics().rows_in == records
    return watcher


def savepoint(directory: Path, name: str) -> Path:
    """A copy of a stopped job's state, as a savepoint is made and used."""
    copy = directory.parent / name
    shutil.copytree(directory, copy)
    state = JobState(copy, Settings(worker_threads=1))
    state.detach()
    state.close()
    return copy


@pytest.mark.parametrize("reshard", RESHARDINGS)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_restored_behind_a_resharding(
    sql: Sql, query: str, reshard: Callable[[Stream], None], tmp_path: Path
) -> None:
    put(sql, 0, 40)
    directory = tmp_path / "job"
    before = stopped_after(sql, query, 40, directory)
    saved = savepoint(directory, "saved")
    stream = sql.store.open("s")
    put(sql, 40, 20)  # into the old shards, behind the savepoint
    reshard(stream)
    put(sql, 60, 40)  # into the new ones
    for copy in ("first", "second"):  # a savepoint is used more than once
        target = savepoint(saved, copy)
        after = sql.run(query, records=60, directory=target)
        totals: Counter[int] = Counter()
        rows = Counter(before.folded())
        for kind, row in after.changes:
            rows[row] += 1 if kind in ("+I", "+U") else -1
        for row, count in (+rows).items():
            totals[row[0]] += row[1] * count if "SUM" not in query else row[2] * count
        expected = Counter({k: sum(n for n in range(100) if n % 5 == k) for k in range(5)})
        assert totals == expected
        assert not -rows, "something was taken back that was never given"
