"""Few rows are counted in windows without DuckDB; rows, late rows and state are the statements'."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lone_operator import LoneOperator
from test_group_rows import CALLS, ROWS, some_rows

from eddyline.engine.keyed import hot_table
from eddyline.engine.operators import window_aggregate
from eddyline.engine.operators.operator import Step
from eddyline.record import types as t
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.formats import kernel
from eddyline.record.plain_rows import PlainRows
from eddyline.record.schema import Column, Schema
from eddyline.record.types import quote
from eddyline.sql import physical as p

NAMES = ("window_start", "window_end", "window_time")
WINDOWS = {
    "tumble": p.Window(p.WindowKind.TUMBLE, 1000),
    "hop": p.Window(p.WindowKind.HOP, 3000, 1000, 300),
    "gaps": p.Window(p.WindowKind.HOP, 700, 1000),
    "cumulate": p.Window(p.WindowKind.CUMULATE, 4000, 1000),
}


class Windows(LoneOperator):
    """A window aggregate with all calls."""

    def __init__(self, directory: Path, window: p.Window, keys: tuple[str, ...]) -> None:
        calls = [
            p.Aggregate(f, () if c is None else (p.Expr(quote(c), ROWS[c]),), kind, f"r{n}")
            for n, (f, c, kind) in enumerate(CALLS)
        ]
        columns = [Column(k, ROWS[k]) for k in keys] + [Column(c.name, c.type) for c in calls]
        columns += [Column(name, t.timestamp(3)) for name in NAMES]
        schema, values = Schema(tuple(columns)), p.Values((), ROWS)
        node = p.WindowAggregate(values, window, "at", keys, tuple(calls), NAMES, schema)
        super().__init__(directory, node, ROWS)

    def step(
        self, rows: list[dict[str, Any]], before: list[int], after: int, *, plain: bool
    ) -> list[Any]:
        table = pa.Table.from_pylist(rows, schema=ROWS.arrow())
        batch = Batch(PlainRows.of(table) if plain else table, None, np.array(before))
        out = self.output(Step(batch, after))
        return [] if out is None else [tuple(map(str, r.values())) for r in out.rows.to_pylist()]


@pytest.mark.parametrize("keys", [(), ("k", "s")], ids=["no_key", "keys"])
@pytest.mark.parametrize("window", WINDOWS)
def test_both_ways_give_the_same(
    window: str, keys: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large batches in turn, late rows, restarts, and groups that are too many."""
    monkeypatch.setattr(hot_table, "HOT_ROWS", 90)
    monkeypatch.setattr(hot_table, "CALM_BATCHES", 3)
    monkeypatch.setattr(kernel, "PLAIN_ROWS", 10)
    by_rows = Windows(tmp_path / "rows", WINDOWS[window], keys)
    by_statements = Windows(tmp_path / "statements", WINDOWS[window], keys)
    assert by_rows.op._row_way is not None
    chance = random.Random(window)
    mark, was_hot = MIN_WATERMARK, 0
    for n in range(40):
        rows = some_rows(chance, 20 if n % 13 == 12 else chance.randrange(1, 9))
        before = []
        for row in rows:
            row["at"] = 250 * n + chance.randrange(-3000, 1000)
            before.append(mark)
            mark = max(mark, row["at"] - 700)
            row["at"] = np.datetime64(row["at"], "ms").item()
        after = MAX_WATERMARK if n == 39 else mark
        by_statements.op._row_way = None
        want = by_statements.step(rows, before, after, plain=False)
        assert by_rows.step(rows, before, after, plain=n % 2 == 0) == want, n
        assert by_rows.figures.late == by_statements.figures.late
        groups = by_rows.op._groups
        was_hot += groups.hot is not None
        if n % 7 == 6:
            by_rows.restart()
    assert by_rows.figures.late > 0
    assert 5 < was_hot < 40
    by_rows.close()
    by_statements.close()


def test_a_log_is_as_long_as_its_progress_says(tmp_path: Path) -> None:
    """What a crash left behind the progress is not read."""
    windows = Windows(tmp_path / "rows", WINDOWS["tumble"], ("k",))
    row = {"k": 1, "i": 5, "at": np.datetime64(500, "ms").item()}
    windows.step([row], [MIN_WATERMARK], 0, plain=True)
    saved = windows.save()
    windows.step([row, row], [0, 0], 0, plain=True)
    windows.close()
    windows.open()
    windows.restore(saved)
    (only,) = windows.step([], [], 999, plain=True) or [()]
    assert only[1] == "1", "one row had been counted"
    windows.close()


def test_many_windows_of_a_row_go_by_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_aggregate, "PAIRS_MAX", 2)
    windows = Windows(tmp_path / "rows", WINDOWS["hop"], ("k",))
    row = {"k": 1, "i": 5, "at": np.datetime64(500, "ms").item()}
    windows.step([row, row], [MIN_WATERMARK] * 2, 0, plain=True)
    assert windows.op._groups.hot is None
    windows.close()
