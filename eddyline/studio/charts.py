"""Charts: ECharts options in the studio's own colours.

Drawn as SVG, because there a colour may be a CSS variable: dark and light are the style sheet's
business alone. Times are epoch ms, shown in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

Options = dict[str, Any]
COLORS = [f"var(--chart-{i})" for i in range(1, 7)]
_TEXT = {"color": "var(--muted)", "fontFamily": "system-ui, sans-serif", "fontSize": 12}
LEGEND = {
    "type": "scroll",
    "top": 0,
    "left": 0,
    "itemWidth": 18,
    "itemHeight": 8,
    "textStyle": _TEXT,
    "pageTextStyle": _TEXT,
    "pageIconColor": "var(--accent)",
    "pageIconInactiveColor": "var(--line-strong)",
}
_LINE = {"lineStyle": {"color": "var(--line)"}}


def chart(options: Options, size: str = "") -> ui.echart:
    """A chart in its place."""
    return ui.echart(options, renderer="svg").classes(f"chart {size}")


def base() -> Options:
    """What all charts share."""
    return {
        "color": COLORS,
        "animation": False,
        "useUTC": True,
        "textStyle": _TEXT,
        "grid": {"left": 8, "right": 26, "top": 12, "bottom": 4, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var(--surface)",
            "borderColor": "var(--line)",
            "textStyle": {**_TEXT, "color": "var(--text)"},
        },
        "xAxis": axis("time"),
        "yAxis": axis("value"),
        "series": [],
    }


def axis(kind: str, **more: Any) -> Options:
    """An axis of kind time, value or category."""
    options: Options = {
        "type": kind,
        "axisLabel": {**_TEXT, "hideOverlap": True},
        "axisLine": {"show": kind != "value", **_LINE},
        "axisTick": {"show": False},
        "splitLine": {"show": kind == "value", **_LINE},
    }
    if kind == "value":
        options["splitNumber"] = 4
    return options | more


def line(name: str, data: Sequence[Any], **more: Any) -> Options:
    """A line without marks at its points."""
    options = {"type": "line", "name": name, "data": list(data), "showSymbol": False}
    return options | {"lineStyle": {"width": 1.5}} | more


def rate(name: str) -> Options:
    """A small chart of one rate over time."""
    options = base()
    options["yAxis"]["min"] = 0
    options["series"] = [line(name, [], areaStyle={"opacity": 0.12})]
    return options


def put(chart: ui.echart, points: Sequence[tuple[int, float | None]]) -> None:
    """Give a chart of one series its points (epoch ms, value); None breaks the line."""
    chart.options["series"][0]["data"] = [list(point) for point in points]
    chart.update()
