"""Casts between numbers, and of numbers and conditions to text."""

from __future__ import annotations

from eddyline.functions.aggregates import wrapped
from eddyline.functions.casts.rule import Cast, clipped, same
from eddyline.functions.java.numbers import double_text, float_text
from eddyline.record.types import APPROXIMATE, INTEGERS, NUMERIC, STRING, TEXT, Root
from eddyline.record.vector import by_distinct_row, define

_INT = (-(2**31), 2**31 - 1)
_SPELT = {
    Root.DOUBLE: define("double_text", STRING, by_distinct_row(double_text, STRING)),
    Root.FLOAT: define("float_text", STRING, by_distinct_row(float_text, STRING)),
}


def _integer(c: Cast) -> str:
    """Java keeps the low bits."""
    if INTEGERS.index(c.target.root) >= INTEGERS.index(c.source.root):
        return f"CAST({c.text} AS {c.to})"
    wide = "HUGEINT" if c.source.root is Root.BIGINT else "BIGINT"
    return wrapped(f"({c.text})::{wide}", c.target.root)


def _cut(c: Cast) -> str:
    """Towards zero, up to the bounds of BIGINT or INT; the smaller types keep INT's low bits."""
    number = f"({c.text})::DOUBLE" if c.source.root is Root.FLOAT else c.text
    if c.target.root is Root.BIGINT:
        # The greatest double below 2^63 is 2^63 - 1024: what is above is the greatest BIGINT.
        whole = f"greatest(trunc({number}), -9223372036854775808)::BIGINT"
        return (
            f"CASE WHEN isnan({number}) THEN 0 "
            f"WHEN {number} >= 9223372036854775807 THEN 9223372036854775807 "
            f"WHEN {number} IS NOT NULL THEN {whole} END"
        )
    whole = f"greatest(least(trunc({number}), {_INT[1]}), {_INT[0]})::BIGINT"
    # least and greatest pass over NULL, which must stay NULL; NaN is 0, as in Java.
    value = f"CASE WHEN isnan({number}) THEN 0 WHEN {number} IS NOT NULL THEN {whole} END"
    return wrapped(f"({value})", c.target.root)


def _whole(c: Cast) -> str:
    wide = "HUGEINT" if c.source.precision - c.source.scale > 18 else "BIGINT"
    return wrapped(f"trunc({c.text})::{wide}", c.target.root)


def _to_decimal(c: Cast) -> str:
    """A number that does not fit its DECIMAL is NULL in Flink, whether cast or tried."""
    return f"TRY_CAST({c.text} AS {c.to})"


def _integer_shown(c: Cast) -> str:
    return clipped(f"CAST({c.text} AS VARCHAR)", c.target)


def _decimal_shown(c: Cast) -> str:
    text = f"CAST({c.text} AS VARCHAR)"
    if c.source.precision == c.source.scale:  # DuckDB leaves out the zero before the point
        text = f"regexp_replace({text}, '^(-?)\\.', '\\10.')"
    return clipped(text, c.target)


def _approximate_shown(c: Cast) -> str:
    """As Java prints: plain from 1e-3 up to 1e7, where DuckDB prints the same."""
    plain = f"abs({c.text}) >= 1e-3 AND abs({c.text}) < 1e7"
    own = f"{_SPELT[c.source.root]}({c.text})"
    return clipped(f"CASE WHEN {plain} THEN CAST({c.text} AS VARCHAR) ELSE {own} END", c.target)


def _boolean_shown(c: Cast) -> str:
    return clipped(f"upper(CAST({c.text} AS VARCHAR))", c.target)


def _to_boolean(c: Cast) -> str:
    return f"(({c.text}) <> 0)"


RULES = (
    (INTEGERS, INTEGERS, _integer),
    (APPROXIMATE, INTEGERS, _cut),
    ((Root.DECIMAL,), INTEGERS, _whole),
    (NUMERIC, (Root.DECIMAL,), _to_decimal),
    (NUMERIC, APPROXIMATE, same),
    (INTEGERS, TEXT, _integer_shown),
    ((Root.DECIMAL,), TEXT, _decimal_shown),
    (APPROXIMATE, TEXT, _approximate_shown),
    (NUMERIC, (Root.BOOLEAN,), _to_boolean),
    ((Root.BOOLEAN,), TEXT, _boolean_shown),
    ((Root.BOOLEAN,), NUMERIC, same),
)
