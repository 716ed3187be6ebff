"""Joins bounded in time: the two row times and the bounds, read from the condition."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.record.types import Root
from eddyline.sql import logical as lg
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjuncts

_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """right time within [left time + lower_ms, left time + upper_ms]; ``rest`` is not about time.

    Column names are the join's output names.
    """

    left_time: str
    right_time: str
    lower_ms: int
    upper_ms: int
    rest: tuple[Typed, ...]


def interval_of(node: lg.Join) -> TimeBounds | None:
    """The interval that a join's condition sets on two row times, bounded on both sides."""
    lower: int | None = None
    upper: int | None = None
    times: tuple[str, str] | None = None
    rest: list[Typed] = []
    for c in _comparisons(conjuncts(node.condition)):
        bound = _bound(c, node)
        if bound is None or (times is not None and bound[0] != times):
            rest.append(c)
            continue
        times, op, ms = bound
        if op in (">=", ">", "="):
            low = ms + (op == ">")
            lower = low if lower is None else max(lower, low)
        if op in ("<=", "<", "="):
            high = ms - (op == "<")
            upper = high if upper is None else min(upper, high)
    if times is None or lower is None or upper is None or lower > upper:
        return None
    return TimeBounds(*times, lower, upper, tuple(rest))


def _comparisons(parts: list[Typed]) -> list[Typed]:
    """BETWEEN as its two comparisons."""
    out: list[Typed] = []
    for c in parts:
        if isinstance(c, Apply) and c.name == "BETWEEN" and c.args[0].type.is_timestamp:
            x, low, high = c.args
            kinds = c.type
            out.append(Apply(">=", (x, low), "({0} >= {1})", kinds))
            out.append(Apply("<=", (x, high), "({0} <= {1})", kinds))
        else:
            out.append(c)
    return out


def _bound(c: Typed, node: lg.Join) -> tuple[tuple[str, str], str, int] | None:
    """``right op left + ms`` as ((left, right), op, ms); None for any other condition."""
    if not isinstance(c, Apply) or c.name not in ("=", *_FLIP) or len(c.args) != 2:
        return None
    a, b = _shifted(c.args[0]), _shifted(c.args[1])
    if a is None or b is None:
        return None
    (first, first_ms), (second, second_ms), op = a, b, c.name
    if first in node.left_names and second in node.right_names:
        first, second, first_ms, second_ms = second, first, second_ms, first_ms
        op = _FLIP.get(op, op)
    if first not in node.right_names or second not in node.left_names:
        return None
    return (second, first), op, second_ms - first_ms


def _shifted(e: Typed) -> tuple[str, int] | None:
    """A row time moved by a constant interval: (column, milliseconds)."""
    if isinstance(e, Ref):
        return (e.name, 0) if e.type.is_rowtime else None
    if not isinstance(e, Apply) or e.name not in ("+", "-") or len(e.args) != 2:
        return None
    time, step = e.args
    if e.name == "+" and isinstance(time, Const):
        time, step = step, time
    inner = _shifted(time)
    known = isinstance(step, Const) and step.type.root is Root.INTERVAL_SECOND
    if inner is None or not known or not isinstance(step.value, int):  # type: ignore[union-attr]
        return None
    ms = step.value if e.name == "+" else -step.value  # type: ignore[union-attr]
    return inner[0], inner[1] + ms
