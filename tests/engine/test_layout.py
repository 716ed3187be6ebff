"""The digests by which a job knows its state again: they may not change under a running user."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eddyline.engine.state import layout_of
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p
from eddyline.sql.physical import Window, WindowKind

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
def test_a_state_written_before_is_known_again(name: str) -> None:
    assert layout_of([(name, NODES[name])]) == {name: WRITTEN[name]}


@pytest.mark.parametrize("field", ["number_of_trees", "seed", "window_ms"])
def test_another_forest_has_another_state(field: str) -> None:
    other = replace(FOREST, **{field: 99})
    assert layout_of([("f", other)]) != layout_of([("f", FOREST)])


def test_what_lies_below_is_no_part_of_a_digest() -> None:
    above = replace(FOREST, input=p.Limit(INPUT, 3, ROWS))
    assert layout_of([("f", above)]) == layout_of([("f", FOREST)])
