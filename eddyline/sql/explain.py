"""EXPLAIN: a plan as a tree a person reads, the newest step on top."""

from __future__ import annotations

from collections.abc import Iterable

from eddyline.sql import logical as lg
from eddyline.sql.changes import changelog_modes, insert_only
from eddyline.sql.intervals import interval_of
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.ranking import strategy
from eddyline.sql.typed import Ref, Typed, describe
from eddyline.sql.windowing import window_pair


def tree(node: lg.Node, top: str, *, both: bool = False) -> str:
    """The plan under a line that says what becomes of its rows; ``both`` as ``changelog_modes``."""
    modes = changelog_modes(node, both=both)
    lines = [f"{top}  {modes[id(node)]}"]
    _add(node, modes, lines, "", "+- ")
    return "\n".join(lines)


def execution_nodes(node: lg.Node, top: str, first: int) -> list[dict[str, object]]:
    """The plan as EXPLAIN JSON_EXECUTION_PLAN lists it, inputs before what reads them.

    first: the id of the first step; ids count upwards.
    """
    steps: list[dict[str, object]] = []
    last = _listed(node, steps, first)
    steps.append(_step(first + len(steps), top, "Sink", [last]))
    return steps


def _listed(node: lg.Node, steps: list[dict[str, object]], first: int) -> int:
    """Add a node and all below it; returns its id."""
    below = [_listed(child, steps, first) for child in lg.children(node)]
    kind = "Operator" if below else "Source"
    steps.append(_step(first + len(steps), _line(node), kind, below))
    return first + len(steps) - 1


def _step(number: int, line: str, kind: str, below: list[int]) -> dict[str, object]:
    name = line.partition("(")[0]
    predecessors = [{"id": i, "ship_strategy": "FORWARD", "side": "second"} for i in below]
    step: dict[str, object] = {
        "id": number,
        "type": f"{kind}: {name}" if kind != "Operator" else name,
        "pact": {"Source": "Data Source", "Sink": "Data Sink"}.get(kind, kind),
        "contents": line,
        "parallelism": 1,
    }
    return step | ({"predecessors": predecessors} if below else {})


def _add(node: lg.Node, modes: dict[int, str], lines: list[str], indent: str, branch: str) -> None:
    lines.append(f"{indent}{branch}{_line(node)}  {modes[id(node)]}")
    below = indent + ("   " if branch == "+- " else ":  ")
    *first, last = lg.children(node) or (None,)
    for child in first:
        assert child is not None
        _add(child, modes, lines, below, ":- ")
    if last is not None:
        _add(last, modes, lines, below, "+- ")


def _line(node: lg.Node) -> str:
    if isinstance(node, lg.Scan):
        return f"TableScan({node.table.path.name}: {_names(node.schema.names)})"
    if isinstance(node, lg.Values):
        return f"Values({len(node.rows)} rows: {_names(node.schema.names)})"
    if isinstance(node, lg.Calc):
        where = "" if node.condition is None else f", where={describe(node.condition)}"
        return f"Calc(select=[{_names(_named(n, e) for n, e in node.projections)}]{where})"
    if isinstance(node, lg.AssignWatermark):
        return f"WatermarkAssigner(rowtime={node.column}, watermark={describe(node.expression)})"
    if isinstance(node, lg.WindowTable):
        return f"WindowTableFunction({_window(node.window)}, time={node.time_column})"
    if isinstance(node, lg.GroupBy):
        return _aggregate(node)
    if isinstance(node, lg.Join):
        return _join(node)
    if isinstance(node, lg.Union):
        return f"Union({_names(node.schema.names)})"
    if isinstance(node, lg.Limit):
        return f"Limit({node.count}{f', offset={node.offset}' if node.offset else ''})"
    if isinstance(node, lg.Sort):
        return f"Sort(orderBy=[{_names(map(str, node.keys))}])"
    if isinstance(node, lg.Final):
        return "Final(at the end of the input)"
    if isinstance(node, lg.Rank):
        return _rank(node)
    if isinstance(node, lg.Over):
        return _over(node)
    if isinstance(node, lg.Unnest):
        word = "LEFT" if node.outer else "INNER"
        return f"Unnest({word}, {describe(node.collection)})"
    if isinstance(node, lg.Expand):
        return f"Expand({len(node.sets)} sets: {_names(node.schema.names)})"
    if isinstance(node, lg.TemporalJoin | lg.LookupJoin):
        on = "" if node.condition is None else f", on={describe(node.condition)}"
        time = f", at={node.left_time}" if isinstance(node, lg.TemporalJoin) else ""
        return f"{type(node).__name__}({node.kind}{time}{on})"
    if isinstance(node, lg.CurrentWatermark):
        return f"CurrentWatermark({node.column})"
    if isinstance(node, lg.Match):
        return _match(node)
    if isinstance(node, lg.ToChangelog | lg.FromChangelog):
        return f"{type(node).__name__}(op={node.op})"
    if isinstance(node, lg.ProcessingTime):
        return f"ProcessingTime({node.column})"
    return _hotspots(node) if isinstance(node, lg.Hotspots) else _forest(node)


def _match(node: lg.Match) -> str:
    partition = f"partitionBy=[{_names(node.partition_by)}], " if node.partition_by else ""
    order = f"orderBy=[{_names(map(str, node.order))}]"
    pattern = f"pattern=({' '.join(map(str, node.steps))})"
    within = "" if node.within_ms is None else f", within={_span(node.within_ms)}"
    skip = f"SKIP {node.skip} {node.skip_variable or ''}".strip()
    return f"Match({partition}{order}, {pattern}, {skip}{within})"


def _rank(node: lg.Rank) -> str:
    how = strategy(node, steady=insert_only(node.input))
    partition = f"partitionBy=[{_names(node.partition_by)}], " if node.partition_by else ""
    order = f"{partition}orderBy=[{_names(map(str, node.order))}]"
    if how.keep is not None:
        time = "ROWTIME" if how.by_rowtime else "PROCTIME"
        return f"Deduplicate(keep={how.keep}ROW, key=[{_names(node.partition_by)}], order={time})"
    word = "Rank" if how.window is None else "WindowRank"
    return f"{word}({node.function}, range={node.first}..{node.last}, {order})"


def _over(node: lg.Over) -> str:
    partition = f"partitionBy=[{_names(node.partition_by)}], " if node.partition_by else ""
    calls = _names(_call(c) for c in node.calls)
    order = f"orderBy=[{_names(map(str, node.order))}]"
    return f"OverAggregate({partition}{order}, {node.frame}, select=[{calls}])"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _named(name: str, e: Typed) -> str:
    same = isinstance(e, Ref) and e.name == name
    return name if same else f"{describe(e)} AS {name}"


def _aggregate(node: lg.GroupBy) -> str:
    calls = _names(_call(c) for c in node.calls)
    parts = [f"groupBy=[{_names(node.keys)}]"] if node.keys else []
    parts += [f"select=[{calls}]"] if calls else []
    if node.window is None:
        return f"GroupAggregate({_names(parts)})"
    window = f"window={_window(node.window.window)}, time={node.window.time_column}"
    return f"WindowAggregate({_names([window, *parts])})"


def _call(c: lg.AggregateCall) -> str:
    args = _names(describe(a) for a in c.args) or "*"
    word = "DISTINCT " if c.distinct else ""
    only = "" if c.filter is None else f" FILTER {describe(c.filter)}"
    return f"{c.function}({word}{args}){only} AS {c.name}"


def _window(w: Window) -> str:
    sizes = {
        WindowKind.TUMBLE: f"size={_span(w.size_ms)}",
        WindowKind.HOP: f"slide={_span(w.slide_ms)}, size={_span(w.size_ms)}",
        WindowKind.CUMULATE: f"step={_span(w.slide_ms)}, size={_span(w.size_ms)}",
        WindowKind.SESSION: f"gap={_span(w.size_ms)}",
    }[w.kind]
    offset = f", offset={_span(w.offset_ms)}" if w.offset_ms else ""
    return f"{w.kind}({sizes}{offset})"


def _span(ms: int) -> str:
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if ms and ms % size == 0:
            return f"{ms // size} {unit}"
    return f"{ms} ms"


def _join(node: lg.Join) -> str:
    on = "" if node.condition is None else f", on={describe(node.condition)}"
    steady = insert_only(node.left) and insert_only(node.right)
    word = "Join"
    if steady and window_pair(node) is not None:
        word = "WindowJoin"
    elif steady and interval_of(node) is not None:
        word = "IntervalJoin"
    return f"{word}({node.kind}{on})"


def _hotspots(node: lg.Hotspots) -> str:
    parts = [f"columns=[{_names(node.columns)}]"]
    parts += [f"partitionBy=[{_names(node.partition_by)}]"] if node.partition_by else []
    parts += [f"window={node.window_size}", f"radius={node.scan_radius:g}"]
    return f"Hotspots({_names([*parts, f'points={node.minimum_points}'])})"


def _forest(node: lg.Forest) -> str:
    parts = [f"columns=[{_names(node.columns)}]"]
    parts += [f"partitionBy=[{_names(node.partition_by)}]"] if node.partition_by else []
    parts += [
        f"trees={node.number_of_trees}",
        f"subSample={node.sub_sample_size}",
        f"timeDecay={node.time_decay}",
        f"shingle={node.shingle_size}",
    ]
    parts += [f"fill={node.fill:g}"] if node.fill is not None else []
    return f"RandomCutForest({_names(parts)})"
