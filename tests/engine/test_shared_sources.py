"""A source that a statement reads several times is read and decoded once."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from engine_kit import Watcher
from statement_kit import Crash, Sql

from eddyline.engine.state import JobState
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from eddyline.sql import planner
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.statement import StatementSet

COLUMNS = (
    "k STRING, v INT, w INT, ts TIMESTAMP(3) METADATA FROM 'timestamp', "
    "WATERMARK FOR ts AS ts - INTERVAL '1' SECOND"
)
ROWS: list[Any] = [{"k": "ab"[i % 2], "v": i, "w": 10 * i} for i in range(8)]
SET = """
EXECUTE STATEMENT SET BEGIN
INSERT INTO sums SELECT v, w FROM t WHERE v > 2;
INSERT INTO names SELECT k FROM t;
END
"""


@pytest.fixture
def sql(tmp_path: Path) -> Any:
    made = Sql(tmp_path)
    made.table("t", COLUMNS, ROWS)
    made.table("sums", "v INT, w INT", [])
    made.table("names", "k STRING", [])
    made.execute("CREATE VIEW big AS SELECT k, v, w FROM t WHERE v >= 4")
    yield made
    made.close()


def read(sql: Sql, table: str) -> list[dict[str, Any]]:
    stream = sql.store.open(table)
    rows = []
    for shard in stream.shards():
        first, after = stream.bounds(shard.index)
        records = stream.read(shard.index, first, after - first)
        rows += [json.loads(bytes(data)) for data in records.data.to_pylist()]
    return rows


def kept(watcher: Watcher) -> list[tuple[Any, ...]]:
    """The rows that remain after all changes, sorted."""
    rows: list[tuple[Any, ...]] = []
    for kind, row in watcher.changes:
        if kind in ("+I", "+U"):
            rows.append(row)
        else:
            rows.remove(row)
    return sorted(rows)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "SELECT a.v, b.w FROM big a JOIN big b ON a.v = b.v",
            [(4, 40), (5, 50), (6, 60), (7, 70)],
        ),
        (
            "SELECT k, COUNT(*) FROM big GROUP BY k UNION ALL SELECT k, MAX(v) FROM t GROUP BY k",
            [("a", 2), ("a", 6), ("b", 2), ("b", 7)],
        ),
        ("SELECT v FROM t WHERE w IN (SELECT MAX(w) FROM t)", [(7,)]),
        ("WITH c AS (SELECT v FROM t) SELECT x.v FROM c x JOIN c y ON x.v = y.v + 7", [(7,)]),
    ],
)
def test_a_source_used_twice_is_read_once(
    sql: Sql, query: str, expected: list[tuple[Any, ...]]
) -> None:
    watcher: Any = sql.run(query, records=len(ROWS))
    assert watcher.metrics.rows_in == len(ROWS)
    assert kept(watcher) == expected


def test_hints_that_differ_are_two_sources(sql: Sql) -> None:
    hint = "/*+ OPTIONS('scan.stream.initpos' = 'TRIM_HORIZON') */"
    other = "/*+ OPTIONS('scan.shard.getrecords.maxrecordcount' = '7') */"
    query = f"SELECT v FROM t {hint} UNION ALL SELECT v FROM t {other}"
    watcher: Any = sql.run(query, records=2 * len(ROWS))
    assert watcher.metrics.rows_in == 2 * len(ROWS)


def test_a_limit_ends_its_own_use_only(sql: Sql) -> None:
    query = "SELECT * FROM (SELECT v FROM t LIMIT 1) UNION ALL SELECT v FROM t"
    watcher = sql.run(query, records=len(ROWS), batch_rows_max=1)
    assert len(watcher.changes) == len(ROWS) + 1


def test_a_statement_set_reads_its_source_once(sql: Sql) -> None:
    watcher: Any = sql.run(SET, records=len(ROWS))
    assert watcher.metrics.rows_in == len(ROWS)
    assert sorted(r["v"] for r in read(sql, "sums")) == [3, 4, 5, 6, 7]
    assert len(read(sql, "names")) == len(ROWS)


def test_several_inserts_into_one_table(sql: Sql) -> None:
    sql.run(
        "EXECUTE STATEMENT SET BEGIN INSERT INTO names SELECT k FROM t WHERE v = 0; "
        "INSERT INTO names SELECT 'x' FROM t WHERE v = 1; END",
        records=len(ROWS),
    )
    assert sorted(r["k"] for r in read(sql, "names")) == ["a", "x"]


def test_a_set_cannot_add_to_and_overwrite_a_table(sql: Sql, tmp_path: Path) -> None:
    sql.execute(
        f"CREATE TABLE f (k STRING) WITH ('connector'='filesystem', 'path'='{tmp_path}/f', "
        "'format'='json')"
    )
    sql.execute("CREATE VIEW letters AS SELECT 'x' AS k")
    (statement,) = parse_script(
        "EXECUTE STATEMENT SET BEGIN INSERT INTO f SELECT k FROM letters; "
        "INSERT OVERWRITE f SELECT k FROM letters; END"
    )
    assert isinstance(statement, StatementSet)
    batch = SessionConfig({"execution.runtime-mode": "batch"})
    with pytest.raises(EddylineError, match=r"both adds to table .*f and overwrites it"):
        planner.Planner(sql.catalog, batch).insert_set(statement)


def test_a_killed_statement_set_writes_each_row_once(sql: Sql, tmp_path: Path) -> None:
    """A kill between the appends of two sinks leaves one of them behind."""
    stream = type(sql.store.open("sums"))
    append, appended, crashes = stream.append, 0, 0

    def crashing(self: Any, batch: Any, mark: Any) -> bool:
        nonlocal appended
        appended += 1
        if appended % 3 == 0:
            raise Crash
        return bool(append(self, batch, mark))

    with patch.object(stream, "append", crashing):
        for incarnation in range(1, 40):
            try:
                part(sql, SET, tmp_path / "state", incarnation, [], batch_rows_max=1)
                break
            except Crash:
                crashes += 1
    assert crashes > 1
    assert sorted(r["v"] for r in read(sql, "sums")) == [3, 4, 5, 6, 7]
    assert len(read(sql, "names")) == len(ROWS)


def part(
    sql: Sql, text: str, directory: Path, incarnation: int, more: list[Any], **settings: Any
) -> None:
    """Run a job until it has read all that is there and ``more``; then stop it with its state."""
    stop = threading.Event()
    plan = sql.plan(text)
    job = sql.job(plan, Watcher(), directory=directory, incarnation=incarnation, **settings)
    sql.put("t", more)

    def watch() -> None:
        for _ in range(4000):
            shards = job.metrics().shards
            if shards and all(s.position == s.tip == sql._counts["t"] for s in shards):
                break
            if stop.wait(0.005):
                break
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        job.run(stop)
    finally:
        stop.set()
        watcher.join()


JOINED = "INSERT INTO sums SELECT a.v, b.w FROM t a JOIN t b ON a.v = b.v"


@pytest.mark.parametrize("shared_before", [False, True])
def test_saved_states_go_on(sql: Sql, tmp_path: Path, shared_before: bool) -> None:
    """Also those of versions that read the source for each of its uses."""
    directory = tmp_path / "state"
    with patch.object(
        planner,
        "with_shared_sources",
        planner.with_shared_sources if shared_before else (lambda r: r),
    ):
        part(sql, JOINED, directory, 1, [])
    part(sql, JOINED, directory, 2, [{"k": "z", "v": 100, "w": 1}])
    assert sorted(r["v"] for r in read(sql, "sums")) == [*range(8), 100]


def test_a_savepoint_of_a_statement_set(sql: Sql, tmp_path: Path) -> None:
    """A job that starts from the copy writes what came after it, and nothing twice."""
    part(sql, SET, tmp_path / "state", 1, [])
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    state = JobState(tmp_path / "copy", Settings())
    state.detach()
    state.close()
    part(sql, SET, tmp_path / "copy", 1, [{"k": "z", "v": 100, "w": 1}])
    assert sorted(r["v"] for r in read(sql, "sums")) == [3, 4, 5, 6, 7, 100]
    assert len(read(sql, "names")) == len(ROWS) + 1
