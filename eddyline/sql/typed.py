"""Typed expressions: what a bound expression is, before it becomes DuckDB text.

A tree of four kinds of node, so that rules can look into it: which columns it needs, whether two
are equal, what it becomes when a projection below is folded in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eddyline.errors import Span
from eddyline.record.types import BOOLEAN, DataType, Root, quote
from eddyline.record.vector import expect


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of the node's input."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class Const:
    """A constant: its DuckDB text, and its value where Python has one."""

    text: str
    type: DataType
    value: object = None


@dataclass(frozen=True, slots=True)
class Apply:
    """A function over arguments; ``template`` holds ``{0}``, ``{1}``.

    place: where it stands in which text, for messages; no part of its identity.
    """

    name: str
    args: tuple[Typed, ...]
    template: str
    type: DataType
    volatile: bool = False
    place: tuple[Span, str] | None = field(default=None, repr=False, compare=False)


Typed = Ref | Const | Apply

TRUE = Const("TRUE", BOOLEAN.not_null(), True)


def render(e: Typed) -> str:
    """DuckDB text over quoted column names."""
    if isinstance(e, Ref):
        return quote(e.name)
    if isinstance(e, Const):
        return e.text
    expect(e.template)
    return e.template.format(*(render(a) for a in e.args))


def refs(e: Typed) -> set[str]:
    """Names of the columns it needs."""
    if isinstance(e, Ref):
        return {e.name}
    if isinstance(e, Const):
        return set()
    return set().union(*(refs(a) for a in e.args)) if e.args else set()


def substitute(e: Typed, by: Mapping[str, Typed]) -> Typed:
    """The expression with columns replaced by what computes them."""
    if isinstance(e, Ref):
        return by.get(e.name, e)
    if isinstance(e, Const) or not e.args:
        return e
    args = tuple(substitute(a, by) for a in e.args)
    return Apply(e.name, args, e.template, e.type, e.volatile, e.place)


def is_volatile(e: Typed) -> bool:
    """Whether two evaluations may differ."""
    return isinstance(e, Apply) and (e.volatile or any(is_volatile(a) for a in e.args))


def size(e: Typed) -> int:
    """The number of nodes."""
    return 1 + (sum(size(a) for a in e.args) if isinstance(e, Apply) else 0)


def conjuncts(e: Typed | None) -> list[Typed]:
    """What is joined by AND, one by one; none for no condition."""
    if e is None:
        return []
    if isinstance(e, Apply) and e.name == "AND":
        return [c for a in e.args for c in conjuncts(a)]
    return [e]


def conjunction(parts: list[Typed]) -> Typed | None:
    """All joined by AND, or None for no condition."""
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    nullable = any(p.type.nullable for p in parts)
    template = "(" + " AND ".join(f"({{{i}}})" for i in range(len(parts))) + ")"
    kind = BOOLEAN if nullable else BOOLEAN.not_null()
    return Apply("AND", tuple(parts), template, kind)


_INFIX = {
    "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "||", "LIKE",
    "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "SIMILAR TO",
}  # fmt: skip


def describe(e: Typed) -> str:
    """As a person reads it, for EXPLAIN."""
    if isinstance(e, Ref):
        return e.name
    if isinstance(e, Const):
        if e.type.root is Root.INTERVAL_SECOND:
            return f"{e.value} ms"
        return e.text if e.value is None or isinstance(e.value, str) else str(e.value)
    shown = [describe(a) for a in e.args]
    if e.name in _INFIX and len(shown) >= 2:
        return "(" + f" {e.name} ".join(shown) + ")"
    if e.name.startswith("IS "):
        return f"{shown[0]} {e.name}"
    if e.name == "CAST":
        return f"CAST({shown[0]} AS {e.type.null()})"
    return f"{e.name}({', '.join(shown)})"
