"""A detector of many keys: CPU, memory and disk, by the number of keys.

    python -m benchmarks.keys [keys ...]

DETECT_ANOMALIES' operator over a job's database on disk, one transaction a micro-batch. Each key
first gets a few rows; then micro-batches of random keys are measured, of which few are in memory.
Given are CPU microseconds a row (mean), the greatest resident memory of anonymous pages, and bytes
on disk a key.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.state import Fed, Silent
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

KEYS = (10_000, 100_000, 1_000_000)
FIRST_ROWS, FILL, CHANGED, BATCHES = 2, 8_000, 2_000, 20
MEMORY_MIB = 512
ROWS = Schema((Column("k", t.BIGINT), Column("x", t.DOUBLE), Column("ts", t.timestamp(3))))
EXTRA = (Column("score", t.DOUBLE), Column("grade", t.DOUBLE))


def node() -> Any:
    """Ten trees of 32 records beside the column's models."""
    forest = (10, 32, 100_000, 1, 0.0, 1, None, 0, "ts", ())
    schema = Schema((*ROWS, *EXTRA))
    return p.Forest(p.Values((), ROWS), ("x",), ("k",), *forest, "score", "grade", None, schema)


class Bench:
    """The operator over a database of its own."""

    def __init__(self, directory: Path) -> None:
        settings = Settings(data_dir=directory, forest_memory_mib=MEMORY_MIB)
        self.db = Database(directory / "state.duckdb", settings)
        given = ("bench", 1, "UTC", self.db, settings, SYSTEM, Figures(), Silent(), None)
        context = BuildContext(*given, directory=directory)
        fed = Fed(context.context("fed"), (), ROWS)
        self.op: Operator = NODES[p.Forest](context, context.context("op"), (fed,), node())
        self.minute = 0
        with self.db.transaction():
            self.op.create()

    def step(self, keys: np.ndarray[Any, Any]) -> float:
        """CPU seconds of a micro-batch of one row of each of these keys."""
        self.minute += 1
        at = np.full(len(keys), self.minute * 60_000_000)
        values = np.random.default_rng(self.minute).poisson(40, len(keys)).astype(float)
        columns = [pa.array(keys), pa.array(values), pa.array(at).cast(pa.timestamp("us"))]
        rows = pa.table(columns, schema=ROWS.arrow())
        began = time.process_time()
        with self.db.transaction():
            self.op.step((Step(Batch(rows), self.minute * 60_000),))
        assert self.op.keyed is not None
        self.op.keyed.committed()
        return time.process_time() - began


def resident_mib() -> int:
    """Anonymous memory of this process: mapped files are the system's to let go."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) >> 10
    return 0


def main() -> None:
    sizes = tuple(int(n) for n in sys.argv[1:]) or KEYS
    directory = Path(tempfile.mkdtemp(prefix="eddyline-keys-"))
    bench, filled, random, most = Bench(directory), 0, np.random.default_rng(7), 0
    try:
        for size in sizes:
            for at in range(filled, size, FILL):
                for _ in range(FIRST_ROWS):
                    bench.step(np.arange(at, min(at + FILL, size)))
                most = max(most, resident_mib())
            filled = size
            costs = [bench.step(random.integers(0, size, CHANGED)) for _ in range(BATCHES)]
            most = max(most, resident_mib())
            disk = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
            row = {"keys": size, "cpu_us_a_row": round(1e6 * float(np.mean(costs)) / CHANGED, 1)}
            row |= {"anonymous_mib": most, "disk_bytes_a_key": disk // size}
            print(json.dumps(row), flush=True)
    finally:
        bench.op.close()
        bench.db.close()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
