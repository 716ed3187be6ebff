"""How a result is drawn: Zeppelin's graph settings over a table become a chart's options.

The settings are the note's own (mode, keys, groups, values with an aggregate), so that a note
draws the same here and there, and what is chosen here is exported with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from eddyline.service.notes.output import OutputTable
from eddyline.studio import charts, look
from eddyline.studio.charts import Options
from eddyline.studio.markup import is_number

TABLE, LINE, BAR, AREA, PIE, SCATTER = (
    "table", "lineChart", "multiBarChart", "stackedAreaChart", "pieChart", "scatterChart",
)  # fmt: skip
MODES = {
    TABLE: "Table",
    LINE: "Line",
    BAR: "Bars",
    AREA: "Area",
    PIE: "Pie",
    SCATTER: "Dots",
}
SERIES_MAX, POINTS_MAX = 24, 2000
Aggregate = Callable[[Sequence[float]], float]
AGGREGATES: dict[str, Aggregate] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "count": len,
}
Graph = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """What is drawn: ``keys`` along the axis, a series for each of ``groups`` and ``values``.

    Columns are places in the table; values carry the name of their aggregate.
    """

    mode: str
    keys: tuple[int, ...]
    groups: tuple[int, ...]
    values: tuple[tuple[int, str], ...]


def mode_of(graph: Graph) -> str:
    """The mode, table where there is none we know."""
    mode = str(graph.get("mode") or TABLE)
    return mode if mode in MODES else TABLE


def settings(table: OutputTable, graph: Graph) -> GraphSettings:
    """The graph's settings, by name over this table; guessed where they name nothing of it."""
    if mode_of(graph) == SCATTER and (options := _scatter_settings(table, graph)) is not None:
        return options
    keys = _places(table, graph.get("keys"))
    groups = tuple(i for i in _places(table, graph.get("groups")) if i not in keys)
    values = _values(table, graph.get("values"))
    if not keys and not values:
        return guess(table, mode_of(graph))
    return GraphSettings(mode_of(graph), keys, groups, values or guess(table, TABLE).values)


def guess(table: OutputTable, mode: str) -> GraphSettings:
    """A time or text along the axis, the last number as value, another text as group."""
    numbers = [i for i in range(len(table.columns)) if _is_numeric(table, i)]
    times = [i for i in range(len(table.columns)) if is_time(table, i)]
    texts = [i for i in range(len(table.columns)) if i not in numbers and i not in times]
    key = times[:1] or texts[:1] or numbers[:1]
    value = [i for i in numbers if i not in key][-1:] or numbers[-1:]
    group = [i for i in texts if i not in key and _few(table, i)][:1]
    if mode == PIE and group:
        key, group = group, []
    return GraphSettings(mode, tuple(key), tuple(group), tuple((i, "sum") for i in value))


def graph_of(table: OutputTable, chosen: GraphSettings) -> Graph:
    """The settings as a note keeps them."""

    def entry(index: int, aggregate: str = "sum") -> Graph:
        return {"name": table.columns[index], "index": float(index), "aggr": aggregate}

    return {
        "mode": chosen.mode,
        "height": 300.0,
        "optionOpen": False,
        "keys": [entry(i) for i in chosen.keys],
        "groups": [entry(i) for i in chosen.groups],
        "values": [entry(i, aggregate) for i, aggregate in chosen.values],
    }


def options(table: OutputTable, chosen: GraphSettings, graph: Graph | None = None) -> Options:
    """The chart's options, with the look that the note keeps in its graph."""
    setting = look.setting_of(graph or {}, chosen.mode)
    if chosen.mode == SCATTER and _is_numeric(table, chosen.keys[0] if chosen.keys else None):
        return _dots(table, chosen, setting)
    drawn = _options(table, chosen)
    look.apply(drawn, chosen.mode, setting)
    return drawn


def _scatter_settings(table: OutputTable, graph: Graph) -> GraphSettings | None:
    """Zeppelin keeps the columns of dots by axis; None where it names none of this table."""
    setting = look.setting_of(graph, SCATTER)
    places = {name: _places(table, [setting.get(name)]) for name in ("xAxis", "yAxis", "group")}
    if not places["xAxis"] or not places["yAxis"]:
        return None
    values = tuple((place, "sum") for place in places["yAxis"])
    return GraphSettings(SCATTER, places["xAxis"], places["group"], values)


def _dots(table: OutputTable, chosen: GraphSettings, setting: look.Setting) -> Options:
    """A dot per row; its size by another column if the note names one."""
    options = charts.base()
    options["xAxis"] = charts.axis("value", scale=True)
    options["yAxis"]["scale"] = True
    options["tooltip"] = {**options["tooltip"], "trigger": "item"}
    sizes = _places(table, [setting.get("size")])
    largest = max((_number(row[i]) or 0.0 for row in table.rows for i in sizes), default=0.0)
    series: dict[str, list[tuple[float, Any]]] = {}
    (key,), (value, _) = chosen.keys[:1], chosen.values[0]
    for row in table.rows[-POINTS_MAX:]:
        x, y = _number(row[key]), _number(row[value])
        name = _name(table, chosen, row, value)
        if x is None or y is None or (name not in series and len(series) >= SERIES_MAX):
            continue
        dot: Any = [x, y]
        if sizes and largest > 0:
            size = _number(row[sizes[0]]) or 0.0
            dot = {"value": [x, y], "symbolSize": 5 + 25 * max(0.0, size) / largest}
        series.setdefault(name, []).append((x, dot))
    options["series"] = [
        _drawn(SCATTER, name, [dot for _, dot in sorted(dots, key=lambda pair: pair[0])])
        for name, dots in series.items()
    ]
    if len(series) > 1:
        options["legend"] = {**charts.LEGEND}
        options["grid"]["top"] = 36
    return options


def _options(table: OutputTable, chosen: GraphSettings) -> Options:
    if chosen.mode == PIE:
        return _pie(table, chosen)
    options = charts.base()
    timed = len(chosen.keys) == 1 and is_time(table, chosen.keys[0])
    numeric = len(chosen.keys) == 1 and _is_numeric(table, chosen.keys[0])
    by_value = chosen.mode == SCATTER and numeric
    drawn = _series(table, chosen)
    series: dict[str, list[Any]]
    if not timed and not by_value:
        labels = list(dict.fromkeys(label for points in drawn.values() for label in points))
        options["xAxis"] = charts.axis("category", data=labels[-POINTS_MAX:])
        kept = options["xAxis"]["data"]
        series = {name: [points.get(label) for label in kept] for name, points in drawn.items()}
    else:
        at = _instant if timed else float
        options["xAxis"] = charts.axis("time" if timed else "value", scale=True)
        series = {
            name: sorted([at(label), value] for label, value in points.items())[-POINTS_MAX:]
            for name, points in drawn.items()
        }
    options["yAxis"]["scale"] = chosen.mode in (LINE, SCATTER)
    options["series"] = [_drawn(chosen.mode, name, data) for name, data in series.items()]
    if len(series) > 1:
        options["legend"] = {**charts.LEGEND}
        options["grid"]["top"] = 36
    return options


def _drawn(mode: str, name: str, data: list[Any]) -> Options:
    if mode == BAR:
        return {"type": "bar", "name": name, "data": data, "barMaxWidth": 36}
    if mode == SCATTER:
        return {"type": "scatter", "name": name, "data": data, "symbolSize": 7}
    more: Options = {"showSymbol": len(data) < 40, "symbolSize": 5, "connectNulls": True}
    if mode == AREA:
        more |= {"stack": "all", "areaStyle": {"opacity": 0.35}}
    return charts.line(name, data, **more)


def _pie(table: OutputTable, chosen: GraphSettings) -> Options:
    options = charts.base()
    points = next(iter(_series(table, chosen).values()), {})
    for name in ("xAxis", "yAxis", "grid"):
        del options[name]
    options["tooltip"] = {**options["tooltip"], "trigger": "item"}
    label = {"color": "var(--text)", "fontSize": 12}
    data = [{"name": name, "value": value} for name, value in list(points.items())[:SERIES_MAX]]
    options["series"] = [{"type": "pie", "radius": ["35%", "68%"], "data": data, "label": label}]
    return options


def _series(table: OutputTable, chosen: GraphSettings) -> dict[str, dict[str, float]]:
    """Series by name, each a value by the keys' text, in order of first appearance."""
    buckets: dict[str, dict[str, list[float]]] = {}
    aggregates: dict[str, Aggregate] = {}
    for index, aggregate in chosen.values:
        for row in table.rows:
            number = _number(row[index])
            if number is None and aggregate != "count":
                continue
            name = _name(table, chosen, row, index)
            if name not in buckets and len(buckets) >= SERIES_MAX:
                continue
            aggregates[name] = AGGREGATES.get(aggregate, sum)
            label = " ".join(str(row[i]) for i in chosen.keys) or table.columns[index]
            buckets.setdefault(name, {}).setdefault(label, []).append(number or 0.0)
    return {
        name: {label: aggregates[name](values) for label, values in points.items()}
        for name, points in buckets.items()
    }


def _name(table: OutputTable, chosen: GraphSettings, row: Sequence[str | None], index: int) -> str:
    group = ", ".join(str(row[i]) for i in chosen.groups)
    column = table.columns[index]
    if not group:
        return column
    return group if len(chosen.values) == 1 else f"{group} {column}"


def _places(table: OutputTable, entries: Any) -> tuple[int, ...]:
    names = [e.get("name") for e in entries if isinstance(e, dict)] if _is_list(entries) else []
    return tuple(table.columns.index(n) for n in names if n in table.columns)


def _values(table: OutputTable, entries: Any) -> tuple[tuple[int, str], ...]:
    values = []
    for entry in entries if _is_list(entries) else []:
        if isinstance(entry, dict) and entry.get("name") in table.columns:
            aggregate = str(entry.get("aggr") or "sum")
            place = table.columns.index(str(entry["name"]))
            values.append((place, aggregate if aggregate in AGGREGATES else "sum"))
    return tuple(values)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_numeric(table: OutputTable, index: int | None) -> bool:
    if index is None:
        return False
    if table.types:
        return is_number(table.types[index])
    known = [row[index] for row in table.rows[-50:] if row[index] is not None]
    return bool(known) and all(_number(value) is not None for value in known)


def is_time(table: OutputTable, index: int) -> bool:
    """Whether a column holds points in time."""
    if table.types and not table.types[index].startswith(("TIMESTAMP", "DATE")):
        return False
    known = [row[index] for row in table.rows[-50:] if row[index] is not None]
    return bool(known) and all(_instant(value) is not None for value in known)


def _few(table: OutputTable, index: int) -> bool:
    return len({row[index] for row in table.rows}) <= SERIES_MAX


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None


def _instant(text: str | None) -> int | None:
    """Epoch ms of a printed timestamp or date, read as UTC."""
    if text is None or len(text) < 10 or text[4:5] != "-":
        return None
    try:
        instant = datetime.fromisoformat(text[:26])
    except ValueError:
        return None
    return int(instant.replace(tzinfo=instant.tzinfo or UTC).timestamp() * 1000)
