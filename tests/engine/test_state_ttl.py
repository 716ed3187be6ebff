"""State TTL: what each operator forgets and when, by a clock that the test sets, as in Flink."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.clock import SYSTEM, SystemClock
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.state import KEPT_TABLES, STATE_FILE
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

TTL = "10 s"
COLUMNS = "s STRING, k STRING, v INT"
TIMED = COLUMNS + ", ts TIMESTAMP(3), WATERMARK FOR ts AS ts, pt AS PROCTIME()"
Row = tuple[float, str, str, int]  # when it comes in seconds, side, key, value


class RowClock(SystemClock):
    """Stands at the time of the newest row that the job has read, then where it is set."""

    def __init__(self, times_s: list[float]) -> None:
        self.times_s = times_s
        self.rows: Callable[[], int] = lambda: 0
        self.set_s: float | None = None

    def now_ms(self) -> int:
        read = self.rows()
        now_s = self.times_s[read - 1] if read > 0 else 0.0
        return int((now_s if self.set_s is None else self.set_s) * 1000) + 1_000_000


def polled(job: Job) -> int:
    """How many records the job's scans have taken from their stream, of which each reads all."""
    if job._root is None:
        return 0
    sources = [scan.source for scan in job._scans(job._root)]
    return min(sum(s.position for s in source.shards.values()) for source in sources)


class Trial:
    """One stream t, views a and b of its rows by side, and statements over them."""

    def __init__(self, directory: Path) -> None:
        self.sql = Sql(directory)
        self.directory = directory / "job"
        self.sql.table("t", TIMED, [])
        for side in "ab":
            self.sql.execute(f"CREATE VIEW {side} AS SELECT k, v, ts, pt FROM t WHERE s = '{side}'")
        self.runs = 0

    def plan(self, query: str, **options: str) -> p.Plan:
        (statement,) = parse_script(query)
        assert isinstance(statement, st.Query)
        config = SessionConfig({k.replace("_", "."): v for k, v in options.items()})
        return Planner(self.sql.catalog, config).query(statement)

    def run(
        self, query: str, rows: list[Row], ttl: str = TTL, idle_s: float | None = None
    ) -> list[Any]:
        """The changes of the statement, one micro-batch a row, on the state of the last run."""
        plan = self.plan(query, table_exec_state_ttl=ttl)
        ts = "2026-01-01 00:00:00"
        self.sql.put("t", [{"s": s, "k": k, "v": v, "ts": ts} for _, s, k, v in rows])
        self.runs += 1
        clock, watcher, stop = RowClock([at for at, *_ in rows]), Watcher(), threading.Event()
        job = Job(
            JobSpec(plan, "job", self.runs, self.directory, same_statement=True),
            streams=self.sql.store,
            settings=Settings(worker_threads=1, poll_ms=1, batch_rows_max=1),
            clock=clock,
            listener=watcher,
        )
        before = self.sql._counts["t"] - len(rows)
        clock.rows = lambda: polled(job) - before
        over = threading.Event()

        def end() -> None:
            limit = SYSTEM.monotonic() + 30
            while clock.rows() < len(rows) and SYSTEM.monotonic() < limit:
                over.wait(0.002)
            for set_s in (None, idle_s):  # the step with the last row ends, then time passes
                clock.set_s = set_s
                steps = job.metrics().steps + 2
                while job.metrics().steps < steps and SYSTEM.monotonic() < limit:
                    over.wait(0.002)
            stop.set()

        ender = threading.Thread(target=end)
        ender.start()
        try:
            assert job.run(stop) == "stopped"
        finally:
            over.set()
            ender.join()
        return watcher.changes

    def state(self) -> dict[str, int]:
        """Rows of the operators' tables of the stopped job."""
        with duckdb.connect(str(self.directory / STATE_FILE), read_only=True) as state:
            tables = state.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            own = [n for (n,) in tables if n not in KEPT_TABLES]
            return {n: state.execute(f'SELECT count(*) FROM "{n}"').fetchall()[0][0] for n in own}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path)
    yield trial
    trial.sql.close()


GROUP = "SELECT k, COUNT(*), SUM(v) FROM t GROUP BY k"
LEFT = "SELECT a.k, a.v, b.v FROM a LEFT JOIN b ON a.k = b.k"
CASES: dict[str, tuple[str, list[Row], list[Any]]] = {
    "a group starts over": (
        GROUP,
        [(0, "a", "x", 1), (9, "a", "x", 2), (18, "a", "x", 3), (29, "a", "x", 4)],
        [
            ("+I", ("x", 1, 1)),
            ("-U", ("x", 1, 1)), ("+U", ("x", 2, 3)),
            ("-U", ("x", 2, 3)), ("+U", ("x", 3, 6)),
            ("+I", ("x", 1, 4)),
        ],
    ),
    "an unchanged group is given again": (
        "SELECT k, MAX(v) FROM t GROUP BY k",
        [(0, "a", "x", 5), (1, "a", "x", 4)],
        [("+I", ("x", 5)), ("-U", ("x", 5)), ("+U", ("x", 5))],
    ),
    "distinct values have times of their own": (
        "SELECT k, COUNT(DISTINCT v) FROM t GROUP BY k",
        [(0, "a", "x", 1), (8, "a", "x", 2), (16, "a", "x", 1)],
        [
            ("+I", ("x", 1)),
            ("-U", ("x", 1)), ("+U", ("x", 2)),
            ("-U", ("x", 2)), ("+U", ("x", 3)),  # the value 1 was forgotten, the group was not
        ],
    ),
    "a distinct row is given again": (
        "SELECT DISTINCT k FROM t",
        [(0, "a", "x", 1), (9, "a", "x", 1), (18, "a", "x", 1), (29, "a", "x", 1)],
        [("+I", ("x",)), ("+I", ("x",))],
    ),
    "what is taken from a forgotten group is left out": (
        "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n",
        [(0, "a", "x", 1), (1, "a", "y", 1), (9, "a", "x", 1), (12, "a", "z", 1)],
        [
            ("+I", (1, 1)),
            ("-U", (1, 1)), ("+U", (1, 2)),
            ("-U", (1, 2)), ("+U", (1, 1)), ("+I", (2, 1)),
            ("-U", (1, 1)), ("+U", (1, 2)),
        ],
    ),
    "a join forgets each side's rows": (
        "SELECT a.k, a.v, b.v FROM a JOIN b ON a.k = b.k",
        [
            (0, "a", "x", 1),
            (9, "b", "x", 2),
            (12, "b", "x", 3),
            (18, "a", "x", 4),
            (30, "a", "x", 5),
        ],
        [("+I", ("x", 1, 2)), ("+I", ("x", 4, 2)), ("+I", ("x", 4, 3))],
    ),
    "an outer row stays met when its partner is forgotten": (
        LEFT,
        [(0, "b", "x", 1), (5, "a", "x", 2), (12, "b", "x", 3)],
        [("+I", ("x", 2, 1)), ("+I", ("x", 2, 3))],
    ),
    "an outer row that was alone and is forgotten is not taken back": (
        LEFT,
        [(0, "a", "x", 1), (11, "b", "x", 2), (12, "a", "x", 3)],
        [("+I", ("x", 1, None)), ("+I", ("x", 3, 2))],
    ),
    "a row alone finds its first partner in time": (
        LEFT,
        [(0, "a", "x", 1), (9, "b", "x", 2)],
        [("+I", ("x", 1, None)), ("-D", ("x", 1, None)), ("+I", ("x", 1, 2))],
    ),
    "an inner match is not given twice by IN": (
        "SELECT k, v FROM a WHERE k IN (SELECT k FROM b)",
        [(0, "b", "x", 1), (5, "a", "x", 2), (12, "b", "x", 3), (30, "b", "x", 4)],
        [("+I", ("x", 2))],
    ),
    "the last row of a key starts over": (
        "SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt DESC) AS r"
        " FROM t) WHERE r = 1",
        [(0, "a", "x", 1), (9, "a", "x", 2), (20, "a", "x", 3)],
        [("+I", ("x", 1)), ("-U", ("x", 1)), ("+U", ("x", 2)), ("+I", ("x", 3))],
    ),
    "a duplicate does not prolong the first row's life": (
        "SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) AS r"
        " FROM t) WHERE r = 1",
        [(0, "a", "x", 1), (9, "a", "x", 2), (11, "a", "x", 3)],
        [("+I", ("x", 1)), ("+I", ("x", 3))],
    ),
    "the best rows are forgotten": (
        "SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS r"
        " FROM t) WHERE r <= 2",
        [(0, "a", "x", 9), (5, "a", "x", 8), (12, "a", "x", 1), (13, "a", "x", 2)],
        [
            ("+I", ("x", 9)), ("+I", ("x", 8)), ("+I", ("x", 1)),
            ("-D", ("x", 1)), ("+I", ("x", 2)),
        ],
    ),
    "a sum over all rows before starts over": (
        "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY pt) FROM t",
        [(0, "a", "x", 1), (9, "a", "x", 2), (20, "a", "x", 3)],
        [("+I", ("x", 1)), ("+I", ("x", 3)), ("+I", ("x", 3))],
    ),
    "rows before are forgotten": (
        "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY pt"
        " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t",
        [(0, "a", "x", 1), (9, "a", "x", 2), (20, "a", "x", 4)],
        [("+I", ("x", 1)), ("+I", ("x", 3)), ("+I", ("x", 4))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("restart", [False, True], ids=["in one run", "restarted after each row"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_state_is_forgotten(
    case: tuple[str, list[Row], list[Any]], restart: bool, trial: Trial
) -> None:
    query, rows, expected = case
    if not restart:
        assert trial.run(query, rows) == expected
        return
    changes = []
    for row in rows:
        changes += trial.run(query, [row])
    assert changes == expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_state_of_an_idle_job_empties(
    case: tuple[str, list[Row], list[Any]], trial: Trial
) -> None:
    query, rows, _ = case
    trial.run(query, rows, idle_s=1000)
    assert not any(trial.state().values())


@pytest.mark.parametrize("query", [GROUP, LEFT], ids=["groups", "join"])
def test_a_kept_job_takes_another_ttl(query: str, trial: Trial) -> None:
    first, second, third = [(0, "a", "x", 1)], [(1000, "a", "y", 2)], [(1011, "b", "x", 3)]
    changes = trial.run(query, first, "0")
    changes += trial.run(query, second)  # state without a time counts as written now
    changes += trial.run(query, third)
    assert changes[-1] == (("+I", ("x", 1, 3)) if query == GROUP else ("+I", ("y", 2, None)))
    changes = trial.run(query, [(1012, "b", "y", 4)], "0")
    assert len(changes) == (1 if query == GROUP else 0)
    changes = trial.run(query, [(5000, "b", "y", 5)], "0")
    assert len(changes) == (2 if query == GROUP else 0)


HINTS = {
    "a side of a join": (
        "SELECT /*+ STATE_TTL('a' = '100 s') */ a.v, b.v FROM a JOIN b ON a.k = b.k",
        [(0, "a", "x", 1), (1, "b", "x", 2), (50, "b", "x", 3), (70, "a", "x", 4)],
        [("+I", (1, 2)), ("+I", (1, 3))],
    ),
    "an alias": (
        "SELECT /*+ STATE_TTL('l' = '1 s', 'r' = '100 s') */ l.v, r.v"
        " FROM a AS l JOIN b AS r ON l.k = r.k",
        [(0, "a", "x", 1), (5, "b", "x", 2), (50, "a", "x", 3)],
        [("+I", (3, 2))],
    ),
    "a grouping": (
        "SELECT /*+ STATE_TTL('t' = '1 s') */ k, COUNT(DISTINCT v) FROM t GROUP BY k",
        [(0, "a", "x", 1), (5, "a", "x", 1)],
        [("+I", ("x", 1)), ("+I", ("x", 1))],
    ),
    "kept forever": (
        "SELECT /*+ STATE_TTL('t' = '0 s') */ k, COUNT(*) FROM t GROUP BY k",
        [(0, "a", "x", 1), (500, "a", "x", 1)],
        [("+I", ("x", 1)), ("-U", ("x", 1)), ("+U", ("x", 2))],
    ),
}


@pytest.mark.parametrize("case", HINTS.values(), ids=HINTS)
def test_a_hint_has_priority(case: tuple[str, list[Row], list[Any]], trial: Trial) -> None:
    query, rows, expected = case
    assert trial.run(query, rows) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT /*+ STATE_TTL('q' = '1 s') */ k, COUNT(*) FROM t GROUP BY k", "names q"),
        ("SELECT /*+ STATE_TTL('t' = '1 s') */ k FROM t", "names t"),
        ("SELECT /*+ STATE_TTL('t') */ k, COUNT(*) FROM t GROUP BY k", "cannot be read"),
        ("SELECT /*+ STATE_TTL('t' = 'soon') */ k, COUNT(*) FROM t GROUP BY k", "no.* duration"),
        (
            "SELECT /*+ STATE_TTL('a' = '1 s') */ a.v FROM a JOIN b ON a.k = b.k"
            " AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '1' SECOND",
            "regular joins",
        ),
    ],
)
def test_a_hint_that_cannot_be_applied_is_refused(query: str, message: str, trial: Trial) -> None:
    with pytest.raises(EddylineError, match=message):
        trial.plan(query)


def test_a_view_with_the_hint_is_refused(trial: Trial) -> None:
    with pytest.raises(EddylineError, match="STATE_TTL in a view"):
        trial.sql.execute(
            "CREATE VIEW w AS SELECT /*+ STATE_TTL('t' = '1 s') */ k, COUNT(*) AS n FROM t"
            " GROUP BY k"
        )


def test_a_forest_says_that_it_keeps_its_keys(trial: Trial) -> None:
    query = "SELECT * FROM TABLE(RANDOM_CUT_FOREST(TABLE a, 10, 16))"
    (warning,) = trial.plan(query, table_exec_state_ttl=TTL).warnings
    assert "RANDOM_CUT_FOREST" in warning
    assert not trial.plan(query).warnings
