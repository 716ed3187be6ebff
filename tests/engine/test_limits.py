"""LIMIT ends what it limits and nothing else; the job is over when nothing is left to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql

A, B = list(range(10)), list(range(100, 105))
FEW = "(SELECT id FROM b LIMIT 2)"
# Query to the records it reads, three of each stream at a time, and its rows.
RESULTS = {
    "SELECT id FROM a UNION ALL (SELECT id FROM b LIMIT 1)": (13, [(i,) for i in [*A, 100]]),
    "(SELECT id FROM a LIMIT 2) UNION ALL (SELECT id FROM b LIMIT 1)": (
        6, [(0,), (1,), (100,)],
    ),
    f"SELECT a.id, x.id FROM a JOIN {FEW} AS x ON TRUE": (
        13, [(i, j) for i in A for j in (100, 101)],
    ),
    f"SELECT a.id, x.id FROM a LEFT JOIN {FEW} AS x ON a.id + 100 = x.id": (
        13, [(0, 100), (1, 101), *((i, None) for i in A[2:])],
    ),
    f"SELECT id FROM a WHERE id NOT IN (SELECT id - 100 FROM {FEW})": (
        13, [(i,) for i in A[2:]],
    ),
    f"SELECT COUNT(*) FROM {FEW}": (3, [(2,)]),
    "SELECT id FROM (SELECT id FROM a LIMIT 5) LIMIT 3": (3, [(0,), (1,), (2,)]),
    "SELECT id FROM a LIMIT 0": (0, []),
    "SELECT id FROM a UNION ALL (SELECT id FROM b LIMIT 0)": (10, [(i,) for i in A]),
}  # fmt: skip


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    kit.table("a", "id INT", [{"id": i} for i in A])
    kit.table("b", "id INT", [{"id": i} for i in B])
    yield kit
    kit.close()


@pytest.mark.parametrize("query", RESULTS)
def test_a_limit_below_something_ends_only_its_own_input(query: str, sql: Sql) -> None:
    records, rows = RESULTS[query]
    watcher = sql.run(query, batch_rows_max=3, records=records)
    assert watcher.folded() == Counter(rows)
    assert watcher.metrics.rows_in == records  # type: ignore[attr-defined]


def test_a_reached_limit_stays_reached_over_a_restart(sql: Sql, tmp_path: Path) -> None:
    query = "SELECT id FROM a UNION ALL (SELECT id FROM b LIMIT 1)"
    state = {"directory": tmp_path / "job", "batch_rows_max": 3}
    records, rows = RESULTS[query]
    assert sorted(sql.rows(query, records=records, **state)) == rows
    sql.put("a", [{"id": 10}])
    sql.put("b", [{"id": 105}])
    assert sql.rows(query, records=1, incarnation=2, **state) == [(10,)]
