"""Few rows are grouped without DuckDB; the result and the state are those of the statements."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eddyline.clock import SYSTEM
from eddyline.engine.build import NODES, BuildContext
from eddyline.engine.database import Database
from eddyline.engine.keyed import keyed_state
from eddyline.engine.metrics import Figures
from eddyline.engine.operators import group_aggregate
from eddyline.engine.operators.operator import Operator, Step
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, quote
from eddyline.settings import Settings
from eddyline.sql import physical as p

ROWS = Schema.of(k=t.INT, s=t.STRING, i=t.INT, b=t.BIGINT, d=t.DOUBLE, at=t.timestamp(3))
# Function, argument, type of the result.
CALLS: tuple[tuple[str, str | None, DataType], ...] = (
    ("COUNT", None, t.BIGINT), ("COUNT", "i", t.BIGINT), ("SUM", "i", t.INT),
    ("SUM", "b", t.BIGINT), ("SUM", "d", t.DOUBLE), ("AVG", "i", t.INT), ("AVG", "b", t.BIGINT),
    ("AVG", "d", t.DOUBLE), ("MIN", "i", t.INT), ("MAX", "s", t.STRING),
    ("MIN", "at", t.timestamp(3)), ("MAX", "b", t.BIGINT),
)  # fmt: skip
Shown = list[tuple[int, tuple[Any, ...]]]


class Fed(Operator):
    """Stands for the operators below."""


class Grouping:
    """One operator over a database of its own, restarted when asked to."""

    def __init__(self, directory: Path, keys: tuple[str, ...]) -> None:
        self.settings = Settings(data_dir=directory)
        self.directory = directory
        directory.mkdir()
        node = p.Values((), ROWS)
        calls = []
        for n, (function, column, kind) in enumerate(CALLS):
            args = () if column is None else (p.Expr(quote(column), ROWS[column]),)
            calls.append(p.Aggregate(function, args, kind, f"r{n}"))
        columns = [Column(k, ROWS[k]) for k in keys] + [Column(c.name, c.type) for c in calls]
        self.node = p.GroupAggregate(node, keys, tuple(calls), Schema(tuple(columns)))
        self.open()
        with self.db.transaction():
            self.op.create()

    def open(self) -> None:
        self.db = Database(self.directory / "state.duckdb", self.settings)
        shop = BuildContext(
            "job", 1, "UTC", self.db, self.settings, SYSTEM, Figures(), None, None,  # type: ignore[arg-type]
            directory=self.directory,
        )  # fmt: skip
        fed = Fed(shop.context("fed"), (), ROWS)
        self.op = NODES[p.GroupAggregate](shop, shop.context("op"), (fed,), self.node)

    def restart(self) -> None:
        assert self.op.keyed is not None
        saved = json.loads(json.dumps([self.op.save(), self.op.keyed.save()]))
        self.close()
        self.open()
        assert self.op.keyed is not None
        self.op.keyed.restore(saved[1])
        with self.db.transaction():
            self.op.adapt()
        self.op.restore(saved[0])

    def step(self, rows: list[dict[str, Any]]) -> Shown:
        batch = Batch(pa.Table.from_pylist(rows, schema=ROWS.arrow()))
        with self.db.transaction():
            out = self.op.step((Step(batch, 0),)).batch
        assert self.op.keyed is not None
        self.op.keyed.committed()
        if out is None:
            return []
        assert out.rows.schema.equals(self.node.schema.arrow())
        kinds = [0] * out.num_rows if out.kinds is None else out.kinds.tolist()
        values = [tuple(map(str, row.values())) for row in out.rows.to_pylist()]
        return list(zip(kinds, values, strict=True))

    def close(self) -> None:
        self.op.close()
        self.db.close()


def some_rows(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Rows with NULLs, extremes and few keys."""

    def value(*choices: Any) -> Any:
        return chance.choice([None, *choices])

    return [
        {
            "k": value(1, 2, -3, chance.randrange(40)),
            "s": value("", "a", "Z", "é", "😀", "ab"),
            "i": value(0, -7, 2**31 - 1, -(2**31), chance.randrange(-99, 99)),
            "b": value(0, 2**63 - 1, -(2**63), chance.randrange(-(2**40), 2**40)),
            "d": value(0.5, -1.25, 3.0, 1e300, float(chance.randrange(-99, 99))),
            "at": value(*(chance.randrange(10**15) // 1000 * 1000 for _ in range(2))),
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize("keys", [("k",), ("s", "k"), ("at",)])
def test_both_ways_give_the_same(
    keys: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large batches in turn, restarts, and rows that leave memory for files."""
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 12)
    monkeypatch.setattr(keyed_state, "CALM_BATCHES", 3)
    monkeypatch.setattr(group_aggregate, "ROWS_MAX", 8)
    by_rows = Grouping(tmp_path / "rows", keys)
    by_statements = Grouping(tmp_path / "statements", keys)
    assert by_rows.op._row_way is not None
    by_statements.op._row_way = None
    chance = random.Random(str(keys))
    was_hot = 0
    for n in range(30):
        rows = some_rows(chance, chance.randrange(1, 8) if n % 10 else 20)
        assert by_rows.step(rows) == by_statements.step(rows), n
        assert by_rows.op.keyed is not None
        was_hot += by_rows.op.keyed._hot is not None
        if n % 7 == 6:
            by_rows.restart()
    assert 10 < was_hot < 30
    assert by_rows.op.keyed.num_runs
    by_rows.close()
    by_statements.close()
