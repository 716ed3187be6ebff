"""Zeppelin's graph settings over tables, and the charts they become."""

from __future__ import annotations

from typing import Any

from eddyline.service.notes.output import Table
from eddyline.studio import graph as g

TYPES = ["TIMESTAMP(3)", "STRING", "DOUBLE", "BIGINT NOT NULL"]
COLUMNS = ["window_end", "status", "temperature", "num"]
ROWS: list[list[str | None]] = [
    ["2026-11-24 10:00:10.000", "OK", "20.5", "7"],
    ["2026-11-24 10:00:10.000", "FAIL", "90.0", "1"],
    ["2026-11-24 10:00:20.000", "OK", "21.5", "9"],
    ["2026-11-24 10:00:20.000", "FAIL", None, "2"],
]
TABLE = Table(COLUMNS, ROWS, TYPES, 4)
STORED = Table(COLUMNS, ROWS, [], 4)
AT = 1_795_514_410_000


def setting(*names: str, aggr: str = "sum") -> list[dict[str, Any]]:
    return [{"name": name, "index": 0.0, "aggr": aggr} for name in names]


def test_a_table_without_settings_is_a_table() -> None:
    assert g.settings(TABLE, {}).mode == g.TABLE
    assert g.mode_of({"mode": "network"}) == g.TABLE


def test_a_guess_takes_time_number_and_group() -> None:
    for table in (TABLE, STORED):
        assert g.guess(table, g.LINE) == g.Settings(g.LINE, (0,), (1,), ((3, "sum"),))


def test_a_pie_is_cut_by_the_text() -> None:
    assert g.guess(TABLE, g.PIE) == g.Settings(g.PIE, (1,), (), ((3, "sum"),))


def test_settings_of_a_note_are_its_own() -> None:
    kept = {
        "mode": "multiBarChart",
        "keys": setting("status"),
        "groups": [],
        "values": setting("temperature", aggr="avg"),
    }
    chosen = g.settings(TABLE, kept)
    assert chosen == g.Settings(g.BAR, (1,), (), ((2, "avg"),))
    assert g.settings(TABLE, g.graph_of(TABLE, chosen)) == chosen


def test_settings_that_name_nothing_here_are_guessed() -> None:
    kept = {"mode": "lineChart", "keys": setting("gone"), "values": setting("gone, too")}
    assert g.settings(TABLE, kept) == g.guess(TABLE, g.LINE)
    assert g.settings(TABLE, {"mode": "lineChart", "keys": "what?"}) == g.guess(TABLE, g.LINE)


def test_lines_run_over_time_one_a_group() -> None:
    found = g.options(TABLE, g.Settings(g.LINE, (0,), (1,), ((2, "sum"),)))
    assert found["xAxis"]["type"] == "time"
    series = {s["name"]: s["data"] for s in found["series"]}
    assert series == {"OK": [[AT, 20.5], [AT + 10_000, 21.5]], "FAIL": [[AT, 90.0]]}
    assert "legend" in found


def test_bars_stand_at_categories_and_aggregate() -> None:
    found = g.options(TABLE, g.Settings(g.BAR, (1,), (), ((2, "avg"), (3, "count"))))
    assert found["xAxis"]["data"] == ["OK", "FAIL"]
    series = {s["name"]: s["data"] for s in found["series"]}
    assert series == {"temperature": [21.0, 90.0], "num": [2, 2]}


def test_a_pie_has_no_axes() -> None:
    found = g.options(TABLE, g.Settings(g.PIE, (1,), (), ((3, "sum"),)))
    assert "xAxis" not in found
    assert found["series"][0]["data"] == [
        {"name": "OK", "value": 16.0},
        {"name": "FAIL", "value": 3.0},
    ]


def test_dots_stand_at_numbers() -> None:
    found = g.options(TABLE, g.Settings(g.SCATTER, (3,), (), ((2, "sum"),)))
    assert found["xAxis"]["type"] == "value"
    assert found["series"][0]["data"] == [[1.0, 90.0], [7.0, 20.5], [9.0, 21.5]]


def test_an_empty_table_draws_nothing_and_breaks_nothing() -> None:
    empty = Table(COLUMNS, [], TYPES, 0)
    for mode in g.MODES:
        chosen = g.settings(empty, {"mode": mode})
        if mode != g.TABLE:
            assert g.options(empty, chosen)["series"] is not None


def test_series_and_points_are_bounded() -> None:
    rows: list[list[str | None]] = [[str(i), f"k{i}", str(i)] for i in range(5000)]
    wide = Table(["x", "k", "v"], rows, ["INT", "STRING", "INT"], 5000)
    found = g.options(wide, g.Settings(g.LINE, (0,), (1,), ((2, "sum"),)))
    assert len(found["series"]) == g.SERIES_MAX
    one = g.options(wide, g.Settings(g.SCATTER, (0,), (), ((2, "sum"),)))
    assert len(one["series"][0]["data"]) == g.POINTS_MAX
