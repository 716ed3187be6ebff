"""What is taken back leaves the state: a job's state is as large as its result, not its history."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from statement_kit import Sql

from eddyline.engine.state import KEPT_TABLES, STATE_FILE

CHANGES = 16
# Each row of a changes the only count, so that everything below sees n, then takes it back.
COUNTED = "(SELECT k, COUNT(*) AS n FROM a GROUP BY k)"
QUERIES = {
    "groups": f"SELECT n, COUNT(*), MAX(k), COUNT(DISTINCT k) FROM {COUNTED} GROUP BY n",
    "join": f"SELECT c.k, c.n, b.v FROM {COUNTED} AS c JOIN b ON c.n = b.v",
    "left join": f"SELECT c.k, c.n, b.v FROM {COUNTED} AS c LEFT JOIN b ON c.n = b.v",
    "semi join": f"SELECT k, n FROM {COUNTED} WHERE n IN (SELECT v FROM b)",
    "difference": f"SELECT n FROM {COUNTED} EXCEPT SELECT v FROM b",
    "distinct": f"SELECT DISTINCT n FROM {COUNTED}",
    "top": "SELECT k, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY n DESC) AS r"
    f" FROM {COUNTED}) WHERE r <= 2",
}
STATE_ROWS_MAX = 8


def state_rows(directory: Path) -> dict[str, int]:
    """Rows of every operator's table in a job's state."""
    with duckdb.connect(str(directory / STATE_FILE), read_only=True) as state:
        names = [n for (n,) in state.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        own = [n for n in names if n not in KEPT_TABLES]
        return {n: state.execute(f'SELECT count(*) FROM "{n}"').fetchall()[0][0] for n in own}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_rows_taken_back_leave_the_state(query: str, tmp_path: Path) -> None:
    sql = Sql(tmp_path)
    sql.table("a", "k STRING", [{"k": "x"} for _ in range(CHANGES)])
    sql.table("b", "v BIGINT", [{"v": CHANGES}])
    directory = tmp_path / "job"
    try:
        result = sql.run(query, directory=directory, batch_rows_max=1)
        assert sum(result.folded().values()) <= 2
    finally:
        sql.close()
    rows = state_rows(directory)
    assert rows
    assert sum(rows.values()) <= STATE_ROWS_MAX, rows
