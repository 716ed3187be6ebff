"""Casts of text to everything else, and between text and bytes."""

from __future__ import annotations

from eddyline.functions.casts.rule import Cast, clipped
from eddyline.functions.casts.times import fraction, from_local
from eddyline.functions.java.charsets import decoded
from eddyline.functions.java.date_reader import plain_time
from eddyline.record.types import (
    APPROXIMATE,
    BYTES,
    BYTES_TYPE,
    INTEGERS,
    STRING,
    TEXT,
    VARCHAR_MAX,
    Root,
    timestamp,
)
from eddyline.record.vector import by_distinct_row, define

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_FLOATING = rf"'^({_NUMBER}|[+-]?(?:NaN|Infinity))[fFdD]?$'"
_WHOLE = r"'^([+-]?[0-9]*)(?:\.[0-9]*)?$'"
_DECODE = define("utf8_text", STRING, by_distinct_row(lambda raw: decoded(raw, "UTF-8"), STRING))

_PLAIN_TIME = define("plain_time", timestamp(6), by_distinct_row(plain_time, timestamp(6)))


def _sized(raw: bytes, length: int, fixed: bool) -> bytes:
    """Bytes cut to a length; those of BINARY(n) are filled up with zeros."""
    return raw[:length].ljust(length, b"\0") if fixed else raw[:length]


_SIZED = define("sized_bytes", BYTES_TYPE, by_distinct_row(_sized, BYTES_TYPE))


def _retext(c: Cast) -> str:
    if c.target.root is Root.VARCHAR and c.source.precision <= c.target.precision:
        return c.text
    return clipped(c.text, c.target)


def _read(c: Cast, value: str) -> str:
    """``value`` as a number; a text that is none is named in the error."""
    if c.attempt:
        return f"TRY_CAST({value} AS {c.to})"
    quote = "chr(39)"
    words = f"' is not a valid {c.target.null()}'"
    failed = f"error({quote} || {c.text} || {quote} || {words})::{c.to}"
    return (
        f"coalesce(TRY_CAST({value} AS {c.to}), CASE WHEN {c.text} IS NOT NULL THEN {failed} END)"
    )


def _to_integer(c: Cast) -> str:
    """Digits behind a point are cut; a point needs no digits before it."""
    digits = f"regexp_extract(trim({c.text}), {_WHOLE}, 1)"
    no_digits = f"regexp_full_match({c.text}, '[ ]*[+-]?\\.[0-9]+[ ]*')"
    return _read(c, f"CASE WHEN {no_digits} THEN '0' ELSE {digits} END")


def _to_floating(c: Cast) -> str:
    return _read(c, f"regexp_extract(trim({c.text}), {_doubled(_FLOATING)}, 1)")


def _to_decimal(c: Cast) -> str:
    return _read(c, f"trim({c.text})")


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _to_boolean(c: Cast) -> str:
    failed = "NULL" if c.attempt else "error('this text is neither true nor false')::BOOLEAN"
    word = f"lower({c.text})"
    return (
        f"CASE WHEN {word} IN ('t', 'true', 'y', 'yes', '1') THEN TRUE "
        f"WHEN {word} IN ('f', 'false', 'n', 'no', '0') THEN FALSE "
        f"WHEN {c.text} IS NULL THEN NULL ELSE {failed} END"
    )


def _word(c: Cast) -> str:
    return "TRY_CAST" if c.attempt else "CAST"


def date_read(text: str, *, attempt: bool) -> str:
    """A date from text; without its day or month it is the first."""
    year, month = "[0-9]{{1,4}}", "[0-9]{{1,4}}-[0-9]{{1,2}}"
    rest = f"CASE WHEN regexp_full_match({text}, '{year}') THEN '-01-01' "
    rest += f"WHEN regexp_full_match({text}, '{month}') THEN '-01' ELSE '' END"
    return f"{'TRY_CAST' if attempt else 'CAST'}({text} || {rest} AS DATE)"


def _to_date(c: Cast) -> str:
    return date_read(f"split_part(replace(trim({c.text}), 'T', ' '), ' ', 1)", attempt=c.attempt)


def _to_time(c: Cast) -> str:
    """``10`` is ten o'clock."""
    rest = (
        f"CASE WHEN regexp_full_match(trim({c.text}), '[0-9]{{{{1,2}}}}') THEN ':00:00' ELSE '' END"
    )
    return f"{_word(c)}(trim({c.text}) || {rest} AS TIME)"


def _to_timestamp(c: Cast) -> str:
    """A day beyond its month is the month's last, as TO_TIMESTAMP has it."""
    text = f"replace(trim({c.text}), 'T', ' ')"
    tried = f"coalesce(TRY_CAST({text} AS TIMESTAMP), {_PLAIN_TIME}({text}))"
    value = tried if c.attempt else f"coalesce({tried}, CAST({text} AS TIMESTAMP))"
    if c.target.root is Root.TIMESTAMP_LTZ:
        value = from_local(value, c.context)
    return fraction(value, c.target.precision)


def _from_bytes(c: Cast) -> str:
    """UTF-8; what is malformed becomes U+FFFD."""
    if c.context.printing:
        return f"('x''' || lower(hex({c.text})) || '''')"
    return clipped(f"coalesce(TRY(decode({c.text})), {_DECODE}({c.text}))", c.target)


def _to_bytes(c: Cast) -> str:
    return _fitted(c.with_text(f"encode({c.text})"))


def _fitted(c: Cast) -> str:
    length = c.target.precision
    fixed = c.target.root is Root.BINARY
    if length >= VARCHAR_MAX or (
        not fixed and c.source.root in BYTES and c.source.precision <= length
    ):
        return c.text
    return f"{_SIZED}({c.text}, {length}, {fixed})"


RULES = (
    (TEXT, TEXT, _retext),
    (TEXT, INTEGERS, _to_integer),
    (TEXT, APPROXIMATE, _to_floating),
    (TEXT, (Root.DECIMAL,), _to_decimal),
    (TEXT, (Root.BOOLEAN,), _to_boolean),
    (TEXT, (Root.DATE,), _to_date),
    (TEXT, (Root.TIME,), _to_time),
    (TEXT, (Root.TIMESTAMP, Root.TIMESTAMP_LTZ), _to_timestamp),
    (TEXT, BYTES, _to_bytes),
    (BYTES, TEXT, _from_bytes),
    (BYTES, BYTES, _fitted),
)
