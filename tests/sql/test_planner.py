"""Statements become plans: which operators, which types, what is told."""

# ruff: noqa: E501 (a statement is one line)

from __future__ import annotations

import pytest
from sql_kit import KINESIS, catalog, explain, plan, types

from eddyline.catalog.table import CatalogTable, ColumnKind
from eddyline.record.types import TimeAttribute
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql import syntax as s
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_expression, parse_script
from eddyline.sql.planner import Planner

TUMBLE = "TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '10' SECOND))"
COUNTED = f"SELECT window_start, window_end, COUNT(*) AS n FROM {TUMBLE} GROUP BY window_start, window_end"
BOUNDS = "a.window_start = b.window_start AND a.window_end = b.window_end"


def nodes(planned: p.Plan) -> list[str]:
    """Kinds of nodes from the sources up."""
    return [type(n).__name__ for n in p.walk(planned.root)]


def only(planned: p.Plan, kind: type[p.Node]) -> p.Node:
    (node,) = [n for n in p.walk(planned.root) if isinstance(n, kind)]
    return node


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM sensor_data", ["Scan", "AssignWatermark", "Collect"]),
        ("SELECT site FROM clicks", ["Scan", "AssignWatermark", "Calc", "Collect"]),
        (COUNTED, ["Scan", "AssignWatermark", "Calc", "WindowAggregate", "Calc", "Collect"]),
        (
            f"SELECT site, window_end FROM {TUMBLE}",
            ["Scan", "AssignWatermark", "WindowTable", "Calc", "Collect"],
        ),
        (
            "SELECT site, COUNT(*) AS n FROM clicks GROUP BY site",
            ["Scan", "AssignWatermark", "Calc", "GroupAggregate", "Calc", "Collect"],
        ),
        ("SELECT 1 + 1 AS two", ["Values", "Calc", "Collect"]),
        ("SELECT page FROM rates LIMIT 3", ["Scan", "Limit", "Collect"]),
        ("SELECT page FROM rates UNION ALL SELECT site FROM clicks",
         ["Scan", "Scan", "AssignWatermark", "Calc", "Union", "Collect"]),
    ],
)  # fmt: skip
def test_the_plan_has_no_step_too_many(text: str, expected: list[str]) -> None:
    assert nodes(plan(text)) == expected


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        ("l.site = r.site", p.Join),
        ("l.site = r.site AND l.arrival BETWEEN r.arrival - INTERVAL '5' SECOND AND r.arrival", p.IntervalJoin),
        ("l.arrival >= r.arrival AND l.arrival < r.arrival + INTERVAL '1' MINUTE", p.IntervalJoin),
        ("l.site = r.site AND l.arrival >= r.arrival", p.Join),
    ],
)  # fmt: skip
def test_a_join_bounded_in_time_on_both_sides_is_an_interval_join(
    on: str, kind: type[p.Node]
) -> None:
    planned = plan(f"SELECT l.site FROM clicks AS l JOIN clicks AS r ON {on}")
    assert only(planned, kind)


def test_the_interval_is_read_from_the_right_sides_view() -> None:
    text = (
        "SELECT l.site FROM clicks AS l, clicks AS r WHERE l.site = r.site AND "
        "l.arrival BETWEEN r.arrival - INTERVAL '5' SECOND AND r.arrival + INTERVAL '2' SECOND"
    )
    node = only(plan(text), p.IntervalJoin)
    assert isinstance(node, p.IntervalJoin)
    assert (node.lower_ms, node.upper_ms) == (-2000, 5000)
    assert (node.left_keys, node.right_keys, node.condition) == (("site",), ("site",), None)


def test_windows_joined_on_their_bounds_are_a_window_join() -> None:
    planned = plan(f"SELECT a.n FROM ({COUNTED}) AS a LEFT JOIN ({COUNTED}) AS b ON {BOUNDS}")
    node = only(planned, p.WindowJoin)
    assert isinstance(node, p.WindowJoin)
    assert node.left_window == ("window_start", "window_end")
    assert planned.insert_only


def test_joined_on_one_bound_only_it_is_a_regular_join() -> None:
    text = f"SELECT a.n FROM ({COUNTED}) AS a LEFT JOIN ({COUNTED}) AS b ON a.window_end = b.window_end"
    planned = plan(text)
    assert only(planned, p.Join)
    assert not planned.insert_only


def test_only_columns_that_are_read_are_decoded() -> None:
    node = only(plan("SELECT status FROM sensor_data WHERE sensor_id > 3"), p.Scan)
    assert isinstance(node, p.Scan)
    assert node.columns.names == ("sensor_id", "status", "event_time")


@pytest.mark.parametrize(
    "option", ["'json.fail-on-missing-field' = 'true'", "'bad-records' = 'dead-letter'"]
)
def test_all_columns_are_decoded_where_bad_records_must_be_noticed(option: str) -> None:
    table = f"CREATE TABLE strict (a INT, b INT) {KINESIS[:-1]}, {option});"
    node = only(plan("SELECT a FROM strict", table), p.Scan)
    assert isinstance(node, p.Scan)
    assert node.columns.names == ("a", "b")


def test_a_filter_is_never_moved_below_a_watermark() -> None:
    explained = explain(
        f"SELECT window_end, COUNT(*) AS n FROM {TUMBLE} WHERE site = 'a' GROUP BY window_start, window_end"
    )
    assert explained.index("where=(site = 'a')") < explained.index("WatermarkAssigner")


def test_conditions_go_to_the_side_of_the_join_they_speak_of() -> None:
    text = "SELECT l.page FROM rates AS l JOIN rates AS r ON l.page = r.page WHERE l.n > 1 AND r.n > 2 AND l.n > r.n"
    join = only(plan(text), p.Join)
    assert isinstance(join, p.Join)
    below = [n.condition for n in p.walk(join.left) if isinstance(n, p.Calc)]
    assert len([c for c in below if c]) == 1
    outer = plan(text.replace("JOIN", "LEFT JOIN").replace("r.n > 2 AND ", ""))
    right = only(outer, p.Join)
    assert isinstance(right, p.Join)
    assert not [n for n in p.walk(right.right) if isinstance(n, p.Calc) and n.condition]


def test_explain_is_a_tree_with_kinds_of_change() -> None:
    text = "SELECT site, COUNT(*) AS n FROM clicks WHERE browseraction = 'Click' GROUP BY site"
    assert explain(text).splitlines() == [
        "Result(site, n)  [I,UA]",
        "+- Calc(select=[site, $agg0 AS n])  [I,UA]",
        "   +- GroupAggregate(groupBy=[site], select=[COUNT(*) AS $agg0])  [I,UA]",
        "      +- Calc(select=[site], where=(browseraction = 'Click'))  [I]",
        "         +- WatermarkAssigner(rowtime=arrival, watermark=arrival)  [I]",
        "            +- TableScan(clicks: browseraction, site, arrival)  [I]",
    ]


def test_explain_of_an_insert_tells_its_warnings() -> None:
    explained = explain(
        "INSERT INTO rates SELECT site, 1.5, COUNT(*) FROM clicks GROUP BY TUMBLE(arrival, INTERVAL '1' SECOND), site"
    )
    assert explained.startswith("Sink(default_catalog.default_database.rates: page, ctr, n)  [I]")
    assert "warning: column n: BIGINT NOT NULL is written as INT" in explained


def test_a_join_is_drawn_with_both_branches() -> None:
    explained = explain("SELECT a.page FROM rates AS a JOIN rates AS b ON a.page = b.page")
    assert "   :- TableScan(rates: page)" in explained
    assert "   +- TableScan(rates: page)" in explained


def test_the_lab_s_narrower_column_is_written_with_a_checked_cast_and_a_warning() -> None:
    planned = plan(
        "INSERT INTO sensor_state SELECT sensor_data.status, COUNT(*) AS num, "
        "AVG(sensor_data.current_temperature) AS avg_current_temperature, "
        "HOP_ROWTIME(event_time, INTERVAL '10' second, INTERVAL '1' minute) AS hop_time "
        "FROM sensor_data GROUP BY HOP(event_time, INTERVAL '10' second, INTERVAL '1' minute), "
        "sensor_data.status"
    )
    assert [w for w in planned.warnings if "column num" in w and "Flink refuses" in w]
    assert isinstance(planned.root, p.Sink)
    assert [str(t) for t in planned.root.schema.types] == [
        "VARCHAR(6)",
        "INT",
        "DOUBLE",
        "TIMESTAMP(3)",
    ]
    assert planned.insert_only


def test_columns_of_an_insert_by_name_leave_the_others_null() -> None:
    planned = plan("INSERT INTO rates (n, page) SELECT 1, 'a'")
    calc = planned.root.input
    assert isinstance(calc, p.Calc)
    assert {e.name: e.expr.text for e in calc.projections}["ctr"] == "CAST(NULL AS DOUBLE)"


def test_the_partition_key_is_that_of_the_table() -> None:
    planned = plan("INSERT INTO sensor_data SELECT 1, 2.5, 'OK', TIMESTAMP '2026-01-01 00:00:00'")
    assert isinstance(planned.root, p.Sink)
    assert planned.root.partition_by == ("sensor_id",)


def test_a_table_that_takes_changes_is_given_them() -> None:
    assert not plan("INSERT INTO shown SELECT site, COUNT(*) FROM clicks GROUP BY site").insert_only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT event_time FROM sensor_data", "TIMESTAMP(3) *ROWTIME*"),
        (f"SELECT window_start, window_time FROM {TUMBLE}",
         "TIMESTAMP(3) NOT NULL, TIMESTAMP(3) NOT NULL *ROWTIME*"),
        (f"SELECT arrival FROM {TUMBLE}", "TIMESTAMP(3)"),
        ("SELECT a.arrival FROM clicks AS a JOIN clicks AS b ON a.site = b.site", "TIMESTAMP(3)"),
        ("SELECT SUM(n) AS s FROM rates", "INT"),
        ("SELECT SUM(n) AS s FROM rates GROUP BY page", "INT NOT NULL"),
        ("SELECT SUM(n) FILTER (WHERE n > 1) AS s FROM rates GROUP BY page", "INT"),
        ("SELECT l.n FROM rates AS l RIGHT JOIN rates AS r ON l.page = r.page", "INT"),
        ("SELECT NULL AS x, 'ab' AS y, 1.50 AS z", "NULL, CHAR(2) NOT NULL, DECIMAL(3, 2) NOT NULL"),
    ],
)  # fmt: skip
def test_types_are_flinks(text: str, expected: str) -> None:
    assert types(text) == expected


def test_names_that_are_there_twice_are_numbered() -> None:
    names = plan(
        "SELECT a.page, b.page, 1, 2 FROM rates AS a JOIN rates AS b ON a.page = b.page"
    ).root.schema.names
    assert names == ("page", "page0", "EXPR$2", "EXPR$3")


@pytest.mark.parametrize(
    ("call", "columns"),
    [
        ("RANDOM_CUT_FOREST(input => TABLE rates PARTITION BY page, sub_sample_size => 12)", ("anomaly_score",)),
        ("RANDOM_CUT_FOREST(TABLE rates PARTITION BY page, 50, 12, 1000, 2)", ("anomaly_score",)),
        ("TABLE(RANDOM_CUT_FOREST_WITH_EXPLANATION(TABLE rates, 50, 12, 1000, 1, TRUE))",
         ("anomaly_score", "anomaly_explanation")),
        ("DETECT_ANOMALIES((SELECT page, ctr FROM rates), numberOfTrees => 10)",
         ("anomaly_score", "anomaly_grade", "anomaly_explanation", "anomaly_verdict",
          "anomaly_probability", "anomaly_expected", "anomaly_lower", "anomaly_upper",
          "anomaly_reason", "anomaly_attribution", "anomaly_episode", "anomaly_event",
          "anomaly_incident", "anomaly_filled")),
    ],
)  # fmt: skip
def test_forests_add_their_columns(call: str, columns: tuple[str, ...]) -> None:
    planned = plan(f"SELECT * FROM {call}")
    assert planned.root.schema.names[-len(columns) :] == columns
    assert only(planned, p.Forest)


def test_a_forest_takes_the_services_defaults_and_all_numbers_that_are_no_key() -> None:
    node = only(plan("SELECT * FROM RANDOM_CUT_FOREST(TABLE rates PARTITION BY n)"), p.Forest)
    assert isinstance(node, p.Forest)
    given = (node.number_of_trees, node.sub_sample_size, node.time_decay, node.shingle_size)
    assert given == (100, 256, 100_000, 1)
    assert (node.columns, node.partition_by, node.fill) == (("ctr",), ("n",), None)


@pytest.mark.parametrize(
    ("listed", "columns", "left_out"),
    [
        ("n AS order_id, n AS event_ts, n AS hits, ctr", ("hits", "ctr"), "order_id, event_ts"),
        ("n AS row_num, page", ("row_num",), ""),  # there is nothing else
        ("ctr AS offset_id, n AS paid", ("offset_id", "paid"), ""),
    ],
)
def test_row_numbers_identifiers_and_times_are_no_measures(
    listed: str, columns: tuple[str, ...], left_out: str
) -> None:
    planned = plan(f"SELECT * FROM DETECT_ANOMALIES((SELECT {listed} FROM rates))")
    node = only(planned, p.Forest)
    assert isinstance(node, p.Forest)
    assert node.columns == columns
    assert bool(planned.warnings) is bool(left_out)
    assert all(f"leaves out {left_out}, which" in words for words in planned.warnings)
    plain = only(plan(f"SELECT * FROM RANDOM_CUT_FOREST((SELECT {listed} FROM rates))"), p.Forest)
    assert isinstance(plain, p.Forest)
    assert len(plain.columns) >= len(columns)


def test_fill_knows_how_far_windows_lie_apart() -> None:
    inner = f"SELECT window_start, window_end, window_time, site, COUNT(*) AS n FROM {TUMBLE} GROUP BY window_start, window_end, window_time, site"
    text = "SELECT * FROM DETECT_ANOMALIES(input => TABLE counted PARTITION BY site, fill => 0)"
    node = only(plan(text, f"CREATE VIEW counted AS {inner};"), p.Forest)
    assert isinstance(node, p.Forest)
    assert (node.fill, node.window_ms, node.time_column) == (0.0, 10_000, "window_time")
    assert node.window_columns == ("window_start", "window_end")


def test_the_scalar_form_is_a_forest_too() -> None:
    text = "SELECT ctr, s FROM (SELECT ctr, RANDOM_CUT_FOREST(CAST(ctr AS FLOAT), 50) AS s FROM rates) WHERE s > 2"
    node = only(plan(text), p.Forest)
    assert isinstance(node, p.Forest)
    assert (node.number_of_trees, node.sub_sample_size) == (50, 12)
    assert plan(text).root.schema.names == ("ctr", "s")


def test_deep_expressions_are_computed_in_steps() -> None:
    long = " + ".join(["n"] * 40)
    calcs = [
        n for n in p.walk(plan(f"SELECT {long} AS s FROM rates").root) if isinstance(n, p.Calc)
    ]
    assert max(len(e.expr.text) for c in calcs for e in c.projections) < 30_000


def definition(text: str) -> CatalogTable:
    (statement,) = parse_script(text)
    assert isinstance(statement, st.CreateTable)
    return Planner(catalog(), SessionConfig()).table(statement)


def test_a_table_knows_its_computed_and_metadata_columns() -> None:
    table = definition(
        "CREATE TABLE t (txt STRING, ts AS TO_TIMESTAMP(txt), shard STRING METADATA FROM 'shard-id' "
        f"VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) {KINESIS}"
    )
    kinds = [(c.name, c.kind, c.metadata_key) for c in table.columns]
    assert kinds == [
        ("txt", ColumnKind.PHYSICAL, None),
        ("ts", ColumnKind.COMPUTED, None),
        ("shard", ColumnKind.METADATA, "shard-id"),
    ]
    assert table.schema["ts"].time_attribute is TimeAttribute.ROWTIME
    assert str(table.schema["ts"]) == "TIMESTAMP(3) *ROWTIME*"


def test_create_table_as_takes_the_querys_columns() -> None:
    table = definition(
        f"CREATE TABLE t {KINESIS} AS SELECT page, COUNT(*) OVER_ALL FROM rates GROUP BY page"
    )
    assert [(c.name, str(c.type)) for c in table.columns] == [
        ("page", "STRING"),
        ("OVER_ALL", "BIGINT NOT NULL"),
    ]


def test_a_view_reads_its_tables_where_it_was_made() -> None:
    more = "CREATE VIEW v (p) AS SELECT page FROM rates WHERE n > 1;"
    assert plan("SELECT x.p FROM v AS x", more).root.schema.names == ("p",)


def test_options_of_a_hint_replace_the_tables() -> None:
    text = "SELECT page FROM rates /*+ OPTIONS('scan.stream.initpos' = 'TRIM_HORIZON') */"
    node = only(plan(text), p.Scan)
    assert isinstance(node, p.Scan)
    assert node.table.options["scan.stream.initpos"] == "TRIM_HORIZON"


def test_kinder_readings_are_told() -> None:
    planned = plan("SELECT UPPER(page) AS p, COUNT(*) AS n FROM rates GROUP BY p")
    assert [w for w in planned.warnings if "Flink refuses an alias" in w]


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"U&'\00e9\\x'", "é\\x"),
        ("U&'!00e9' UESCAPE '!'", "é"),
        (r"U&'\d83d\de00'", "😀"),
        ("_UTF8'é'", "é"),
    ],
)
def test_marked_texts(literal: str, text: str) -> None:
    expression = parse_expression(literal)
    assert isinstance(expression, s.Literal)
    assert (expression.kind, expression.text) == ("string", text)


def test_times_are_subtracted_with_a_unit() -> None:
    difference = "(TIMESTAMP '2026-03-30 00:00:00' - arrival) DAY TO SECOND"
    assert types(f"SELECT {difference} AS d FROM clicks") == "INTERVAL SECOND(3)"
    assert types("SELECT (arrival - arrival) MONTH AS d FROM clicks") == "INTERVAL MONTH"


def test_a_window_top_n_goes_into_a_table_that_takes_only_new_rows() -> None:
    """Which rows are taken back is known once ranks and windows have been found in the query."""
    inserted = plan(
        "INSERT INTO rates (page, ctr, n) SELECT site, 0, CAST(r AS INT) FROM (SELECT site, "
        "ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY site DESC) AS r FROM "
        "TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(arrival), INTERVAL '2' SECOND))) WHERE r <= 2"
    )
    assert inserted.insert_only
