"""A chart's look: Zeppelin's settings of a kind of chart, as a note keeps them, over its options.

They stand in the graph under ``setting.<mode>``: bars side by side or stacked, areas stacked or as
shares of the whole, lines from zero or from the data, and how the labels of the axis are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eddyline.studio.charts import Options

Setting = Mapping[str, Any]
HEIGHT, HEIGHT_MIN, HEIGHT_MAX = 300, 120, 1200
LABEL_DEGREES = -45.0
# mode: (what may be chosen, the first is what there is without a choice)
LOOKS: dict[str, dict[str, str]] = {
    "multiBarChart": {"grouped": "Side by side", "stacked": "Stacked"},
    "stackedAreaChart": {"stack": "Stacked", "expand": "Shares", "stream": "Around the middle"},
    "lineChart": {"free": "From the data", "zero": "From zero", "focus": "With a slider"},
}
LABELS = {"default": "Labels fit", "rotate": "Labels turned", "hide": "No labels"}


def setting_of(graph: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """What a note keeps for a kind of chart; empty if nothing."""
    settings = graph.get("setting")
    setting = settings.get(mode) if isinstance(settings, dict) else None
    return dict(setting) if isinstance(setting, dict) else {}


def look_of(mode: str, setting: Setting) -> str | None:
    """The look that is chosen, by its key in LOOKS; None for a chart that has only one."""
    if mode == "multiBarChart":
        return "stacked" if setting.get("stacked") else "grouped"
    if mode == "stackedAreaChart":
        style = str(setting.get("style"))
        return style if style in LOOKS[mode] else "stack"
    if mode == "lineChart":
        return (
            "focus" if setting.get("lineWithFocus") else "zero" if setting.get("forceY") else "free"
        )
    return None


def with_look(mode: str, setting: Setting, look: str) -> dict[str, Any]:
    """The setting with another look."""
    if mode == "multiBarChart":
        return {**setting, "stacked": look == "stacked"}
    if mode == "stackedAreaChart":
        return {**setting, "style": look}
    return {**setting, "lineWithFocus": look == "focus", "forceY": look == "zero"}


def labels_of(setting: Setting) -> str:
    """How the labels of the axis are written, by its key in LABELS."""
    status = str(setting.get("xLabelStatus"))
    return status if status in LABELS else "default"


def with_labels(setting: Setting, labels: str) -> dict[str, Any]:
    """The setting with other labels."""
    return {"rotate": {"degree": str(LABEL_DEGREES)}, **setting, "xLabelStatus": labels}


def height_of(graph: Mapping[str, Any]) -> int:
    """The chart's height in pixels."""
    height = graph.get("height")
    if not isinstance(height, int | float):
        return HEIGHT
    return round(min(HEIGHT_MAX, max(HEIGHT_MIN, height)))


def apply(options: Options, mode: str, setting: Setting) -> None:
    """Give a chart's options the look of its setting."""
    look = look_of(mode, setting)
    if look is not None:
        _APPLY[look](options)
    labels = labels_of(setting)
    if "xAxis" not in options or labels == "default":
        return
    label = options["xAxis"]["axisLabel"]
    if labels == "hide":
        label["show"] = False
    else:
        label["rotate"] = -_degrees(setting)


def _degrees(setting: Setting) -> float:
    rotate = setting.get("rotate")
    try:
        degrees = float(rotate["degree"]) if isinstance(rotate, dict) else LABEL_DEGREES
    except (KeyError, TypeError, ValueError):
        return LABEL_DEGREES
    return max(-90.0, min(90.0, degrees))


def _plain(options: Options) -> None:
    """What the chart is without a choice."""


def _stacked(options: Options) -> None:
    for series in options["series"]:
        series["stack"] = "all"


def _shares(options: Options) -> None:
    """Each value as a percentage of the sum at its place on the axis."""
    totals: dict[Any, float] = {}
    for series in options["series"]:
        for place, value in _points(series):
            totals[place] = totals.get(place, 0.0) + abs(value)
    for series in options["series"]:
        shares = {p: 100 * v / totals[p] if totals[p] else 0.0 for p, v in _points(series)}
        series["data"] = [
            [p[0], shares[p[0]]] if isinstance(p, list) else shares.get(i)
            for i, p in enumerate(series["data"])
            if not isinstance(p, list) or p[0] in shares
        ]
    options["yAxis"] |= {"min": 0, "max": 100}


def _points(series: Options) -> list[tuple[Any, float]]:
    """(place on the axis, value) of a series, with instants or numbers or by position."""
    pairs = [(p[0], p[1]) if isinstance(p, list) else (i, p) for i, p in enumerate(series["data"])]
    return [(place, float(value)) for place, value in pairs if value is not None]


def _middle(options: Options) -> None:
    """Stack upon an invisible series that lies half of the sum below zero."""
    sums: dict[Any, float] = {}
    for series in options["series"]:
        for place, value in _points(series):
            sums[place] = sums.get(place, 0.0) + value
    if not options["series"]:
        return
    first = options["series"][0]["data"]
    timed = bool(first) and isinstance(first[0], list)
    base = [[p, -s / 2] for p, s in sorted(sums.items())] if timed else _by_position(sums)
    hidden = {"type": "line", "name": "", "data": base, "stack": "all", "silent": True,
              "symbol": "none", "lineStyle": {"opacity": 0}, "stackStrategy": "all"}  # fmt: skip
    for series in options["series"]:
        series["stackStrategy"] = "all"
    options["series"].insert(0, hidden)


def _by_position(sums: Mapping[Any, float]) -> list[float]:
    count = max(sums, default=-1) + 1
    return [-sums.get(i, 0.0) / 2 for i in range(count)]


def _from_zero(options: Options) -> None:
    options["yAxis"]["scale"] = False


def _slider(options: Options) -> None:
    options["dataZoom"] = [{"type": "slider", "height": 22, "bottom": 0}, {"type": "inside"}]
    options["grid"]["bottom"] = 34


_APPLY: dict[str, Callable[[Options], None]] = {
    "grouped": _plain,
    "stacked": _stacked,
    "stack": _plain,
    "expand": _shares,
    "stream": _middle,
    "free": _plain,
    "zero": _from_zero,
    "focus": _slider,
}
