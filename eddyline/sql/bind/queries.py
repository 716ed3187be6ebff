"""Queries: WITH, set operations, VALUES, LIMIT; the SELECT inside is in ``select``."""

from __future__ import annotations

from dataclasses import replace

from eddyline.functions.unify import common_of
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, DataType, Root
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.grouping import distinct
from eddyline.sql.bind.relation import Relation, of_node, projected
from eddyline.sql.bind.scope import Environment, Scope
from eddyline.sql.bind.select import bind_select
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import (
    Aggregate,
    AggregateCall,
    Calc,
    Limit,
    Union,
    Values,
    identity,
)
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjunction

DEPTH_MAX = 60


def bind_query(q: s.Query, env: Environment) -> Relation:
    """What a query means.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
    """
    if env.depth > DEPTH_MAX:
        hint = "does a view read itself?"
        raise env.error(f"queries are nested deeper than {DEPTH_MAX}", q.span, hint)
    inner = replace(env.with_ctes(q.ctes), depth=env.depth + 1)
    found = _body(q.body, inner)
    if q.order_by:
        place = q.order_by[0].span
        hint = "a stream has no end to sort by: leave ORDER BY out"
        if q.limit is not None:
            hint = "for the largest of a time, group by a TUMBLE window and take MAX or MIN"
        what = "ORDER BY" if q.limit is None else "ORDER BY … LIMIT"
        raise env.unsupported(what, place, hint)
    if q.offset:
        hint = "leave it out: which rows of a stream are the first is chance anyway"
        raise env.unsupported(f"OFFSET {q.offset}", q.span, hint)
    if q.limit is None:
        return found
    if not insert_only(found.node):
        hint = "LIMIT over rows that are taken back has no first rows"
        raise env.unsupported("LIMIT over a changing result", q.span, hint)
    return Relation(Limit(found.node, q.limit), found.fields)


def _body(body: s.Body, env: Environment) -> Relation:
    if isinstance(body, s.Select):
        return bind_select(body, env, bind_query)
    if isinstance(body, s.ValuesClause):
        return _values(body, env)
    if isinstance(body, s.SetOperation):
        return _set_operation(body, env)
    return bind_query(body, env)


def _values(body: s.ValuesClause, env: Environment) -> Relation:
    binder = ExpressionBinder(Scope(()), env, "VALUES")
    rows = [[binder.bind(e) for e in row] for row in body.rows]
    width = len(rows[0])
    for row, written in zip(rows, body.rows, strict=True):
        if len(row) != width:
            msg = f"a row has {len(row)} values, the first has {width}"
            raise env.error(msg, written[0].span)
    kinds = [_common([r[i] for r in rows], body.rows[0][i], env) for i in range(width)]
    cast = tuple(
        tuple(binder.cast(e, t, w.span) for e, t, w in zip(row, kinds, written, strict=True))
        for row, written in zip(rows, body.rows, strict=True)
    )
    schema = Schema(tuple(Column(f"EXPR${i}", t) for i, t in enumerate(kinds)))
    return of_node(Values(cast, schema))


def _common(values: list[Typed], place: s.Expression, env: Environment) -> DataType:
    kind = common_of([v.type for v in values])
    if kind is None:
        shown = ", ".join(str(v.type) for v in values[:6])
        raise env.error(f"values of types {shown} do not fit one column", place.span)
    return kind.plain()


def _set_operation(body: s.SetOperation, env: Environment) -> Relation:
    left, right = _body(body.left, env), _body(body.right, env)
    op = body.op
    if op != "UNION" and body.all:
        raise env.unsupported(f"{op} ALL", body.span, f"use {op}")
    sides = _aligned(left, right, body, env)
    if op == "UNION":
        union = Relation(Union(tuple(r.node for r in sides), sides[0].node.schema), sides[0].fields)
        return union if body.all else distinct(union)
    return _counted(sides, op)


def _aligned(
    left: Relation, right: Relation, body: s.SetOperation, env: Environment
) -> tuple[Relation, Relation]:
    """Both sides under the left's names and in common types."""
    a, b = left.visible, right.visible
    if len(a) != len(b):
        msg = f"{body.op} of {len(a)} columns and {len(b)} columns"
        raise env.error(msg, body.right.span, "both sides need as many columns")
    kinds = []
    for f, g in zip(a, b, strict=True):
        kind = common_of([f.type, g.type])
        if kind is None:
            msg = f"{body.op}: column {f.name} is {f.type} on one side and {g.type} on the other"
            raise env.error(msg, body.right.span, "cast one of them")
        both_time = f.type.is_rowtime and g.type.is_rowtime and f.type.same_as(g.type)
        kinds.append(replace(kind, time_attribute=f.type.time_attribute) if both_time else kind)
    names = [f.name for f in a]
    return _shaped(left, names, kinds, body, env), _shaped(right, names, kinds, body, env)


def _shaped(
    side: Relation, names: list[str], kinds: list[DataType], body: s.SetOperation, env: Environment
) -> Relation:
    binder = ExpressionBinder(side.scope, env, body.op)
    items = []
    for name, kind, f in zip(names, kinds, side.visible, strict=True):
        same = f.type == kind
        items.append((name, f.ref if same else binder.cast(f.ref, kind, body.span)))
    return projected(side.node, items)


def _counted(sides: tuple[Relation, Relation], op: str) -> Relation:
    """INTERSECT and EXCEPT: rows grouped, counted on either side."""
    tagged = []
    for i, side in enumerate(sides):
        tag = Const("TRUE" if i == 0 else "FALSE", _YES, i == 0)
        tagged.append(Calc(side.node, (*identity(side.node.schema), ("$left", tag))))
    union = Union(tuple(tagged), tagged[0].schema)
    keys = sides[0].node.schema.names
    left = Ref("$left", _YES)
    other = Apply("NOT", (left,), "(NOT ({0}))", _YES)
    flagged = Calc(union, (*identity(union.schema), ("$right", other)))
    count = BIGINT.not_null()
    calls = tuple(
        AggregateCall("COUNT", (), False, Ref(f, _YES), n, Column(n, count))
        for f, n in (("$left", "$lefts"), ("$right", "$rights"))
    )
    schema = Schema((*sides[0].node.schema, *(c.column for c in calls)))
    grouped = Aggregate(flagged, keys, calls, None, schema)
    lefts, rights = (Ref(c.name, count) for c in calls)
    some = Apply(">", (lefts,), "({0} > 0)", _YES)
    also = Apply(">", (rights,), "({0} > 0)" if op == "INTERSECT" else "({0} = 0)", _YES)
    items = tuple((n, Ref(n, grouped.schema[n])) for n in keys)
    return Relation(Calc(grouped, items, conjunction([some, also])), sides[0].fields)


_YES = DataType(Root.BOOLEAN, nullable=False)
