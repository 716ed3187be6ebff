"""SELECT: FROM, WHERE, GROUP BY, HAVING, the list, DISTINCT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeGuard

from eddyline.record.types import APPROXIMATE, INTEGERS, TEXT, Root, duckdb_type
from eddyline.sql import syntax as s
from eddyline.sql.bind import group_windows
from eddyline.sql.bind.expressions import AGGREGATE, Aggregates, ExpressionBinder
from eddyline.sql.bind.forests import scored
from eddyline.sql.bind.group_keys import NUMBER, GroupingKeys, bind_grouping
from eddyline.sql.bind.grouping import Grouped, GroupedCall, distinct, group
from eddyline.sql.bind.grouping import settled as settled_calls
from eddyline.sql.bind.joins import settled, with_condition
from eddyline.sql.bind.overs import OVER, OrderedBy, OverCalls, ordered, rewritten, with_overs
from eddyline.sql.bind.relation import Relation, filtered, nothing, projected
from eddyline.sql.bind.scope import Environment, field_of, is_outer
from eddyline.sql.bind.sources import bind_source
from eddyline.sql.bind.subqueries import VALUE, ValueQueries, tested, without_tests
from eddyline.sql.logical import GroupBy, Node
from eddyline.sql.query_conditions import QUALIFIED, without_qualify, without_queries_in_on
from eddyline.sql.sorting import SortKey
from eddyline.sql.syntax_walk import mapped
from eddyline.sql.typed import (
    Apply,
    Const,
    Ref,
    Typed,
    conjunction,
    conjuncts,
    refs,
    substitute,
)

Queries = Callable[[s.Query, Environment], Relation]


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing of the list, bound."""

    name: str
    value: Typed
    written: s.Expression


def bind_select(
    q: s.Select, env: Environment, queries: Queries, order_by: tuple[s.OrderItem, ...] = ()
) -> Selected:
    """What a SELECT means; ``order_by`` are the items of the query's ORDER BY.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
    """
    if q.qualify is not None:
        return _qualified(q, env, queries, order_by)
    q = without_queries_in_on(q)
    source = nothing() if q.source is None else bind_source(q.source, env, queries)
    where, tests = without_tests(q.where)
    source = _where(where, source, env, queries)
    for test, negated in tests:
        source = tested(source, test, negated, env, queries)
    binder = ExpressionBinder(source.scope, env, "SELECT")
    binder.aggregates = Aggregates(binder, grouped=q.group_by is not None)
    overs = binder.overs = OverCalls(dict(q.windows))
    values = ValueQueries(source, env, queries)
    binder.values = values.add
    keys = bind_grouping(q, binder, env)
    legacy = keys.legacy
    if q.group_by is not None:
        binder.grouping = lambda call: keys.grouping(call, binder, env)
    if legacy is not None:
        binder.auxiliary = lambda call: group_windows.auxiliary(call, legacy, binder, env)
    items = _items(q, source, binder, env)
    binder.overs = None
    binder.clause = "HAVING"
    having = None if q.having is None else binder.condition(q.having, "HAVING")
    binder.overs, binder.clause = overs, "ORDER BY"
    order = [_order(o, q, items, binder, env) for o in order_by]
    bound = _Bound(q, env, source, overs, values, items, having, order)
    calls = tuple(settled_calls(binder.aggregates.calls))
    if q.group_by is None and not calls and having is None:
        return _finished(bound, source.node, lambda e, _: e, None)
    return _grouped(bound, keys, calls)


def _qualified(
    q: s.Select, env: Environment, queries: Queries, order_by: tuple[s.OrderItem, ...]
) -> Selected:
    """A SELECT with QUALIFY: its rows with what the condition reads, filtered by that."""
    inner, written = without_qualify(q)
    selected = bind_select(inner, env, queries, order_by)
    binder = ExpressionBinder(selected.relation.scope, env, "QUALIFY")
    relation = filtered(selected.relation, binder.condition(written, "QUALIFY"))
    shown = tuple(
        replace(f, hidden=f.hidden or f.name.startswith(QUALIFIED)) for f in relation.fields
    )
    relation = Relation(relation.node, shown)
    if not q.distinct:
        return Selected(relation, selected.order)
    if order_by:
        raise env.unsupported("ORDER BY with SELECT DISTINCT and QUALIFY", order_by[0].span)
    return Selected(distinct(projected(relation.node, [(f.name, f.ref) for f in relation.visible])))


@dataclass(frozen=True, slots=True)
class Selected:
    """A SELECT's rows, and the columns to order them by (they are not shown)."""

    relation: Relation
    order: tuple[SortKey, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bound:
    """All parts of a SELECT, bound over its source."""

    query: s.Select
    env: Environment
    source: Relation
    overs: OverCalls
    values: ValueQueries
    items: list[_Item]
    having: Typed | None
    order: list[tuple[OrderedBy, s.Expression]]


def _finished(
    b: _Bound,
    node: Node,
    rewrite: Callable[[Typed, s.Expression], Typed],
    columns: dict[str, Typed] | None,
) -> Selected:
    """The list over its source or its groups: OVER, the projection, DISTINCT, what to order by.

    ``columns``: what the source's columns are in ``node``, if it is not the source's.
    """
    values = [rewrite(i.value, i.written) for i in b.items]
    sorts = [rewrite(o.value, written) for o, written in b.order]
    first = b.query.items[0].expression
    calls = [rewritten(c, lambda e: rewrite(e, first)) for c in b.overs.calls]
    used = [*values, *sorts, *(e for c in calls for e in c.expressions)]
    relation, by = b.values.attached(Relation(node, ()), used, columns)
    node = relation.node
    if calls:
        calls = [rewritten(c, lambda e: substitute(e, by)) for c in calls]
        node, made = with_overs(node, calls, b.env)
        by |= {f"{OVER}{i}": c for i, c in enumerate(made)}
    values, sorts = ([substitute(e, by) for e in many] for many in (values, sorts))
    named = [(i.name, e) for i, e in zip(b.items, values, strict=True)]
    keys: list[str] = []
    hidden: list[tuple[str, Typed]] = []
    for (_, written), e in zip(b.order, sorts, strict=True):
        at = next((i for i, v in enumerate(values) if v == e), None)
        if at is None and b.query.distinct:
            msg = "ORDER BY needs a column of the list after SELECT DISTINCT"
            raise b.env.error(msg, written.span, "add it to the list")
        keys.append(f"$order{len(hidden)}" if at is None else str(at))
        hidden += [] if at is not None else [(keys[-1], e)]
    node, items = scored(node, (*named, *hidden))
    result = projected(node, items)
    names = [f.column for f in result.fields]
    columns_of = {str(i): name for i, name in enumerate(names)}
    columns_of |= dict(zip((k for k, _ in hidden), names[len(named) :], strict=True))
    order = tuple(
        SortKey(columns_of[key], o.descending, o.nulls_first)
        for key, (o, _) in zip(keys, b.order, strict=True)
    )
    shown = tuple(
        replace(f, hidden=True) if i >= len(named) else f for i, f in enumerate(result.fields)
    )
    result = Relation(result.node, shown)
    return Selected(distinct(result) if b.query.distinct else result, order)


def _order(
    o: s.OrderItem, q: s.Select, items: list[_Item], binder: ExpressionBinder, env: Environment
) -> tuple[OrderedBy, s.Expression]:
    """An item of ORDER BY: a column of the list by its name or its number, or an expression."""
    e = o.expression
    first = not o.descending if o.nulls_first is None else o.nulls_first
    if isinstance(e, s.Literal) and e.kind == "number" and e.text.isdigit():
        at = int(e.text)
        if not 1 <= at <= len(items):
            raise env.error(f"ORDER BY {at}: the list has {len(items)} columns", e.span)
        return OrderedBy(items[at - 1].value, o.descending, first), e
    if isinstance(e, s.Name) and len(e.parts) == 1:
        named = [i for i in items if i.name == e.parts[0]]
        if named:
            return OrderedBy(named[0].value, o.descending, first), e
    by = {i.alias: i.expression for i in q.items if i.alias}
    e = mapped(e, lambda x: by.get(x.parts[0]) if _is_bare(x) else None)
    return ordered(replace(o, expression=e), binder), e


def _is_bare(e: s.Expression) -> TypeGuard[s.Name]:
    """A name of one part."""
    return isinstance(e, s.Name) and len(e.parts) == 1


def _where(
    where: s.Expression | None, source: Relation, env: Environment, queries: Queries
) -> Relation:
    if where is None:
        return settled(source)
    binder = ExpressionBinder(source.scope, env, "WHERE")
    values = ValueQueries(source, env, queries)
    binder.values = values.add
    parts = conjuncts(binder.condition(where, "WHERE"))
    with_values = [c for c in parts if any(n.startswith(VALUE) for n in refs(c))]
    condition = conjunction([c for c in parts if c not in with_values])
    node, stay = (source.node, []) if condition is None else with_condition(source.node, condition)
    source = settled(Relation(node, source.fields))
    source, by = values.attached(source, with_values)
    rest = conjunction([*stay, *(substitute(c, by) for c in with_values)])
    if rest is None:
        return source
    node, items = scored(source.node, (("$where", rest),))
    return filtered(Relation(node, source.fields), items[0][1])


def _items(
    q: s.Select, source: Relation, binder: ExpressionBinder, env: Environment
) -> list[_Item]:
    items: list[_Item] = []
    for i in q.items:
        if isinstance(i.expression, s.Star):
            items += _star(i.expression, source, binder, env)
            continue
        name = i.alias or _name_of(i.expression) or f"EXPR${len(items)}"
        items.append(_Item(name, _never_null(binder.bind(i.expression)), i.expression))
    return items


# What Flink shows for an element that is not there, where the type of elements has no NULL.
_NO_ELEMENT = {
    **dict.fromkeys((*INTEGERS, *APPROXIMATE), "-1"),
    **dict.fromkeys(TEXT, "''"),
    Root.BOOLEAN: "FALSE",
    Root.DATE: "DATE '1969-12-31'",
}


def _never_null(e: Typed) -> Typed:
    """An element of an array or map as a column; elsewhere in an expression it may be NULL."""
    if not isinstance(e, Apply) or e.name != "ITEM" or not isinstance(e.args[0], Apply):
        return e
    element, default = e.args[0].type.children[-1], _NO_ELEMENT.get(e.type.root)
    if element.nullable or default is None:
        return e
    template = f"CAST(coalesce({{0}}, {default}) AS {duckdb_type(element)})"
    return Apply("ITEM OR DEFAULT", (e,), template, e.type, place=e.place)


def _star(
    star: s.Star, source: Relation, binder: ExpressionBinder, env: Environment
) -> list[_Item]:
    if star.qualifier is None:
        if not source.visible:
            raise env.error("'*' needs a FROM", star.span)
        return [_Item(f.name, f.ref, star) for f in source.visible]
    starred = [f for f in source.fields if f.qualifier == star.qualifier]
    parts = tuple(star.qualifier.split("."))
    if not starred and any(f.name in parts[:2] for f in source.fields):
        row = binder.bind(s.Name(parts, star.span))
        if row.type.root is Root.ROW:
            fields = ((n, field_of(row, n, star.span, env)) for n in row.type.names)
            return [_Item(name, value, star) for name, value in fields]
    if not starred:
        known = sorted({f.qualifier for f in source.fields if f.qualifier})
        hint = f"here the tables are called {', '.join(known)}" if known else None
        raise env.error(f"there is no table {star.qualifier} here", star.span, hint)
    return [_Item(f.name, f.ref, star) for f in starred]


def _name_of(e: s.Expression) -> str | None:
    if isinstance(e, s.Name):
        return e.parts[-1]
    if isinstance(e, s.FieldOf):
        return e.name
    return None


def _grouped(b: _Bound, keys: GroupingKeys, calls: tuple[GroupedCall, ...]) -> Selected:
    q, source = b.query, b.source
    below = [*keys.keys, *(e for c in calls for e in c.expressions)]
    source, by = b.values.attached(source, below)
    if by:
        keys.keys = tuple(substitute(k, by) for k in keys.keys)
        calls = tuple(c.rewritten(lambda e: substitute(e, by)) for c in calls)
    place = (b.env, q.group_by.span if q.group_by else q.span)
    node = keys.expand(source)
    grouped = group(node, keys.grouped_by, calls, keys.legacy, place)
    aggregate = grouped.node
    if isinstance(aggregate, GroupBy) and aggregate.window is None:
        ttl_ms = b.env.state_ttl_ms(b.source.fields)
        grouped = replace(grouped, node=replace(aggregate, state_ttl_ms=ttl_ms))
    above = _Above(grouped, keys, source, b.env)
    keyed = ((f.column, above.key(f.ref)) for f in source.fields)
    columns: dict[str, Typed] = {column: key for column, key in keyed if key is not None}
    node = grouped.node
    if b.having is not None:
        assert q.having is not None
        having = above.rewrite(b.having, q.having)
        relation, by = b.values.attached(Relation(node, ()), [having], columns)
        node = filtered(relation, substitute(having, by)).node
    return _finished(b, node, above.rewrite, columns)


class _Above:
    """Expressions over the ungrouped rows, turned into ones over the groups."""

    def __init__(
        self, grouped: Grouped, keys: GroupingKeys, source: Relation, env: Environment
    ) -> None:
        self._grouped = grouped
        self._keys = keys
        self._source = source
        self._env = env

    def key(self, e: Typed) -> Ref | None:
        """The group's column of a key, None for what is no key."""
        return self._grouped.keys.get(self._keys.columns.get(e, e))

    def rewrite(self, e: Typed, written: s.Expression) -> Typed:
        """The expression over keys, aggregates and window bounds.

        Raises:
            EddylineError: ``sql_semantic`` for a column that is neither.
        """
        key = self.key(e)
        if key is not None:
            return key
        if isinstance(e, Const):
            return e
        if isinstance(e, Ref):
            return self._column(e, written)
        args = tuple(self.rewrite(a, written) for a in e.args)
        return Apply(e.name, args, e.template, e.type, e.volatile, e.place)

    def _column(self, e: Ref, written: s.Expression) -> Typed:
        if e.name.startswith(AGGREGATE):
            return self._grouped.calls[int(e.name.removeprefix(AGGREGATE))]
        if e.name.startswith((OVER, VALUE)) or is_outer(e.name):
            return e
        if e.name == NUMBER and self._keys.number is not None:
            return self._grouped.keys[self._keys.number]
        bound = group_windows.BOUNDS.get(e.name)
        if bound is not None and self._grouped.window is not None:
            return replace(e, name=self._grouped.window.names[bound])
        names = [f.name for f in self._source.fields if f.column == e.name]
        name = names[0] if names else e.name
        msg = f"column {name} is neither grouped by nor inside an aggregate"
        hint = f"add {name} to GROUP BY, or take for example MAX({name})"
        raise self._env.error(msg, written.span, hint)
