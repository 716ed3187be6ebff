"""The types two values meet in: arithmetic results, comparison, branches of a CASE, UNION.

Rules as observed on Flink 2.3: integers widen; FLOAT beats integers, and of FLOAT and DOUBLE the
first written wins; DECIMAL with an approximate number is DOUBLE; texts of different length
become VARCHAR of the longest; timestamps take the finer precision.
"""

from __future__ import annotations

from eddyline.record.types import (
    APPROXIMATE,
    DOUBLE,
    INTEGERS,
    TEXT,
    VARCHAR_MAX,
    DataType,
    Root,
    decimal,
    varchar,
)

_DIGITS = {Root.TINYINT: 3, Root.SMALLINT: 5, Root.INT: 10, Root.BIGINT: 19}
_MAX = 38


def as_decimal(t: DataType) -> DataType:
    """An integer or decimal type as the DECIMAL that holds it."""
    return t if t.root is Root.DECIMAL else decimal(_DIGITS[t.root], 0)


def fitted(precision: int, scale: int) -> DataType:
    """DECIMAL cut to 38 digits: whole digits are kept before fraction digits (at least 6)."""
    if precision <= _MAX:
        return decimal(precision, scale)
    whole = precision - scale
    return decimal(_MAX, max(_MAX - whole, min(scale, 6)))


def wider(left: DataType, right: DataType) -> DataType:
    """The number type both fit in (not for arithmetic of decimals)."""
    roots = (left.root, right.root)
    if all(r in INTEGERS for r in roots):
        return left if INTEGERS.index(left.root) >= INTEGERS.index(right.root) else right
    if any(r in APPROXIMATE for r in roots):
        if Root.DECIMAL in roots:
            return DOUBLE
        return left if left.root in APPROXIMATE else right
    a, b = as_decimal(left), as_decimal(right)
    scale = max(a.scale, b.scale)
    return fitted(max(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def arithmetic(op: str, left: DataType, right: DataType) -> DataType:
    """The type of ``left op right`` for numbers."""
    if Root.DECIMAL not in (left.root, right.root) or any(
        t.root in APPROXIMATE for t in (left, right)
    ):
        return wider(left, right).null()
    a, b = as_decimal(left), as_decimal(right)
    return _DECIMAL_RULES[op](a.precision, a.scale, b.precision, b.scale)


def _sum(p1: int, s1: int, p2: int, s2: int) -> DataType:
    scale = max(s1, s2)
    return fitted(max(p1 - s1, p2 - s2) + scale + 1, scale)


def _product(p1: int, s1: int, p2: int, s2: int) -> DataType:
    return fitted(p1 + p2 + 1, s1 + s2)


def _quotient(p1: int, s1: int, p2: int, s2: int) -> DataType:
    scale = max(6, s1 + p2 + 1)
    return fitted(p1 - s1 + s2 + scale, scale)


def _remainder(p1: int, s1: int, p2: int, s2: int) -> DataType:
    if s1 == s2 == 0:
        return decimal(min(p1, p2), 0)
    scale = max(s1, s2)
    return fitted(min(p1 - s1, p2 - s2) + scale, scale)


_DECIMAL_RULES = {"+": _sum, "-": _sum, "*": _product, "/": _quotient, "%": _remainder}


def common(left: DataType, right: DataType) -> DataType | None:
    """The type of a column fed from both, or None if there is none; NULL if either can be."""
    kind = _common(left.plain(), right.plain())
    if kind is None:
        return None
    return kind.null() if left.nullable or right.nullable else kind.not_null()


def _common(left: DataType, right: DataType) -> DataType | None:
    if left.root is Root.NULL:
        return right.null()
    if right.root is Root.NULL:
        return left.null()
    if left.same_as(right):
        return left
    if left.is_numeric and right.is_numeric:
        return wider(left, right)
    if left.is_text and right.is_text:
        return varchar(max(left.precision, right.precision))
    if left.is_timestamp and right.is_timestamp:
        best = left if left.precision >= right.precision else right
        root = Root.TIMESTAMP_LTZ if left.root is not right.root else left.root
        return DataType(root, best.precision)
    if left.root in (Root.BINARY, Root.VARBINARY) and right.root in (Root.BINARY, Root.VARBINARY):
        return DataType(Root.VARBINARY, max(left.precision, right.precision))
    if left.root is right.root and left.children and len(left.children) == len(right.children):
        return _children(left, right)
    if {left.root, right.root} <= {Root.DATE, Root.TIMESTAMP}:
        return left if left.root is Root.TIMESTAMP else right
    return None


def _children(left: DataType, right: DataType) -> DataType | None:
    met = [common(a, b) for a, b in zip(left.children, right.children, strict=True)]
    if any(m is None for m in met):
        return None
    return DataType(
        left.root, children=tuple(m for m in met if m), names=left.names, alias=left.alias
    )


def common_of(types: list[DataType]) -> DataType | None:
    """The common type of several, or None."""

    met: DataType | None = types[0]
    for t in types[1:]:
        met = common(met, t) if met is not None else None
    return met


def comparable(left: DataType, right: DataType) -> tuple[DataType, DataType] | None:
    """What either side is cast to before a comparison, or None if they cannot be compared.

    Text meets a number, a time or a condition by becoming one.
    """
    if Root.NULL in (left.root, right.root):
        return left, right
    if left.is_text and not right.is_text and _from_text(right):
        return right.plain(), right
    if right.is_text and not left.is_text and _from_text(left):
        return left, left.plain()
    met = common(left, right)
    if met is None:
        return None
    if left.is_numeric or left.root in TEXT:
        return left, right  # DuckDB compares numbers of any kind by value
    return met, met


def _from_text(t: DataType) -> bool:
    scalar = t.root in (Root.DATE, Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ, Root.BOOLEAN)
    return scalar or t.is_numeric


def text_of(lengths: int) -> DataType:
    """VARCHAR of a length, STRING when it would be longer than the longest."""
    return varchar(min(lengths, VARCHAR_MAX))
