"""A numbering of which only the first rows are wanted becomes a Top-N.

``SELECT … FROM (SELECT *, ROW_NUMBER() OVER (…) AS rn FROM t) WHERE rn <= 3`` is Flink's way to
write one; so is ``rn = 1`` for a deduplication.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eddyline.sql.logical import RANK_TYPE, Calc, Node, Over, Rank, transform
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjunction, conjuncts, refs, substitute

_RANKS = ("ROW_NUMBER", "RANK", "DENSE_RANK")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def rank_overs(node: Node) -> Node:
    """Turn filters over numberings into ranks."""
    return transform(node, _ranked)


@dataclass(slots=True)
class _Range:
    """The ranks that conditions leave."""

    first: int = 1
    last: int | str | None = None


def _ranked(node: Node) -> Node:
    if not isinstance(node, Calc) or node.condition is None or not isinstance(node.input, Over):
        return node
    over = node.input
    if len(over.calls) != 1 or over.calls[0].function not in _RANKS:
        return node
    name, bounds, rest = over.calls[0].name, _Range(), []
    for c in conjuncts(node.condition):
        if not _narrows(c, name, over, bounds):
            rest.append(c)
    if bounds.last is None:
        return node
    items = [e for _, e in node.projections]
    read = any(name in refs(e) for e in (*items, *rest))
    constant = bounds.first == bounds.last
    rank = Rank(
        over.input, over.partition_by, over.order, over.calls[0].function, bounds.first,
        bounds.last, name if read and not constant else None, over.place,
    )  # fmt: skip
    condition = conjunction(rest)
    if read and constant:
        value = Const(f"CAST({bounds.first} AS BIGINT)", RANK_TYPE, bounds.first)
        by: dict[str, Typed] = {name: value}
        projections = tuple((n, substitute(e, by)) for n, e in node.projections)
        condition = None if condition is None else substitute(condition, by)
        return Calc(rank, projections, condition)
    return replace(node, input=rank, condition=condition)


def _narrows(c: Typed, rank: str, over: Over, bounds: _Range) -> bool:
    """Take a condition on the rank into the range; False for any other condition."""
    if not isinstance(c, Apply):
        return False
    if c.name == "BETWEEN" and _is_rank(c.args[0], rank):
        low, high = _number(c.args[1]), _number(c.args[2])
        if low is None or high is None:
            return False
        bounds.first = max(bounds.first, low)
        return _cap(bounds, high)
    if c.name not in _FLIPPED or len(c.args) != 2:
        return False
    a, b, op = c.args[0], c.args[1], c.name
    if _is_rank(b, rank):
        a, b, op = b, a, _FLIPPED[op]
    if not _is_rank(a, rank):
        return False
    if op == "<=" and isinstance(b, Ref) and b.type.is_integer and bounds.last is None:
        if b.name in over.input.schema:
            bounds.last = b.name
            return True
        return False
    value = _number(b)
    if value is None:
        return False
    if op in (">", ">=", "="):
        bounds.first = max(bounds.first, value + (op == ">"))
    return op in (">", ">=") or _cap(bounds, value - (op == "<"))


def _cap(bounds: _Range, value: int) -> bool:
    if isinstance(bounds.last, str):
        return False
    bounds.last = value if bounds.last is None else min(bounds.last, value)
    return True


def _is_rank(e: Typed, rank: str) -> bool:
    return isinstance(e, Ref) and e.name == rank


def _number(e: Typed) -> int | None:
    whole = isinstance(e, Const) and isinstance(e.value, int) and not isinstance(e.value, bool)
    return e.value if whole else None  # type: ignore[union-attr, return-value]
