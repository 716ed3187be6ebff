"""Subqueries that read columns of the query around them, turned into joins.

While a subquery is bound, a column of the outer query is a mark (``scope.marked``). Afterwards the
conditions with marks are pulled up out of the subquery's plan until they stand above it, where
they become the condition of the join of both: ``WHERE inner.k = outer.k`` becomes ``ON``. What
they read of the subquery is handed up through its projections; an aggregation is grouped by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType
from eddyline.sql import logical as lg
from eddyline.sql.bind.scope import is_outer, outer_name
from eddyline.sql.logical import Node, unique
from eddyline.sql.sorting import SourceLocation
from eddyline.sql.typed import Apply, Ref, Typed, conjunction, conjuncts, refs, substitute


def outer_ref(column: str, kind: DataType) -> Ref:
    """The mark of a column of the query around a subquery."""
    return Ref(outer_name(column), kind)


def is_correlated(e: Typed) -> bool:
    """Whether an expression reads the outer query."""
    return any(is_outer(name) for name in refs(e))


def inner_columns(e: Typed) -> set[str]:
    """The columns of the subquery that an expression reads."""
    return {name for name in refs(e) if not is_outer(name)}


def resolved(e: Typed, outer: dict[str, Typed], inner: dict[str, Typed]) -> Typed:
    """The expression with marks and columns of the subquery in the names of the join."""
    return substitute(e, {**inner, **{outer_name(n): value for n, value in outer.items()}})


@dataclass(slots=True)
class Pulled:
    """A subquery's plan without marks.

    conditions: over the plan's columns and marks. late: columns that are computed above the join,
    because they read the outer query. grouped: an aggregation without GROUP BY was grouped by the
    columns of its conditions, so that a missing group stands for no rows.
    """

    node: Node
    conditions: list[Typed] = field(default_factory=list)
    late: dict[str, Typed] = field(default_factory=dict)
    grouped: bool = False


def pulled(node: Node, place: SourceLocation) -> Pulled:
    """Pull everything correlated up out of a plan.

    Raises:
        EddylineError: ``sql_unsupported`` where that would change the meaning.
    """
    if isinstance(node, lg.Calc):
        return _calc(node, pulled(node.input, place), place)
    if isinstance(node, lg.Join):
        return _join(node, place)
    inputs = [pulled(child, place) for child in lg.children(node)]
    if not any(p.conditions or p.late for p in inputs):
        same = all(p.node is c for p, c in zip(inputs, lg.children(node), strict=True))
        grouped = any(p.grouped for p in inputs)
        return Pulled(node if same else lg.with_children(node, tuple(p.node for p in inputs)),
                      grouped=grouped)  # fmt: skip
    (below,) = inputs if len(inputs) == 1 else (None,)
    if below is None or below.late:
        raise _too_deep(place)
    if isinstance(node, lg.GroupBy):
        return _aggregate(node, below, place)
    if isinstance(node, lg.Rank | lg.Limit):
        return _ranked(node, below, place)
    raise _too_deep(place)


def _too_deep(place: SourceLocation) -> Exception:
    what = "a subquery that reads the outer query's columns at this place"
    return place.unsupported(what, "read them in its WHERE, or join the two tables and group")


def _calc(node: lg.Calc, below: Pulled, place: SourceLocation) -> Pulled:
    items = [(n, substitute(e, below.late)) for n, e in node.projections]
    parts = [substitute(c, below.late) for c in conjuncts(node.condition)]
    up = [*below.conditions, *(c for c in parts if is_correlated(c))]
    late = {n: e for n, e in items if is_correlated(e)}
    if not up and not late:
        whole = replace(node, input=below.node)
        return Pulled(node if below.node is node.input else whole, grouped=below.grouped)
    kept = [(n, e) for n, e in items if n not in late]
    names = {e.name: n for n, e in kept if isinstance(e, Ref)}
    schema, taken = below.node.schema, {n for n, _ in items}
    for column in sorted(set().union(*(inner_columns(e) for e in (*up, *late.values())))):
        if column not in names:
            names[column] = unique(column, taken)
            taken.add(names[column])
            kept.append((names[column], Ref(column, schema[column])))
    by: dict[str, Typed] = {c: Ref(n, schema[c]) for c, n in names.items() if c in schema}
    if not kept:  # a row must stay a row
        first = schema.columns[0]
        kept.append((first.name, Ref(first.name, first.type)))
    condition = conjunction([c for c in parts if not is_correlated(c)])
    calc = lg.Calc(below.node, tuple(kept), condition)
    conditions = [substitute(c, by) for c in up]
    return Pulled(calc, conditions, {n: substitute(e, by) for n, e in late.items()}, below.grouped)


def _join(node: lg.Join, place: SourceLocation) -> Pulled:
    left, right = pulled(node.left, place), pulled(node.right, place)
    own = conjuncts(node.condition)
    up = [c for c in own if is_correlated(c)]
    if not (left.conditions or right.conditions or left.late or right.late or up):
        same = left.node is node.left and right.node is node.right
        whole = node if same else replace(node, left=left.node, right=right.node)
        return Pulled(whole, grouped=left.grouped or right.grouped)
    outer_right = node.kind != "INNER" and (right.conditions or up)
    if left.late or right.late or outer_right or node.kind in ("RIGHT", "FULL"):
        raise _too_deep(place)
    # Columns that were handed up are new, so the join gets new names for them.
    taken = {*node.left_names, *node.right_names}
    left_names = _names(left.node, node.left, node.left_names, taken)
    right_names = _names(right.node, node.right, node.right_names, taken)
    types = {c.name: c.type for c in node.schema}
    sides = ((left, left_names), (right, right_names))
    columns = [
        Column(n, types.get(n, c.type))
        for side, names in sides
        for n, c in zip(names, side.node.schema, strict=True)
    ]
    shown = columns if node.kind not in ("SEMI", "ANTI") else columns[: len(left_names)]
    condition = conjunction([c for c in own if not is_correlated(c)])
    join = lg.Join(left.node, right.node, node.kind, condition, left_names, right_names,
                   Schema(tuple(shown)))  # fmt: skip
    conditions = list(up)
    for side, names in sides:
        pairs = zip(side.node.schema, names, strict=True)
        by: dict[str, Typed] = {c.name: Ref(n, types.get(n, c.type)) for c, n in pairs}
        conditions += [substitute(c, by) for c in side.conditions]
    return Pulled(join, conditions)


def _names(new: Node, old: Node, names: tuple[str, ...], taken: set[str]) -> tuple[str, ...]:
    """Output names of a join's side that may have got further columns."""
    known = dict(zip(old.schema.names, names, strict=True))
    out = []
    for c in new.schema:
        name = known.get(c.name)
        if name is None:
            name = unique(c.name, taken)
            taken.add(name)
        out.append(name)
    return tuple(out)


def _aggregate(node: lg.GroupBy, below: Pulled, place: SourceLocation) -> Pulled:
    """The aggregation, grouped by what its conditions compare as well."""
    source, columns, conditions = _equalities(below, place)
    more = tuple(c for c in dict.fromkeys(columns) if c not in node.keys)
    width = len(node.keys)
    added = [Column(c, source.schema[c].plain()) for c in more]
    schema = Schema((*node.schema.columns[:width], *added, *node.schema.columns[width:]))
    grouped = replace(node, input=source, keys=(*node.keys, *more), schema=schema)
    return Pulled(grouped, conditions, grouped=below.grouped or not node.keys)


def _ranked(node: lg.Rank | lg.Limit, below: Pulled, place: SourceLocation) -> Pulled:
    """The first rows per value of the outer query."""
    source, columns, conditions = _equalities(below, place)
    keys = tuple(dict.fromkeys(columns))
    if isinstance(node, lg.Rank):
        partition = (*node.partition_by, *(k for k in keys if k not in node.partition_by))
        return Pulled(replace(node, input=source, partition_by=partition), conditions)
    last = None if node.count is None else node.offset + node.count
    rank = lg.Rank(source, keys, (), "ROW_NUMBER", node.offset + 1, last, None, place)
    return Pulled(rank, conditions)


def _equalities(below: Pulled, place: SourceLocation) -> tuple[Node, list[str], list[Typed]]:
    """The plan with a column for the inner side of each equality; other conditions are refused."""
    items: list[tuple[str, Typed]] = []
    taken = set(below.node.schema.names)
    columns: list[str] = []
    conditions: list[Typed] = []
    for c in below.conditions:
        if not isinstance(c, Apply) or c.name != "=" or len(c.args) != 2:
            raise _too_deep(place)
        inner = next((a for a in c.args if not is_correlated(a)), None)
        outer = next((a for a in c.args if not inner_columns(a)), None)
        if inner is None or outer is None or inner is outer:
            raise _too_deep(place)
        if not isinstance(inner, Ref):
            name = unique("$key", taken)
            taken.add(name)
            items.append((name, inner))
            c = replace(c, args=tuple(Ref(name, inner.type) if a is inner else a for a in c.args))
            inner = Ref(name, inner.type)
        columns.append(inner.name)
        conditions.append(c)
    node = below.node
    if items:
        node = lg.Calc(node, (*lg.identity(node.schema), *items))
    return node, columns, conditions
