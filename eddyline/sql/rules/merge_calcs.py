"""Two projections in a row become one; one that changes nothing goes."""

from __future__ import annotations

from collections import Counter

from eddyline.sql.logical import Calc, Node, identity, transform
from eddyline.sql.typed import (
    Apply,
    Ref,
    Typed,
    conjunction,
    conjuncts,
    is_volatile,
    size,
    substitute,
)


def merge_calcs(node: Node) -> Node:
    """Fold projections and filters together, from below."""
    return transform(node, _merged)


def _merged(node: Node) -> Node:
    if not isinstance(node, Calc):
        return node
    while isinstance(node.input, Calc) and _may_fold(node, node.input):
        node = _folded(node, node.input)
    if node.condition is None and node.projections == identity(node.input.schema):
        return node.input
    return node


def _may_fold(upper: Calc, lower: Calc) -> bool:
    uses: Counter[str] = Counter()
    for e in _expressions(upper):
        _count(e, uses)
    return all(
        isinstance(e, Ref) or uses[n] == 0 or (not is_volatile(e) and _is_cheap(e, uses[n]))
        for n, e in lower.projections
    )


def _is_cheap(e: Typed, times: int) -> bool:
    """Used once, or a constant, or small enough to be computed again."""
    return times <= 1 or not isinstance(e, Apply) or (size(e) <= 3 and times <= 3)


def _expressions(node: Calc) -> list[Typed]:
    return [e for _, e in node.projections] + conjuncts(node.condition)


def _count(e: Typed, uses: Counter[str]) -> None:
    if isinstance(e, Ref):
        uses[e.name] += 1
    elif isinstance(e, Apply):
        for a in e.args:
            _count(a, uses)


def _folded(upper: Calc, lower: Calc) -> Calc:
    by = dict(lower.projections)
    items = tuple((n, substitute(e, by)) for n, e in upper.projections)
    conditions = conjuncts(lower.condition)
    conditions += [substitute(c, by) for c in conjuncts(upper.condition)]
    return Calc(lower.input, items, conjunction(conditions))
