"""Conditions go down to the side of a join they speak of.

Never below a watermark: rows that are filtered out move the watermark too.
"""

from __future__ import annotations

from dataclasses import replace

from eddyline.sql.logical import (
    Calc,
    Join,
    Node,
    Union,
    WindowTable,
    children,
    identity,
    with_children,
)
from eddyline.sql.physical import WindowKind
from eddyline.sql.typed import Ref, Typed, conjunction, conjuncts, is_volatile, refs, substitute

# Sides of a join whose rows may be dropped before it without changing the others'.
_BEFORE_WHERE = {
    "INNER": (True, True), "LEFT": (True, False), "RIGHT": (False, True),
    "SEMI": (True, False), "ANTI": (True, False),
}  # fmt: skip
_BEFORE_ON = {
    "INNER": (True, True), "LEFT": (False, True), "RIGHT": (True, False),
    "SEMI": (True, True), "ANTI": (False, True),
}  # fmt: skip


def push_filters(node: Node) -> Node:
    """Push filters from the top down."""
    node = _pushed(node)
    return with_children(node, tuple(push_filters(c) for c in children(node)))


def _pushed(node: Node) -> Node:
    if isinstance(node, Join):
        return _own(node)
    if not isinstance(node, Calc) or node.condition is None:
        return node
    below = node.input
    if isinstance(below, Join):
        return _over_join(node, below)
    if isinstance(below, Union):
        return _over_union(node, below)
    if isinstance(below, WindowTable) and below.window.kind is not WindowKind.SESSION:
        return _over_window(node, below)
    return node


def _own(join: Join) -> Join:
    """Parts of ON that speak of one side only."""
    sides = _BEFORE_ON.get(join.kind, (False, False))
    parts, left, right = _split(conjuncts(join.condition), join, sides)
    if not left and not right:
        return join
    return _with(replace(join, condition=conjunction(parts)), left, right)


def _over_join(node: Calc, join: Join) -> Node:
    sides = _BEFORE_WHERE.get(join.kind, (False, False))
    parts, left, right = _split(conjuncts(node.condition), join, sides)
    if not left and not right:
        return node
    below = _own(_with(join, left, right))
    return replace(node, input=below, condition=conjunction(parts))


def _split(
    parts: list[Typed], join: Join, sides: tuple[bool, bool]
) -> tuple[list[Typed], list[Typed], list[Typed]]:
    """(what stays, what goes left, what goes right), the last two in the side's own names."""
    placed: tuple[list[Typed], list[Typed], list[Typed]] = ([], [], [])
    inputs = ((join.left, join.left_names), (join.right, join.right_names))
    for c in parts:
        at = 0
        for i, (side, names) in enumerate(inputs):
            if sides[i] and refs(c) and refs(c) <= set(names) and not is_volatile(c):
                by: dict[str, Typed] = {
                    n: Ref(own.name, own.type) for n, own in zip(names, side.schema, strict=True)
                }
                placed[i + 1].append(substitute(c, by))
                at = i + 1
                break
        if at == 0:
            placed[0].append(c)
    return placed


def _with(join: Join, left: list[Typed], right: list[Typed]) -> Join:
    return replace(join, left=_filter(join.left, left), right=_filter(join.right, right))


def _filter(node: Node, parts: list[Typed]) -> Node:
    condition = conjunction(parts)
    return node if condition is None else Calc(node, identity(node.schema), condition)


def _over_union(node: Calc, union: Union) -> Node:
    condition = node.condition
    assert condition is not None
    if is_volatile(condition):
        return node
    inputs = []
    for side in union.inputs:
        by: dict[str, Typed] = {
            u.name: Ref(c.name, c.type) for u, c in zip(union.schema, side.schema, strict=True)
        }
        inputs.append(_filter(side, [substitute(condition, by)]))
    return replace(node, input=replace(union, inputs=tuple(inputs)), condition=None)


def _over_window(node: Calc, table: WindowTable) -> Node:
    bounds = set(table.names)
    down = [c for c in conjuncts(node.condition) if not refs(c) & bounds and not is_volatile(c)]
    if not down:
        return node
    stay = [c for c in conjuncts(node.condition) if c not in down]
    below = replace(table, input=_filter(table.input, down))
    return replace(node, input=below, condition=conjunction(stay))
