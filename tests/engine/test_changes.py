"""Unbounded grouping and joins against the plain rule, however the rows are cut."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from engine_kit import COUNT, aggregate, expr, file_table, group, run, scan, select, write_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.schema import Column, Schema
from eddyline.sql import physical as p

QUICK = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Joins that give columns of both sides.
TWO_SIDED = (p.JoinKind.INNER, p.JoinKind.LEFT, p.JoinKind.RIGHT, p.JoinKind.FULL)
PAIRS = Schema.of(k=t.STRING, v=t.INT)
OTHERS = Schema.of(k=t.STRING, w=t.INT)
keys = st.sampled_from(["a", "b", "c", None])
pairs = st.lists(st.tuples(keys, st.integers(0, 4)), max_size=14)
cuts = st.integers(1, 5)


def source(path: Path, schema: Schema, rows: list[tuple[Any, Any]], name: str = "t") -> p.Scan:
    file = path / f"{name}.json"
    write_lines(file, [dict(zip(schema.names, r, strict=True)) for r in rows])
    return scan(file_table(file, schema, name))


def by_key(rows: list[tuple[Any, Any]]) -> dict[Any, list[int]]:
    out: dict[Any, list[int]] = {}
    for key, value in rows:
        out.setdefault(key, []).append(value)
    return out


@QUICK
@given(rows=pairs, cut=cuts)
def test_groups_fold_to_the_plain_rule(rows: list[Any], cut: int, tmp_path: Path) -> None:
    calls = (
        COUNT,
        aggregate("SUM", "s", t.INT, '"v"'),
        aggregate("MIN", "lo", t.INT, '"v"'),
        aggregate("COUNT", "d", t.BIGINT, '"v"', distinct=True),
    )
    got = run(select(group(source(tmp_path, PAIRS, rows), ("k",), calls)), batch_rows=cut)
    want = Counter((k, len(v), sum(v), min(v), len(set(v))) for k, v in by_key(rows).items())
    assert got.folded() == want


@QUICK
@given(rows=pairs, cut=cuts)
def test_groups_over_groups_take_rows_back(rows: list[Any], cut: int, tmp_path: Path) -> None:
    inner = group(
        source(tmp_path, PAIRS, rows), ("k",), (aggregate("SUM", "s", t.INT, '"v"'), COUNT)
    )
    calls = (
        aggregate("COUNT", "groups", t.BIGINT),
        aggregate("MAX", "hi", t.INT, '"s"'),
        aggregate("SUM", "t", t.INT, '"s"', distinct=True),
        aggregate("MIN", "lo", t.INT, '"s"', filter='"n" > 1'),
    )
    got = run(select(group(inner, ("n",), calls)), batch_rows=cut).folded()
    sums = by_key([(len(v), sum(v)) for v in by_key(rows).values()])
    want = Counter(
        (n, len(s), max(s), sum(set(s)), min(s) if n > 1 else None) for n, s in sums.items()
    )
    assert got == want


def joined(kind: p.JoinKind, left: list[Any], right: list[Any]) -> Counter[Any]:
    """The join of finished inputs; NULL keys match nothing; the condition is v <= w."""
    hits = [
        (i, j)
        for i, (a, v) in enumerate(left)
        for j, (b, w) in enumerate(right)
        if a is not None and a == b and v <= w
    ]
    out = Counter((*left[i], *right[j]) for i, j in hits)
    if kind in (p.JoinKind.LEFT, p.JoinKind.FULL):
        met = {i for i, _ in hits}
        out.update((*row, None, None) for i, row in enumerate(left) if i not in met)
    if kind in (p.JoinKind.RIGHT, p.JoinKind.FULL):
        met = {j for _, j in hits}
        out.update((None, None, *row) for j, row in enumerate(right) if j not in met)
    return out


def join_plan(kind: p.JoinKind, left: p.Node, right: p.Node) -> p.Join:
    columns = [Column("k", t.STRING), Column("v", t.INT), Column("k0", t.STRING)]
    schema = Schema((*columns, Column("w", t.INT)))
    names = (("k", "v"), ("k0", "w"))
    return p.Join(left, right, kind, ("k",), ("k",), '"v" <= "w"', *names, schema)


@pytest.mark.parametrize("kind", TWO_SIDED)
@QUICK
@given(left=pairs, right=pairs, cut=cuts)
def test_joins_fold_to_the_plain_rule(
    kind: p.JoinKind, left: list[Any], right: list[Any], cut: int, tmp_path: Path
) -> None:
    node = join_plan(kind, source(tmp_path, PAIRS, left), source(tmp_path, OTHERS, right, "u"))
    assert run(select(node), batch_rows=cut).folded() == joined(kind, left, right)


@pytest.mark.parametrize("kind", [p.JoinKind.INNER, p.JoinKind.FULL])
@QUICK
@given(left=pairs, right=pairs, cut=cuts)
def test_joins_take_rows_back(
    kind: p.JoinKind, left: list[Any], right: list[Any], cut: int, tmp_path: Path
) -> None:
    calls = (aggregate("SUM", "v", t.INT, '"v"'),)
    sums = group(source(tmp_path, PAIRS, left), ("k",), calls)
    node = join_plan(kind, sums, source(tmp_path, OTHERS, right, "u"))
    totals = [(k, sum(v)) for k, v in by_key(left).items()]
    assert run(select(node), batch_rows=cut).folded() == joined(kind, totals, right)


def test_union_renames_and_limit_ends_the_job(tmp_path: Path) -> None:
    one = source(tmp_path, PAIRS, [("a", 1), ("b", 2)])
    two = source(tmp_path, OTHERS, [("c", 3), ("d", 4)], "u")
    union = p.Union((one, two), PAIRS)
    assert run(select(union)).folded() == Counter([("a", 1), ("b", 2), ("c", 3), ("d", 4)])
    assert len(run(select(p.Limit(union, 3, PAIRS)), batch_rows=1).changes) == 3


def test_values_are_given_once() -> None:
    node = p.Values((("1", "'x'"), ("NULL", "'y'")), Schema.of(a=t.INT, b=t.STRING))
    assert run(select(node)).changes == [("+I", (1, "x")), ("+I", (None, "y"))]


def test_a_failing_expression_is_the_users_error(tmp_path: Path) -> None:
    rows = source(tmp_path, PAIRS, [("a", 0)])
    text = "CASE WHEN \"v\" = 0 THEN error('division by zero') ELSE 1 END::INTEGER"
    out = Schema.of(x=t.INT)
    calc = p.Calc(rows, (p.Projection("x", expr(text)),), None, out)
    with pytest.raises(EddylineError, match="division by zero") as e:
        run(select(calc))
    assert e.value.code == "sql_runtime"


def test_calc_filters_and_counts(tmp_path: Path) -> None:
    rows = source(tmp_path, PAIRS, [("a", 1), ("b", 2), ("c", 3)])
    out = Schema.of(w=t.INT, k=t.STRING)
    calc = p.Calc(
        rows, (p.Projection("w", expr('"v" + 1')), p.Projection("k", expr('"k"'))), '"v" > 1', out
    )
    watcher = run(select(calc))
    assert watcher.changes == [("+I", (3, "b")), ("+I", (4, "c"))]
    assert watcher.metrics.filtered == 1  # type: ignore[attr-defined]
