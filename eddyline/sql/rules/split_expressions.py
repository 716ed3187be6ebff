"""Expressions whose text would grow too long are computed in steps.

A template may repeat its arguments, so that deep nesting doubles the text level by level; what
is too long is cut into columns of projections below.
"""

from __future__ import annotations

from eddyline.sql.logical import Calc, Node, identity, transform, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed

TEXT_MAX = 20_000


def split_expressions(node: Node) -> Node:
    """Split every projection that needs it."""
    return transform(node, _split)


def _split(node: Node) -> Node:
    if not isinstance(node, Calc):
        return node
    below = node.input
    taken = set(below.schema.names)
    while True:
        whole = [e for _, e in node.projections] + ([node.condition] if node.condition else [])
        heavy = [h for e in whole for h in _heavy(e)]
        if not heavy:
            return node
        made: dict[Typed, Ref] = {}
        for h in heavy:
            if h not in made:
                name = unique("$part", taken)
                taken.add(name)
                made[h] = Ref(name, h.type)
        items = tuple((r.name, e) for e, r in made.items())
        step = Calc(node.input, (*identity(node.input.schema), *items))
        projections = tuple((n, _with(e, made)) for n, e in node.projections)
        condition = None if node.condition is None else _with(node.condition, made)
        node = Calc(_split(step), projections, condition)


def length(e: Typed) -> int:
    """How long the text will be, without making it."""
    if isinstance(e, Ref):
        return len(e.name) + 2
    if isinstance(e, Const):
        return len(e.text)
    inner = sum(e.template.count(f"{{{i}}}") * length(a) for i, a in enumerate(e.args))
    return len(e.template) + inner


def _heavy(e: Typed) -> list[Typed]:
    """The lowest parts that make an expression too long: each the longest argument there."""
    if length(e) <= TEXT_MAX or not isinstance(e, Apply):
        return []
    deeper = [h for a in e.args for h in _heavy(a)]
    if deeper:
        return deeper
    longest = max(e.args, key=length)
    return [longest] if isinstance(longest, Apply) else []


def _with(e: Typed, made: dict[Typed, Ref]) -> Typed:
    if e in made:
        return made[e]
    if not isinstance(e, Apply):
        return e
    return Apply(e.name, tuple(_with(a, made) for a in e.args), e.template, e.type, e.volatile)
