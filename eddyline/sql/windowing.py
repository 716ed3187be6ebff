"""Which columns of a node are the bounds of a window, and of what kind of window.

The knowledge starts at a window table function or a window aggregation and travels up as long
as both bounds pass unchanged. Grouping or joining by them is then done window by window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eddyline.record.types import Root
from eddyline.sql import logical as lg
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.typed import Apply, Ref, Typed, conjuncts


@dataclass(frozen=True, slots=True)
class WindowColumns:
    """Bounds of a window among a node's columns; ``time`` only if it is there too.

    attached: rows are already one window's results, not raw rows of a table function.
    partition_by: the keys of SESSION, of raw rows only; None if one is not among the columns.
    """

    window: Window
    start: str
    end: str
    time: str | None
    attached: bool
    partition_by: tuple[str, ...] | None = ()


def grouped_window(node: lg.Node, columns: tuple[str, ...]) -> WindowColumns | None:
    """The window that grouping a node by some of its columns goes by.

    Sessions of keys have an end of their own, so that a group by bounds alone is never over.
    """
    for w in windows_of(node):
        if w.partition_by is None and not w.attached:
            continue
        needed = {w.start, w.end, *(() if w.attached else w.partition_by or ())}
        if needed <= set(columns):
            return w
    return None


def windows_of(node: lg.Node) -> tuple[WindowColumns, ...]:
    """All window bounds among the node's columns (a join of two windowed inputs has two)."""
    if isinstance(node, lg.WindowTable):
        return (WindowColumns(node.window, *node.names, False, node.partition_by),)
    if isinstance(node, lg.Calc):
        return _through(node.projections, windows_of(node.input))
    if isinstance(node, lg.GroupBy):
        return _of_aggregate(node)
    if isinstance(node, lg.Forest | lg.Hotspots | lg.Limit | lg.Expand | lg.Unnest):
        return windows_of(node.input)
    if isinstance(node, lg.Rank):
        return _of_rank(node)
    if isinstance(node, lg.Join):
        return _of_join(node)
    return ()


def _through(
    projections: tuple[tuple[str, Typed], ...], below: tuple[WindowColumns, ...]
) -> tuple[WindowColumns, ...]:
    passed: dict[str, str] = {}
    for name, e in projections:
        if isinstance(e, Ref):
            passed.setdefault(e.name, name)
    columns = []
    for w in below:
        if w.start in passed and w.end in passed:
            time = passed.get(w.time) if w.time else None
            start, end = passed[w.start], passed[w.end]
            known = w.partition_by is not None and set(w.partition_by) <= set(passed)
            keys = tuple(passed[k] for k in w.partition_by or ()) if known else None
            columns.append(replace(w, start=start, end=end, time=time, partition_by=keys))
    return tuple(columns)


def _of_aggregate(node: lg.GroupBy) -> tuple[WindowColumns, ...]:
    if node.window is None:
        return ()
    carried = [
        replace(w, attached=True)
        for w in windows_of(node.input)
        if w.start in node.keys and w.end in node.keys
    ]
    if carried:
        return tuple(replace(w, time=w.time if w.time in node.keys else None) for w in carried)
    return (WindowColumns(node.window.window, *node.window.names, attached=True),)


def _of_rank(node: lg.Rank) -> tuple[WindowColumns, ...]:
    """A Top-N of windows gives their rows once they are over."""
    return tuple(
        replace(w, attached=True)
        for w in windows_of(node.input)
        if {w.start, w.end} <= set(node.partition_by)
    )


def _of_join(node: lg.Join) -> tuple[WindowColumns, ...]:
    """Bounds survive a join by the same window; any other join forgets them."""
    if window_pair(node) is None:
        return ()
    left = dict(zip(node.left.schema.names, node.left_names, strict=True))
    right = dict(zip(node.right.schema.names, node.right_names, strict=True))
    columns = []
    sides = ((node.left, left), (node.right, right))
    for side, names in sides[: 1 if node.kind in ("SEMI", "ANTI") else 2]:
        for w in windows_of(side):
            time = names[w.time] if w.time else None
            columns.append(
                replace(w, start=names[w.start], end=names[w.end], time=time, attached=True)
            )
    return tuple(columns)


def window_pair(node: lg.Join) -> tuple[WindowColumns, WindowColumns] | None:
    """The windows of both sides, if the join's condition makes their bounds equal.

    Both are given in the inputs' own column names.
    """
    left = dict(zip(node.left.schema.names, node.left_names, strict=True))
    right = dict(zip(node.right.schema.names, node.right_names, strict=True))
    equal = equal_pairs(node)
    for a in windows_of(node.left):
        for b in windows_of(node.right):
            starts = (left[a.start], right[b.start]) in equal
            ends = (left[a.end], right[b.end]) in equal
            if starts and ends and a.window == b.window:
                return a, b
    return None


def equal_pairs(node: lg.Join) -> set[tuple[str, str]]:
    """(left column, right column) that the condition makes equal, in the output's names."""
    pairs = set()
    for c in conjuncts(node.condition):
        pair = equal_refs(c)
        if pair is None:
            continue
        a, b = pair
        if a in node.left_names and b in node.right_names:
            pairs.add((a, b))
        elif b in node.left_names and a in node.right_names:
            pairs.add((b, a))
    return pairs


def equal_refs(e: Typed) -> tuple[str, str] | None:
    """The two columns of ``a = b``, if that is what the condition is and they compare as they
    are."""
    if not isinstance(e, Apply) or e.name != "=" or len(e.args) != 2:
        return None
    a, b = e.args
    if not (isinstance(a, Ref) and isinstance(b, Ref)):
        return None
    alike = a.type.root is b.type.root or (a.type.is_numeric and b.type.is_numeric)
    both_text = a.type.is_text and b.type.is_text
    return (a.name, b.name) if alike or both_text else None


def distance_ms(window: Window) -> int:
    """How far windows lie apart; 0 for sessions, which lie anywhere."""
    if window.kind is WindowKind.SESSION:
        return 0
    return window.slide_ms or window.size_ms


def rowtime_of(node: lg.Node) -> str | None:
    """The first row-time column of a node."""
    for c in node.schema:
        if c.type.is_rowtime and c.type.root in (Root.TIMESTAMP, Root.TIMESTAMP_LTZ):
            return c.name
    return None
