"""Conditions for one row at a time: comparisons of columns as Python functions.

Only what means the same in Python as in the kernel is compiled here: comparisons of whole
numbers, decimals, floating numbers, texts and times, joined by AND, OR and NOT. For everything
else ``compiled`` gives None, and the caller evaluates the condition's DuckDB text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from eddyline.record.types import DataType, Root
from eddyline.sql.typed import Const, Ref, Typed

Values = Mapping[str, Any]
# True, False, or None for unknown.
Condition = Callable[[Values], bool | None]
Value = Callable[[Values], Any]

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FAMILIES = (
    (Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT),
    (Root.DOUBLE,),
    (Root.VARCHAR,),
    (Root.TIMESTAMP,),
    (Root.TIMESTAMP_LTZ,),
    (Root.DATE,),
    (Root.BOOLEAN,),
)


class NotANumberError(Exception):
    """A NaN was met, which Python and SQL compare differently."""


def compiled(e: Typed) -> Condition | None:
    """The condition as a function of column values; None if it must be left to the kernel."""
    if isinstance(e, Ref):
        name = e.name
        return (lambda values: values[name]) if e.type.root is Root.BOOLEAN else None
    if isinstance(e, Const):
        constant = e.value
        return (lambda _: constant) if isinstance(constant, bool) else None
    if e.name in ("AND", "OR"):
        return _joined(e.name, [compiled(a) for a in e.args])
    if e.name == "NOT" and len(e.args) == 1:
        inner = compiled(e.args[0])
        return None if inner is None else _negated(inner)
    if e.name in ("IS NULL", "IS NOT NULL"):
        return _null_test(e.args[0], e.name == "IS NULL")
    if e.name in _COMPARED and len(e.args) == 2 and _comparable(e.args[0].type, e.args[1].type):
        left, right = _value(e.args[0]), _value(e.args[1])
        if left is not None and right is not None:
            return _comparison(_COMPARED[e.name], left, right)
    return None


def _comparable(a: DataType, b: DataType) -> bool:
    if any(a.root in family and b.root in family for family in _FAMILIES):
        return True
    return a.root is Root.DECIMAL and b.root is Root.DECIMAL


def _value(e: Typed) -> Value | None:
    if isinstance(e, Ref):
        name = e.name
        return lambda values: values[name]
    if isinstance(e, Const) and type(e.value) in (int, str) and _is_literal(e.type):
        constant = e.value
        return lambda _: constant
    return None


def _is_literal(kind: DataType) -> bool:
    return kind.is_integer or kind.root is Root.VARCHAR


def _comparison(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Condition:
    def condition(values: Values) -> bool | None:
        a, b = left(values), right(values)
        if a is None or b is None:
            return None
        if a != a or b != b:
            raise NotANumberError
        return compare(a, b)

    return condition


def _null_test(e: Typed, is_null: bool) -> Condition | None:
    value = _value(e)
    if value is None:
        return None
    return lambda values: (value(values) is None) is is_null


def _negated(inner: Condition) -> Condition:
    def condition(values: Values) -> bool | None:
        value = inner(values)
        return None if value is None else not value

    return condition


def _joined(word: str, parts: list[Condition | None]) -> Condition | None:
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    decisive = word == "OR"

    def condition(values: Values) -> bool | None:
        unknown = False
        for part in known:
            value = part(values)
            if value is decisive:
                return decisive
            unknown = unknown or value is None
        return None if unknown else not decisive

    return condition
