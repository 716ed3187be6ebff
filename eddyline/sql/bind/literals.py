"""Constants: their types as Flink gives them, their DuckDB text, their value."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from eddyline.record.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INT,
    INTERVAL_MONTH,
    INTERVAL_SECOND,
    NULL,
    TIME,
    DataType,
    Root,
    char,
    decimal,
    duckdb_type,
    timestamp,
)
from eddyline.sql import syntax as s
from eddyline.sql.bind.scope import Environment
from eddyline.sql.typed import Const

_UNIT_MS = {
    "WEEK": 604_800_000,
    "DAY": 86_400_000,
    "HOUR": 3_600_000,
    "MINUTE": 60_000,
    "SECOND": 1000,
    "MILLISECOND": 1,
}
_UNIT_MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
_CHAIN = ("DAY", "HOUR", "MINUTE", "SECOND")


def bind_literal(e: s.Literal, env: Environment) -> Const:
    """A constant.

    Raises:
        EddylineError: ``sql_semantic`` for a date or number that is none.
    """
    if e.kind == "string":
        return text_const(e.text)
    if e.kind == "number":
        return _number(e, env)
    if e.kind == "boolean":
        return Const(e.text, BOOLEAN.not_null(), e.text == "TRUE")
    if e.kind == "null":
        return Const("NULL", NULL, None)
    if e.kind == "bytes":
        return _bytes(e, env)
    return _time(e, env)


def text_const(text: str) -> Const:
    """A text constant: CHAR of its length in units of UTF-16, as Java counts."""
    quoted = text.replace("'", "''")
    length = len(text) + sum(c > "\uffff" for c in text)
    return Const(f"'{quoted}'", char(length).not_null(), text)


def _number(e: s.Literal, env: Environment) -> Const:
    text = e.text
    if "e" in text.lower():
        return Const(f"CAST({text} AS DOUBLE)", DOUBLE.not_null(), float(text))
    if "." not in text:
        value = int(text)
        if value < 2**31:
            return Const(text, INT.not_null(), value)
        if value < 2**63:
            return Const(f"CAST({text} AS BIGINT)", BIGINT.not_null(), value)
    whole, _, part = text.partition(".")
    whole = whole.lstrip("0")
    precision = max(1, len(whole) + len(part))
    if precision > 38:
        raise env.error(f"{text} has more than 38 digits", e.span)
    kind = decimal(precision, len(part)).not_null()
    return Const(f"CAST({text} AS {duckdb_type(kind)})", kind, float(text))


def _bytes(e: s.Literal, env: Environment) -> Const:
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", e.text):
        raise env.error("bytes are written with pairs of hexadecimal digits", e.span)
    kind = DataType(Root.BINARY, len(e.text) // 2, nullable=False)
    return Const(f"unhex('{e.text}')", kind, bytes.fromhex(e.text))


def _time(e: s.Literal, env: Environment) -> Const:
    try:
        if e.kind == "DATE":
            text = _padded(e.text)
            date.fromisoformat(text)
            return Const(f"DATE '{text}'", DATE.not_null(), text)
        if e.kind == "TIME":
            text = e.text if e.text[1:2] != ":" else f"0{e.text}"  # Flink takes a single digit
            time.fromisoformat(text)
            return Const(f"TIME '{text}'", TIME.not_null(), text)
        return _timestamp(e.text)
    except ValueError:
        hint = {"DATE": "'2026-11-24'", "TIME": "'10:00:00'"}.get(e.kind, "'2026-11-24 10:00:00'")
        raise env.error(f"'{e.text}' is no {e.kind}", e.span, f"for example {hint}") from None


def _padded(text: str) -> str:
    """A date whose month and day may have one digit, as Flink takes it."""
    year, *rest = text.split("-")
    return "-".join([year, *(part.zfill(2) for part in rest)])


def _timestamp(text: str) -> Const:
    day, _, clock = text.partition(" ")
    text = f"{_padded(day)} {clock or '00:00:00'}"
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?", text)
    if match is None:
        raise ValueError(text)
    datetime.strptime(match.group(1), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 (only checked)
    digits = len(match.group(2) or "")
    return Const(f"TIMESTAMP '{text}'", timestamp(digits).not_null(), text)


def bind_interval(e: s.IntervalLiteral, env: Environment) -> Const:
    """An interval: milliseconds or months.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    sign = -1 if e.negative else 1
    text = e.text.strip()
    if text.startswith(("-", "+")):
        sign *= -1 if text[0] == "-" else 1
        text = text[1:].strip()
    if e.unit in _UNIT_MONTHS:
        months = _months(text, e, env)
        return Const(f"CAST({sign * months} AS BIGINT)", INTERVAL_MONTH.not_null(), sign * months)
    ms = _milliseconds(text, e, env)
    return Const(f"CAST({sign * ms} AS BIGINT)", INTERVAL_SECOND.not_null(), sign * ms)


def _months(text: str, e: s.IntervalLiteral, env: Environment) -> int:
    if e.to == "MONTH" and (match := re.fullmatch(r"(\d+)-(\d+)", text)):
        return int(match.group(1)) * 12 + int(match.group(2))
    if e.to is None and text.isdigit():
        return int(text) * _UNIT_MONTHS[e.unit]
    raise _malformed(e, env)


def _milliseconds(text: str, e: s.IntervalLiteral, env: Environment) -> int:
    if e.unit not in _UNIT_MS:
        raise env.error(f"an interval cannot be in {e.unit}", e.span, "use SECOND, MINUTE, …")
    if e.to is None:
        if not re.fullmatch(r"\d+(\.\d{1,9})?", text):
            raise _malformed(e, env)
        whole, _, part = text.partition(".")
        if part and e.unit != "SECOND":
            raise _malformed(e, env)
        return int(whole) * _UNIT_MS[e.unit] + int((part + "000")[:3] if part else 0)
    if e.unit not in _CHAIN or e.to not in _CHAIN:
        raise _malformed(e, env)
    units = _CHAIN[_CHAIN.index(e.unit) : _CHAIN.index(e.to) + 1]
    parts = re.split(r"[ :]", text)
    if len(parts) != len(units) or not all(re.fullmatch(r"\d+(\.\d+)?", p) for p in parts):
        raise _malformed(e, env)
    return sum(
        round(float(p) * _UNIT_MS[u]) if "." in p else int(p) * _UNIT_MS[u]
        for p, u in zip(parts, units, strict=True)
    )


def _malformed(e: s.IntervalLiteral, env: Environment) -> Exception:
    unit = e.unit if e.to is None else f"{e.unit} TO {e.to}"
    example = {"DAY TO SECOND": "'1 02:03:04'", "MINUTE TO SECOND": "'01:30'"}.get(unit, "'10'")
    return env.error(f"'{e.text}' is no interval of {unit}", e.span, f"for example {example}")
