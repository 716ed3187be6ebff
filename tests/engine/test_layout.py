"""By what a job knows its state again: what is stored, not how the statement is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eddyline.anomaly.verdicts import key_bytes
from eddyline.catalog.catalog import Catalog
from eddyline.engine.layout import (
    DETECTOR,
    adopted_names,
    converted,
    digest,
    layout_of,
    named,
    stored_by,
)
from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.planner import Planner

ROWS = Schema.of(k=t.STRING, x=t.DOUBLE, ts=t.timestamp(3))
BOTH = Schema.of(k=t.STRING, x=t.DOUBLE, k0=t.STRING, x0=t.DOUBLE)
NAMES = ("k", "x"), ("k0", "x0")
INPUT = p.Values((), ROWS)
TUMBLE = Window(WindowKind.TUMBLE, 10_000)
COUNT = p.Aggregate("COUNT", (), t.BIGINT, "n")
BOUNDS = ("window_start", "window_end", "window_time")
FOREST = p.Forest(
    INPUT, ("x",), ("k",), 50, 256, 1000, 1, 0.2, 7, None, 0, "ts", (), "s", None, "why", ROWS
)
NODES: dict[str, p.Node] = {
    "values": INPUT,
    "calc": p.Calc(INPUT, (p.Projection("k", p.Expr('"k"', t.STRING)),), '"x" > 1', ROWS),
    "watermark": p.AssignWatermark(INPUT, "ts", '"ts"', ROWS),
    "window_table": p.WindowTable(INPUT, TUMBLE, "ts", BOUNDS, ROWS),
    "window_aggregate": p.WindowAggregate(INPUT, TUMBLE, "ts", ("k",), (COUNT,), BOUNDS, ROWS),
    "group_aggregate": p.GroupAggregate(INPUT, ("k",), (COUNT,), ROWS),
    "join": p.Join(INPUT, INPUT, p.JoinKind.LEFT, ("k",), ("k",), '"x" < "x0"', *NAMES, BOTH),
    "window_join": p.WindowJoin(
        INPUT, INPUT, p.JoinKind.FULL, BOUNDS[:2], BOUNDS[:2], ("k",), ("k",), None, *NAMES, BOTH
    ),
    "interval_join": p.IntervalJoin(
        INPUT, INPUT, p.JoinKind.INNER, "ts", "ts", -5, 5, ("k",), ("k",), None, *NAMES, BOTH
    ),
    "forest": FOREST,
    "limit": p.Limit(INPUT, 3, ROWS),
}
WRITTEN = {
    "values": "fc13e74f71e5b5c0",
    "calc": "f42b524b0333108b",
    "watermark": "529029ed2a29f176",
    "window_table": "c1dab8e8f1d34a89",
    "window_aggregate": "a799d9067d45564e",
    "group_aggregate": "a1bc67ac8f693134",
    "join": "49c155afa8a4f2aa",
    "window_join": "5f476ee006aed776",
    "interval_join": "daa601fa3aada54a",
    "forest": "1583e966e338e23f",
    "limit": "63cbbfbc81030ded",
}


@pytest.mark.parametrize("name", NODES)
def test_a_digest_of_version_1_is_known_again(name: str) -> None:
    assert digest(NODES[name]) == WRITTEN[name]


@pytest.mark.parametrize("field", ["number_of_trees", "seed", "window_ms"])
def test_another_forest_has_another_state(field: str) -> None:
    other = replace(FOREST, **{field: 99})
    assert layout_of(other) != layout_of(FOREST)


def test_what_lies_below_is_no_part_of_what_a_node_stores() -> None:
    above = replace(FOREST, input=p.Limit(INPUT, 3, ROWS))
    assert layout_of(above)[-1].stores == layout_of(FOREST)[-1].stores


TABLES = """
CREATE TABLE t (k STRING, v INT, w INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kinesis', 'stream' = 's', 'format' = 'json');
CREATE TABLE u (k STRING, x INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kinesis', 'stream' = 'u', 'format' = 'json');
"""
WINDOW = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))"
GROUPED = "SELECT k, SUM(v) AS s FROM t GROUP BY k"


def planned(query: str) -> p.Node:
    catalog = Catalog(None)
    planner = Planner(catalog, SessionConfig())
    for table in parse_script(TABLES):
        assert isinstance(table, st.CreateTable)
        catalog.create_table(planner.table(table))
    (statement,) = parse_script(query)
    assert isinstance(statement, st.Query)
    return planner.query(statement).root


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (GROUPED, "SELECT k, SUM(v) + 1 AS s1, 'x' AS c FROM t GROUP BY k"),
        (GROUPED, "SELECT k, SUM(v) AS s FROM t WHERE v > 3 GROUP BY k"),
        (GROUPED, "SELECT k, SUM(v) AS s FROM t GROUP BY k HAVING SUM(v) > 5"),
        (GROUPED, "SELECT a.k AS other, SUM(a.v) AS total FROM t AS a GROUP BY a.k"),
        ("SELECT v FROM t", "SELECT v + 1 FROM t WHERE LEFT(k, 2) = 'ab'"),
        (
            f"SELECT k, COUNT(*) FROM {WINDOW} GROUP BY k, window_start, window_end",
            f"SELECT UPPER(k), COUNT(*) * 2, window_end FROM {WINDOW} WHERE v <> 7 "
            "GROUP BY k, window_start, window_end",
        ),
        (
            "SELECT t.k, t.v, u.x FROM t JOIN u ON t.k = u.k",
            "SELECT t.k, t.v * 10, u.x FROM t JOIN u ON u.k = t.k",
        ),
        ("SELECT k, UPPER(k) FROM t LIMIT 5", "SELECT k, LOWER(k) FROM t LIMIT 5"),
    ],
)
def test_a_stateless_change_goes_on_with_the_state(before: str, after: str) -> None:
    saved = layout_of(planned(before))
    root = planned(after)
    names = adopted_names(root, saved)
    kept = [n for n, node in zip(names, p.walk(root), strict=True) if stored_by(node) is not None]
    assert kept == [operator.name for operator in saved]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (GROUPED, "SELECT k, SUM(w) AS s FROM t GROUP BY k", "has other aggregates"),
        (GROUPED, "SELECT k, SUM(v + 1) AS s FROM t GROUP BY k", "has other aggregates"),
        (GROUPED, "SELECT k, SUM(DISTINCT v) AS s FROM t GROUP BY k", "has other aggregates"),
        (GROUPED, "SELECT k, SUM(v) FILTER (WHERE v > 1) AS s FROM t GROUP BY k", "aggregates"),
        (GROUPED, "SELECT UPPER(k), SUM(v) AS s FROM t GROUP BY UPPER(k)", "has other keys"),
        (GROUPED, "SELECT k, SUM(x) AS s FROM u GROUP BY k", "has other source"),
        (GROUPED, "SELECT k, v FROM t", "no GroupAggregate any more"),
        ("SELECT v FROM t", "SELECT v FROM t LIMIT 3", "has a Limit that it did not have"),
        (
            f"SELECT COUNT(*) FROM {WINDOW} GROUP BY window_start, window_end",
            f"SELECT COUNT(*) FROM {WINDOW.replace('10', '20')} GROUP BY window_start, window_end",
            "has other window",
        ),
        (
            "SELECT t.v, u.x FROM t JOIN u ON t.k = u.k",
            "SELECT t.v, u.x FROM t LEFT JOIN u ON t.k = u.k",
            "has other kind",
        ),
        (
            "SELECT t.v, u.x FROM t JOIN u ON t.k = u.k",
            "SELECT t.v, t.w, u.x FROM t JOIN u ON t.k = u.k",
            "has other left",
        ),
    ],
)
def test_what_stores_something_else_is_named(before: str, after: str, message: str) -> None:
    with pytest.raises(EddylineError, match=message) as refused:
        adopted_names(planned(after), layout_of(planned(before)))
    assert refused.value.code == "state_mismatch"
    assert "--from-positions" in str(refused.value.hint)
    assert "--fresh" in str(refused.value.hint)


def test_the_text_of_a_template_is_no_part_of_a_layout() -> None:
    def padded(node: p.GroupAggregate) -> p.GroupAggregate:
        calls = tuple(
            replace(a, args=tuple(replace(x, text=f"( {x.text} )") for x in a.args))
            for a in node.aggregates
        )
        return replace(node, aggregates=calls)

    root = planned(GROUPED)
    (group,) = [node for node in p.walk(root) if isinstance(node, p.GroupAggregate)]
    assert layout_of(padded(group)) == layout_of(group)
    assert digest(padded(group)) != digest(group)


def test_a_layout_of_version_1_is_converted() -> None:
    root = planned(GROUPED)
    digests = {name: digest(node) for name, node in named(root)}
    layout = converted(digests, root, same_statement=False)
    assert adopted_names(root, layout) == list(digests)
    changed = dict.fromkeys(digests, "0" * 16)
    assert converted(changed, root, same_statement=True) == layout
    with pytest.raises(EddylineError, match="is not what it was"):
        converted(changed, root, same_statement=False)
    with pytest.raises(EddylineError, match="no Limit any more"):
        converted({**digests, "Limit9": "0" * 16}, root, same_statement=True)


def test_other_models_are_another_detector() -> None:
    """Where this fails, the models that are stored have changed: raise DETECTOR, so that jobs of
    earlier versions read on with empty models, and say so."""
    assert (DETECTOR, key_bytes(1), key_bytes(4)) == (6, 33_640, 130_568)
