"""Subqueries in expressions: IN (SELECT …), EXISTS (SELECT …), and (SELECT …) as a value.

A test in WHERE becomes a semi join, its negation an anti join; a value becomes an outer join.
Conditions by which a subquery reads the query around it become the join's (``correlation``).
``NOT IN`` keeps a row only if it is certain: a NULL on either side leaves the answer open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eddyline.functions.aggregates import SINGLE_VALUE
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, BOOLEAN, duckdb_type
from eddyline.sql import syntax as s
from eddyline.sql.bind.correlation import Pulled, inner_columns, outer_ref, pulled, resolved
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.joins import beside, settled
from eddyline.sql.bind.relation import Relation, extended
from eddyline.sql.bind.scope import Environment, ScopeField
from eddyline.sql.logical import AggregateCall, Calc, GroupBy, Join, Node, Rank, unique
from eddyline.sql.sorting import SourceLocation
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjunction, refs, substitute

Queries = Callable[[s.Query, Environment], Relation]
Test = s.InQuery | s.Exists
_YES = BOOLEAN.not_null()
_TRUE = Const("TRUE", _YES, True)


def without_tests(
    where: s.Expression | None,
) -> tuple[s.Expression | None, list[tuple[Test, bool]]]:
    """WHERE without the tests by a subquery that AND joins to it, and these: (test, negated)."""
    if isinstance(where, s.Binary) and where.op == "AND":
        left, first = without_tests(where.left)
        right, second = without_tests(where.right)
        if left is None or right is None:
            return left or right, first + second
        return s.Binary("AND", left, right, where.span), first + second
    inner, negated = where, False
    while isinstance(inner, s.Unary) and inner.op == "NOT":
        inner, negated = inner.operand, not negated
    if isinstance(inner, s.InQuery):
        return None, [(inner, negated != inner.negated)]
    if isinstance(inner, s.Exists):
        return None, [(inner, negated)]
    return where, []


@dataclass(frozen=True, slots=True)
class Inner:
    """A subquery bound under an outer query: its columns, and its plan without marks."""

    fields: tuple[ScopeField, ...]
    pulled: Pulled
    default: Typed | None = None


def bind_inner(query: s.Query, source: Relation, env: Environment, queries: Queries) -> Inner:
    """A subquery that may read the columns of ``source``.

    Raises:
        EddylineError: ``sql_semantic``; ``sql_unsupported`` where it reads the outer query at a
            place from which that cannot be pulled up.
    """
    bound = queries(query, env.inside(source.scope))
    place = SourceLocation(query.span, env.source)
    subquery = pulled(bound.node, place)
    default = _without_rows(bound, subquery)
    return Inner(bound.visible, subquery, default)


def _without_rows(bound: Relation, subquery: Pulled) -> Typed | None:
    """The only column of a grouped subquery where there is no group: COUNT is 0 there."""
    node = bound.node
    if not subquery.grouped or len(bound.visible) != 1:
        return None
    value: Typed = bound.visible[0].ref
    while isinstance(node, Calc) and node.condition is None:
        value = substitute(value, dict(node.projections))
        node = node.input
    if not isinstance(node, GroupBy) or node.keys:
        return None
    by: dict[str, Typed] = {}
    for c in node.calls:
        kind = c.column.type
        empty = Const("0", BIGINT.not_null(), 0)
        by[c.name] = empty if c.function == "COUNT" else Const(f"NULL::{duckdb_type(kind)}", kind)
    return substitute(value, by)


def tested(
    source: Relation, test: Test, negated: bool, env: Environment, queries: Queries
) -> Relation:
    """The rows that pass the test.

    Raises:
        EddylineError: as ``bind_inner``; for a wrong number of columns.
    """
    inner = bind_inner(test.query, source, env, queries)
    conditions: list[Typed] = list(inner.pulled.conditions)
    if isinstance(test, s.InQuery):
        source, equal = _compared(source, test, inner, negated, env)
        conditions += equal
    join = _joined(source, inner.pulled, conditions, "ANTI" if negated else "SEMI")
    return settled(Relation(join, source.fields))


def _compared(
    source: Relation, test: s.InQuery, inner: Inner, negated: bool, env: Environment
) -> tuple[Relation, list[Typed]]:
    """The source with the operands of IN as columns, and the comparisons, over marks and the
    subquery's columns."""
    row = isinstance(test.operand, s.Construct) and test.operand.kind == "ROW"
    written = test.operand.items if row else (test.operand,)  # type: ignore[union-attr]
    if len(inner.fields) != len(written):
        msg = f"IN compares {len(written)} values with a subquery of {len(inner.fields)} columns"
        raise env.error(msg, test.query.span, "select as many columns as are compared")
    binder = ExpressionBinder(source.scope, env, "WHERE")
    conditions = []
    for w, f in zip(written, inner.fields, strict=True):
        e = binder.bind(w)
        if not isinstance(e, Ref):  # a join's keys are columns
            name = unique("$in", set(source.node.schema.names))
            source = Relation(extended(source.node, ((name, e),)), source.fields)
            e = Ref(name, e.type)
        left, right = outer_ref(e.name, e.type), inner.pulled.late.get(f.column, f.ref)
        equal = binder.apply("=", (left, right), test.span)
        conditions.append(_or_unknown(equal, left, right) if negated else equal)
    return source, conditions


def _or_unknown(equal: Typed, *sides: Typed) -> Typed:
    """Equal, or not to be told apart for a NULL."""
    unknown = [Apply("IS NULL", (e,), "(({0}) IS NULL)", _YES) for e in sides if e.type.nullable]
    if not unknown:
        return equal
    parts = (equal, *unknown)
    template = "(" + " OR ".join(f"({{{i}}})" for i in range(len(parts))) + ")"
    return Apply("OR", parts, template, BOOLEAN)


def _joined(source: Relation, inner: Pulled, conditions: list[Typed], kind: str) -> Join:
    """Both plans joined on conditions over marks and the subquery's columns."""
    _, join = beside(source, Relation(inner.node, ()), kind)
    left = _by_column(source.node.schema, join.left_names)
    right = _by_column(inner.node.schema, join.right_names)
    return replace(join, condition=conjunction([resolved(c, left, right) for c in conditions]))


def _by_column(schema: Schema, names: tuple[str, ...]) -> dict[str, Typed]:
    return {c.name: Ref(n, c.type) for c, n in zip(schema, names, strict=True)}


def lateral(
    source: Relation,
    fields: tuple[ScopeField, ...],
    inner: Pulled,
    kind: str,
    place: SourceLocation,
) -> Relation:
    """The source beside a subquery that reads it, under ``fields`` of the subquery.

    Raises:
        EddylineError: ``sql_unsupported`` for a LEFT JOIN with columns made of the left side's.
    """
    if kind == "LEFT" and inner.late:
        raise place.unsupported("LEFT JOIN LATERAL of columns made of the left side's")
    made = _joined(source, inner, inner.conditions, kind)
    join = settled(Relation(made, ())).node
    types = join.schema
    left, right = (
        {c: Ref(n, types[n]) for c, n in zip(schema.names, names, strict=True)}
        for schema, names in (
            (source.node.schema, made.left_names),
            (inner.node.schema, made.right_names),
        )
    )
    node: Node = join
    if inner.late:
        items, taken = [], set(types.names)
        for column, e in inner.late.items():
            name = unique(column, taken)
            taken.add(name)
            items.append((name, resolved(e, dict(left), dict(right))))
            right[column] = Ref(name, e.type)
        node = extended(join, tuple(items))
    both = [replace(f, column=left[f.column].name, type=left[f.column].type) for f in source.fields]
    both += [replace(f, column=right[f.column].name, type=right[f.column].type) for f in fields]
    return Relation(node, tuple(both))


class ValueQueries:
    """Where subqueries met as values are put; binding one gives a mark for its column."""

    def __init__(self, source: Relation, env: Environment, queries: Queries) -> None:
        self._source = source
        self._env = env
        self._queries = queries
        self._inner: list[Inner] = []
        self._written: list[s.ScalarQuery] = []

    def add(self, e: s.ScalarQuery) -> Typed:
        """The subquery's value.

        Raises:
            EddylineError: as ``bind_inner``; for a subquery of several columns.
        """
        if e not in self._written:
            inner = bind_inner(e.query, self._source, self._env, self._queries)
            if len(inner.fields) != 1:
                msg = f"a subquery as a value needs one column, this has {len(inner.fields)}"
                raise self._env.error(msg, e.span, "select only the value")
            self._written.append(e)
            self._inner.append(inner)
        at = self._written.index(e)
        return Ref(f"{VALUE}{at}", self._inner[at].fields[0].type.plain().null())

    def attached(
        self, source: Relation, used: list[Typed], columns: dict[str, Typed] | None = None
    ) -> tuple[Relation, dict[str, Typed]]:
        """The source with a column for each value that ``used`` holds the mark of, and these
        columns by mark.

        ``columns``: what the columns that the subqueries read are in ``source``, if it is not
        the relation that they were bound over.
        """
        by: dict[str, Typed] = {}
        marks = set().union(*(refs(e) for e in used))
        for at, inner in enumerate(self._inner):
            mark = f"{VALUE}{at}"
            if mark not in marks:
                continue
            place = SourceLocation(self._written[at].span, self._env.source)
            subquery = inner.pulled if columns is None else _moved(inner.pulled, columns)
            source, by[mark] = _attached(source, replace(inner, pulled=subquery), place)
        return source, by


VALUE = "\0value"


def _attached(source: Relation, inner: Inner, place: SourceLocation) -> tuple[Relation, Ref]:
    field = replace(inner.fields[0], qualifier=None)
    if inner.pulled.late:  # a value made of the outer row
        joined = lateral(source, (field,), inner.pulled, "INNER", place)
    else:
        single, field = _single(inner.pulled, field)
        joined = lateral(source, (field,), single, "LEFT", place)
    value: Typed = joined.fields[-1].ref
    default = inner.default
    if default is not None and not default.type.nullable:
        value = Apply("COALESCE", (value, default), "coalesce({0}, {1})", default.type.null())
    name = unique("$value", set(joined.node.schema.names))
    node = extended(joined.node, ((name, value),))
    return Relation(node, joined.fields[:-1]), Ref(name, value.type)


def _moved(subquery: Pulled, by: dict[str, Typed]) -> Pulled:
    """The subquery under an outer query whose columns have other names now."""
    marks: dict[str, Typed] = {}
    for column, e in by.items():
        if isinstance(e, Ref):
            marks[outer_ref(column, e.type).name] = outer_ref(e.name, e.type)
    conditions = [substitute(c, marks) for c in subquery.conditions]
    return replace(
        subquery,
        conditions=conditions,
        late={n: substitute(e, marks) for n, e in subquery.late.items()},
    )


def _single(subquery: Pulled, field: ScopeField) -> tuple[Pulled, ScopeField]:
    """The subquery as one row per value of its conditions; more than one row is an error."""
    if subquery.grouped or _is_one_row(subquery.node):
        return subquery, field
    columns = [n for c in subquery.conditions for n in sorted(inner_columns(c))]
    keys, below = tuple(dict.fromkeys(columns)), subquery.node.schema
    kind = field.type.plain().null()
    call = AggregateCall(
        SINGLE_VALUE, (field.ref,), False, None, "$single", Column("$single", kind)
    )
    schema = Schema((*(Column(k, below[k].plain()) for k in keys), call.column))
    node = GroupBy(subquery.node, keys, (call,), None, schema)
    names: list[tuple[str, Typed]] = [(k, Ref(k, schema[k])) for k in keys]
    shown = unique("$shown", set(keys)) if field.column in keys else field.column
    calc = Calc(node, (*names, (shown, Ref("$single", kind))))
    return replace(subquery, node=calc), replace(field, column=shown, type=kind)


def _is_one_row(node: Node) -> bool:
    """Whether a plan has at most one row, whatever its input."""
    while isinstance(node, Calc):
        node = node.input
    if isinstance(node, Rank):
        return not node.partition_by and node.first == node.last
    return isinstance(node, GroupBy) and not node.keys and node.window is None
