"""Text to value and value to text, as DuckDB expressions, shared by JSON and CSV.

Each reading expression gives NULL for a text that Flink's converters refuse; the caller tells it
from a missing value by the text itself. Times are read by their shape first: DuckDB's own cast
would swallow a zone, a missing time of day, or hour 24.
"""

from __future__ import annotations

from eddyline.errors import EddylineError
from eddyline.record.types import DataType, Root, duckdb_type, quote

ISO = "ISO-8601"
SQL = "SQL"
_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
_ISO_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_FRACTION_DIGITS = 6


def from_text(t: DataType, text: str, style: str = SQL) -> str:
    """DuckDB expression: the value of type ``t`` that ``text`` (an expression) spells, or NULL.

    Raises:
        EddylineError: ``sql_unsupported`` for a type that has no spelling as text.
    """
    if t.is_text:
        return text
    if t.is_integer or t.root in (Root.INTERVAL_MONTH, Root.INTERVAL_SECOND):
        return _integer(t, text)
    if t.root in (Root.FLOAT, Root.DOUBLE, Root.DECIMAL):
        return f"TRY_CAST({text} AS {duckdb_type(t)})"
    if t.root is Root.BOOLEAN:  # Java's parseBoolean: whatever is not "true" is false
        return f"(lower(trim({text})) = 'true')"
    if t.root in (Root.BINARY, Root.VARBINARY):
        return f"TRY(from_base64({text}))"
    if t.root is Root.DATE:
        return f"CASE WHEN regexp_full_match({text}, '{_DAY}') THEN TRY_CAST({text} AS DATE) END"
    if t.root is Root.TIME:
        kept = 9 + t.precision if t.precision else 8
        value = f"TRY_CAST(left({text}, {kept}) AS TIME)"
        return f"CASE WHEN regexp_full_match({text}, '{_CLOCK}') THEN {value} END"
    if t.is_timestamp:
        return _timestamp(t, text, style)
    msg = f"a {t} cannot be read from a text"
    raise EddylineError("sql_unsupported", msg)


def _integer(t: DataType, text: str) -> str:
    """Digits only: DuckDB's cast would take underscores, hexadecimals and exponents."""
    kind = duckdb_type(t)
    return rf"CASE WHEN regexp_full_match({text}, '\s*[+-]?\d+\s*') THEN TRY_CAST({text} AS {kind}) END"  # noqa: E501


def _timestamp(t: DataType, text: str, style: str) -> str:
    """The common lengths (no fraction cut) by one strptime; every other shape by pattern."""
    sep = "T" if style == ISO else " "
    zone = "Z" if t.root is Root.TIMESTAMP_LTZ else ""
    usual = len("2026-01-01T00:00:00.000") + len(zone)
    fast = f"try_strptime({text}, '%Y-%m-%d{sep}%H:%M:%S.%f{zone}')"
    if t.precision < 3:
        fast = _cut(fast, t.precision)
    clock = _ISO_CLOCK if style == ISO and not zone else _CLOCK
    pattern = _DAY + sep + clock + zone
    body = f"left({text}, strlen({text}) - {len(zone)})" if zone else text
    slow = _cut(f"TRY_CAST(left({body}, 26) AS TIMESTAMP)", t.precision)
    return (
        f"CASE WHEN strlen({text}) = {usual} THEN {fast} "
        f"WHEN regexp_full_match({text}, '{pattern}') THEN {slow} END"
    )


def _cut(value: str, precision: int) -> str:
    """Digits of the second beyond ``precision`` are cut, not rounded."""
    if precision >= _FRACTION_DIGITS:
        return value
    if precision == 3:
        return f"date_trunc('milliseconds', {value})"
    if precision == 0:
        return f"date_trunc('second', {value})"
    step = 10 ** (_FRACTION_DIGITS - precision)
    us = f"epoch_us({value})"
    return f"make_timestamp({us} - (({us} % {step}) + {step}) % {step})"


def to_text(t: DataType, value: str, style: str = SQL) -> str:
    """DuckDB expression: ``value`` as JSON and CSV spell it (a plain value where JSON has one)."""
    if t.is_timestamp:
        sep = "T" if style == ISO else " "
        zone = "Z" if t.root is Root.TIMESTAMP_LTZ else ""
        whole = f"strftime({value}, '%Y-%m-%d{sep}%H:%M:%S')"
        return f"({whole} || {_fraction(value)} || '{zone}')"
    if t.root is Root.TIME:
        return f"(left({value}::VARCHAR, 8) || {_fraction(value)})"
    if t.root is Root.DATE:
        return f"({value}::VARCHAR)"
    if t.root in (Root.BINARY, Root.VARBINARY):
        return f"to_base64({value})"
    if t.root is Root.FLOAT:  # through text, or 0.1 would gain the digits of a double
        return f"({value}::VARCHAR::DOUBLE)"
    return value


def _fraction(value: str) -> str:
    """``.5`` for half a second, nothing for none."""
    us = f"(date_part('microseconds', {value}) % 1000000)"
    return f"CASE WHEN {us} = 0 THEN '' ELSE '.' || rtrim(lpad({us}::VARCHAR, 6, '0'), '0') END"


def column(source: str, name: str) -> str:
    """``source."name"``"""
    return f"{source}.{quote(name)}"
