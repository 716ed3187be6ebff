"""Operators over large state: the time of a micro-batch of changed keys, by the size of the state.

    python -m benchmarks.state [keys ...]

Each operator works on a job's database on disk, one transaction per micro-batch, as in a job. The
state is filled in large batches to so many ``keys``; then random ones change per micro-batch. Given
are medians: wall time of the operator's step and of the commit, and CPU of both, in ms.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.clock import SYSTEM
from eddyline.engine.build import NODES, BuildContext
from eddyline.engine.database import Database
from eddyline.engine.metrics import Figures
from eddyline.engine.operators.operator import Operator, Step
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.schema import Column, Schema
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql.physical_ordered import Deduplicate, Keep, Rank
from eddyline.sql.sorting import SortKey

KEYS = (10_000, 100_000, 1_000_000)
# Keys that change in a micro-batch, and how many micro-batches are measured.
CHANGED = ((1_000, 30), (20, 300))
FILL = 100_000
ROWS = Schema((Column("k", t.BIGINT), Column("v", t.BIGINT)))


class Fed(Operator):
    """Stands for the operators below; its rows are given by hand."""


def group() -> Any:
    """SELECT k, COUNT(*), SUM(v) … GROUP BY k."""
    node = p.Values((), ROWS)
    one = p.Expr('"v"', t.BIGINT)
    calls = (p.Aggregate("COUNT", (), t.BIGINT, "n"), p.Aggregate("SUM", (one,), t.BIGINT, "s"))
    columns = (Column("k", t.BIGINT), Column("n", t.BIGINT), Column("s", t.BIGINT))
    return p.GroupAggregate(node, ("k",), calls, Schema(columns))


def distinct() -> Any:
    """SELECT k, COUNT(DISTINCT v) … GROUP BY k."""
    node = p.Values((), ROWS)
    call = p.Aggregate("COUNT", (p.Expr('"v"', t.BIGINT),), t.BIGINT, "n", distinct=True)
    columns = (Column("k", t.BIGINT), Column("n", t.BIGINT))
    return p.GroupAggregate(node, ("k",), (call,), Schema(columns))


def join(kind: p.JoinKind) -> Any:
    """A regular join on k, one row of a key on either side at first."""
    node = p.Values((), ROWS)
    schema = Schema(tuple(Column(n, t.BIGINT) for n in ("k", "v", "k0", "v0")))
    sides = (("k",), ("k",), None, ("k", "v"), ("k0", "v0"))
    return p.Join(node, node, kind, *sides, schema)


def top() -> Any:
    """The two largest values of each key."""
    order = (SortKey("v", descending=True, nulls_first=False),)
    return Rank(p.Values((), ROWS), ("k",), order, "ROW_NUMBER", 1, 2, None, ROWS)


OPERATORS: dict[str, Callable[[], Any]] = {
    "group aggregate": group,
    "count distinct": distinct,
    "inner join": lambda: join(p.JoinKind.INNER),
    "left join": lambda: join(p.JoinKind.LEFT),
    "top 2": top,
    "first row per key": lambda: Deduplicate(p.Values((), ROWS), ("k",), Keep.FIRST, None, ROWS),
    "last row per key": lambda: Deduplicate(p.Values((), ROWS), ("k",), Keep.LAST, None, ROWS),
}


class Silent:
    """A listener that keeps nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: None


class Bench:
    """One operator over a database of its own."""

    def __init__(self, make: Callable[[], Any], directory: Path) -> None:
        settings = Settings(data_dir=directory)
        self.path = directory / "state.duckdb"
        self.db = Database(self.path, settings)
        node = make()
        context = BuildContext(
            "bench",
            1,
            "UTC",
            self.db,
            settings,
            SYSTEM,
            Figures(),
            Silent(),
            None,
            directory=directory,
        )
        sides = len(p.inputs(node))
        fed = tuple(Fed(context.context(f"fed{i}"), (), ROWS) for i in range(sides))
        self.op: Operator = NODES[type(node)](context, context.context("op"), fed, node)
        with self.db.transaction():
            self.op.create()

    def step(self, keys: np.ndarray[Any, Any], side: int) -> tuple[float, float, float]:
        """Seconds of the step and of the commit, and CPU seconds of both."""
        values = np.random.default_rng(int(keys[0])).integers(0, 1 << 40, len(keys))
        rows = pa.table({"k": keys, "v": values}, schema=ROWS.arrow())
        sides = len(self.op.inputs)
        steps = [Step(Batch(rows) if i == side % sides else None, 0) for i in range(sides)]
        cpu, began = time.process_time(), time.perf_counter()
        with self.db.transaction():
            self.op.step(tuple(steps))
            while self.op.has_waiting:
                self.op.step_waiting()
            stepped = time.perf_counter()
        ended = time.perf_counter()
        if self.op.keyed is not None:
            self.op.keyed.committed()
        return stepped - began, ended - stepped, time.process_time() - cpu


def measured(name: str, sizes: tuple[int, ...]) -> None:
    """Print a row for each size; the state grows from one to the next."""
    directory = Path(tempfile.mkdtemp(prefix="eddyline-state-"))
    bench, filled, random = Bench(OPERATORS[name], directory), 0, np.random.default_rng(7)
    try:
        for size in sizes:
            for at in range(filled, size, FILL):
                for side in range(len(bench.op.inputs)):
                    bench.step(np.arange(at, min(at + FILL, size)), side)
            filled = size
            for changed, batches in CHANGED:
                times = [bench.step(random.integers(0, size, changed), i) for i in range(batches)]
                step, commit, cpu = (
                    round(1000 * float(np.median(c)), 1) for c in zip(*times, strict=True)
                )
                mean = round(1000 * float(np.mean([c for *_, c in times])), 1)
                row = {"what": name, "keys": size, "changed": changed, "step_ms": step}
                row |= {"commit_ms": commit, "cpu_ms": cpu, "mean_cpu_ms": mean}
                print(json.dumps(row), flush=True)
    finally:
        bench.op.close()
        bench.db.close()
        shutil.rmtree(directory)


def main() -> None:
    names = [n for n in sys.argv[1:] if not n.isdigit()]
    sizes = tuple(int(n) for n in sys.argv[1:] if n.isdigit()) or KEYS
    for name in names or OPERATORS:
        measured(name, sizes)


if __name__ == "__main__":
    main()
