"""Tests by a subquery at any place of an expression, and QUALIFY: rewritten as other syntax.

As a condition of its own in WHERE a test is a semi join (``subqueries``). Inside OR, CASE or the
list of a SELECT it is the number of the subquery's rows that pass, which a value query gives.
"""

from __future__ import annotations

from dataclasses import replace

from eddyline.errors import Span
from eddyline.sql import syntax as s
from eddyline.sql.syntax_walk import conjunction, conjuncts, holds_query, mapped

_ROWS = "$in"


def exists(e: s.Exists) -> s.Expression:
    """Whether the subquery has rows."""
    return _some(_count(e.query, (), None, e.span), e.span)


def in_query(e: s.InQuery, certain: bool) -> s.Expression:
    """Whether a row of the subquery equals the operand.

    certain: only whether the test holds matters; otherwise it is unknown where a NULL on either
    side leaves it open.
    """
    row = isinstance(e.operand, s.Construct) and e.operand.kind == "ROW"
    operands = e.operand.items if row else (e.operand,)  # type: ignore[union-attr]
    columns = tuple(f"$y{i}" for i in range(len(operands)))
    names = [s.Name((_ROWS, c), e.span, (e.span, e.span)) for c in columns]
    equal = conjunction([s.Binary("=", n, o, e.span) for n, o in zip(names, operands, strict=True)])
    condition: s.Expression = _some(_count(e.query, columns, equal, e.span), e.span)
    if not certain:
        condition = _three_valued(e, condition, columns, names, operands)
    return s.Unary("NOT", condition, e.span) if e.negated else condition


# The value of a subquery that decides a comparison with all of its values, or with any.
_DECIDING = {
    ("ALL", ">"): "MAX", ("ALL", ">="): "MAX", ("ALL", "<"): "MIN", ("ALL", "<="): "MIN",
    ("ANY", ">"): "MIN", ("ANY", ">="): "MIN", ("ANY", "<"): "MAX", ("ANY", "<="): "MAX",
}  # fmt: skip


def quantified(
    left: s.Expression, op: str, word: str, query: s.Query, span: Span
) -> s.Expression | None:
    """``left op ALL (query)`` or ``ANY``; None where it has no other spelling."""
    if (word, op) in (("ANY", "="), ("ALL", "<>")):
        return s.InQuery(left, query, word == "ALL", span)
    function = _DECIDING.get((word, op))
    if function is None:
        return None
    name = s.Name((_ROWS, "$y0"), span, (span, span))
    call = s.FunctionCall(function, (name,), span, span)
    holds = s.Binary(op, left, _over(query, ("$y0",), call, None, span), span)
    empty = s.Unary("NOT", _some(_count(query, ("$y0",), None, span), span), span)
    nulls = _some(_count(query, ("$y0",), s.Is(name, "NULL", False, span), span), span)
    is_all = word == "ALL"
    of_none, decided = (
        s.Literal("boolean", "TRUE" if value else "FALSE", span) for value in (is_all, not is_all)
    )
    decides = s.Unary("NOT", holds, span) if is_all else holds
    whens = ((empty, of_none), (decides, decided), (nulls, s.Literal("null", "NULL", span)))
    return s.CaseExpression(None, whens, holds, span)


def quantified_list(
    left: s.Expression, op: str, word: str, items: tuple[s.Expression, ...], span: Span
) -> s.Expression:
    """``left op ALL (a, b)`` or ``ANY``."""
    joined: s.Expression = s.Binary(op, left, items[0], span)
    for item in items[1:]:
        compared = s.Binary(op, left, item, span)
        joined = s.Binary("AND" if word == "ALL" else "OR", joined, compared, span)
    return joined


def _three_valued(
    e: s.InQuery,
    condition: s.Expression,
    columns: tuple[str, ...],
    names: list[s.Name],
    operands: tuple[s.Expression, ...],
) -> s.Expression:
    """TRUE for an equal row, FALSE of no rows, NULL where a NULL may hide an equal one."""
    true, false = (s.Literal("boolean", word, e.span) for word in ("TRUE", "FALSE"))
    null = s.Literal("null", "NULL", e.span)
    empty = s.Unary("NOT", _some(_count(e.query, columns, None, e.span), e.span), e.span)
    unknown: list[s.Expression] = [s.Is(o, "NULL", False, e.span) for o in operands]
    for name in names:
        nothing = s.Is(name, "NULL", False, e.span)
        unknown.append(_some(_count(e.query, columns, nothing, e.span), e.span))
    any_unknown = unknown[0]
    for u in unknown[1:]:
        any_unknown = s.Binary("OR", any_unknown, u, e.span)
    whens = ((condition, true), (empty, false), (any_unknown, null))
    return s.CaseExpression(None, whens, false, e.span)


def _count(
    query: s.Query, columns: tuple[str, ...], where: s.Expression | None, span: Span
) -> s.ScalarQuery:
    """``(SELECT COUNT(*) FROM (query) AS t (columns) WHERE …)``"""
    count = s.FunctionCall("COUNT", (), span, span, star=True)
    return _over(query, columns, count, where, span)


def _over(
    query: s.Query,
    columns: tuple[str, ...],
    call: s.FunctionCall,
    where: s.Expression | None,
    span: Span,
) -> s.ScalarQuery:
    """An aggregate over a query's rows."""
    source = s.Derived(query, _ROWS, columns, span)
    item = s.SelectItem(call, None, span)
    select = s.Select((item,), False, source, where, None, None, span)
    return s.ScalarQuery(s.Query(select, span), span)


def _some(count: s.ScalarQuery, span: Span) -> s.Expression:
    return s.Binary(">", count, s.Literal("number", "0", span), span)


def without_queries_in_on(q: s.Select) -> s.Select:
    """Conditions of inner joins that hold a subquery, moved into WHERE, which means the same."""
    if q.source is None:
        return q
    source, moved = _without(q.source)
    if not moved:
        return q
    return replace(q, source=source, where=conjunction([*conjuncts(q.where), *moved]))


def _without(r: s.Relation) -> tuple[s.Relation, list[s.Expression]]:
    if not isinstance(r, s.JoinClause) or r.kind not in ("INNER", "CROSS", "LEFT"):
        return r, []
    left, moved = _without(r.left)
    condition = r.condition
    if r.kind == "INNER" and condition is not None and holds_query(condition):
        own = conjuncts(condition)
        moved += [c for c in own if holds_query(c)]
        condition = conjunction([c for c in own if not holds_query(c)])
        if condition is None:
            condition = s.Literal("boolean", "TRUE", r.span)
    return replace(r, left=left, condition=condition), moved


QUALIFIED = "$qualify"


def without_qualify(q: s.Select) -> tuple[s.Select, s.Expression]:
    """The SELECT with hidden columns for what QUALIFY reads, and its condition over these."""
    assert q.qualify is not None
    aliases = {i.alias for i in q.items if i.alias}
    hidden: list[s.SelectItem] = []

    def column(e: s.Expression) -> s.Expression | None:
        is_call = isinstance(e, s.FunctionCall) and e.over is not None
        if not is_call and not isinstance(e, s.Name):
            return None
        if isinstance(e, s.Name) and len(e.parts) == 1 and e.parts[0] in aliases:
            return e
        known = next((i for i in hidden if i.expression == e), None)
        if known is None:
            known = s.SelectItem(e, f"{QUALIFIED}{len(hidden)}", e.span)
            hidden.append(known)
        return s.Name((known.alias or "",), e.span, (e.span,))

    condition = mapped(q.qualify, column)
    return replace(q, items=(*q.items, *hidden), qualify=None, distinct=False), condition
