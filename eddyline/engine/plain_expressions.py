"""Expressions over a few rows of plain Python values.

They are those that Arrow's kernels compute (``arrow_expressions.py``), which decides what means the
same as the DuckDB text; this module only says how Python computes them. A value that they treat
differently raises ``Unusual``, and the batch goes the general way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from eddyline.engine import arrow_expressions
from eddyline.engine.arrow_expressions import Unusual, domain_of
from eddyline.record.plain_rows import PlainRows
from eddyline.record.types import BITS, Root
from eddyline.sql.typed import Apply, Const, Ref, Typed

Values: TypeAlias = list[Any]
Compute = Callable[[PlainRows], Values]
Compare = Callable[[Any, Any], bool]


def compiled(e: Typed) -> Compute | None:
    """What computes the expression from rows that have its columns; None: other ways must."""
    return None if arrow_expressions.compiled(e) is None else _made(e)


def _made(e: Typed) -> Compute:
    if isinstance(e, Ref):
        name = e.name
        return lambda rows: rows.columns[name]
    if isinstance(e, Const):
        return _constant(float(str(e.value)) if e.type.root is Root.DOUBLE else e.value)
    return _MAKERS[e.name](e)


def _constant(value: Any) -> Compute:
    return lambda rows: [value] * rows.num_rows


def _side(e: Typed, *, is_floating: bool) -> Compute:
    """A side of a comparison or an operation."""
    if not is_floating:
        return _made(e)
    if isinstance(e, Const):
        return _constant(float(str(e.value)))
    compute = _made(e)

    def numbers(rows: PlainRows) -> Values:
        values = [None if v is None else float(v) for v in compute(rows)]
        if any(v != v for v in values):
            raise Unusual
        return values

    return numbers


def _pair(left: Typed, right: Typed) -> tuple[Compute, Compute]:
    is_floating = str(domain_of(left, right)) == "double"
    return _side(left, is_floating=is_floating), _side(right, is_floating=is_floating)


def _compared(compare: Compare, left: Compute, right: Compute) -> Compute:
    return lambda rows: [
        None if a is None or b is None else compare(a, b)
        for a, b in zip(left(rows), right(rows), strict=True)
    ]


def _comparison(compare: Compare) -> Callable[[Apply], Compute]:
    return lambda e: _compared(compare, *_pair(e.args[0], e.args[1]))


def _and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _or(a: bool | None, b: bool | None) -> bool | None:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _folded(parts: list[Compute], join: Callable[[Any, Any], Any]) -> Compute:
    """All parts joined, the first with the second, what that gives with the third."""

    def compute(rows: PlainRows) -> Values:
        result = parts[0](rows)
        for part in parts[1:]:
            result = list(map(join, result, part(rows)))
        return result

    return compute


def _logic(join: Callable[[Any, Any], Any]) -> Callable[[Apply], Compute]:
    return lambda e: _folded([_made(a) for a in e.args], join)


def _between(e: Apply) -> Compute:
    low = _compared(operator.ge, *_pair(e.args[0], e.args[1]))
    high = _compared(operator.le, *_pair(e.args[0], e.args[2]))
    return _folded([low, high], _and)


def _in(e: Apply) -> Compute:
    tests = [_compared(operator.eq, *_pair(e.args[0], a)) for a in e.args[1:]]
    return _folded(tests, _or)


def _unary(test: Callable[[Any], Any]) -> Callable[[Apply], Compute]:
    def make(e: Apply) -> Compute:
        compute = _made(e.args[0])
        return lambda rows: list(map(test, compute(rows)))

    return make


def _arithmetic(calculate: Callable[[Any, Any], Any]) -> Callable[[Apply], Compute]:
    """Integers wrap around in their type; doubles are IEEE's."""

    def make(e: Apply) -> Compute:
        is_floating = e.type.root is Root.DOUBLE
        left, right = (_side(a, is_floating=is_floating) for a in e.args)
        half = 0 if is_floating else 1 << (BITS[e.type.root] - 1)

        def compute(rows: PlainRows) -> Values:
            pairs = zip(left(rows), right(rows), strict=True)
            values = [None if a is None or b is None else calculate(a, b) for a, b in pairs]
            if is_floating:
                return values
            return [None if v is None else (v + half) % (2 * half) - half for v in values]

        return compute

    return make


def _cast(e: Apply) -> Compute:
    if e.type.root is Root.DOUBLE and e.args[0].type.root is not Root.DOUBLE:
        return _unary(lambda v: None if v is None else float(v))(e)
    return _made(e.args[0])


def _not_null(e: Apply) -> Compute:
    compute = _made(e.args[0])

    def checked(rows: PlainRows) -> Values:
        values = compute(rows)
        if None in values:
            raise Unusual  # DuckDB raises the error, with its place
        return values

    return checked


def _coalesce(e: Apply) -> Compute:
    return _folded([_made(a) for a in e.args], lambda a, b: b if a is None else a)


def _case(e: Apply) -> Compute:
    parts = [_made(a) for a in e.args]
    last = len(parts) - 1

    def compute(rows: PlainRows) -> Values:
        result = parts[last](rows)
        for i in range(last - 2, -1, -2):
            choices = zip(parts[i](rows), parts[i + 1](rows), result, strict=True)
            result = [a if test is True else b for test, a, b in choices]
        return result

    return compute


_LIKES: dict[tuple[bool, bool], Callable[[str, str], bool]] = {
    (False, False): operator.eq,
    (False, True): str.startswith,
    (True, False): str.endswith,
    (True, True): operator.contains,
}


def _like(e: Apply) -> Compute:
    pattern = e.args[1]
    assert isinstance(pattern, Const)
    text = str(pattern.value)
    ends = text.startswith("%"), text.endswith("%")
    test, inner = _LIKES[ends], text[ends[0] : len(text) - ends[1]]
    return _unary(lambda v: None if v is None else test(v, inner))(e)


_MAKERS: dict[str, Callable[[Apply], Compute]] = {
    "=": _comparison(operator.eq),
    "<>": _comparison(operator.ne),
    "<": _comparison(operator.lt),
    "<=": _comparison(operator.le),
    ">": _comparison(operator.gt),
    ">=": _comparison(operator.ge),
    "BETWEEN": _between,
    "IN": _in,
    "AND": _logic(_and),
    "OR": _logic(_or),
    "NOT": _unary(lambda v: None if v is None else not v),
    "IS NULL": _unary(lambda v: v is None),
    "IS NOT NULL": _unary(lambda v: v is not None),
    "IS TRUE": _unary(lambda v: v is True),
    "IS NOT TRUE": _unary(lambda v: v is not True),
    "IS FALSE": _unary(lambda v: v is False),
    "IS NOT FALSE": _unary(lambda v: v is not False),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "CAST": _cast,
    "NOT NULL": _not_null,
    "COALESCE": _coalesce,
    "CASE": _case,
    "LIKE": _like,
    "||": _logic(lambda a, b: None if a is None or b is None else a + b),
}
