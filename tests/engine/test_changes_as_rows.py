"""TO_CHANGELOG, FROM_CHANGELOG and CURRENT_WATERMARK: what else of the flow becomes columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import iso
from statement_kit import Sql

from eddyline.errors import EddylineError

ROWS = [("a", 1, 1), ("b", 2, 10), ("a", 3, 5), ("b", 4, 9), ("a", 5, 20)]
COUNTED = "(SELECT k, COUNT(*) AS n FROM t GROUP BY k)"
STANDARD = {"json.timestamp-format.standard": "ISO-8601"}


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    sql = Sql(tmp_path_factory.mktemp("sql"))
    columns = "k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND"
    sql.table("t", columns, [{"k": k, "v": v, "ts": iso(s)} for k, v, s in ROWS], **STANDARD)
    kinds = ["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "INSERT", "DELETE"]
    values = [(1, 5), (1, 5), (1, 6), (2, 1), (2, 1)]
    changes = [{"id": i, "op": op, "v": v} for op, (i, v) in zip(kinds, values, strict=True)]
    sql.table("c", "id INT, op STRING, v INT", changes)
    yield sql
    sql.close()


def test_every_change_is_a_row_with_its_kind(sql: Sql) -> None:
    rows = sql.rows(f"SELECT * FROM TO_CHANGELOG(input => {COUNTED})")
    assert rows == [
        ("INSERT", "a", 1), ("INSERT", "b", 1), ("UPDATE_BEFORE", "a", 1), ("UPDATE_AFTER", "a", 2),
        ("UPDATE_BEFORE", "b", 1), ("UPDATE_AFTER", "b", 2), ("UPDATE_BEFORE", "a", 2),
        ("UPDATE_AFTER", "a", 3),
    ]  # fmt: skip


def test_kinds_get_codes_and_those_without_one_are_dropped(sql: Sql) -> None:
    mapping = "op => DESCRIPTOR(code), op_mapping => MAP['INSERT, UPDATE_AFTER', 'u']"
    rows = sql.rows(f"SELECT k, n, code FROM TO_CHANGELOG(input => {COUNTED}, {mapping})")
    assert rows == [("a", 1, "u"), ("b", 1, "u"), ("a", 2, "u"), ("b", 2, "u"), ("a", 3, "u")]


def test_rows_with_kinds_become_changes(sql: Sql) -> None:
    watcher = sql.run("SELECT * FROM FROM_CHANGELOG(input => TABLE c)")
    assert dict(watcher.folded()) == {(1, 6): 1}
    assert sql.plan("SELECT * FROM FROM_CHANGELOG(input => TABLE c)").insert_only is False
    there_and_back = f"TO_CHANGELOG(input => {COUNTED})"
    watcher = sql.run(f"SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM {there_and_back}))")
    assert dict(watcher.folded()) == {("a", 3): 1, ("b", 2): 1}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("FROM_CHANGELOG(input => TABLE c, op_mapping => MAP['x', 'INSERT'])", "met the operation"),
        ("FROM_CHANGELOG(input => TABLE t)", "there is no column op"),
        ("FROM_CHANGELOG(input => TABLE c, op => DESCRIPTOR(v))", "is INT, it must be a STRING"),
        ("TO_CHANGELOG(input => TABLE t, op_mapping => MAP['UPSERT', 'u'])", "no kind of change"),
    ],
)
def test_what_is_no_changelog_is_refused(sql: Sql, query: str, message: str) -> None:
    with pytest.raises(EddylineError, match=message):
        sql.run(f"SELECT * FROM {query}")


@pytest.mark.parametrize("rows_max", [1, 100])
def test_the_watermark_before_each_row(sql: Sql, rows_max: int) -> None:
    query = "SELECT v, CURRENT_WATERMARK(ts) FROM t"
    second = {1: None, 2: -1, 3: 8, 4: 8, 5: 8}
    expected = [
        (v, None if s is None else iso(s).replace("T", " ").removesuffix(".000"))
        for v, s in second.items()
    ]
    assert sql.rows(query, batch_rows_max=rows_max) == expected
    late = "SELECT v FROM t WHERE ts <= CURRENT_WATERMARK(ts)"
    assert sql.rows(late, batch_rows_max=rows_max) == [(3,)]


def test_a_watermark_needs_a_row_time(sql: Sql, tmp_path: Path) -> None:
    with pytest.raises(EddylineError, match="CURRENT_WATERMARK takes a row time"):
        sql.plan("SELECT CURRENT_WATERMARK(v) FROM t")


MATCH = "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.v AS a {})"


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ("PATTERN (A B+) DEFINE A AS TRUE", "a greedy quantifier at the end"),
        ("PATTERN (A B?? C) DEFINE A AS TRUE", "a reluctant optional variable"),
        ("PATTERN (A (B C)+ D) DEFINE A AS TRUE", "a group or an alternative"),
        ("PATTERN (A | B) DEFINE A AS TRUE", "a group or an alternative"),
        ("PATTERN (A B A) DEFINE A AS TRUE", "the variable A twice"),
        ("PATTERN (A B{3,2} C) DEFINE A AS TRUE", "this quantifier allows no row"),
        ("ALL ROWS PER MATCH PATTERN (A) DEFINE A AS TRUE", "ALL ROWS PER MATCH"),
        ("PATTERN (A) DEFINE A AS TRUE, B AS TRUE", "B is defined, but is not in the pattern"),
        ("AFTER MATCH SKIP TO LAST X PATTERN (A) DEFINE A AS TRUE", "names X"),
        ("PATTERN (A B) DEFINE B AS PREV(B.v) > 1", "PREV is not supported"),
        ("PATTERN (A B) DEFINE B AS SUM(A.v + B.v) > 1", "reads rows of A and B together"),
        ("PATTERN (A B) WITHIN INTERVAL '1' MONTH DEFINE A AS TRUE", "WITHIN needs an interval"),
    ],
)
def test_patterns_that_flink_refuses(sql: Sql, clauses: str, message: str) -> None:
    with pytest.raises(EddylineError) as failure:
        sql.plan(MATCH.format(clauses))
    assert message in failure.value.message


@pytest.mark.parametrize("rows_max", [1, 100])
@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        # in order of time: 1 (v 1), 5 (v 3) is late, 9 (v 4) is not, 10 (v 2), 20 (v 5)
        ("PATTERN (A B) DEFINE B AS B.v * 2 > A.v * 2", [(1,), (2,)]),
        ("PATTERN (A B) DEFINE B AS CAST(B.v AS DOUBLE) / 0.0E0 > A.v", [(1,), (4,), (2,)]),
        ("AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE A AS TRUE", [(1,), (2,)]),
    ],
)
def test_conditions_that_only_the_kernel_computes(
    sql: Sql, pattern: str, rows: list[tuple[Any, ...]], rows_max: int
) -> None:
    assert sql.rows(MATCH.format(pattern), batch_rows_max=rows_max) == rows


def test_a_skip_that_leads_back_is_an_error(sql: Sql) -> None:
    skip = "AFTER MATCH SKIP TO FIRST A PATTERN (A B) DEFINE A AS TRUE"
    with pytest.raises(EddylineError, match="leads to the first row of the same match"):
        sql.run(MATCH.format(skip))
