"""Joins: sides put together, conditions bound, time attributes kept only where time bounds them."""

from __future__ import annotations

from dataclasses import replace

from eddyline.errors import Span
from eddyline.record.schema import Column, Schema
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, ScopeField
from eddyline.sql.changes import insert_only
from eddyline.sql.intervals import interval_of
from eddyline.sql.logical import Join, Node, unique
from eddyline.sql.typed import Ref, Typed, conjunction, conjuncts, refs, substitute
from eddyline.sql.windowing import window_pair


def joined(left: Relation, right: Relation, j: s.JoinClause, env: Environment) -> Relation:
    """Both sides joined as the clause says; time attributes are settled later.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    both, node = beside(left, right, "INNER" if j.kind == "CROSS" else j.kind)
    node = replace(
        node, state_ttl_ms=(env.state_ttl_ms(left.fields), env.state_ttl_ms(right.fields))
    )
    names = _common_names(left, right, j, env)
    if names:
        return _using(both, node, names, len(left.fields), j, env)
    if j.condition is None:
        return Relation(node, both)
    binder = ExpressionBinder(Relation(node, both).scope, env, "ON")
    condition = binder.condition(j.condition, "ON")
    return Relation(replace(node, condition=condition), both)


def beside(left: Relation, right: Relation, kind: str) -> tuple[tuple[ScopeField, ...], Join]:
    """The columns of both sides under unique names; an outer side's may be NULL."""
    taken: set[str] = set()
    columns: list[Column] = []
    sides: list[tuple[str, ...]] = []
    for side, padded in ((left, ("RIGHT", "FULL")), (right, ("LEFT", "FULL"))):
        names = []
        for c in side.node.schema:
            name = unique(c.name, taken)
            taken.add(name)
            names.append(name)
            columns.append(Column(name, c.type.null() if kind in padded else c.type))
        sides.append(tuple(names))
    shown = columns[: len(sides[0])] if kind in ("SEMI", "ANTI") else columns
    schema = Schema(tuple(shown))
    node = Join(left.node, right.node, kind, None, sides[0], sides[1], schema)
    fields = []
    for side, outer in ((left, sides[0]), (right, sides[1])):
        if side is right and shown is not columns:
            break
        own = dict(zip(side.node.schema.names, outer, strict=True))
        for f in side.fields:
            fields.append(replace(f, column=own[f.column], type=schema[own[f.column]]))
    return tuple(fields), node


def _common_names(
    left: Relation, right: Relation, j: s.JoinClause, env: Environment
) -> tuple[str, ...]:
    if not j.natural:
        return j.using
    theirs = {f.name for f in right.visible}
    shared = tuple(f.name for f in left.visible if f.name in theirs)
    if not shared:
        raise env.error("NATURAL JOIN: the two sides share no column", j.span, "use ON")
    return shared


def _using(
    both: tuple[ScopeField, ...],
    node: Join,
    names: tuple[str, ...],
    split: int,
    j: s.JoinClause,
    env: Environment,
) -> Relation:
    """USING: equal columns, each shown once, before all others."""
    sides = (both[:split], both[split:])
    binder = ExpressionBinder(Relation(node, both).scope, env, "USING")
    parts: list[Typed] = []
    merged: list[ScopeField] = []
    for name in names:
        a, b = (_only(name, side, j.span, env) for side in sides)
        parts.append(binder.apply("=", (a.ref, b.ref), j.span))
        # In a full join either may be missing; such a column is the first that is there.
        kept = b if node.kind == "RIGHT" else a
        merged.append(replace(kept, qualifier=None))
        if node.kind == "FULL":
            raise env.unsupported("USING of a FULL JOIN", j.span, "use ON and COALESCE")
    rest = [replace(f, hidden=f.hidden or f.name in names) for f in both]
    return Relation(replace(node, condition=conjunction(parts)), (*merged, *rest))


def _only(name: str, side: tuple[ScopeField, ...], span: Span, env: Environment) -> ScopeField:
    fields = [f for f in side if f.name == name and not f.hidden]
    if len(fields) == 1:
        return fields[0]
    word = "is ambiguous" if fields else "is not on both sides"
    hint = None if fields else f"one side has {', '.join(f.name for f in side[:12])}"
    raise env.error(f"USING: column {name} {word}", span, hint)


def with_condition(node: Node, condition: Typed) -> tuple[Node, list[Typed]]:
    """Parts of a WHERE moved into the inner joins below; and those that stay."""
    if not isinstance(node, Join) or node.kind != "INNER":
        return node, conjuncts(condition)
    stay: list[Typed] = []
    own, left, right = conjuncts(node.condition), node.left, node.right
    for c in conjuncts(condition):
        needs = refs(c)
        in_left, in_right = (needs <= set(n) for n in (node.left_names, node.right_names))
        if in_left and isinstance(left, Join):
            left, rest = with_condition(left, renamed(c, node.left_names, left.schema))
            stay += [c] if rest else []
        elif in_right and isinstance(right, Join):
            right, rest = with_condition(right, renamed(c, node.right_names, right.schema))
            stay += [c] if rest else []
        elif in_left or in_right:
            stay.append(c)
        else:
            own.append(c)
    return replace(node, left=left, right=right, condition=conjunction(own)), stay


def renamed(e: Typed, names: tuple[str, ...], schema: Schema) -> Typed:
    """An expression over a join's output names in the names of the side's own columns."""
    by: dict[str, Typed] = {n: Ref(c.name, c.type) for n, c in zip(names, schema, strict=True)}
    return substitute(e, by)


def is_timed(node: Join) -> bool:
    """Whether the join gives each pair once and its state is bounded by time."""
    if not (insert_only(node.left) and insert_only(node.right)):
        return False
    return window_pair(node) is not None or interval_of(node) is not None


def settled(relation: Relation) -> Relation:
    """Row times lose their mark in regular joins, as nothing bounds them any more."""
    node = _settled(relation.node)
    types = {c.name: c.type for c in node.schema}
    return Relation(node, tuple(replace(f, type=types[f.column]) for f in relation.fields))


def _settled(node: Node) -> Node:
    if not isinstance(node, Join):
        return node
    node = replace(node, left=_settled(node.left), right=_settled(node.right))
    if is_timed(node):
        return node
    plain = Schema(tuple(Column(c.name, c.type.plain()) for c in node.schema))
    return replace(node, schema=plain)
