"""A value that an expression cannot take: named in our words, with its place, or set aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from statement_kit import Sql

from eddyline.engine.dead_letters import DeadLetters
from eddyline.engine.duckdb_words import UNKNOWN, in_words
from eddyline.engine.value_errors import value_text
from eddyline.errors import EddylineError

ROWS = [{"a": "12", "n": 3}, {"a": "abc", "n": 0}, {"a": "7", "n": 1}]


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("values"))
    kit.table("s", "a STRING, n INT", list(ROWS))
    kit.table("bad", "a STRING, n INT", [*ROWS, "{torn"], **{"bad-records": "dead-letter"})
    kit.table("dst", "x INT", [])
    yield kit
    kit.close()


@pytest.mark.parametrize(
    ("query", "message", "place"),
    [
        (
            "SELECT a,\n  CAST(a AS INT) + 1 AS x FROM s",
            "column x: 'abc' is not a valid INT in CAST(a AS INT), where a = 'abc'",
            (2, 3),
        ),
        (
            "SELECT 10 / n AS x FROM s",
            "column x: division by zero in 10 / n, where n = 0",
            (1, 8),
        ),
        (
            "SELECT a FROM s\nWHERE CAST(a AS DOUBLE) > 3",
            "the condition: 'abc' is not a valid DOUBLE in CAST(a AS DOUBLE), where a = 'abc'",
            (2, 7),
        ),
        (
            "SELECT MIN(CAST(a AS DATE)) FROM s",
            "a value: 'abc' is not a DATE in CAST(a AS DATE), where a = 'abc'",
            (1, 12),
        ),
    ],
)
def test_the_value_is_named_with_its_place(
    sql: Sql, query: str, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(EddylineError) as failed:
        sql.rows(query)
    error = failed.value
    assert error.message == message
    assert error.span is not None
    assert (error.span.line, error.span.column) == place
    assert "stream s, shardId-000000000000, sequence number" in str(error.detail)


@pytest.mark.parametrize(
    ("query", "message", "place"),
    [
        (
            "SELECT n, 10 / (COUNT(*) - COUNT(*)) AS x FROM s GROUP BY n",
            "column x: division by zero in 10 / (COUNT(*) - COUNT(*)), where a value computed "
            "before = 1",
            (1, 11),
        ),
        (
            "SELECT n FROM s WHERE n > 2 GROUP BY n HAVING 10 / (n - n) > 0",
            "the condition: division by zero in 10 / (n - n), where n = 3",
            (1, 47),
        ),
        (
            "SELECT s.n FROM s JOIN s AS t\n ON s.a = t.a AND 10 / (s.n - t.n) > 0",
            "the condition: division by zero in 10 / (s.n - t.n)",
            (2, 19),
        ),
        (
            "SELECT n FROM s WHERE EXISTS (SELECT 1 FROM s AS t WHERE t.a = s.a "
            "AND 1 / (s.n - t.n) > 0)",
            "the condition: division by zero in 1 / (s.n - t.n)",
            (1, 72),
        ),
        (
            "SELECT n, e FROM s CROSS JOIN UNNEST(ARRAY[10 / n]) AS u (e)",
            "a value: division by zero in 10 / n, where n = 0",
            (1, 44),
        ),
        (
            "SELECT n, TIMESTAMPADD(YEAR, n * 400000, CAST('2026-01-01 00:00:00.5' AS TIMESTAMP(3))"
            ") AS x FROM s",
            "column x: the time is out of range in TIMESTAMPADD(YEAR, n * 400000, "
            "CAST('2026-01-01 00:00:00.5' AS TIMESTAMP(3))), where n = 3",
            (1, 11),
        ),
    ],
)
def test_a_value_behind_state_is_named_with_its_place(
    sql: Sql, query: str, message: str, place: tuple[int, int]
) -> None:
    """The statement that fails has ended the state's transaction; the value is found beside it."""
    with pytest.raises(EddylineError) as failed:
        sql.run(query)
    error = failed.value
    assert (error.code, error.message) == ("sql_runtime", message)
    assert error.span is not None
    assert (error.span.line, error.span.column) == place


def test_a_fault_without_a_place_names_the_statement(sql: Sql) -> None:
    with pytest.raises(EddylineError) as failed:
        sql.run("SELECT (SELECT n FROM s) AS x FROM s")
    assert failed.value.message == "a subquery that stands for a value gave more than one row"
    assert str(failed.value.detail).endswith("in SELECT (SELECT n FROM s) AS x FROM s")


def test_a_record_is_set_aside_although_other_state_has_changed(sql: Sql, tmp_path: Path) -> None:
    query = (
        "SELECT g.c, b.x FROM (SELECT n, COUNT(*) AS c FROM s GROUP BY n) AS g "
        "JOIN (SELECT CAST(a AS INT) AS x, n FROM bad) AS b ON g.n = b.n"
    )
    watcher = sql.run(query, directory=tmp_path / "job")
    assert set(watcher.folded()) == {(1, 12), (1, 7)}
    reasons = [letter.reason for letter in DeadLetters(tmp_path / "job").newest(9)]
    assert any("'abc' is not a valid INT" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"), (True, "TRUE"), (Decimal("1.50"), "1.50"), (b"\x01\xff", "x'01ff'"),
        (datetime.fromisoformat("2026-01-01T10:00:00.5"), "2026-01-01 10:00:00.500"),
        (datetime.fromisoformat("2026-01-01"), "2026-01-01 00:00:00"),
        ("x" * 200, "'" + "x" * 79 + "…"),
    ],
)  # fmt: skip
def test_values_are_shown_as_in_sql(value: Any, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("CAST('abc' AS INTEGER)", "'abc' is not an INT"),
        ("CAST(3000000000 AS INTEGER)", "3000000000 is out of the range of INT"),
        ("CAST('2026-13-01' AS DATE)", "'2026-13-01' is not a DATE"),
        ("CAST('x' AS TIMESTAMP)", "'x' is not a TIMESTAMP"),
        ("CAST(12345 AS DECIMAL(4,2))", "12345 does not fit DECIMAL(4,2)"),
        ("9223372036854775807::BIGINT + 1", "the result is out of the type's range"),
        ("1 // 0", "division by zero"),
        ("from_base64('x')", "'x' is not base64"),
        ("chr(-5)", "-5 is no character's number"),
        ("strftime(TIMESTAMP '2026-01-01', '%Q')", UNKNOWN),
        ("error('column n of table t cannot be NULL')", "column n of table t cannot be NULL"),
    ],
)
def test_no_sentence_of_duckdb_reaches_a_user(expression: str, words: str) -> None:
    with pytest.raises(duckdb.Error) as failed:
        duckdb.sql(f"SELECT {expression}").fetchall()
    sentence = str(failed.value).partition(": ")[2].split("\n")[0]
    assert in_words(sentence) == words


def test_a_poison_record_is_set_aside_and_the_others_go_on(sql: Sql, tmp_path: Path) -> None:
    for incarnation in (1, 2):  # a record that is read again is kept once
        directory = tmp_path / f"job{incarnation}"
        (tmp_path / "job").mkdir(exist_ok=True)
        job = sql.run("INSERT INTO dst SELECT CAST(a AS INT) FROM bad", directory=directory)
        metrics = job.metrics  # type: ignore[attr-defined]
        assert (metrics.rows_in, metrics.rows_out) == (4, 2)
        assert (metrics.bad_records, metrics.filtered) == (2, 0)
        for letter in DeadLetters(directory).newest(10):
            DeadLetters(tmp_path / "job").add([letter])
    torn, poison = DeadLetters(tmp_path / "job").newest(10)
    assert torn.payload == b"{torn"
    assert poison.payload == b'{"a": "abc", "n": 0}'
    assert "'abc' is not a valid INT" in poison.reason
    assert (poison.source, poison.stream, poison.field) == ("bad", "bad", "")


def test_each_operator_tells_what_it_took_gave_and_set_aside(sql: Sql, tmp_path: Path) -> None:
    job = sql.run("INSERT INTO dst SELECT CAST(a AS INT) FROM bad WHERE n > 0", directory=tmp_path)
    scan, calc, sink = job.metrics.operators  # type: ignore[attr-defined]
    assert (scan.rows_in, scan.rows_out, scan.bad_records) == (4, 3, 1)
    assert (calc.rows_in, calc.rows_out, calc.filtered) == (3, 2, 1)
    assert (sink.rows_in, sink.inputs) == (2, (calc.name,))
    assert calc.busy_ms > 0
