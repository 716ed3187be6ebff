"""Few rows are grouped without DuckDB; the result and the state are those of the statements."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lone_operator import LoneOperator, kinds_of

from eddyline.engine.keyed import keyed_state
from eddyline.engine.operators import group_aggregate
from eddyline.engine.operators.operator import Step
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, quote
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


class Grouping(LoneOperator):
    """A grouping with all calls."""

    def __init__(self, directory: Path, keys: tuple[str, ...]) -> None:
        calls = []
        for n, (function, column, kind) in enumerate(CALLS):
            args = () if column is None else (p.Expr(quote(column), ROWS[column]),)
            calls.append(p.Aggregate(function, args, kind, f"r{n}"))
        columns = [Column(k, ROWS[k]) for k in keys] + [Column(c.name, c.type) for c in calls]
        schema = Schema(tuple(columns))
        node = p.GroupAggregate(p.Values((), ROWS), keys, tuple(calls), schema)
        super().__init__(directory, node, ROWS)

    def step(self, rows: list[dict[str, Any]]) -> Shown:
        out = self.output(Step(Batch(pa.Table.from_pylist(rows, schema=ROWS.arrow())), 0))
        if out is None:
            return []
        values = [tuple(map(str, row.values())) for row in out.rows.to_pylist()]
        return list(zip(kinds_of(out), values, strict=True))


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
