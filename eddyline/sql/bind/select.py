"""SELECT: FROM, WHERE, GROUP BY, HAVING, the list, DISTINCT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eddyline.sql import syntax as s
from eddyline.sql.bind import group_windows
from eddyline.sql.bind.expressions import WINDOW_FUNCTIONS, Aggregates, ExpressionBinder
from eddyline.sql.bind.forests import scored
from eddyline.sql.bind.grouping import Call, Grouped, LegacyWindow, distinct, group
from eddyline.sql.bind.joins import settled, with_condition
from eddyline.sql.bind.relation import Relation, filtered, nothing, projected
from eddyline.sql.bind.scope import Environment
from eddyline.sql.bind.sources import bind_source
from eddyline.sql.bind.subqueries import tested, without_tests
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjunction

Queries = Callable[[s.Query, Environment], Relation]


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing of the list, bound."""

    name: str
    value: Typed
    written: s.Expression


def bind_select(q: s.Select, env: Environment, queries: Queries) -> Relation:
    """What a SELECT means.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
    """
    source = nothing() if q.source is None else bind_source(q.source, env, queries)
    where, tests = without_tests(q.where)
    source = _where(where, source, env)
    for test, negated in tests:
        source = tested(source, test, negated, env, queries)
    binder = ExpressionBinder(source.scope, env, "SELECT")
    binder.aggregates = Aggregates(binder, grouped=q.group_by is not None)
    keys, legacy = _keys(q, binder, env)
    if legacy is not None:
        binder.auxiliary = lambda call: group_windows.auxiliary(call, legacy, binder, env)
    items = _items(q, source, binder, env)
    having = None if q.having is None else binder.condition(q.having, "HAVING")
    calls = tuple(Call(*c) for c in binder.aggregates.calls)
    if q.group_by is None and not calls and having is None:
        node, items_out = scored(source.node, tuple((i.name, i.value) for i in items))
        found = projected(node, items_out)
    else:
        found = _grouped(q, source, env, keys, legacy, calls, items, having)
    return distinct(found) if q.distinct else found


def _where(where: s.Expression | None, source: Relation, env: Environment) -> Relation:
    if where is None:
        return settled(source)
    binder = ExpressionBinder(source.scope, env, "WHERE")
    condition = binder.condition(where, "WHERE")
    node, stay = with_condition(source.node, condition)
    source = settled(Relation(node, source.fields))
    rest = conjunction(stay)
    if rest is None:
        return source
    node, items = scored(source.node, (("$where", rest),))
    return filtered(Relation(node, source.fields), items[0][1])


def _keys(
    q: s.Select, binder: ExpressionBinder, env: Environment
) -> tuple[tuple[Typed, ...], LegacyWindow | None]:
    keys: list[Typed] = []
    legacy: LegacyWindow | None = None
    inner = ExpressionBinder(binder.scope, env, "GROUP BY")
    for item in () if q.group_by is None else q.group_by.items:
        if isinstance(item, s.Call) and item.name in WINDOW_FUNCTIONS:
            if legacy is not None:
                raise env.error("a query is grouped by one window only", item.span)
            legacy = group_windows.legacy_window(item, inner, env)
            continue
        keys.append(_key(item, q, inner, env))
    return tuple(keys), legacy


def _key(item: s.Expression, q: s.Select, binder: ExpressionBinder, env: Environment) -> Typed:
    """A key; its alias or number in the list is understood too."""
    if isinstance(item, s.Literal) and item.kind == "number" and item.text.isdigit():
        at = int(item.text)
        if not 1 <= at <= len(q.items) or isinstance(q.items[at - 1].expression, s.Star):
            raise env.error(f"GROUP BY {at}: the list has no such column", item.span)
        env.warn(f"GROUP BY {at} means the list's column {at} here; Flink groups by the number")
        return binder.bind(q.items[at - 1].expression)
    if isinstance(item, s.Name) and len(item.parts) == 1:
        own = [f for f in binder.scope.fields if f.name == item.parts[0]]
        named = [i.expression for i in q.items if i.alias == item.parts[0]]
        if not own and len(named) == 1:
            env.warn(f"GROUP BY {item} means the list's column here; Flink refuses an alias")
            return binder.bind(named[0])
    return binder.bind(item)


def _items(
    q: s.Select, source: Relation, binder: ExpressionBinder, env: Environment
) -> list[_Item]:
    items: list[_Item] = []
    for i in q.items:
        if isinstance(i.expression, s.Star):
            items += _star(i.expression, source, env)
            continue
        name = i.alias or _name_of(i.expression) or f"EXPR${len(items)}"
        items.append(_Item(name, binder.bind(i.expression), i.expression))
    return items


def _star(star: s.Star, source: Relation, env: Environment) -> list[_Item]:
    if star.qualifier is None:
        if not source.visible:
            raise env.error("'*' needs a FROM", star.span)
        return [_Item(f.name, f.ref, star) for f in source.visible]
    found = [f for f in source.fields if f.qualifier == star.qualifier]
    if not found:
        known = sorted({f.qualifier for f in source.fields if f.qualifier})
        hint = f"here the tables are called {', '.join(known)}" if known else None
        raise env.error(f"there is no table {star.qualifier} here", star.span, hint)
    return [_Item(f.name, f.ref, star) for f in found]


def _name_of(e: s.Expression) -> str | None:
    if isinstance(e, s.Name):
        return e.parts[-1]
    if isinstance(e, s.FieldOf):
        return e.name
    return None


def _grouped(
    q: s.Select,
    source: Relation,
    env: Environment,
    keys: tuple[Typed, ...],
    legacy: LegacyWindow | None,
    calls: tuple[Call, ...],
    items: list[_Item],
    having: Typed | None,
) -> Relation:
    place = (env, q.group_by.span if q.group_by else q.span)
    grouped = group(source.node, keys, calls, legacy, place)
    above = _Above(grouped, source, env)
    values = [(i.name, above.rewrite(i.value, i.written)) for i in items]
    node = grouped.node
    if having is not None:
        assert q.having is not None
        kept = Relation(node, ())
        node = filtered(kept, above.rewrite(having, q.having)).node
    node, values_out = scored(node, tuple(values))
    return projected(node, values_out)


class _Above:
    """Expressions over the ungrouped rows, turned into ones over the groups."""

    def __init__(self, grouped: Grouped, source: Relation, env: Environment) -> None:
        self._grouped = grouped
        self._source = source
        self._env = env

    def rewrite(self, e: Typed, written: s.Expression) -> Typed:
        """The expression over keys, aggregates and window bounds.

        Raises:
            EddylineError: ``sql_semantic`` for a column that is neither.
        """
        key = self._grouped.keys.get(e)
        if key is not None:
            return key
        if isinstance(e, Const):
            return e
        if isinstance(e, Ref):
            return self._column(e, written)
        args = tuple(self.rewrite(a, written) for a in e.args)
        return Apply(e.name, args, e.template, e.type, e.volatile)

    def _column(self, e: Ref, written: s.Expression) -> Typed:
        if e.name.startswith("$agg"):
            return self._grouped.calls[int(e.name.removeprefix("$agg"))]
        bound = group_windows.BOUNDS.get(e.name)
        if bound is not None and self._grouped.window is not None:
            return replace(e, name=self._grouped.window.names[bound])
        names = [f.name for f in self._source.fields if f.column == e.name]
        name = names[0] if names else e.name
        msg = f"column {name} is neither grouped by nor inside an aggregate"
        hint = f"add {name} to GROUP BY, or take for example MAX({name})"
        raise self._env.error(msg, written.span, hint)
