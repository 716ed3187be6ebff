"""The jdbc connector on SQLite; on PostgreSQL where EDDYLINE_POSTGRES names one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError

ALL = 10**9
DIMENSION = "k STRING, w INT, t TIMESTAMP(3), o BOOLEAN, e DECIMAL(10, 2)"
KEY = ", PRIMARY KEY (k) NOT ENFORCED"
CLICKS: list[Any] = [
    {"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "c", "v": 3}, {"k": "a", "v": 4},
]  # fmt: skip


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("jdbc"))
    kit.table("clicks", "k STRING, v INT, pt AS PROCTIME()", CLICKS)
    yield kit
    kit.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.executescript(
            "CREATE TABLE dim (k TEXT PRIMARY KEY, w INTEGER, t TEXT, o INTEGER, e TEXT);"
            "INSERT INTO dim VALUES ('a', 1, '2026-01-01 00:00:00.5', 1, '1.25'),"
            "('b', 2, NULL, 0, NULL);"
            "CREATE TABLE sums (k TEXT PRIMARY KEY, n INTEGER, s REAL);"
            "CREATE TABLE log (k TEXT, n INTEGER);"
        )
        yield connection


def table(sql: Sql, folder: Path, name: str, stored: str, columns: str, **more: str) -> None:
    url = f"jdbc:sqlite:{folder / 'x.db'}"
    options = {"connector": "jdbc", "url": url, "table-name": stored, **more}
    written = ", ".join(f"'{k}' = '{v}'" for k, v in options.items())
    sql.execute(f"CREATE TABLE {name} ({columns}) WITH ({written})")


def test_rows_are_read_and_looked_up(
    sql: Sql, database: sqlite3.Connection, tmp_path: Path
) -> None:
    table(sql, tmp_path, "dim", "dim", DIMENSION + KEY, **{"scan.fetch-size": "1"})
    rows = sql.rows("SELECT k, w, t, o, CAST(e AS STRING) FROM dim", records=ALL)
    assert rows == [
        ("a", 1, "2026-01-01 00:00:00.500000", True, "1.25"),
        ("b", 2, None, False, None),
    ]
    lookup = (
        "SELECT c.k, c.v, d.w FROM clicks AS c LEFT JOIN dim FOR SYSTEM_TIME AS OF c.pt AS d "
        "ON c.k = d.k"
    )
    assert sql.rows(lookup, records=len(CLICKS) + 2) == [
        ("a", 1, 1), ("b", 2, 2), ("c", 3, None), ("a", 4, 1),
    ]  # fmt: skip


def test_only_rows_between_the_bounds_are_read(
    sql: Sql, database: sqlite3.Connection, tmp_path: Path
) -> None:
    bounds = {f"scan.partition.{n}": v for n, v in
              (("column", "w"), ("lower-bound", "2"), ("upper-bound", "9"))}  # fmt: skip
    table(sql, tmp_path, "bounded", "dim", DIMENSION, **bounds)
    assert sql.rows("SELECT k FROM bounded", records=ALL) == [("b",)]
    table(sql, tmp_path, "half", "dim", DIMENSION, **{"scan.partition.column": "w"})
    with pytest.raises(EddylineError, match="without the others"):
        sql.rows("SELECT k FROM half", records=ALL)


def test_changes_are_upserted_by_the_primary_key(
    sql: Sql, database: sqlite3.Connection, tmp_path: Path
) -> None:
    table(sql, tmp_path, "sums", "sums", "k STRING, n BIGINT, s DOUBLE" + KEY)
    query = "INSERT INTO sums SELECT k, COUNT(*), SUM(CAST(v AS DOUBLE)) FROM clicks GROUP BY k"
    for _ in range(2):
        sql.run(query, records=len(CLICKS), batch_rows_max=1)
        rows = database.execute("SELECT * FROM sums ORDER BY k").fetchall()
        assert rows == [("a", 2, 5.0), ("b", 1, 2.0), ("c", 1, 3.0)]
    changes = ['{"before":{"k":"a"},"after":null,"op":"d"}']
    sql.table("gone", "k STRING, n BIGINT, s DOUBLE" + KEY, list(changes), format="debezium-json")
    sql.run("INSERT INTO sums SELECT * FROM gone", records=1)
    assert database.execute("SELECT k FROM sums ORDER BY k").fetchall() == [("b",), ("c",)]


def test_without_a_primary_key_rows_are_inserted(
    sql: Sql, database: sqlite3.Connection, tmp_path: Path
) -> None:
    more = {"sink.buffer-flush.max-rows": "1"}
    table(sql, tmp_path, "log", "log", "k STRING, n BIGINT", **more)
    sql.run("INSERT INTO log VALUES ('x', 1), ('x', 1)", records=ALL)
    assert database.execute("SELECT * FROM log").fetchall() == [("x", 1), ("x", 1)]
    with pytest.raises(EddylineError, match="takes only new rows"):
        sql.plan("INSERT INTO log SELECT k, COUNT(*) FROM clicks GROUP BY k")


@pytest.mark.parametrize(
    ("stored", "columns", "more", "words"),
    [
        ("dim", "zz STRING", {}, "no such column"),
        ("none", "k STRING", {}, "no such table"),
        ("dim", "k INT", {}, "column k does not fit INT"),
        ("dim", "k STRING", {"url": "jdbc:mysql://h/d"}, "jdbc:mysql"),
        ("dim", "k STRING", {"url": "jdbc:sqlite:/no/such.db"}, "no database file"),
        ("dim", "k STRING", {"url": "jdbc:postgresql://127.0.0.1:1/d"}, "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_read_is_explained(
    stored: str, columns: str, more: dict[str, str], words: str, sql: Sql,
    database: sqlite3.Connection, tmp_path: Path,
) -> None:  # fmt: skip
    if "postgresql" in more.get("url", ""):
        pytest.importorskip("psycopg")
    name = f"wrong{abs(hash((stored, columns, str(more))))}"
    table(sql, tmp_path, name, stored, columns, **more)
    with pytest.raises(EddylineError) as caught:
        sql.rows(f"SELECT * FROM {name}", records=ALL)
    assert words in caught.value.message


@pytest.mark.skipif(not os.environ.get("EDDYLINE_POSTGRES"), reason="needs a PostgreSQL")
def test_postgresql(sql: Sql) -> None:
    psycopg = pytest.importorskip("psycopg")
    url = os.environ["EDDYLINE_POSTGRES"]  # postgresql://user:password@host:port/database
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS eddyline_sums")
        connection.execute("CREATE TABLE eddyline_sums (k TEXT PRIMARY KEY, n BIGINT)")
        parts = psycopg.conninfo.conninfo_to_dict(url)
        where = {"url": f"jdbc:postgresql://{parts['host']}:{parts['port']}/{parts['dbname']}",
                 "username": parts["user"], "password": parts.get("password", "")}  # fmt: skip
        table(sql, Path(), "pg", "eddyline_sums", "k STRING, n BIGINT" + KEY, **where)
        query = "INSERT INTO pg SELECT k, COUNT(*) FROM clicks GROUP BY k"
        sql.run(query, records=len(CLICKS), batch_rows_max=1)
        assert sql.rows("SELECT * FROM pg", records=ALL) == [("a", 2), ("b", 1), ("c", 1)]
        connection.execute("DROP TABLE eddyline_sums")
