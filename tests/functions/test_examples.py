"""Every function's own example is computed, and gives what it says."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest

from eddyline.functions import AGGREGATES, FUNCTIONS
from eddyline.record.types import INT, DataType, Root, duckdb_type
from eddyline.record.vector import Vectors
from eddyline.sql.bind.scope import Scope, ScopeField
from eddyline.sql.parse import parse_expression
from eddyline.sql.typed import render
from eddyline.testing.cases import canonical
from tests.functions.functions_kit import bound, bound_syntax, calculator, computed

ROWS = sorted({f.name: f for f in FUNCTIONS.values()}.items())


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_the_example_gives_what_it_says(name: str, row: Any) -> None:
    call, expected = row.example
    got = computed(call)
    if isinstance(expected, float):
        assert math.isclose(got, expected, rel_tol=1e-12)
    else:
        assert canonical(got) == expected or got == expected or str(got) == str(expected)
    assert row.doc.endswith(".")
    low, high = row.arity
    assert 0 <= low <= high


@pytest.mark.parametrize("name", sorted(AGGREGATES))
def test_an_aggregates_example_gives_what_it_says(name: str) -> None:
    """Over the rows 1, 2, 4, NULL of column x, as the registry says."""
    row = AGGREGATES[name]
    call, expected = row.example
    scope = Scope((ScopeField("x", None, "x", INT),))
    inner = parse_expression(f"{name}{call}")
    args = [bound_syntax(a, scope) for a in getattr(inner, "args", ())]
    compiled = row.compile(tuple(a.type for a in args))
    states = ", ".join(
        a.batch.format(*(render(e) for e in args), filter="", order="n") + f" AS {a.name}"
        for a in compiled.accumulators
    )
    finish = compiled.finish.format(**{a.name: a.name for a in compiled.accumulators})
    with duckdb.connect() as db:
        rows = "(VALUES (1, 1), (2, 2), (4, 3), (NULL, 4)) AS t(x, n)"
        sql = f"SELECT {finish} FROM (SELECT {states} FROM {rows})"
        vectors = Vectors(db)  # owns the functions that the statement calls
        vectors.prepare(sql)
        got = db.execute(sql).fetchone()
    assert got is not None
    assert got[0] == expected


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_the_type_said_is_the_type_given(name: str, row: Any) -> None:
    """DuckDB must give exactly what the plan promises; the engine casts nothing silently."""
    e = bound(row.example[0])
    if e.type.root is Root.NULL:
        return
    sql = f"SELECT {render(e)} AS v FROM lone"
    calculator().value(render(e))
    described = calculator().db.execute(f"DESCRIBE {sql}").fetchone()
    assert described is not None
    assert described[1] == normal(e.type), f"{row.example[0]}: {described[1]}"


def normal(kind: DataType) -> str:
    """DuckDB's own spelling of a type."""
    with duckdb.connect() as db:
        row = db.execute(f"DESCRIBE SELECT NULL::{duckdb_type(kind)} AS v").fetchone()
    assert row is not None
    return str(row[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAST(TIMESTAMP '2026-07-01 12:00:00' AS TIMESTAMP_LTZ(3))", "2026-07-01 10:00:00"),
        ("CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)", "1970-01-01 01:00:00.000"),
        ("FROM_UNIXTIME(0)", "1970-01-01 01:00:00"),
        ("UNIX_TIMESTAMP('1970-01-01 01:00:00')", 0),
    ],
)
def test_the_sessions_zone_counts_where_text_is_made_or_read(text: str, expected: object) -> None:
    assert canonical(computed(text, "Europe/Paris")) == expected


@pytest.mark.parametrize("name", ["VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV_SAMP"])
def test_the_spread_of_large_integers_stays_within_their_type(name: str) -> None:
    compiled = AGGREGATES[name].compile((INT,))
    states = ", ".join(
        a.batch.format("x", filter="", order="x") + f" AS {a.name}" for a in compiled.accumulators
    )
    finish = compiled.finish.format(**{a.name: a.name for a in compiled.accumulators})
    with duckdb.connect() as db:
        rows = "(VALUES (2147483647), (-2147483648)) AS t(x)"
        value = db.execute(f"SELECT {finish} FROM (SELECT {states} FROM {rows})").fetchone()
    assert value == (2147483647,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAST(TO_TIMESTAMP_LTZ(1683265375, 0) AS STRING)", "2023-05-05 05:42:55.000"),
        (
            "CAST(TO_TIMESTAMP_LTZ('2023/01/01', 'yyyy/MM/dd', 'Europe/Berlin') AS STRING)",
            "2022-12-31 23:00:00.000",
        ),
        ("JSON_VALUE(js, '$[\"d e\"].f')", "true"),
        ("JSON_VALUE('{\"a.b\":1}', '$[''a.b'']')", "1"),
        ("JSON_VALUE(js, '$.b[1].c')", "é"),
        ("JSON_QUOTE(s)", '"Gr\\u00fcn_\\u00c5"'),
        ("ARRAY_CONTAINS(a, NULL)", True),
        ("CARDINALITY(ARRAY_SLICE(ARRAY[1, 2, 3], -2))", 2),
        ("ABS(-2147483648)", -2147483648),
        ("CAST(MAP['a', 1] AS STRING)", "{a=1}"),
        ("CAST(INTERVAL '1 02:03:04.5' DAY TO SECOND AS STRING)", "+1 02:03:04.500"),
        ("CAST(INTERVAL '1-2' YEAR TO MONTH AS STRING)", "+1-02"),
        ("CAST(ROW(1, 'x') AS ROW<a INT, b STRING>).b", "x"),
    ],
)
def test_calls_that_differed_from_flink(text: str, expected: object) -> None:
    assert computed(text) == expected
