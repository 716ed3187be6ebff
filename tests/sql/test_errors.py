"""What a wrong statement is told: a sentence, the place, a way out."""

# ruff: noqa: E501 (a statement is one line)

from __future__ import annotations

import pytest
from sql_kit import catalog, plan

from eddyline.errors import EddylineError
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script, statements
from eddyline.sql.planner import Planner

T = "TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '10' SECOND))"
# statement | code | the text marked with ^^^ | part of the sentence | part of the hint
WRONG = [
    ("SELECT Page FROM rates", "sql_semantic", "Page", "no column Page", "did you mean page?"),
    ("SELECT zzz FROM rates", "sql_semantic", "zzz", "no column zzz", "page, ctr, n"),
    ("SELECT r.cttr FROM rates AS r", "sql_semantic", "cttr", "in r", "did you mean ctr?"),
    ("SELECT x.ctr FROM rates AS r", "sql_semantic", "x", "no table x", "called r"),
    ("SELECT 1 FROM ratez", "not_found", "ratez", "no table or view ratez", "did you mean rates?"),
    ("SELECT n FROM rates AS a, rates AS b", "sql_semantic", "n", "ambiguous", "write the table's name"),
    ("SELECT page, COUNT(*) FROM rates", "sql_semantic", "page", "neither grouped", "add page to GROUP BY"),
    ("SELECT n FROM rates WHERE COUNT(*) > 1", "sql_semantic", "COUNT(*)", "cannot stand in WHERE", "HAVING"),
    ("SELECT SUM(COUNT(*)) FROM rates", "sql_semantic", "COUNT(*)", "cannot stand in an aggregate", None),
    ("SELECT n FROM rates WHERE page", "sql_semantic", "page", "needs a condition", "x > 0"),
    ("SELECT page + 1 FROM rates WHERE n = TRUE", "sql_semantic", "n = TRUE", "cannot be applied", None),
    ("SELECT UPER(page) FROM rates", "sql_semantic", "UPER", "no function UPER", "did you mean UPPER"),
    ("SELECT UPPER(page, 1) FROM rates", "sql_semantic", "UPPER(page, 1)", "takes 1", "for example"),
    ("SELECT SUM(page) FROM rates", "sql_semantic", "SUM(page)", "needs a number", "cast"),
    ("SELECT OBJECT_OF(page, 'n', n) FROM rates", "sql_semantic", "OBJECT_OF(page, 'n', n)", "name of a class", "OBJECT_OF('x.User'"),
    ("SELECT n FROM rates ORDER BY n", "sql_unsupported", "n", "ORDER BY a column that is no time", "add LIMIT"),
    ("SELECT arrival FROM clicks ORDER BY arrival DESC", "sql_unsupported", None, "no time attribute", "add LIMIT"),
    ("SELECT n FROM rates ORDER BY 2 LIMIT 1", "sql_semantic", "2", "the list has 1 columns", None),
    ("SELECT DISTINCT n FROM rates ORDER BY page LIMIT 1", "sql_semantic", "page", "after SELECT DISTINCT", "add it"),
    ("SELECT SUM(n) OVER (ORDER BY arrival ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM (SELECT 1 AS n, arrival FROM clicks)",
     "sql_unsupported", None, "does not end at the current row", "CURRENT ROW"),
    ("SELECT SUM(n) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM rates", "sql_unsupported", None, "bounded OVER frame", "UNBOUNDED"),
    ("SELECT SUM(n) OVER (PARTITION BY page) FROM rates", "sql_unsupported", None, "OVER without ORDER BY", "time attribute"),
    ("SELECT LEAD(n) OVER (ORDER BY n) FROM rates", "sql_unsupported", "LEAD(n) OVER (ORDER BY n)", "LEAD over a stream", "batch"),
    ("SELECT LAG(n, n) OVER (ORDER BY n) FROM rates", "sql_semantic", "n", "constant number of rows", "LAG(x, 1)"),
    ("SELECT RANK() OVER w FROM rates", "sql_semantic", "w", "no window w", "WINDOW w AS"),
    ("SELECT ROW_NUMBER() FROM rates", "sql_semantic", None, "needs OVER", "ORDER BY time"),
    ("SELECT n FROM rates WHERE ROW_NUMBER() OVER (ORDER BY n) = 1", "sql_semantic", None, "cannot stand in WHERE", "subquery"),
    ("SELECT SUM(n) OVER (ORDER BY n), MAX(n) OVER (PARTITION BY page ORDER BY n) FROM rates", "sql_unsupported",
     None, "must be the same", "a SELECT of its own"),
    ("SELECT n FROM (SELECT n, RANK() OVER (PARTITION BY page ORDER BY n) AS r FROM rates) WHERE r <= 2", "sql_unsupported",
     None, "RANK as a Top-N", "ROW_NUMBER"),
    ("SELECT GROUPING(n) FROM rates GROUP BY page", "sql_semantic", "n", "needs a key", None),
    ("SELECT GROUPING(n) FROM rates", "sql_semantic", None, "needs a query with GROUP BY", None),
    ("SELECT x FROM rates CROSS JOIN UNNEST(n) AS t(x)", "sql_semantic", "n", "needs an ARRAY", None),
    ("SELECT x FROM rates CROSS JOIN UNNEST(ARRAY[1]) AS t(x, y)", "sql_semantic", None, "2 names for the 1 columns", "INT"),
    ("SELECT n FROM rates AS r LEFT JOIN LATERAL (SELECT site FROM clicks WHERE site = r.page) AS c ON r.n > 1",
     "sql_unsupported", "r.n > 1", "other than TRUE", "ON TRUE"),
    ("SELECT n FROM rates FULL JOIN UNNEST(ARRAY[1]) AS t(x) ON TRUE", "sql_unsupported", None, "FULL JOIN with a right side", None),
    ("SELECT n FROM rates WHERE n IN (SELECT n, page FROM rates)", "sql_semantic", None, "compares 1 values", "as many"),
    ("SELECT n, (SELECT n, page FROM rates) FROM rates", "sql_semantic", None, "needs one column", "only the value"),
    ("SELECT n, (SELECT SUM(r.n) FROM rates AS r WHERE r.n > o.n) FROM rates AS o", "sql_unsupported", None,
     "reads the outer query's columns at this place", "join the two tables"),
    ("SELECT n FROM rates WHERE page IN (SELECT site FROM clicks WHERE zzz > 1)", "sql_semantic", "zzz", "no column zzz", None),
    ("SELECT COUNT(*) FROM clicks GROUP BY TUMBLE(LOCALTIMESTAMP, INTERVAL '1' SECOND)", "sql_semantic", None, "row-time column", None),
    ("SELECT LISTAGG(page ORDER BY n) FROM rates", "sql_unsupported", "n", "ORDER BY inside LISTAGG", None),
    ("SELECT page FROM rates QUALIFY zzz = 1", "sql_semantic", "zzz", "no column zzz", None),
    ("SELECT a.n FROM rates AS a LEFT JOIN rates AS b ON a.n NOT IN (SELECT n FROM rates)", "sql_unsupported",
     "a.n NOT IN (SELECT n FROM rates)", "IN (SELECT …) in ON", "joined to the others by AND"),
    ("SELECT n FROM rates WHERE n <> ANY (SELECT n FROM rates)", "sql_unsupported", "ANY", "<> ANY (SELECT …)", "MIN and MAX"),
    ("SELECT COUNT(*) FROM clicks WHERE site IN (SELECT page FROM rates) GROUP BY TUMBLE(arrival, INTERVAL '1' SECOND)",
     "sql_semantic", "arrival", "needs a row-time column", "take the window first"),
    ("SELECT n FROM rates WHERE page IN (SELECT zzz FROM clicks)", "sql_semantic", "zzz", "no column zzz", None),
    ("SELECT 1 UNION SELECT 1, 2", "sql_semantic", None, "1 columns and 2 columns", "as many"),
    ("SELECT page FROM rates UNION ALL SELECT ctr FROM rates", "sql_semantic", None, "STRING on one side", "cast"),
    ("VALUES (1), (2, 3)", "sql_semantic", "2", "a row has 2 values", None),
    ("SELECT * FROM rates JOIN clicks USING (page)", "sql_semantic", None, "not on both sides", None),
    ("SELECT * FROM rates NATURAL JOIN clicks", "sql_semantic", None, "share no column", "ON"),
    ("SELECT * FROM TABLE(TUMBLE(TABLE rates, DESCRIPTOR(n), INTERVAL '1' SECOND))", "sql_semantic",
     "n", "needs a row-time column", "WATERMARK FOR n"),
    ("SELECT * FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arival), INTERVAL '1' SECOND))",
     "sql_semantic", "arival", "no column arival", "did you mean arrival?"),
    ("SELECT * FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arrival)))", "sql_semantic",
     "TUMBLE(TABLE clicks, DESCRIPTOR(arrival))", "needs size", "for example TUMBLE"),
    ("SELECT * FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '1' MONTH))",
     "sql_semantic", "INTERVAL '1' MONTH", "days to seconds", "use days"),
    ("SELECT * FROM TABLE(HOP(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '3' SECOND, INTERVAL '10' SECOND))",
     "sql_semantic", None, "no multiple of the slide", "divides"),
    ("SELECT * FROM TABLE(TUMBLE(DATA => TABLE clicks, TIMECOL => DESCRIPTOR(arrival), SIZ => INTERVAL '1' SECOND))",
     "sql_semantic", None, "no argument siz", "did you mean size?"),
    ("SELECT * FROM TABLE(TUMBEL(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '1' SECOND))",
     "sql_semantic", "TUMBEL", "no table function", "did you mean TUMBLE?"),
    ("SELECT TUMBLE_END(arrival, INTERVAL '1' SECOND) FROM clicks", "sql_semantic", None,
     "needs a query grouped by TUMBLE", "GROUP BY TUMBLE"),
    ("SELECT TUMBLE_END(arrival, INTERVAL '1' SECOND) FROM clicks GROUP BY TUMBLE(arrival, INTERVAL '2' SECOND)",
     "sql_semantic", None, "other arguments", "same arguments"),
    ("SELECT HOP_END(arrival, INTERVAL '1' SECOND) FROM clicks GROUP BY TUMBLE(arrival, INTERVAL '1' SECOND)",
     "sql_semantic", None, "does not fit the query's TUMBLE", "TUMBLE_END"),
    ("INSERT INTO rates SELECT page, ctr FROM rates", "sql_semantic", "rates", "takes 3 columns here", "same order"),
    ("INSERT INTO rates (page, nn) SELECT page, n FROM rates", "sql_semantic", "nn", "no column nn", "did you mean n?"),
    ("INSERT INTO rates (page) SELECT page FROM rates", "sql_semantic", "rates", "cannot be NULL", "name it"),
    ("INSERT INTO rates SELECT ctr, ctr, n FROM rates", "sql_semantic", "rates", "is STRING, the query gives DOUBLE", "CAST(ctr AS STRING)"),
    ("INSERT INTO rates SELECT page, AVG(ctr), n FROM rates GROUP BY page, n", "sql_semantic", "rates",
     "takes only new rows", "group by a window"),
    ("INSERT INTO rates SELECT a.page, a.ctr, b.n FROM rates AS a LEFT JOIN rates AS b ON a.page = b.page",
     "sql_semantic", "rates", "LEFT JOIN", "INNER JOIN"),
    ("SELECT * FROM shown", "sql_semantic", "shown", "only writes", "INSERT"),
    ("SELECT * FROM RANDOM_CUT_FOREST(TABLE rates, 100, 5)", "sql_semantic", "5", "between 10 and 1000", "256"),
    ("SELECT * FROM RANDOM_CUT_FOREST(TABLE rates, 100, 256, 100)", "sql_semantic", "100", "smaller than time_decay", None),
    ("SELECT * FROM RANDOM_CUT_FOREST(input => TABLE rates, trees => 5)", "sql_semantic", None, "no argument trees", None),
    ("SELECT * FROM RANDOM_CUT_FOREST((SELECT page FROM rates))", "sql_semantic", None, "no numeric column", "numbers"),
    ("SELECT * FROM DETECT_ANOMALIES(input => TABLE rates, fill => 0)", "sql_semantic", None, "fill needs windows", "window_time"),
    ("SELECT DATE '2026-13-01'", "sql_semantic", None, "is no DATE", "2026-11-24"),
    ("SELECT CAST(TIMESTAMP '2026-01-01 00:00:00' AS BIGINT)", "sql_semantic", None, "cannot be cast", "UNIX_TIMESTAMP"),
    (f"SELECT window_end, site FROM {T} GROUP BY window_start, window_end", "sql_semantic", "site", "neither grouped", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "marked", "detail", "hint"), WRONG, ids=range(len(WRONG)))
def test_an_error_says_what_where_and_what_to_do(
    text: str, code: str, marked: str | None, detail: str, hint: str | None
) -> None:
    with pytest.raises(EddylineError) as raised:
        plan(text)
    error = raised.value
    assert error.code == code
    assert detail in error.message
    assert error.span is not None
    assert "^" in error.pretty()
    if marked is not None:
        begin = error.span.column - 1
        assert text[begin : begin + error.span.length] == marked
    if hint is not None:
        assert hint in (error.hint or "")


def test_the_place_is_that_of_the_whole_script() -> None:
    script = "SELECT page FROM rates;\n-- a note\nSELECT\n  pagee\nFROM rates;"
    statements = parse_script(script)
    assert isinstance(statements[1], st.Query)
    with pytest.raises(EddylineError) as raised:
        Planner(catalog()).query(statements[1])
    assert raised.value.pretty() == (
        "there is no column pagee (line 4, column 3)\n    pagee\n    ^^^^^\nhint: did you mean page?"
    )


def test_an_error_inside_a_view_names_the_view() -> None:
    tables = catalog("CREATE VIEW v AS SELECT page, ctr FROM rates;")
    tables.drop_table(("rates",))
    (query,) = parse_script("SELECT * FROM v")
    assert isinstance(query, st.Query)
    with pytest.raises(EddylineError) as raised:
        Planner(tables).query(query)
    assert raised.value.detail == "while reading view v"


def test_a_view_that_reads_itself_is_told_so() -> None:
    tables = catalog(
        "CREATE VIEW a AS SELECT page FROM rates; CREATE VIEW b AS SELECT page FROM a;"
    )
    tables.drop_view(("a",))
    (again,) = parse_script("CREATE VIEW a AS SELECT page FROM rates")
    assert isinstance(again, st.CreateView)
    from dataclasses import replace

    view = Planner(tables).view(again)
    tables.create_view(replace(view, query="SELECT page FROM b"))
    (query,) = parse_script("SELECT * FROM a")
    assert isinstance(query, st.Query)
    with pytest.raises(EddylineError, match="nested deeper"):
        Planner(tables).query(query)


DEFINITIONS = [
    ("CREATE TABLE t (a INT, WATERMARK FOR b AS b) WITH ('connector' = 'datagen')", "no column b", None),
    ("CREATE TABLE t (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'datagen')", "row time a is INT", "TO_TIMESTAMP"),
    ("CREATE TABLE t (a TIMESTAMP(6), WATERMARK FOR a AS a) WITH ('connector' = 'datagen')", "TIMESTAMP(6)", None),
    ("CREATE TABLE t (a INT METADATA FROM 'timestamp') WITH ('connector' = 'datagen')", "metadata 'timestamp'", None),
    ("CREATE TABLE t (a INT, b AS a + c) WITH ('connector' = 'datagen')", "no column c", None),
    ("CREATE TABLE t (a INT) PARTITIONED BY (aa) WITH ('connector' = 'datagen')", "no column aa", "did you mean a?"),
    ("CREATE VIEW v AS SELECT nosuch FROM rates", "no column nosuch", None),
    ("CREATE VIEW v (a, b) AS SELECT page FROM rates", "2 names for 1 columns", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), DEFINITIONS, ids=range(len(DEFINITIONS)))
def test_a_wrong_definition_is_told_at_once(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(EddylineError) as raised:
        catalog(text)
    assert message in raised.value.message
    assert raised.value.span is not None
    if hint is not None:
        assert hint in (raised.value.hint or "")


def test_windows_over_instants_are_cut_in_utc_only() -> None:
    table = (
        "CREATE TABLE t (at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time, "
        "own AS CAST(at_time AS TIMESTAMP(3))) WITH ('connector' = 'datagen');"
    )
    berlin = SessionConfig().with_option("table.local-time-zone", "Europe/Berlin")[0]
    for text in (
        "SELECT COUNT(*) FROM t GROUP BY TUMBLE(at_time, INTERVAL '1' DAY)",
        "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(at_time), INTERVAL '1' DAY))",
    ):
        (query,) = parse_script(text)
        assert isinstance(query, st.Query)
        Planner(catalog(table)).query(query)
        with pytest.raises(EddylineError, match="in the zone Europe/Berlin") as raised:
            Planner(catalog(table), berlin).query(query)
        assert raised.value.span is not None
        assert "WATERMARK" in (raised.value.hint or "")


UNUSABLE = [
    ("", "has no 'connector' option", "add WITH"),
    ("WITH ('connector' = 'kinesys')", "no connector 'kinesys'", "did you mean 'kinesis'?"),
    ("WITH ('connector' = 'print', 'prefix' = 'x')", "unsupported options", None),
    ("WITH ('connector' = 'filesystem', 'path' = '/x')", "needs the option 'format'", None),
]


@pytest.mark.parametrize(("options", "message", "hint"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_table_that_cannot_be_used_is_created_with_a_warning(
    options: str, message: str, hint: str | None
) -> None:
    tables = catalog()
    planner = Planner(tables)
    (statement,) = parse_script(f"CREATE TABLE t (a INT) {options}")
    assert isinstance(statement, st.CreateTable)
    tables.create_table(planner.table(statement))
    (warning,) = planner.warnings
    assert message in warning
    assert hint is None or hint in warning
    for text in ("SELECT a FROM t", "INSERT INTO t SELECT n FROM rates"):
        (use,) = parse_script(text)
        with pytest.raises(EddylineError) as raised:
            planner.insert(use) if isinstance(use, st.Insert) else planner.query(use)
        assert message in raised.value.message
        assert raised.value.span is not None


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("SHOW TABLES; SELECT 1; SELEC 2; SELECT 3", 2),
        ("SHOW TABLES; SELECT 'a;b'; SELECT 'never closed; SELECT 3", 2),
        ("SHOW TABLES; /* never closed; SHOW VIEWS;", 1),
        ("SELECT 'never closed", 0),
        ("BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 'x; END;", 0),
    ],
)
def test_statements_before_one_that_cannot_be_parsed_are_given(text: str, before: int) -> None:
    parsed = statements(text)
    for _ in range(before):
        next(parsed)
    with pytest.raises(EddylineError) as raised:
        next(parsed)
    assert raised.value.code == "sql_syntax"
    assert raised.value.span is not None


def test_an_older_name_of_an_option_sets_the_present_one() -> None:
    config, warning = SessionConfig().with_option("restart-strategy", "fixed-delay")
    assert (config.get("restart-strategy.type"), warning) == ("fixed-delay", None)
    assert config.without("restart-strategy").get("restart-strategy.type") == ""
