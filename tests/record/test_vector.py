"""Functions over Arrow arrays inside DuckDB statements: registration, errors, distinct rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from eddyline.engine.database import Database
from eddyline.errors import EddylineError
from eddyline.record.types import INT, STRING
from eddyline.record.vector import by_distinct_row, define, expect, undefine
from eddyline.settings import Settings


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.duckdb", Settings(data_dir=tmp_path))


def test_a_function_runs_once_per_distinct_row(database: Database) -> None:
    calls: list[tuple[str, int]] = []

    def joined(text: str, n: int) -> str:
        calls.append((text, n))
        return text * n

    name = define("test_joined", STRING, by_distinct_row(joined, STRING))
    rows = pa.table({"a": ["x", "y", "x", None], "n": [2, 1, 2, 1]})
    got = database.query(f"SELECT {name}(a, n) AS v FROM b", b=rows)["v"].to_pylist()
    undefine(name)
    assert got == ["xx", "y", "xx", None]
    assert sorted(calls) == [("x", 2), ("y", 1)]


def test_an_error_arrives_as_it_was_raised(database: Database) -> None:
    def refuse(text: str) -> str:
        raise EddylineError("limit_exceeded", "that is too much", hint="ask for less")

    name = define("test_refuse", STRING, by_distinct_row(refuse, STRING))
    with pytest.raises(EddylineError, match="that is too much") as failure:
        database.query(f"SELECT {name}(a) FROM b", b=pa.table({"a": ["x"]}))
    undefine(name)
    assert failure.value.code == "limit_exceeded"
    assert failure.value.hint == "ask for less"


def test_a_function_can_be_used_within_a_transaction_and_after_one_failed(
    database: Database,
) -> None:
    name = define("test_twice", INT, by_distinct_row(lambda x: 2 * x, INT))
    text = f"SELECT {name}(a) AS v FROM b"
    expect(text)
    database.run("CREATE TABLE s (v INTEGER)")
    rows = pa.table({"a": pa.array([1, 2], pa.int32())})

    def insert(then: str) -> None:
        with database.transaction():
            database.run("INSERT INTO s VALUES (0)")
            database.run(f"INSERT INTO s {text}", b=rows)
            database.run(then)

    with pytest.raises(EddylineError):
        insert("SELECT nonsense")
    insert("SELECT 1")
    undefine(name)
    assert database.rows("SELECT v FROM s ORDER BY v") == [(0,), (2,), (4,)]


def test_a_closed_database_can_be_opened_again(tmp_path: Path) -> None:
    name = define("test_same", INT, by_distinct_row(lambda x: x, INT))
    path = tmp_path / "state.duckdb"
    for _ in range(2):
        database = Database(path, Settings(data_dir=tmp_path))
        assert database.one(f"SELECT {name}(1)") == 1
        database.close()
    undefine(name)
    with duckdb.connect(str(path)) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
