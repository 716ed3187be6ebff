"""JSON as Flink writes it: numbers as Java's BigDecimal spells them, keys in order.

Flink reads JSON with exact decimals, so 1.50 keeps its scale and 1e5 becomes 1E+5, and it writes
the entries of an object in the order of their keys. DuckDB reads such numbers as doubles, which is
why texts that hold any are read here.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from eddyline.record.types import DataType, Root

_STEP = re.compile(r'\."([^"]*)"|\[(\d+)\]')
# Jackson escapes these; it leaves other characters as they are.
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ABSENT = object()


class Number(str):
    """A number in its spelling."""

    __slots__ = ()


def number(text: str) -> str:
    """The number as Java's BigDecimal spells it: its scale stays, zero has no sign."""
    spelt = str(Decimal(text))
    return spelt.removeprefix("-") if spelt.startswith("-0") and not Decimal(text) else spelt


def number_at(document: str, path: str) -> str | None:
    """The number at a path that is known to lead to one."""
    value = _at(document, path)
    return str(value) if isinstance(value, Number) else None


def nested_at(document: str, path: str) -> str | None:
    """The object or array at a path; NULL if there is none, or if it is nested too deeply."""
    value = _at(document, path)
    if not isinstance(value, dict | list):
        return None
    try:
        return written(value)
    except RecursionError:
        return None


def ordered(document: str) -> str | None:
    """An object or array with the keys of its objects in order, of equal ones the last."""
    return nested_at(document, "$")


def _at(document: str, path: str) -> Any:
    try:
        value = json.loads(document, parse_float=_read, parse_int=_read)
    except (ValueError, RecursionError):
        return None
    for key, place in _STEP.findall(path):
        if place:
            fits = isinstance(value, list) and int(place) < len(value)
            value = value[int(place)] if fits else _ABSENT
        else:
            value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
        if value is _ABSENT:
            return None
    return value


def _read(text: str) -> Number:
    return Number(number(text))


def written(value: Any) -> str:
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(written(v) for v in value) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=java_order)
        return "{" + ",".join(f"{quoted(k)}:{written(value[k])}" for k in keys) + "}"
    return "null" if value is None else "true" if value else "false"


def java_order(text: str) -> bytes:
    """Java compares texts by UTF-16 units."""
    return text.encode("utf-16-be", "surrogatepass")


def quoted(text: str) -> str:
    """The text as a JSON string."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"


# What JSON has no value for, by type; everything else is spelt by its Python value.
_SPELT: dict[Root, Callable[[Any], str]] = {
    Root.BOOLEAN: lambda v: "true" if v else "false",
    Root.DECIMAL: lambda v: number(str(v)),
    Root.BINARY: lambda v: quoted(base64.b64encode(v).decode()),
    Root.VARBINARY: lambda v: quoted(base64.b64encode(v).decode()),
}


def writer(kind: DataType) -> Callable[[Any], str]:
    """What spells a value of a type, given as Python has it."""
    if kind.root is Root.ARRAY:
        return partial(_array, writer(kind.children[0]))
    if kind.root is Root.MAP:
        return partial(_map, writer(kind.children[1]))
    if kind.root is Root.ROW:
        writers = {n: writer(c) for n, c in zip(kind.names, kind.children, strict=True)}
        return partial(_row, writers)
    if kind.is_text:
        return quoted
    if kind.root in (Root.FLOAT, Root.DOUBLE):
        return _double
    if kind.is_timestamp:
        return partial(_timestamp, zone="Z" if kind.root is Root.TIMESTAMP_LTZ else "")
    return _SPELT.get(kind.root, str)


def _double(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return quoted({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)])
    return number(_java_double(value))


def _java_double(value: float) -> str:
    """A double with at least one digit behind the point, as Java's Double.toString has it."""
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        size = abs(value)
        if size and (size >= 1e7 or size < 1e-3):
            sign, digits, power = Decimal(text).normalize().as_tuple()
            shown = "".join(map(str, digits))
            exponent = str(int(power) + len(shown) - 1)
            mantissa = ("-" if sign else "") + shown[0] + "." + (shown[1:] or "0")
        else:
            return text
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{int(exponent)}"


def _timestamp(value: datetime, zone: str) -> str:
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f'"{value:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"'


def _or_null(spell: Callable[[Any], str], value: Any) -> str:
    return "null" if value is None else spell(value)


def _array(spell: Callable[[Any], str], value: Any) -> str:
    return "[" + ",".join(_or_null(spell, v) for v in value) + "]"


def _map(spell: Callable[[Any], str], value: Any) -> str:
    entries = value.items() if isinstance(value, dict) else value
    entries = sorted(entries, key=lambda entry: java_order(str(entry[0])))
    return "{" + ",".join(f"{quoted(str(k))}:{_or_null(spell, v)}" for k, v in entries) + "}"


def _row(spell: dict[str, Callable[[Any], str]], value: Any) -> str:
    keys = sorted(spell, key=java_order)
    return "{" + ",".join(f"{quoted(k)}:{_or_null(spell[k], value[k])}" for k in keys) + "}"
