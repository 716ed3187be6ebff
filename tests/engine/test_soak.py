"""A soak: jobs of several kinds, new keys all the time, crashes; memory and state stay level.

``make soak`` runs it for two minutes (``make soak S=3600`` for an hour); otherwise it is skipped.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.log import PutBatch
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

SECONDS = float(os.environ.get("EDDYLINE_SOAK_S", "0"))
RATE = 2_000
PUT_S = 0.1
CRASH_S = 7.0
TTL = SessionConfig({"table.exec.state.ttl": "4 s"})
JOBS = {
    "filter": ("n BIGINT", "SELECT n FROM src WHERE n >= 0"),
    "group": ("k BIGINT, c BIGINT", "SELECT k, COUNT(*) FROM src GROUP BY k"),
    "window": (
        "k BIGINT, c BIGINT",
        "SELECT g, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' SECOND))"
        " GROUP BY g, window_start, window_end",
    ),
    "first": (
        "k BIGINT, n BIGINT",
        "SELECT k, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt) AS r FROM src)"
        " WHERE r = 1",
    ),
    "join": (
        "n BIGINT, m BIGINT",
        "SELECT a.n, b.n FROM src a JOIN src b ON a.k = b.k AND a.n = b.n - 1",
    ),
    "interval": (
        "n BIGINT, m BIGINT",
        "SELECT a.n, b.n FROM src a JOIN src b ON a.k = b.k AND a.n = b.n - 1"
        " AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '1' SECOND",
    ),
}
CHANGES = ("group",)  # these give a changelog, which is kept nowhere


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


@dataclass
class Runner:
    """One job that is started again whenever it crashes or stops."""

    name: str
    sql: Sql
    directory: Path
    random: np.random.Generator
    stop: threading.Event = field(default_factory=threading.Event)
    crash_at: float = float("inf")
    crashes: int = 0
    failure: BaseException | None = None
    rows_in: int = 0

    def run(self) -> None:
        _, query = JOBS[self.name]
        text = query if self.name in CHANGES else f"INSERT INTO {self.name}_out {query}"
        (statement,) = parse_script(text)
        planner = Planner(self.sql.catalog, TTL)
        insert = isinstance(statement, st.Insert)
        plan = planner.insert(statement) if insert else planner.query(statement)  # type: ignore[arg-type]
        incarnation = 0
        while not self.stop.is_set():
            incarnation += 1
            self.crash_at = SYSTEM.monotonic() + CRASH_S * float(self.random.uniform(0.5, 1.5))
            try:
                Job(
                    JobSpec(plan, self.name, incarnation, self.directory, same_statement=True),
                    streams=self.sql.store,
                    settings=Settings(worker_threads=1),
                    clock=SYSTEM,
                    listener=Watcher() if insert else Forgetful(),
                    crash=self._crash,
                ).run(self.stop)
            except Crash:
                self.crashes += 1
            except BaseException as failure:
                self.failure = failure
                return

    def _crash(self, moment: str) -> None:
        if SYSTEM.monotonic() > self.crash_at and not self.stop.is_set():
            raise Crash(moment)


class Forgetful(Watcher):
    """Keeps no rows."""

    def on_rows(self, batch: object) -> None:
        """They would only grow."""


@dataclass
class Usage:
    """Memory without files' pages in MiB, open files, and the state of all jobs in MiB."""

    memory: float
    files: int
    state: float


def usage(directory: Path) -> Usage:
    status = Path("/proc/self/status").read_text()
    kib = int(status.partition("RssAnon:")[2].split()[0])
    state = sum(f.stat().st_size for f in directory.glob("*/state.duckdb*") if f.exists())
    return Usage(kib / 1024, len(os.listdir("/proc/self/fd")), state / (1 << 20))


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    columns = (
        "n BIGINT, k BIGINT, g BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, pt AS PROCTIME()"
    )
    kit.table("src", columns, [], shards=2)
    for name, (columns, _) in JOBS.items():
        if name not in CHANGES:
            kit.table(f"{name}_out", columns, [])
    yield kit
    kit.close()


def feed(sql: Sql, seconds: float) -> int:
    """Put records at the rate; how many. Four records in a row have a key, then never again."""
    stream, began, n = sql.store.open("src"), SYSTEM.monotonic(), 0
    pause = threading.Event()
    while SYSTEM.monotonic() - began < seconds:
        count = int(RATE * PUT_S)
        at = f"{np.datetime64(SYSTEM.now_ms(), 'ms')}".replace("T", " ")
        rows = [{"n": i, "k": i // 4, "g": i % 10, "ts": at} for i in range(n, n + count)]
        stream.put(PutBatch([str(r["k"]) for r in rows], [json.dumps(r).encode() for r in rows]))
        n += count
        pause.wait(max(0.0, began + n / RATE - SYSTEM.monotonic()))
    return n


def written(sql: Sql, name: str) -> list[dict[str, int]]:
    stream = sql.store.open(f"{name}_out")
    oldest, tip = stream.bounds(0)
    data = stream.read(0, oldest, tip - oldest, 1 << 30).data.to_pylist() if tip > oldest else []
    return [json.loads(d) for d in data]


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.skipif(not SECONDS, reason="takes minutes; make soak runs it")
def test_nothing_grows_and_nothing_is_lost(sql: Sql, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    runners = [
        Runner(name, sql, jobs / name, np.random.default_rng(i)) for i, name in enumerate(JOBS)
    ]
    threads = [threading.Thread(target=r.run) for r in runners]
    usages: list[Usage] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(1.0):
            usages.append(usage(jobs))

    threads.append(threading.Thread(target=sample))
    for thread in threads:
        thread.start()
    try:
        count = feed(sql, SECONDS)
        end = SYSTEM.monotonic() + 60
        while SYSTEM.monotonic() < end and len(written(sql, "filter")) < count:
            over.wait(0.5)
        over.wait(5)  # windows close by the clock, and the other jobs catch up
    finally:
        over.set()
        for runner in runners:
            runner.stop.set()
        for thread in threads:
            thread.join()
    assert not [r.failure for r in runners if r.failure]
    assert all(r.crashes for r in runners), {r.name: r.crashes for r in runners}
    assert Counter(r["n"] for r in written(sql, "filter")) == Counter(range(count))
    pairs = Counter((n, n + 1) for n in range(count - 1) if n // 4 == (n + 1) // 4)
    for name in ("join", "interval"):
        assert Counter((r["n"], r["m"]) for r in written(sql, name)) == pairs, name
    assert Counter(r["n"] for r in written(sql, "first")) == Counter(range(0, count, 4))
    windows = sum(r["c"] for r in written(sql, "window"))
    assert count - 2 * RATE <= windows <= count  # the last window may be open
    third = len(usages) // 3
    for name, slack in (("memory", 64), ("files", 8), ("state", 24)):
        values = [getattr(u, name) for u in usages]
        middle, last = median(values[third : 2 * third]), median(values[2 * third :])
        print(f"{name}: {middle:.0f}, then {last:.0f}")
        assert last <= middle * 1.2 + slack, f"{name} grows: {values}"
