"""Expressions that are cut into steps mean what they meant in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError
from eddyline.sql.physical import Calc, walk

NUMBERS = [0, 1, 2, 5, None]


def deep(inner: str, levels: int = 6) -> str:
    """An expression whose text doubles with each level; its value is the inner one's."""
    for _ in range(levels):
        inner = f"LEAST({inner}, {inner})"
    return inner


DIVIDED = deep("10 / i")
MANY = " ".join(f"WHEN i = {n} THEN {n * n} + {'0' * 500}" for n in range(1, 45))
QUERIES = {
    f"CASE WHEN i = 0 THEN -1 ELSE {DIVIDED} END": [-1, 10, 5, 2, None],
    f"CASE WHEN i = 0 THEN -1 WHEN {DIVIDED} > 5 THEN {DIVIDED} ELSE i END": [-1, 10, 2, 5, None],
    f"CASE WHEN i <> 0 THEN {DIVIDED} ELSE -1 END": [-1, 10, 5, 2, -1],
    f"IF(i = 0, -1, {DIVIDED})": [-1, 10, 5, 2, None],
    f"COALESCE(NULLIF(i, 2), {DIVIDED})": [0, 1, 5, 5, None],
    f"CASE WHEN i > 1 THEN CASE WHEN i = 2 THEN {DIVIDED} ELSE 7 END ELSE i END": [
        0, 1, 5, 7, None,
    ],
    f"CASE WHEN i = 1 THEN {DIVIDED} WHEN i = 2 THEN {DIVIDED} + 1 ELSE i END": [0, 10, 6, 5, None],
    f"CASE {MANY} ELSE -1 END": [-1, 1, 4, 25, -1],
}  # fmt: skip


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("t", "i INT", [{"i": i} for i in NUMBERS])
    yield kit
    kit.close()


@pytest.mark.parametrize("expression", QUERIES, ids=range(len(QUERIES)))
def test_branches_are_evaluated_only_where_they_are_reached(expression: str, sql: Sql) -> None:
    rows = sql.rows(f"SELECT {expression} FROM t")
    assert [value for (value,) in rows] == QUERIES[expression]


def test_a_long_expression_is_cut_into_steps(sql: Sql) -> None:
    plan = sql.plan(f"SELECT {DIVIDED} FROM t")
    texts = [i.expr.text for n in walk(plan.root) if isinstance(n, Calc) for i in n.projections]
    assert max(map(len, texts)) <= 20_000
    assert any("$part" in text for text in texts)


def test_an_unguarded_part_still_fails(sql: Sql) -> None:
    with pytest.raises(EddylineError, match="division by zero"):
        sql.rows(f"SELECT {DIVIDED} FROM t")
