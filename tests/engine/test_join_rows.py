"""Few rows are joined without DuckDB; the changes and the state are those of the statements."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lone_operator import LoneOperator, kinds_of

from eddyline.engine.keyed import keyed_state
from eddyline.engine.operators import join_rows
from eddyline.engine.operators.operator import Step
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.formats import kernel
from eddyline.record.plain_rows import PlainRows
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p

LEFT = Schema.of(k=t.INT, s=t.STRING, d=t.DOUBLE)
RIGHT = Schema.of(k=t.BIGINT, s=t.STRING, at=t.timestamp(3))
NAMES = (("k", "s", "d"), ("k0", "s0", "at"))
OUT = Schema(
    tuple(
        Column(n, c.type)
        for schema, names in zip((LEFT, RIGHT), NAMES, strict=True)
        for n, c in zip(names, schema, strict=True)
    )
)


class Joining(LoneOperator):
    """A join on equal keys. steady: rows only come."""

    def __init__(
        self, directory: Path, kind: p.JoinKind, keys: tuple[str, ...], steady: bool
    ) -> None:
        sides = p.Values((), LEFT), p.Values((), RIGHT)
        node = p.Join(*sides, kind, keys, keys, None, *NAMES, OUT)
        super().__init__(directory, node, LEFT, RIGHT, insert_only=steady)

    def step(self, sides: list[tuple[list[Any], list[int]]], *, plain: bool) -> list[Any]:
        steps = []
        for schema, (rows, kinds) in zip((LEFT, RIGHT), sides, strict=True):
            table = pa.Table.from_pylist(rows, schema=schema.arrow())
            given = None if self.insert_only else np.array(kinds, np.int8)
            batch = Batch(PlainRows.of(table) if plain else table, given) if rows else None
            steps.append(Step(batch, 0))
        out = self.output(*steps)
        if out is None:
            return []
        kinds = kinds_of(out)
        assert kinds == sorted(kinds, reverse=True), "what goes comes first"
        values = [tuple(map(repr, row.values())) for row in out.rows.to_pylist()]
        return sorted(zip(kinds, values, strict=True))


class Changes:
    """Random rows of both sides; some of those that came go again."""

    def __init__(self, seed: str, steady: bool) -> None:
        self.chance, self.steady = random.Random(seed), steady
        self.there: list[list[Any]] = [[], []]

    def row(self, side: int) -> dict[str, Any]:
        pick = self.chance.choice
        row = {"k": pick([None, 1, 2, -3, self.chance.randrange(12)]), "s": pick([None, "", "a"])}
        if side == 0:
            # Statements take the two zeros for one where they count rows.
            return row | {"d": pick([None, 0.5, 0.0, 1e300, float("inf")])}
        row["k"] = pick([row["k"], 2**40])
        return row | {"at": pick([None, np.datetime64(self.chance.randrange(9), "s").item()])}

    def next(self, count: int) -> list[tuple[list[Any], list[int]]]:
        sides = []
        for side in (0, 1):
            rows, kinds = [], []
            for _ in range(self.chance.randrange(count)):
                there = self.there[side]
                if there and not self.steady and self.chance.random() < 0.4:
                    rows.append(there.pop(self.chance.randrange(len(there))))
                    kinds.append(self.chance.choice([1, 3]))
                else:
                    rows.append(self.row(side))
                    there.append(rows[-1])
                    kinds.append(self.chance.choice([0, 2]))
            sides.append((rows, kinds))
        return sides


@pytest.mark.parametrize("steady", [True, False], ids=["insert_only", "changes"])
@pytest.mark.parametrize("keys", [("k",), ("s", "k")], ids=["k", "s_k"])
@pytest.mark.parametrize("kind", list(p.JoinKind)[:4])
def test_both_ways_give_the_same(
    kind: p.JoinKind,
    keys: tuple[str, ...],
    steady: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Small and large batches in turn, restarts, and rows that leave memory for files."""
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 25)
    monkeypatch.setattr(keyed_state, "CALM_BATCHES", 3)
    monkeypatch.setattr(kernel, "PLAIN_ROWS", 12)
    by_rows = Joining(tmp_path / "rows", kind, keys, steady)
    by_statements = Joining(tmp_path / "statements", kind, keys, steady)
    assert by_rows.op._row_way is not None
    by_statements.op._row_way = None
    changes = Changes(f"{kind} {keys}", steady)
    was_hot = 0
    for n in range(30):
        sides = changes.next(6 if n % 10 != 9 else 60)
        want = by_statements.step(sides, plain=False)
        assert by_rows.step(sides, plain=n % 2 == 0) == want, n
        assert by_rows.op.keyed is not None
        was_hot += by_rows.op.keyed._hot is not None
        if n % 7 == 6:
            by_rows.restart()
    assert 10 < was_hot < 30
    assert by_rows.op.keyed.num_runs
    by_rows.close()
    by_statements.close()


def test_a_key_with_many_rows_goes_by_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_rows, "MATCHES_MAX", 10)
    joining = Joining(tmp_path / "rows", p.JoinKind.LEFT, ("k",), True)
    row = {"k": 1, "s": "a"}
    joining.step([([row] * 3, []), ([row], [])], plain=True)
    assert joining.op.keyed._hot is not None
    out = joining.step(
        [([row] * 4, []), ([{"k": 1, "s": str(n)} for n in range(9)], [])], plain=True
    )
    assert len(out) == 4 + 7 * 9
    assert joining.op.keyed._hot is None
    joining.close()
