"""Aggregates that collect values, and functions that build JSON, with the answers of Flink 2.3."""

from __future__ import annotations

import pytest

from tests.udf.session_kit import LocalSession

ONE = (
    "(SELECT 5 AS i, 'Grün_Å' AS s, TIMESTAMP '2026-03-29 01:30:00.123' AS t, "
    "CAST(NULL AS INT) AS n) AS lone"
)
ANSWERS = {
    "ARRAY_AGG(i), COLLECT(i), PERCENTILE(i, 0.5), PERCENTILE(i, ARRAY[0.1, 0.9])": [
        "[5]", "{5=1}", "5.0", "[5.0, 5.0]",
    ],
    "JSON_ARRAYAGG(n NULL ON NULL), JSON_ARRAYAGG(n ABSENT ON NULL)": ["[null]", "[]"],
    "JSON_OBJECTAGG(KEY s VALUE n), JSON_OBJECTAGG(KEY s VALUE n ABSENT ON NULL)": [
        '{"Grün_Å":null}', "{}",
    ],
    "JSON_OBJECT('a' VALUE i, 'b' VALUE s), JSON_OBJECT(KEY 'n' VALUE n ABSENT ON NULL)": [
        '{"a":5,"b":"Grün_Å"}', "{}",
    ],
    "JSON_ARRAY(1, 'a', n NULL ON NULL), JSON_ARRAY(1, n), JSON_OBJECT('a' VALUE JSON('[1]'))": [
        '[1,"a",null]', "[1]", '{"a":[1]}',
    ],
    "JSON_STRING(t), JSON_STRING(ARRAY[1, n]), JSON_STRING(MAP['k', 1]), JSON_STRING(2.50)": [
        '"2026-03-29T01:30:00.123"', "[1,null]", '{"k":1}', "2.50",
    ],
    "BITMAP_TO_STRING(BITMAP_BUILD_AGG(i)), "
    "BITMAP_XOR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[1, i]))": [
        "{5}", "2",
    ],
    "ARRAY_INTERSECT(ARRAY[1, 2, i], ARRAY[5, 2]), ARRAY_UNION(ARRAY[1, 2, i], ARRAY[5, 9])": [
        "[2, 5]", "[1, 2, 5, 9]",
    ],
    "MAP_ENTRIES(MAP['a', 1, 'b', i]), ARRAY_SORT(ARRAY[3, n, 1], FALSE)": [
        "[(a, 1), (b, 5)]", "[3, 1, NULL]",
    ],
    "DATE_FORMAT(t, 'YYYY-''w''ww'), DATE_FORMAT(TIMESTAMP '2027-01-01 00:00:00', 'YYYY-ww')": [
        "2026-w14", "2027-01",
    ],
    "JSON_VALUE('{\"a\":1.50}', '$.a'), '1' IS JSON OBJECT, "
    "JSON_QUERY('{\"a\":1}', '$.a' WITH WRAPPER)": [
        "1.50", "FALSE", "[1]",
    ],
    "(TIME '2:55:00', INTERVAL '1' HOUR) OVERLAPS (TIME '3:30:00', INTERVAL '2' HOUR)": ["TRUE"],
}  # fmt: skip


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> LocalSession:
    return LocalSession(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("expressions", ANSWERS)
def test_values_are_those_of_flink(sql: LocalSession, expressions: str) -> None:
    assert sql.rows(f"SELECT {expressions} FROM {ONE}") == [ANSWERS[expressions]]


def test_collected_values_follow_a_changelog_and_the_filter(sql: LocalSession) -> None:
    counted = "SELECT k, COUNT(*) AS n FROM (VALUES ('a'), ('a'), ('b')) AS t (k) GROUP BY k"
    query = f"SELECT ARRAY_AGG(n), PERCENTILE(n, 0.5), JSON_ARRAYAGG(n) FROM ({counted})"
    (row,) = sql.rows(query)
    assert (sorted(str(row[0])), row[1], sorted(str(row[2]))) == (
        sorted("[2, 1]"), "1.5", sorted("[2,1]"),
    )  # fmt: skip
    rows = sql.rows(
        "SELECT g, COLLECT(x), ARRAY_AGG(x) FILTER (WHERE x > 1), ARRAY_AGG(DISTINCT x) "
        "FROM (VALUES (1, 1), (1, 2), (1, 2), (2, CAST(NULL AS INT))) AS t (g, x) GROUP BY g"
    )
    assert sorted(rows)[0] == ["1", "{1=1, 2=2}", "[2, 2]", "[1, 2]"]


def test_a_null_key_and_text_that_is_no_json_are_errors(sql: LocalSession) -> None:
    assert "a key of JSON_OBJECT is NULL" in sql.error(
        f"SELECT JSON_OBJECT(CAST(n AS STRING) VALUE 1) FROM {ONE}"
    )
    assert "text that is JSON" in sql.error("SELECT PARSE_JSON('{bad')")
    assert sql.rows("SELECT TRY_PARSE_JSON('{bad') IS NULL, CURRENT_DATABASE()") == [
        ["TRUE", "default_database"]
    ]
