"""HOTSPOTS' windows against DBSCAN as the paper states it, and what the statement refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.catalog.catalog import Catalog
from eddyline.engine.operators.hotspots import PointWindow
from eddyline.errors import EddylineError
from eddyline.sql import statement as statements
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

TABLE = (
    "CREATE TABLE t (k STRING, x DOUBLE, n INT, d DECIMAL(5, 2)) WITH ('connector' = 'kinesis', "
    "'stream' = 's', 'aws.region' = 'us-east-1', 'format' = 'json')"
)


def clusters(points: npt.NDArray[np.float64], radius: float, least: int) -> list[Any]:
    """Bounds and size of each cluster: cores that reach one another, and what they reach."""
    near = [
        {j for j in range(len(points)) if ((points[i] - points[j]) ** 2).sum() <= radius**2}
        for i in range(len(points))
    ]
    core = {i for i, neighbours in enumerate(near) if len(neighbours) >= least}
    out = []
    while core:
        whole, edge = set[int](), {min(core)}
        while edge:
            at = edge.pop()
            core.discard(at)
            whole |= near[at]
            edge |= near[at] & core
        members = points[sorted(whole)]
        out.append((members.min(axis=0).tolist(), members.max(axis=0).tolist(), len(members)))
    return sorted(out)


@settings(deadline=None, max_examples=40)
@given(
    points=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40),
    radius=st.sampled_from([1.0, 1.5, 3.0]),
    least=st.integers(2, 5),
    forgets=st.booleans(),
)
def test_a_window_has_the_clusters_of_its_newest_points(
    points: list[tuple[int, int]], radius: float, least: int, forgets: bool
) -> None:
    window = PointWindow(20, 2)
    for row, point in enumerate(points):
        window.add(np.array(point, float), radius)
        newest = np.array(points[max(0, row - 19) : row + 1], float)
        hotspots = window.hotspots(radius, least)
        bounds = sorted((h["minValues"], h["maxValues"]) for h in hotspots)
        assert bounds == [(low, high) for low, high, _ in clusters(newest, radius, least)]
        if forgets:  # as when other keys need the memory
            window.near = None


def test_density_is_points_in_a_unit_of_volume() -> None:
    window = PointWindow(100, 2)
    for x, y in ((0, 0), (2, 0), (0, 4), (2, 4)):
        window.add(np.array([x, y], float), 4.0)
    (hotspot,) = window.hotspots(4.0, 2)
    assert hotspot == {"density": 4 / (4.0 * 4.0), "minValues": [0, 0], "maxValues": [2, 4]}
    assert json.dumps(hotspot)


def planned(call: str) -> str:
    catalog = Catalog(None)
    (create, query) = parse_script(f"{TABLE}; EXPLAIN SELECT * FROM {call}")
    assert isinstance(create, statements.CreateTable)
    assert isinstance(query, statements.Explain)
    catalog.create_table(Planner(catalog).table(create))
    return Planner(catalog).explain(query)


def test_the_plan_says_what_is_looked_for() -> None:
    named = (
        "HOTSPOTS(input => TABLE t PARTITION BY k, windowSize => 200, scanRadius => 0.5, "
        "minimumNumberOfPointsInAHotspot => 7, columns => DESCRIPTOR(x))"
    )
    expected = "Hotspots(columns=[x], partitionBy=[k], window=200, radius=0.5, points=7)"
    assert expected in planned(named)
    assert "columns=[x, n]" in planned("TABLE(HOTSPOTS((SELECT x, n FROM t), 100, 2, 2))")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("HOTSPOTS(TABLE t, 99, 1, 2, DESCRIPTOR(x))", "window_size is 99; it must be between 100"),
        ("HOTSPOTS(TABLE t, 100, 0, 2, DESCRIPTOR(x))", "scan_radius is 0; it must be above 0"),
        ("HOTSPOTS(TABLE t, 100, 1, 101, DESCRIPTOR(x))", "between 2 and 100, the window's size"),
        ("HOTSPOTS((SELECT x FROM t), 100, 1)", "needs minimum_number_of_points_in_a_hotspot"),
        ("HOTSPOTS(TABLE t, 100, 1, 2)", "takes no DECIMAL, which column d is"),
        ("HOTSPOTS(TABLE t, 100, 1, 2, DESCRIPTOR(k))", "column k is STRING, not a number"),
        ("HOTSPOTS((SELECT k FROM t), 100, 1, 2)", "over 0 columns"),
        ("HOTSPOTS((SELECT k, COUNT(*) n FROM t GROUP BY k), 100, 1, 2)", "taken back"),
        ("HOTSPOTS(TABLE t, 'x', 1, 2, DESCRIPTOR(x))", "window_size must be a constant number"),
    ],
)
def test_what_is_out_of_range_is_said(call: str, words: str) -> None:
    with pytest.raises(EddylineError) as raised:
        planned(call)
    assert words in raised.value.message
