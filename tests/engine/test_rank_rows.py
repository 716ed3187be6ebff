"""Top-N and deduplication of few rows without DuckDB: changes and state are the statements'."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lone_operator import LoneOperator, kinds_of

from eddyline.engine.keyed import keyed_state
from eddyline.engine.operators.operator import Step
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.formats import kernel
from eddyline.record.plain_rows import PlainRows
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p
from eddyline.sql.physical_ordered import Deduplicate, Keep, Rank
from eddyline.sql.sorting import SortKey

ROWS = Schema.of(k=t.INT, s=t.STRING, i=t.BIGINT, d=t.DOUBLE)
RANKED = Schema((*ROWS, Column("rank", t.BIGINT)))
BY_S = SortKey("s")
BY_D = SortKey("d", descending=True, nulls_first=False)


def rank(order: tuple[SortKey, ...], first: int, last: int, name: str | None = None) -> Rank:
    schema = ROWS if name is None else RANKED
    return Rank(p.Values((), ROWS), ("k",), order, "ROW_NUMBER", first, last, name, schema)


NODES_TO_TRY: dict[str, Any] = {
    "top": rank((BY_D,), 1, 3),
    "numbered": rank((BY_D, SortKey("i", nulls_first=False)), 1, 2, "rank"),
    "between": rank((BY_S, SortKey("d", descending=True)), 2, 4, "rank"),
    "arrival": rank((), 1, 2),
    "last": Deduplicate(p.Values((), ROWS), ("k",), Keep.LAST, None, ROWS),
    "last_by_two": Deduplicate(p.Values((), ROWS), ("s", "k"), Keep.LAST, None, ROWS),
    "first": Deduplicate(p.Values((), ROWS), ("k",), Keep.FIRST, None, ROWS),
    "first_by_two": Deduplicate(p.Values((), ROWS), ("s", "k"), Keep.FIRST, None, ROWS),
}


class Keeping(LoneOperator):
    """A Top-N or a deduplication."""

    def by_statements(self) -> None:
        self.op._row_way, self.op._has_row_way = None, False

    def step(self, rows: list[dict[str, Any]], *, plain: bool) -> list[Any]:
        table = pa.Table.from_pylist(rows, schema=ROWS.arrow())
        marks = np.arange(len(rows))
        out = self.output(Step(Batch(PlainRows.of(table) if plain else table, None, marks), 0))
        if out is None:
            return []
        kinds = kinds_of(out)
        after = kinds if out.watermarks is None else out.watermarks.tolist()
        values = [tuple(map(repr, row.values())) for row in out.rows.to_pylist()]
        return list(zip(kinds, after, values, strict=True))


@pytest.mark.parametrize("name", NODES_TO_TRY)
def test_both_ways_give_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small and large batches in turn, restarts, and rows that leave memory for files."""
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 12)
    monkeypatch.setattr(keyed_state, "CALM_BATCHES", 3)
    monkeypatch.setattr(kernel, "PLAIN_ROWS", 8)
    by_rows = Keeping(tmp_path / "rows", NODES_TO_TRY[name], ROWS)
    by_statements = Keeping(tmp_path / "statements", NODES_TO_TRY[name], ROWS)
    assert getattr(by_rows.op, "_row_way", None) or getattr(by_rows.op, "_has_row_way", False)
    by_statements.by_statements()
    chance = random.Random(name)
    pick, was_hot = chance.choice, 0
    for n in range(40):
        rows = [
            {
                "k": pick([None, 1, 2, -3, chance.randrange(40)]),
                "s": pick([None, "", "a", "Z", "é"]),
                "i": pick([None, 0, 2**63 - 1, chance.randrange(9)]),
                "d": pick([None, 0.5, -1.0, 1e300, float("inf"), float("nan")]),
            }
            for _ in range(20 if n % 13 == 12 else chance.randrange(1, 8))
        ]
        want = by_statements.step(rows, plain=False)
        assert by_rows.step(rows, plain=n % 2 == 0) == want, n
        assert by_rows.op.keyed is not None
        was_hot += by_rows.op.keyed._hot is not None
        if n % 7 == 6:
            by_rows.restart()
    assert 10 < was_hot < 40
    assert by_rows.op.keyed.num_runs
    by_rows.close()
    by_statements.close()
