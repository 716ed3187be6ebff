"""Rules make plans cheaper and change no row: plans with and without each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_kit import file_table, run, write_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eddyline.catalog.catalog import Catalog
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p
from eddyline.sql import rules
from eddyline.sql import statement as ast
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

A = Schema.of(k=t.STRING, v=t.INT)
B = Schema.of(k=t.STRING, w=t.INT)
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
# Conditions on either side, on both, on NULL, and one that no row fulfils.
CONDITIONS = (
    "TRUE", "a.v > 1", "b.w > 1", "a.v < b.w", "a.v IS NULL", "b.w IS NULL", "b.k <> 'x'",
    "COALESCE(a.v, b.w) = 2", "a.v > 1 AND b.w < 3", "a.v > 1 OR b.w < 3", "a.v > 99",
)  # fmt: skip
SHAPES = (
    "{join}",
    "SELECT k, SUM(v) AS s, COUNT(w) AS n FROM ({join}) GROUP BY k",
    "SELECT k, n FROM (SELECT k, COUNT(*) AS n FROM ({join}) GROUP BY k) WHERE n > 1 AND k <> 'y'",
    "SELECT x + 1, k FROM (SELECT v * 2 AS x, k, w FROM ({join})) WHERE x > 2 AND w IS NOT NULL",
    "SELECT CASE WHEN v = 0 THEN -1 ELSE 10 / v END FROM ({join}) WHERE v IS NOT NULL",
    "SELECT k, v FROM ({join}) UNION ALL SELECT k, w FROM b WHERE w > 1",
    "SELECT k, v, r FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v, w) AS r"
    " FROM ({join})) WHERE r <= 2",
)
JOIN = "SELECT a.k, a.v, b.w FROM a {kind} b ON a.k = b.k AND {on} WHERE {where}"

# Rows that match, do not match and match twice, with NULL as key and as value.
ROWS_A = (("x", 1), ("x", 2), ("x", None), ("y", 3), ("y", 0), (None, 2), ("z", 2))
ROWS_B = (("x", 2), ("x", 4), ("y", None), ("y", 1), (None, 1), ("w", 2))
keys = st.sampled_from(["x", "y", None])
values = st.one_of(st.none(), st.integers(0, 4))
rows = st.lists(st.tuples(keys, values), min_size=2, max_size=6)


def joins(kind: str) -> str:
    """The join under every condition, above and below it, in one statement."""
    pairs = [*((on, "TRUE") for on in CONDITIONS), *(("TRUE", where) for where in CONDITIONS)]
    parts = (
        f"SELECT {i} AS i, k, v, w FROM ({JOIN.format(kind=kind, on=on, where=where)})"
        for i, (on, where) in enumerate(pairs)
    )
    return " UNION ALL ".join(parts)


def plan(catalog: Catalog, query: str, active: tuple[rules.Rule, ...]) -> p.Plan:
    (statement,) = parse_script(query)
    assert isinstance(statement, ast.Query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "RULES", active)
        return Planner(catalog).query(statement)


def tables(folder: Path, a: list[Any], b: list[Any]) -> Catalog:
    catalog = Catalog(None)
    for name, schema, lines in (("a", A, a), ("b", B, b)):
        file = folder / f"{name}.json"
        write_lines(file, [dict(zip(schema.names, row, strict=True)) for row in lines])
        table = replace(file_table(file, schema, name), path=catalog.path_of((name,)))
        catalog.create_table(table)
    return catalog


def check(catalog: Catalog, query: str, fewer: tuple[rules.Rule, ...]) -> None:
    """Compare the rows of the plan with all rules with those of the plan with fewer."""
    expected = run(plan(catalog, query, fewer)).folded()
    assert expected
    assert run(plan(catalog, query, rules.RULES)).folded() == expected, query


@pytest.mark.parametrize("kind", JOINS)
def test_rules_keep_the_rows_of_joins(kind: str, tmp_path: Path) -> None:
    check(tables(tmp_path, list(ROWS_A), list(ROWS_B)), joins(kind), ())


@pytest.mark.parametrize("rule", dict.fromkeys(rules.RULES), ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_rule_changes_no_row(rule: rules.Rule, shape: str, tmp_path: Path) -> None:
    query = shape.format(join=JOIN.format(kind="LEFT JOIN", on="a.v > 0", where="a.k <> 'w'"))
    catalog = tables(tmp_path, list(ROWS_A), list(ROWS_B))
    fewer = tuple(active for active in rules.RULES if active is not rule)
    if str(plan(catalog, query, fewer).root) != str(plan(catalog, query, rules.RULES).root):
        check(catalog, query, fewer)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    a=rows,
    b=rows,
    shape=st.sampled_from(SHAPES),
    kind=st.sampled_from(JOINS),
    on=st.sampled_from(CONDITIONS),
    where=st.sampled_from(CONDITIONS),
)
def test_rules_keep_any_rows(
    a: list[Any], b: list[Any], shape: str, kind: str, on: str, where: str, tmp_path: Path
) -> None:
    query = shape.format(join=JOIN.format(kind=kind, on=on, where=where))
    catalog = tables(tmp_path, a, b)
    assert (
        run(plan(catalog, query, ())).folded() == run(plan(catalog, query, rules.RULES)).folded()
    ), query
