"""Queries: WITH, set operations, VALUES, ORDER BY, LIMIT; the SELECT inside is in ``select``."""

from __future__ import annotations

from dataclasses import replace

from eddyline.functions.unify import common_of
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, DataType, Root, array
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.grouping import distinct
from eddyline.sql.bind.overs import is_time, ordered
from eddyline.sql.bind.relation import Relation, of_node, projected
from eddyline.sql.bind.scope import Environment, Scope
from eddyline.sql.bind.select import Selected, bind_select
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import (
    AggregateCall,
    Calc,
    Final,
    GroupBy,
    Limit,
    Node,
    Rank,
    Sort,
    Union,
    Unnest,
    Values,
    identity,
    unique,
)
from eddyline.sql.sorting import SortKey, SourceLocation
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
    selected = _ordered_body(q, inner)
    relation = selected.relation
    if q.limit is None and not q.offset:
        return _sorted(q, selected, env)
    place = SourceLocation(q.span, env.source)
    if not q.order_by and insert_only(relation.node):
        return Relation(Limit(relation.node, q.limit, q.offset), relation.fields)
    last = None if q.limit is None else q.offset + q.limit
    rank = Rank(relation.node, (), selected.order, "ROW_NUMBER", q.offset + 1, last, None, place)
    return Relation(rank, relation.visible)


def _sorted(q: s.Query, selected: Selected, env: Environment) -> Relation:
    """ORDER BY without LIMIT: by time, or by anything where the input ends."""
    relation = selected.relation
    if not q.order_by:
        return relation
    span = q.order_by[0].span
    if env.depth > 0:
        env.warn("ORDER BY without LIMIT inside a subquery or view has no effect, as in Flink")
        return Relation(relation.node, relation.visible)
    first = selected.order[0]
    kind = relation.node.schema[first.column]
    if not env.config.is_batch and (not is_time(kind) or first.descending):
        hint = "a stream has no end to sort by: add LIMIT, or sort by the row time first"
        if kind.is_timestamp and not first.descending:
            hint += "; a row time is a column with WATERMARK FOR it, unchanged"
        hint += "; SET 'execution.runtime-mode' = 'batch' sorts bounded input by anything"
        what = "ORDER BY a column that is no time attribute"
        raise env.unsupported(what, span, hint)
    if not env.config.is_batch and not insert_only(relation.node):
        raise env.unsupported("ORDER BY time over rows that are taken back", span, "add LIMIT")
    return Relation(Sort(final(relation.node), selected.order), relation.visible)


def final(node: Node) -> Node:
    """The node in batch mode: rows that may be taken back are given when the input has ended."""
    return node if insert_only(node) else Final(node)


def _ordered_body(q: s.Query, env: Environment) -> Selected:
    """The body, and the columns that ORDER BY names."""
    if isinstance(q.body, s.Select):
        return bind_select(q.body, env, bind_query, q.order_by)
    selected = _body(q.body, env)
    order = []
    binder = ExpressionBinder(selected.scope, env, "ORDER BY")
    for item in q.order_by:
        e = item.expression
        if isinstance(e, s.Literal) and e.kind == "number" and e.text.isdigit():
            at = int(e.text)
            if not 1 <= at <= len(selected.visible):
                msg = f"ORDER BY {at}: there are {len(selected.visible)} columns"
                raise env.error(msg, e.span)
            item = replace(
                item, expression=s.Name((selected.visible[at - 1].name,), e.span, (e.span,))
            )
        bound = ordered(item, binder)
        if not isinstance(bound.value, Ref):
            raise env.error("ORDER BY needs a column here", e.span, "put the query into FROM (…)")
        order.append(SortKey(bound.value.name, bound.descending, bound.nulls_first))
    return Selected(selected, tuple(order))


def _body(body: s.Body, env: Environment) -> Relation:
    if isinstance(body, s.Select):
        return bind_select(body, env, bind_query).relation
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
    sides = _aligned(left, right, body, env)
    if body.op == "UNION":
        union = Relation(Union(tuple(r.node for r in sides), sides[0].node.schema), sides[0].fields)
        return union if body.all else distinct(union)
    return _counted(sides, "EXCEPT" if body.op == "MINUS" else body.op, body.all)


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


def _counted(sides: tuple[Relation, Relation], op: str, every: bool) -> Relation:
    """INTERSECT and EXCEPT: rows grouped, counted on either side; with ALL each as often as the
    counts say."""
    names = sides[0].node.schema.names
    flags = [unique(n, set(names)) for n in ("$left", "$right")]
    tagged = []
    for i, side in enumerate(sides):
        tags = (
            (f, Const("TRUE" if i == n else "FALSE", _YES, i == n)) for n, f in enumerate(flags)
        )
        tagged.append(Calc(side.node, (*identity(side.node.schema), *tags)))
    union = Union(tuple(tagged), tagged[0].schema)
    count = BIGINT.not_null()
    counts = [unique(n, {*names, *flags}) for n in ("$lefts", "$rights")]
    calls = tuple(
        AggregateCall("COUNT", (), False, Ref(f, _YES), n, Column(n, count))
        for f, n in zip(flags, counts, strict=True)
    )
    schema = Schema((*sides[0].node.schema, *(c.column for c in calls)))
    grouped = GroupBy(union, names, calls, None, schema)
    lefts, rights = (Ref(n, count) for n in counts)
    items = tuple((n, Ref(n, grouped.schema[n])) for n in names)
    if every:
        template = "least({0}, {1})" if op == "INTERSECT" else "greatest({0} - {1}, 0)"
        copies = Apply("COPIES", (lefts, rights), f"range({template})", array(count).not_null())
        copy = unique("$copy", {*names, *counts})
        unnested = Schema((*grouped.schema, Column(copy, count)))
        node = Calc(Unnest(grouped, copies, False, False, unnested), items)
        return Relation(node, sides[0].fields)
    some = Apply(">", (lefts,), "({0} > 0)", _YES)
    also = Apply(">", (rights,), "({0} > 0)" if op == "INTERSECT" else "({0} = 0)", _YES)
    return Relation(Calc(grouped, items, conjunction([some, also])), sides[0].fields)


_YES = DataType(Root.BOOLEAN, nullable=False)
