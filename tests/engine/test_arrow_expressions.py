"""Filters and projections of small batches by Python and by Arrow give what DuckDB gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from statement_kit import Sql

from eddyline.clock import SYSTEM
from eddyline.engine.database import Database
from eddyline.engine.metrics import Figures
from eddyline.engine.operators.calc import Calc
from eddyline.engine.operators.operator import Operator, OperatorContext, Step
from eddyline.record.batch import Batch
from eddyline.record.formats import kernel
from eddyline.record.plain_rows import PlainRows
from eddyline.settings import Settings
from eddyline.sql import physical as p

COLUMNS = (
    "i INT, j INT, b BIGINT, sm SMALLINT, d DOUBLE, e DOUBLE, t STRING, v VARCHAR(9), f BOOLEAN"
)
# Every form that Arrow computes; each is compared over random rows.
CONDITIONS = [
    "i > 0", "i <= j", "b <> i", "sm = j", "d > 0.5", "d >= 2", "d < e", "i > 0.5", "t = 'a'",
    "t < v", "v >= 'b'", "t IN ('a', 'b', 'é')", "i IN (1, 2, 300)", "i BETWEEN -5 AND 5",
    "b BETWEEN i AND j", "NOT f", "f AND i > 0", "f OR i > 0 OR t IS NULL", "t IS NOT NULL",
    "f IS TRUE", "f IS NOT FALSE", "(i > j) IS NOT TRUE", "t LIKE 'a%'", "t LIKE '%a'",
    "t LIKE '%a%'", "t LIKE 'a'", "NOT (i > 0 AND (f OR d = e))", "COALESCE(i, j) = 3",
    "CASE WHEN i > 0 THEN f ELSE i < -3 END", "i + 1 > b", "f = (i > 3)", "f IS FALSE",
]  # fmt: skip
PROJECTIONS = [
    "i + 1", "i - j", "i * j", "b + i", "b * b", "sm - i", "sm * sm", "d + e", "d * 2", "d - i",
    "CAST(i AS BIGINT)", "CAST(i AS DOUBLE)", "CAST(sm AS INT)", "t || '-' || v", "COALESCE(i, 0)",
    "CASE WHEN i > 3 THEN 'a' WHEN f THEN v ELSE t END", "i > j", "1", "'x'",
]  # fmt: skip
INTS = [0, 1, 2, 3, -3, -5, 5, 300, 2**31 - 1, -(2**31)]
DOUBLES = [0.0, -0.0, 0.5, 2.0, 1e300, -1.5, 0.1, float("inf")]
TEXTS = ["", "a", "b", "ab", "ba", "xax", "é", "A", "a\n", "%"]
VALUES: dict[str, list[Any]] = {
    "i": [None, *INTS],
    "j": [None, *INTS],
    "b": [None, *INTS, 2**63 - 1, -(2**63)],
    "sm": [None, 0, 1, 3, -32768, 32767],
    "d": [None, *DOUBLES],
    "e": [None, *DOUBLES],
    "t": [None, *TEXTS],
    "v": [None, *TEXTS],
    "f": [None, True, False],
}


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("arrow"))
    kit.table("s", COLUMNS, [])
    yield kit
    kit.store.close()


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    database = Database(None, Settings())
    yield database
    database.close()


def calc(sql: Sql, db: Database, query: str) -> tuple[Calc, p.Calc]:
    root = sql.plan(query).root
    assert isinstance(root, p.Collect)
    assert isinstance(root.input, p.Calc)
    context = OperatorContext("c", db, Settings(), SYSTEM, Figures())
    below = Operator(context, (), root.input.input.schema)
    return Calc(context, (below,), root.input), root.input


def compare(sql: Sql, db: Database, query: str, rows: list[dict[str, Any]]) -> None:
    operator, node = calc(sql, db, query)
    assert operator._small is not None, f"Arrow does not compute {query}"
    names = list(node.input.schema.names)
    picked = [{name: row.get(name) for name in names} for row in rows]
    batch = Batch(pa.Table.from_pylist(picked, node.input.schema.arrow()))
    plain = Batch(PlainRows.of(batch.rows))
    assert operator._plain is not None, f"Python does not compute {query}"
    results = []
    for few, given in ((kernel.FEW_ROWS, batch), (kernel.FEW_ROWS, plain), (0, batch)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel, "FEW_ROWS", few)
            out = operator.step((Step(given),)).batch
            assert out is not None
            results.append(out.rows)
    for other in results[1:]:
        assert repr(results[0].to_pylist()) == repr(other.to_pylist()), query
        assert results[0].schema == other.schema


def random_rows(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(5)
    return [
        {name: values[random.integers(len(values))] for name, values in VALUES.items()}
        for _ in range(count)
    ]


def test_conditions_over_random_rows(sql: Sql, db: Database) -> None:
    rows = random_rows(800)
    compare(sql, db, f"SELECT {', '.join(CONDITIONS)} FROM s", rows)
    compare(sql, db, "SELECT i, t FROM s WHERE i > j OR t LIKE 'a%' OR f", rows)
    compare(sql, db, "SELECT d < e, d = e, d > 0.5, d >= 2 FROM s WHERE i > 0", random_rows(7))


def test_projections_over_random_rows(sql: Sql, db: Database) -> None:
    compare(sql, db, f"SELECT {', '.join(PROJECTIONS)} FROM s", random_rows(800))


def test_a_value_that_the_two_treat_differently_takes_the_statement(sql: Sql, db: Database) -> None:
    rows = [{"d": float("nan"), "e": 1.0}, {"d": 1.0, "e": float("nan")}]
    compare(sql, db, "SELECT d > e, d = d FROM s", rows)


@pytest.mark.parametrize(
    "query",
    ["SELECT i / j FROM s", "SELECT UPPER(t) FROM s", "SELECT t FROM s WHERE t LIKE 'a_c'",
     "SELECT i FROM s WHERE CAST(t AS INT) > 1", "SELECT RAND() FROM s"],
)  # fmt: skip
def test_what_arrow_computes_otherwise_is_left_to_the_statement(
    sql: Sql, db: Database, query: str
) -> None:
    assert calc(sql, db, query)[0]._small is None
