"""A series of scored points as one chart: values with what was expected, and the score below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eddyline.service.anomalies import Alert, Point, SeriesInfo
from eddyline.studio import charts
from eddyline.studio.charts import COLORS, Options

# More lines than these nobody tells apart.
COLUMNS_MAX = 4
# More bands than these cover one another.
BANDS_MAX = 2


def options(series: SeriesInfo, points: Sequence[Point], alerts: Sequence[Alert]) -> Options:
    """The chart's options. Anomalous points are red dots, anomalies red bands over both parts."""
    options = charts.base()
    columns = series.columns[:COLUMNS_MAX]
    options["grid"] = [
        {"left": 56, "right": 20, "top": 34, "height": "56%"},
        {"left": 56, "right": 20, "top": "76%", "bottom": 24},
    ]
    options["xAxis"] = [
        charts.axis("time", gridIndex=0, axisLabel={"show": False}),
        charts.axis("time", gridIndex=1),
    ]
    options["yAxis"] = [
        charts.axis("value", gridIndex=0, scale=True),
        charts.axis("value", gridIndex=1, min=0, splitNumber=2),
    ]
    options["axisPointer"] = {"link": [{"xAxisIndex": "all"}]}
    options["legend"] = {
        **charts.LEGEND,
        "data": [*columns, *_expected_names(points, columns), "anomalous", "score"],
    }
    options["series"] = [
        *_values(columns, points),
        *_bands(columns, points),
        *_expectations(columns, points),
        _anomalous(points),
        _score(points, bands(alerts, points)),
    ]
    options["series"][0]["markArea"] = _area(bands(alerts, points))
    return options


def _values(columns: Sequence[str], points: Sequence[Point]) -> list[Options]:
    return [
        charts.line(name, [[p.time_ms, _short(p.values[i])] for p in points], symbolSize=5)
        | {"showSymbol": len(points) < 3}
        for i, name in enumerate(columns)
    ]


def _bands(columns: Sequence[str], points: Sequence[Point]) -> list[Options]:
    """Within which a single value is no alert: an area between two lines without a stroke."""
    bands = []
    for i, name in enumerate(columns[:BANDS_MAX]):
        known = [
            (p.time_ms, p.lower[i], p.upper[i]) if p.lower and p.upper else (p.time_ms, None, None)
            for p in points
        ]
        if all(low is None for _, low, _ in known):
            continue
        lows = [[at, _short(low)] for at, low, _ in known]
        wide = [
            [at, None if low is None or high is None else _short(high - low)]
            for at, low, high in known
        ]
        shared = {
            "stack": f"band of {name}", "stackStrategy": "all", "silent": True,
            "tooltip": {"show": False}, "color": COLORS[i % len(COLORS)],
            "lineStyle": {"opacity": 0},
        }  # fmt: skip
        bands.append(charts.line(f"{name}, least", lows, **shared))
        bands.append(charts.line(f"{name}, band", wide, **shared, areaStyle={"opacity": 0.13}))
    return bands


def _expected_names(points: Sequence[Point], columns: Sequence[str]) -> list[str]:
    known = any(p.expected for p in points)
    return [f"{name}, expected" for name in columns] if known else []


def _expectations(columns: Sequence[str], points: Sequence[Point]) -> list[Options]:
    """Dashed, and only where the forest says what it expected."""
    areas = []
    # A few lone expectations would make no line to be seen.
    alone = sum(p.expected is not None for p in points) < len(points) / 3
    for i, name in enumerate(_expected_names(points, columns)):
        data = [[p.time_ms, _short(p.expected[i]) if p.expected else None] for p in points]
        style = {"width": 1.5, "type": [4, 3], "color": COLORS[i % len(COLORS)]}
        areas.append(
            charts.line(name, data, lineStyle=style, color=COLORS[i % len(COLORS)], opacity=0.7)
            | {"symbol": "circle", "symbolSize": 6, "showSymbol": alone}
            | {"itemStyle": {"color": "var(--surface)", "borderColor": COLORS[i % len(COLORS)]}}
        )
    return areas


def _anomalous(points: Sequence[Point]) -> Options:
    """Red dots on the first column."""
    data = [[p.time_ms, _short(p.values[0])] for p in points if p.grade > 0 and p.values]
    return {
        "type": "scatter",
        "name": "anomalous",
        "data": data,
        "symbolSize": 9,
        "z": 5,
        "itemStyle": {"color": "var(--chart-bad)"},
    }


def _score(points: Sequence[Point], spans: list[tuple[int, int]]) -> Options:
    data = [[p.time_ms, _short(p.score)] for p in points]
    return charts.line(
        "score",
        data,
        xAxisIndex=1,
        yAxisIndex=1,
        color="var(--chart-3)",
        areaStyle={"opacity": 0.12},
        markArea=_area(spans),
    )


def bands(alerts: Sequence[Alert], points: Sequence[Point]) -> list[tuple[int, int]]:
    """The alerts' spans that overlap the points; one point's as wide as the step around it."""
    if not points:
        return []
    first, last = points[0].time_ms, points[-1].time_ms
    step = (last - first) / max(1, len(points) - 1)
    half = max(1, round(step / 2))
    return [
        (max(first, a.start_ms - half), min(last + half, a.end_ms + half))
        for a in alerts
        if a.end_ms >= first and a.start_ms <= last
    ]


def _area(spans: Sequence[tuple[int, int]]) -> Options:
    return {
        "silent": True,
        "itemStyle": {"color": "var(--chart-bad)", "opacity": 0.14},
        "data": [[{"xAxis": start}, {"xAxis": end}] for start, end in spans],
    }


def _short(value: Any) -> float | None:
    return None if value is None else float(f"{value:.6g}")
