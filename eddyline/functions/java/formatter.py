"""java.util.Formatter for PRINTF: formats such as ``%-10s|%05d|%,.2f``.

What Java refuses raises ``FormatError``, for which Flink gives NULL.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eddyline.functions.java.numbers import (
    double_hash,
    double_text,
    float_text,
    hexadecimal_text,
)

_SPECIFIER = re.compile(r"%(\d+\$)?([-#+ 0,(<]*)(\d+)?(\.\d+)?([tT])?([a-zA-Z%])")
_BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}
_ROUNDING = decimal.Context(prec=800, rounding=decimal.ROUND_HALF_UP, Emax=999999, Emin=-999999)


class FormatError(ValueError):
    """A format that Java refuses, or an argument that does not fit it."""


@dataclass(frozen=True, slots=True)
class Value:
    """An argument: ``kind`` is byte, short, int, long, float, double, boolean, text or other."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Specifier:
    flags: str
    width: int | None
    precision: int | None
    conversion: str

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def refuse(self, flags: str) -> None:
        """These flags cannot stand with the conversion."""
        if any(f in self.flags for f in flags):
            raise FormatError(f"a flag does not fit %{self.conversion}")

    def pad(self, text: str) -> str:
        if self.width is None:
            return text
        # Java counts units of UTF-16.
        units = len(text) + sum(c > "\uffff" for c in text)
        fill = " " * (self.width - units)
        return text + fill if self.has("-") else fill + text


def formatted(pattern: str, values: Sequence[Value], take: Callable[[int], None]) -> str:
    """``pattern`` with the values in it; ``take`` is told each width and precision before use.

    Raises:
        FormatError: Java refuses the pattern or a value.
    """
    pieces: list[str] = []
    at, ordinary, last = 0, -1, -1
    while at < len(pattern):
        start = pattern.find("%", at)
        if start < 0:
            break
        pieces.append(pattern[at:start])
        match = _SPECIFIER.match(pattern, start)
        if match is None:
            raise FormatError("an unknown conversion")
        at = match.end()
        spec = _specifier(match, take)
        if spec.conversion in "%n":
            pieces.append(_literal(spec))
            continue
        if "<" in match[2]:
            place = last
        elif match[1] and int(match[1][:-1]) > 0:
            place = int(match[1][:-1]) - 1
        else:
            place = ordinary = ordinary + 1
        if not 0 <= place < len(values):
            raise FormatError("an argument is missing")
        last = place
        pieces.append(_converted(spec, values[place], bool(match[5])))
    pieces.append(pattern[at:])
    return "".join(pieces)


def _specifier(match: re.Match[str], take: Callable[[int], None]) -> _Specifier:
    flags = match[2].replace("<", "")
    if len(set(flags)) < len(flags):
        raise FormatError("a flag twice")
    width = int(match[3]) if match[3] else None
    precision = int(match[4][1:]) if match[4] else None
    if max(width or 0, precision or 0) >= 2**31:
        raise FormatError("a number is too large")
    take((width or 0) + (precision or 0))
    return _Specifier(flags, width, precision, match[6])


def _literal(spec: _Specifier) -> str:
    if spec.precision is not None:
        raise FormatError("a precision does not fit")
    if spec.conversion == "n":
        if spec.width is not None or spec.flags:
            raise FormatError("%n takes nothing")
        return "\n"
    if spec.flags not in ("", "-") or (spec.flags and spec.width is None):
        raise FormatError("a flag does not fit %%")
    return spec.pad("%")


def _converted(spec: _Specifier, value: Value, is_time: bool) -> str:
    method = None if is_time else _CONVERSIONS.get(spec.conversion)
    if method is None:
        raise FormatError(f"the conversion {spec.conversion} is not possible")
    text = method(spec, value)
    return text.upper() if spec.conversion.isupper() else text


# conversions


def _general(spec: _Specifier, text: str) -> str:
    spec.refuse("#+ 0,(")
    if spec.has("-") and spec.width is None:
        raise FormatError("a width is missing")
    return spec.pad(text if spec.precision is None else text[: spec.precision])


def _boolean(spec: _Specifier, value: Value) -> str:
    true = value.value if value.kind == "boolean" else value.value is not None
    return _general(spec, "true" if true else "false")


def _hash(spec: _Specifier, value: Value) -> str:
    return _general(spec, "null" if value.value is None else format(_hash_code(value), "x"))


def _string(spec: _Specifier, value: Value) -> str:
    return _general(spec, "null" if value.value is None else text_of(value))


def _character(spec: _Specifier, value: Value) -> str:
    spec.refuse("#+ 0,(")
    if spec.precision is not None or (spec.has("-") and spec.width is None):
        raise FormatError("%c takes a width only")
    if value.value is None:
        return spec.pad("null")
    if value.kind not in ("byte", "short", "int") or not 0 <= value.value <= 0x10FFFF:
        raise FormatError("not the code of a character")
    return spec.pad(chr(value.value))


def _number_flags(spec: _Specifier) -> None:
    if (spec.has("-") or spec.has("0")) and spec.width is None:
        raise FormatError("a width is missing")
    if (spec.has("-") and spec.has("0")) or (spec.has("+") and spec.has(" ")):
        raise FormatError("two flags exclude each other")


def _integer(spec: _Specifier, value: Value) -> str:
    _number_flags(spec)
    if spec.precision is not None:
        raise FormatError("a precision does not fit an integer")
    if spec.conversion == "d":
        spec.refuse("#")
    else:
        spec.refuse(",")
    if value.value is None:
        return spec.pad("null")
    bits = _BITS.get(value.kind)
    if bits is None:
        raise FormatError("not an integer")
    number: int = value.value
    if spec.conversion == "d":
        return _signed(spec, str(abs(number)), number < 0)
    spec.refuse("+ (")
    octal = spec.conversion == "o"
    prefix = ("0" if octal else "0x") if spec.has("#") else ""
    digits = prefix + format(number & (1 << bits) - 1, "o" if octal else "x")
    if spec.has("0"):
        assert spec.width is not None
        digits = prefix + digits[len(prefix) :].rjust(spec.width - len(prefix), "0")
    return spec.pad(digits)


def _signed(spec: _Specifier, digits: str, negative: bool) -> str:
    """Sign, grouping and zeros around the digits of a number."""
    if spec.has(","):
        whole, point, part = digits.partition(".")
        digits = f"{int(whole):,}{point}{part}"
    before, after = "", ""
    if negative:
        before, after = ("(", ")") if spec.has("(") else ("-", "")
    elif spec.has("+"):
        before = "+"
    elif spec.has(" "):
        before = " "
    if spec.has("0"):
        assert spec.width is not None
        digits = digits.rjust(spec.width - len(before) - len(after), "0")
    return spec.pad(before + digits + after)


def _float(spec: _Specifier, value: Value) -> str:
    _number_flags(spec)
    kind = spec.conversion.lower()
    spec.refuse({"e": ",", "f": "", "g": "#", "a": "(,"}[kind])
    if value.value is None:
        return spec.pad("null")
    if value.kind not in ("float", "double"):
        raise FormatError("not a floating-point number")
    number = float(value.value)
    if math.isnan(number) or math.isinf(number):
        plain = _Specifier(spec.flags.replace("0", "").replace(",", ""), spec.width, None, kind)
        if math.isnan(number):
            return spec.pad("NaN")
        return _signed(plain, "Infinity", number < 0)
    negative = math.copysign(1.0, number) < 0
    if kind == "a":
        return _signed(spec, hexadecimal_text(abs(number)), negative)
    precision = 6 if spec.precision is None else spec.precision
    return _signed(spec, _digits(abs(number), kind, precision, spec.has("#")), negative)


def _digits(number: float, kind: str, precision: int, point: bool) -> str:
    """The digits of a number that is not negative, rounded half up from its shortest spelling."""
    exact = decimal.Decimal(repr(number))
    if kind == "g":
        precision = precision or 1
        rounded = _significant(exact, precision)
        if rounded == 0 or (
            decimal.Decimal("0.0001") <= rounded < decimal.Decimal(10) ** precision
        ):
            kind, precision = "f", precision - (0 if rounded == 0 else rounded.adjusted()) - 1
        else:
            kind, precision = "e", precision - 1
    if kind == "f":
        text = format(exact.quantize(decimal.Decimal(1).scaleb(-precision), context=_ROUNDING), "f")
    else:
        rounded = _significant(exact, precision + 1)
        exponent = rounded.adjusted() if rounded else 0
        mantissa = rounded.scaleb(-exponent, context=_ROUNDING)
        shown = format(mantissa.quantize(decimal.Decimal(1).scaleb(-precision)), "f")
        text = f"{shown}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return text + "." if point and precision == 0 and kind == "f" else text


def _significant(number: decimal.Decimal, digits: int) -> decimal.Decimal:
    context = decimal.Context(prec=max(digits, 1), rounding=decimal.ROUND_HALF_UP)
    return context.plus(number)


# values


def text_of(value: Value) -> str:
    """A value that is not NULL, as Java's toString spells Flink's internal value."""
    raw = value.value
    if value.kind == "double":
        return double_text(raw)
    if value.kind == "float":
        return float_text(raw)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dt.datetime):
        return _local_date_time(raw)
    if isinstance(raw, dt.date):
        return str((raw - dt.date(1970, 1, 1)).days)
    if isinstance(raw, dt.time):
        return str((raw.hour * 3600 + raw.minute * 60 + raw.second) * 1000)
    return format(raw, "f") if isinstance(raw, decimal.Decimal) else str(raw)


def _local_date_time(time: dt.datetime) -> str:
    """LocalDateTime.toString: no seconds if there are none, a fraction of three or six digits."""
    text = f"{time.year:04d}-{time.month:02d}-{time.day:02d}T{time.hour:02d}:{time.minute:02d}"
    if time.second or time.microsecond:
        text += f":{time.second:02d}"
    if time.microsecond:
        micros = f"{time.microsecond:06d}"
        text += "." + (micros[:3] if micros.endswith("000") else micros)
    return text


def _hash_code(value: Value) -> int:
    raw = value.value
    if value.kind == "boolean":
        return 1231 if raw else 1237
    if value.kind in ("float", "double"):
        return double_hash(float(raw))
    if value.kind == "long":
        return int(raw ^ raw >> 32) & 0xFFFFFFFF
    if isinstance(raw, int):
        return raw & 0xFFFFFFFF
    if isinstance(raw, str):
        return _murmur(raw.encode())
    raise FormatError("this value has no hash")


def _murmur(raw: bytes, seed: int = 42) -> int:
    """Murmur3 as Flink's binary strings use it: bytes behind the last whole word count singly."""
    value = seed
    words = len(raw) - len(raw) % 4
    blocks = [int.from_bytes(raw[i : i + 4], "little") for i in range(0, words, 4)]
    blocks += [(b - 256 if b > 127 else b) & 0xFFFFFFFF for b in raw[words:]]
    for block in blocks:
        block = block * 0xCC9E2D51 & 0xFFFFFFFF
        block = (block << 15 | block >> 17) & 0xFFFFFFFF
        value ^= block * 0x1B873593 & 0xFFFFFFFF
        value = (value << 13 | value >> 19) & 0xFFFFFFFF
        value = (value * 5 + 0xE6546B64) & 0xFFFFFFFF
    value ^= len(raw)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value = (value ^ value >> shift) * factor & 0xFFFFFFFF
    return value ^ value >> 16


_CONVERSIONS: dict[str, Callable[[_Specifier, Value], str]] = {
    "b": _boolean, "B": _boolean, "h": _hash, "H": _hash, "s": _string, "S": _string,
    "c": _character, "C": _character, "d": _integer, "o": _integer, "x": _integer, "X": _integer,
    "e": _float, "E": _float, "f": _float, "g": _float, "G": _float, "a": _float, "A": _float,
}  # fmt: skip
