"""Values between Arrow and Python, as PyFlink gives them to functions and takes them back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa

from eddyline.record.types import DataType, Root, arrow_type
from eddyline.udf.row import Row

Conversion = Callable[[Any], Any]


def to_python(column: pa.Array, kind: DataType) -> list[Any]:
    """The values of a column as a plain function takes them."""
    values: list[Any] = column.to_pylist()
    convert = _decoder(kind)
    return values if convert is None else [None if v is None else convert(v) for v in values]


def to_arrow(values: list[Any], kind: DataType) -> pa.Array:
    """Results of a plain function as a column.

    Raises:
        ValueError, TypeError, pa.ArrowException: a value is not of the type.
    """
    convert = _encoder(kind)
    if convert is not None:
        values = [None if v is None else convert(v) for v in values]
    return pa.array(values, arrow_type(kind))


def _decoder(kind: DataType) -> Conversion | None:
    """What Arrow's Python value becomes; None where it stays."""
    if kind.root is Root.ROW:
        names, inner = kind.names, [_decoder(c) for c in kind.children]
        return lambda v: Row.named(
            names, (_apply(c, v[n]) for n, c in zip(names, inner, strict=True))
        )
    if kind.root is Root.MAP:
        key, value = (_decoder(c) for c in kind.children)
        return lambda v: {_apply(key, k): _apply(value, x) for k, x in v}
    if kind.root is Root.ARRAY:
        element = _decoder(kind.children[0])
        return None if element is None else lambda v: [_apply(element, x) for x in v]
    if kind.root is Root.INTERVAL_SECOND:
        return lambda v: timedelta(milliseconds=v)
    if kind.root is Root.TIMESTAMP_LTZ:
        return lambda v: v.replace(tzinfo=UTC)
    return None


def _apply(convert: Conversion | None, value: Any) -> Any:
    return value if convert is None or value is None else convert(value)


def _encoder(kind: DataType) -> Conversion | None:
    """What a function's value becomes before Arrow takes it; None where it stays."""
    if kind.root is Root.ROW:
        return _row_encoder(kind)
    if kind.root is Root.MAP:
        key, value = (_encoder(c) for c in kind.children)
        return lambda v: [(_apply(key, k), _apply(value, x)) for k, x in dict(v).items()]
    if kind.root is Root.ARRAY:
        element = _encoder(kind.children[0])
        return list if element is None else lambda v: [_apply(element, x) for x in v]
    if kind.root is Root.DECIMAL:
        unit = Decimal(1).scaleb(-kind.scale)
        return lambda v: _decimal(v).quantize(unit, ROUND_HALF_UP)
    if kind.root in (Root.FLOAT, Root.DOUBLE):
        return float
    if kind.root is Root.INTERVAL_SECOND:
        return _milliseconds
    if kind.is_timestamp:
        grain = 10 ** max(0, 6 - kind.precision)
        return lambda v: _instant(v, grain)
    return None


def _row_encoder(kind: DataType) -> Conversion:
    names, inner = kind.names, [_encoder(c) for c in kind.children]

    def encode(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            unknown = [str(n) for n in value if n not in names]
            if unknown:
                msg = f"{', '.join(unknown)} is no field of {kind}"
                raise ValueError(msg)
            return {n: _apply(c, value.get(n)) for n, c in zip(names, inner, strict=True)}
        if isinstance(value, str | bytes) or len(value) != len(names):
            msg = f"{value!r} has not the {len(names)} fields of {kind}"
            raise ValueError(msg)
        return {n: _apply(c, v) for n, c, v in zip(names, inner, value, strict=True)}

    return encode


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _milliseconds(value: Any) -> int:
    return value // timedelta(milliseconds=1) if isinstance(value, timedelta) else int(value)


def _instant(value: Any, grain: int) -> datetime:
    """A datetime in UTC without zone, cut to the type's digits."""
    if not isinstance(value, datetime):
        msg = f"{value!r} is not a datetime"
        raise TypeError(msg)
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    cut: datetime = value.replace(microsecond=value.microsecond // grain * grain)
    return cut
