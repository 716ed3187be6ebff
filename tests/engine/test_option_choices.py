"""What the check of an option accepts, its reader understands: case, escapes, endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError

ROW = {"id": 1, "t": "2026-01-01T00:00:00.5"}
COLUMNS = "id INT, t TIMESTAMP(3)"


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    yield kit
    kit.close()


def read(sql: Sql, **options: str) -> list[tuple[object, ...]]:
    options = {"json.timestamp-format.standard": "ISO-8601", **options}
    sql.table("s", COLUMNS, [ROW], **options)  # type: ignore[arg-type]
    return sql.rows("SELECT id FROM s WHERE t IS NOT NULL")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("scan.stream.initpos", "trim_horizon"),
        ("scan.stream.initpos", "Trim_Horizon"),
        ("json.timestamp-format.standard", "iso-8601"),
        ("json.timestamp-format.standard", "Iso-8601"),
        ("json.ignore-parse-errors", "TRUE"),
    ],
)
def test_a_choice_is_understood_in_any_case(option: str, value: str, sql: Sql) -> None:
    assert read(sql, **{option: value}) == [(1,)]


def test_latest_in_lower_case_begins_with_what_comes(sql: Sql) -> None:
    sql.table("s", COLUMNS, [ROW], **{"scan.stream.initpos": "latest"})  # type: ignore[arg-type]
    assert sql.rows("SELECT id FROM s", records=0) == []


def test_bad_records_are_put_aside_in_any_case(sql: Sql) -> None:
    rows = [{"id": "no number"}, {"id": 2}]
    sql.table("s", "id INT", rows, **{"bad-records": "DEAD-LETTER"})  # type: ignore[arg-type,list-item]
    assert sql.rows("SELECT id FROM s", records=2) == [(2,)]


@pytest.mark.parametrize(("written", "between"), [("\\u0001", "\x01"), ("\\t", "\t"), (";", ";")])
def test_a_delimiter_may_be_escaped(written: str, between: str, sql: Sql) -> None:
    lines = [f"1{between}a", f"2{between}b"]
    options = {"csv.field-delimiter": written}
    sql.table("s", "id INT, k STRING", lines, format="csv", **options)  # type: ignore[arg-type]
    assert sql.rows("SELECT * FROM s") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("aws.endpoint", "other:4567", "write a URL"),
        ("scan.stream.initpos", "NEWEST", "LATEST"),
        ("bad-records", "skip", "fail, dead-letter"),
        ("json.timestamp-format.standard", "RFC", "SQL, ISO-8601"),
        ("scan.stream.initpoz", "LATEST", "did you mean"),
        ("scan.stream.initpos", "at_timestamp", "initpos-timestamp"),
    ],
)
def test_what_would_not_be_honoured_is_refused(
    option: str, value: str, words: str, sql: Sql
) -> None:
    with pytest.raises(EddylineError) as caught:
        read(sql, **{option: value})
    assert words in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("delimiter", ["ab", "", "\\u00e9"])
def test_a_delimiter_that_is_none_is_refused(delimiter: str, sql: Sql) -> None:
    options = {"csv.field-delimiter": delimiter}
    sql.table("s", "id INT", ["1"], format="csv", **options)  # type: ignore[arg-type]
    with pytest.raises(EddylineError, match=r"csv\.field-delimiter"):
        sql.rows("SELECT * FROM s")


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:4567", "https://kinesis.eu-central-1.amazonaws.com"]
)
def test_this_machines_endpoint_and_awss_mean_the_stream_here(endpoint: str, sql: Sql) -> None:
    assert read(sql, **{"aws.endpoint": endpoint}) == [(1,)]
