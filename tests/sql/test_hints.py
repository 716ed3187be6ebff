"""Hints: applied, answered with a warning, or refused; none is dropped without a word."""

from __future__ import annotations

import pytest

from eddyline.catalog.catalog import Catalog
from eddyline.errors import EddylineError
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

TABLES = """
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'kinesis', 'stream' = 's', 'format' = 'json');
CREATE TABLE o (k STRING, v INT) WITH ('connector' = 'kinesis', 'stream' = 'o', 'format' = 'json');
"""


def plan_of(text: str) -> p.Plan:
    catalog = Catalog(None)
    planner = Planner(catalog, SessionConfig())
    for table in parse_script(TABLES):
        assert isinstance(table, st.CreateTable)
        catalog.create_table(planner.table(table))
    (statement,) = parse_script(text)
    if isinstance(statement, st.Insert):
        return planner.insert(statement)
    assert isinstance(statement, st.Query)
    return planner.query(statement)


def scans(plan: p.Plan) -> list[p.Scan]:
    return [node for node in p.walk(plan.root) if isinstance(node, p.Scan)]


@pytest.mark.parametrize(
    "hint",
    [
        "/*+ OPTIONS('scan.stream.initpos'='TRIM_HORIZON') */",
        "/*+OPTIONS( 'scan.stream.initpos' = 'TRIM_HORIZON' )*/",
        "/*+ options('scan.stream.initpos'='TRIM_HORIZON', 'aws.region'='x') */ AS a",
    ],
)
def test_options_behind_a_table_are_applied(hint: str) -> None:
    (scan,) = scans(plan_of(f"SELECT k FROM t {hint}"))
    assert scan.table.options["scan.stream.initpos"] == "TRIM_HORIZON"


def test_options_behind_the_table_of_an_insert_are_applied() -> None:
    plan = plan_of(
        "INSERT INTO o /*+ OPTIONS('sink.partitioner-field-delimiter'='-') */ SELECT * FROM t"
    )
    assert isinstance(plan.root, p.Sink)
    assert plan.root.table.options["sink.partitioner-field-delimiter"] == "-"


def test_a_statement_keeps_the_hint_at_its_end() -> None:
    text = "INSERT INTO o SELECT k, v FROM t /*+ OPTIONS('scan.stream.initpos'='TRIM_HORIZON') */"
    (statement,) = parse_script(text + " ; ")
    assert statement.source.text == text
    (view,) = parse_script("CREATE VIEW w AS SELECT k FROM t /*+ OPTIONS('aws.region'='x') */;")
    assert isinstance(view, st.CreateView)
    assert view.query_text.endswith("'x') */")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT /*+ NONSENSE(zz) */ k FROM t", "there is no hint NONSENSE"),
        ("SELECT k FROM t /*+ OPTION('a'='b') */", "there is no hint OPTION"),
        ("SELECT /*+ OPTIONS('a'='b') */ k FROM t", "behind no table"),
        ("SELECT k FROM t /*+ OPTIONS(a=b) */", "cannot be read"),
        ("SELECT k FROM t /*+ OPTIONS('a'='b' 'c'='d') */", "cannot be read"),
        ("SELECT k FROM t /*+ OPTIONS('nonsense'='b') */", "nonsense"),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT /*+ X */ * FROM t; END", "hint X"),
    ],
)
def test_what_would_change_something_is_refused(text: str, message: str) -> None:
    with pytest.raises(EddylineError, match=message):
        plan_of(text)


def test_a_hint_about_execution_is_answered_with_a_warning() -> None:
    plan = plan_of(
        "SELECT /*+ BROADCAST(b), SHUFFLE_HASH(t) */ a.k FROM t AS a JOIN t AS b ON a.k = b.k"
    )
    assert plan.warnings == (
        "the hint BROADCAST changes nothing on one machine",
        "the hint SHUFFLE_HASH changes nothing on one machine",
    )


def test_a_plus_in_a_comment_or_a_text_is_no_hint() -> None:
    plan = plan_of("SELECT k --+ NONSENSE(zz)\nFROM t WHERE k <> '/*+ NONSENSE */'")
    assert plan.warnings == ()
