"""IN (SELECT …) and EXISTS in WHERE: rows kept for having, or not having, a partner.

``x IN (q)`` joins with q's different values. ``NOT`` joins on the left side and keeps the rows
without a partner; a NULL on either side counts as a partner there, for it leaves the answer open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eddyline.errors import EddylineError
from eddyline.record.types import BOOLEAN
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.grouping import distinct
from eddyline.sql.bind.joins import beside, settled
from eddyline.sql.bind.relation import Relation, extended, filtered, of_node
from eddyline.sql.bind.scope import Environment
from eddyline.sql.logical import Calc, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed

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


def tested(
    source: Relation, test: Test, negated: bool, env: Environment, queries: Queries
) -> Relation:
    """The rows that pass the test.

    Raises:
        EddylineError: ``sql_semantic``; ``sql_unsupported`` if the subquery reads the outer query.
    """
    found = _bound(source, test, env, queries)
    if isinstance(test, s.Exists):
        one = distinct(of_node(Calc(found.node, (("$there", _TRUE),))))
        return _kept(source, one, None, negated, env)
    if len(found.visible) != 1:
        msg = f"IN needs a subquery of one column, this has {len(found.visible)}"
        raise env.error(msg, test.query.span, "select only the column that is compared")
    operand = ExpressionBinder(source.scope, env, "WHERE").bind(test.operand)
    if not isinstance(operand, Ref):  # a join's keys are columns
        name = unique("$in", set(source.node.schema.names))
        source = Relation(extended(source.node, ((name, operand),)), source.fields)
        operand = Ref(name, operand.type)
    values = distinct(of_node(Calc(found.node, (("$value", found.visible[0].ref),))))
    return _kept(source, values, (operand, test), negated, env)


def _bound(source: Relation, test: Test, env: Environment, queries: Queries) -> Relation:
    try:
        return queries(test.query, env)
    except EddylineError as e:
        outer = {f.name for f in source.fields} | {f.qualifier for f in source.fields}
        unknown = [w for w in outer if w and e.message.startswith("there is no")]
        if e.span is None or not any(f" {w} " in f"{e.message} " for w in unknown):
            raise
        what = "a subquery that reads the outer query's columns"
        raise env.unsupported(what, e.span, "join the two tables and group instead") from None


def _kept(
    source: Relation,
    right: Relation,
    compared: tuple[Ref, s.InQuery] | None,
    negated: bool,
    env: Environment,
) -> Relation:
    """The left side's rows with a partner on the right, or those without one."""
    if compared is not None:
        right = of_node(extended(right.node, (("$there", _TRUE),)))
    fields, node = beside(source, right, "LEFT" if negated else "INNER")
    condition = None
    if compared is not None:
        operand, test = compared
        names = dict(zip(source.node.schema.names, node.left_names, strict=True))
        left = Ref(names[operand.name], operand.type)
        value = Ref(node.right_names[0], right.fields[0].type)
        binder = ExpressionBinder(Relation(node, fields).scope, env, "WHERE")
        condition = binder.apply("=", (left, value), test.span)
        if negated:
            condition = _or_open(condition, left, value)
    there = fields[-1].ref
    whole = settled(Relation(replace(node, condition=condition), fields))
    if negated:
        whole = filtered(whole, Apply("IS NULL", (there,), "(({0}) IS NULL)", _YES))
    return Relation(whole.node, whole.fields[: len(source.fields)])


def _or_open(equal: Typed, *sides: Ref) -> Typed:
    """Equal, or not to be told apart for a NULL."""
    open_ = [Apply("IS NULL", (e,), "(({0}) IS NULL)", _YES) for e in sides if e.type.nullable]
    if not open_:
        return equal
    parts = (equal, *open_)
    template = "(" + " OR ".join(f"({{{i}}})" for i in range(len(parts))) + ")"
    return Apply("OR", parts, template, BOOLEAN)
