"""Zeppelin's graph settings over tables, and the charts they become."""

from __future__ import annotations

from typing import Any

from eddyline.service.notes.output import OutputTable
from eddyline.studio import graph as g
from eddyline.studio import look

TYPES = ["TIMESTAMP(3)", "STRING", "DOUBLE", "BIGINT NOT NULL"]
COLUMNS = ["window_end", "status", "temperature", "num"]
ROWS: list[list[str | None]] = [
    ["2026-11-24 10:00:10.000", "OK", "20.5", "7"],
    ["2026-11-24 10:00:10.000", "FAIL", "90.0", "1"],
    ["2026-11-24 10:00:20.000", "OK", "21.5", "9"],
    ["2026-11-24 10:00:20.000", "FAIL", None, "2"],
]
TABLE = OutputTable(COLUMNS, ROWS, TYPES, 4)
STORED = OutputTable(COLUMNS, ROWS, [], 4)
AT = 1_795_514_410_000


def setting(*names: str, aggr: str = "sum") -> list[dict[str, Any]]:
    return [{"name": name, "index": 0.0, "aggr": aggr} for name in names]


def test_a_table_without_settings_is_a_table() -> None:
    assert g.settings(TABLE, {}).mode == g.TABLE
    assert g.mode_of({"mode": "network"}) == g.TABLE


def test_a_guess_takes_time_number_and_group() -> None:
    for table in (TABLE, STORED):
        assert g.guess(table, g.LINE) == g.GraphSettings(g.LINE, (0,), (1,), ((3, "sum"),))


def test_a_pie_is_cut_by_the_text() -> None:
    assert g.guess(TABLE, g.PIE) == g.GraphSettings(g.PIE, (1,), (), ((3, "sum"),))


def test_settings_of_a_note_are_its_own() -> None:
    kept = {
        "mode": "multiBarChart",
        "keys": setting("status"),
        "groups": [],
        "values": setting("temperature", aggr="avg"),
    }
    chosen = g.settings(TABLE, kept)
    assert chosen == g.GraphSettings(g.BAR, (1,), (), ((2, "avg"),))
    assert g.settings(TABLE, g.graph_of(TABLE, chosen)) == chosen


def test_settings_that_name_nothing_here_are_guessed() -> None:
    kept = {"mode": "lineChart", "keys": setting("gone"), "values": setting("gone, too")}
    assert g.settings(TABLE, kept) == g.guess(TABLE, g.LINE)
    assert g.settings(TABLE, {"mode": "lineChart", "keys": "what?"}) == g.guess(TABLE, g.LINE)


def test_lines_run_over_time_one_a_group() -> None:
    options = g.options(TABLE, g.GraphSettings(g.LINE, (0,), (1,), ((2, "sum"),)))
    assert options["xAxis"]["type"] == "time"
    series = {s["name"]: s["data"] for s in options["series"]}
    assert series == {"OK": [[AT, 20.5], [AT + 10_000, 21.5]], "FAIL": [[AT, 90.0]]}
    assert "legend" in options


def test_bars_stand_at_categories_and_aggregate() -> None:
    options = g.options(TABLE, g.GraphSettings(g.BAR, (1,), (), ((2, "avg"), (3, "count"))))
    assert options["xAxis"]["data"] == ["OK", "FAIL"]
    series = {s["name"]: s["data"] for s in options["series"]}
    assert series == {"temperature": [21.0, 90.0], "num": [2, 2]}


def test_a_pie_has_no_axes() -> None:
    options = g.options(TABLE, g.GraphSettings(g.PIE, (1,), (), ((3, "sum"),)))
    assert "xAxis" not in options
    assert options["series"][0]["data"] == [
        {"name": "OK", "value": 16.0},
        {"name": "FAIL", "value": 3.0},
    ]


def test_dots_stand_at_numbers() -> None:
    options = g.options(TABLE, g.GraphSettings(g.SCATTER, (3,), (), ((2, "sum"),)))
    assert options["xAxis"]["type"] == "value"
    assert options["series"][0]["data"] == [[1.0, 90.0], [7.0, 20.5], [9.0, 21.5]]


def test_an_empty_table_draws_nothing_and_breaks_nothing() -> None:
    empty = OutputTable(COLUMNS, [], TYPES, 0)
    for mode in g.MODES:
        chosen = g.settings(empty, {"mode": mode})
        if mode != g.TABLE:
            assert g.options(empty, chosen)["series"] is not None


def test_series_and_points_are_bounded() -> None:
    rows: list[list[str | None]] = [[str(i), f"k{i}", str(i)] for i in range(5000)]
    wide = OutputTable(["x", "k", "v"], rows, ["INT", "STRING", "INT"], 5000)
    options = g.options(wide, g.GraphSettings(g.LINE, (0,), (1,), ((2, "sum"),)))
    assert len(options["series"]) == g.SERIES_MAX
    one = g.options(wide, g.GraphSettings(g.SCATTER, (0,), (), ((2, "sum"),)))
    assert len(one["series"][0]["data"]) == g.POINTS_MAX


def looked(mode: str, table: OutputTable = TABLE, **setting: Any) -> dict[str, Any]:
    chosen = g.GraphSettings(mode, (0,), (1,), ((3, "sum"),))
    return g.options(table, chosen, {"setting": {mode: setting}})


def test_bars_are_stacked_where_the_note_says_so() -> None:
    assert all("stack" not in s for s in looked(g.BAR)["series"])
    assert {s["stack"] for s in looked(g.BAR, stacked=True)["series"]} == {"all"}


def test_areas_as_shares_add_up_to_a_hundred() -> None:
    options = looked(g.AREA, style="expand")
    ok, fail = (dict(s["data"]) for s in options["series"])
    assert [round(ok[t] + fail[t], 9) for t in ok] == [100.0, 100.0]
    assert ok[AT] == 87.5
    assert (options["yAxis"]["min"], options["yAxis"]["max"]) == (0, 100)
    middle = looked(g.AREA, style="stream")["series"]
    assert dict(middle[0]["data"]) == {AT: -4.0, AT + 10_000: -5.5}


def test_lines_begin_at_zero_and_have_a_slider_on_request() -> None:
    assert looked(g.LINE)["yAxis"]["scale"]
    assert not looked(g.LINE, forceY=True)["yAxis"]["scale"]
    assert looked(g.LINE, lineWithFocus=True)["dataZoom"][0]["type"] == "slider"


def test_labels_are_turned_or_hidden() -> None:
    turned = looked(g.LINE, xLabelStatus="rotate", rotate={"degree": "-30"})
    assert turned["xAxis"]["axisLabel"]["rotate"] == 30
    assert looked(g.LINE, xLabelStatus="rotate")["xAxis"]["axisLabel"]["rotate"] == 45
    assert not looked(g.BAR, xLabelStatus="hide")["xAxis"]["axisLabel"]["show"]


def test_dots_are_rows_placed_and_sized_by_the_notes_columns() -> None:
    axis = {"xAxis": setting("temperature")[0], "yAxis": setting("num")[0]}
    axis["size"] = setting("num")[0]
    kept = {"mode": "scatterChart", "setting": {"scatterChart": axis}}
    chosen = g.settings(TABLE, kept)
    assert chosen == g.GraphSettings(g.SCATTER, (2,), (), ((3, "sum"),))
    (series,) = g.options(TABLE, chosen, kept)["series"]
    assert [d["value"] for d in series["data"]] == [[20.5, 7.0], [21.5, 9.0], [90.0, 1.0]]
    assert series["data"][1]["symbolSize"] == 30


def test_a_choice_changes_the_setting_that_zeppelin_reads() -> None:
    assert look.with_look(g.BAR, {"xLabelStatus": "hide"}, "stacked") == {
        "xLabelStatus": "hide",
        "stacked": True,
    }
    assert look.look_of(g.AREA, look.with_look(g.AREA, {}, "expand")) == "expand"
    for name in look.LOOKS[g.LINE]:
        assert look.look_of(g.LINE, look.with_look(g.LINE, {}, name)) == name
    assert look.labels_of(look.with_labels({}, "rotate")) == "rotate"
    assert [look.height_of({"height": h}) for h in (None, 20, 400.0, 9e9)] == [300, 120, 400, 1200]
