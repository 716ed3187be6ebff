"""Casts between dates, times and timestamps, of intervals, and of all of them to text.

A TIMESTAMP_LTZ is held in UTC and shown, or read, in the session's zone.
"""

from __future__ import annotations

from eddyline.functions.casts.rule import Cast, clipped, same
from eddyline.functions.registry import CallContext
from eddyline.record.types import INTEGERS, TEXT, Root

_TIMES = (Root.TIMESTAMP, Root.TIMESTAMP_LTZ)
_INTERVALS = (Root.INTERVAL_MONTH, Root.INTERVAL_SECOND)


def fraction(text: str, precision: int) -> str:
    """A timestamp cut to ``precision`` digits of its second's fraction."""
    if precision >= 6:
        return text
    if precision == 3:
        return f"date_trunc('millisecond', {text})"
    if precision == 0:
        return f"date_trunc('second', {text})"
    step = 10 ** (6 - precision)
    return f"make_timestamp(epoch_us({text}) - (epoch_us({text}) % {step} + {step}) % {step})"


def to_local(text: str, context: CallContext) -> str:
    """An instant as the session's zone shows it."""
    if context.is_utc:
        return text
    return f"(({text}) AT TIME ZONE 'UTC' AT TIME ZONE '{context.zone}')"


def from_local(text: str, context: CallContext) -> str:
    """A date and time of the session's zone as an instant."""
    if context.is_utc:
        return text
    return f"(({text}) AT TIME ZONE '{context.zone}' AT TIME ZONE 'UTC')"


def timestamp_shown(text: str, precision: int) -> str:
    """``2023-08-29 12:55:29.999``: exactly ``precision`` digits behind the point."""
    base = f"strftime({text}, '%Y-%m-%d %H:%M:%S')"
    if precision == 0:
        return base
    if precision == 3:
        return f"strftime({text}, '%Y-%m-%d %H:%M:%S.%g')"
    if precision <= 6:
        return f"left(strftime({text}, '%Y-%m-%d %H:%M:%S.%f'), {20 + precision})"
    return f"rpad(strftime({text}, '%Y-%m-%d %H:%M:%S.%f'), {20 + precision}, '0')"


def _retime(c: Cast) -> str:
    value = c.text
    if c.source.root is not c.target.root:
        shift = to_local if c.source.root is Root.TIMESTAMP_LTZ else from_local
        value = shift(c.text, c.context)
    return (
        value if c.target.precision >= c.source.precision else fraction(value, c.target.precision)
    )


def _local(c: Cast) -> str:
    return to_local(c.text, c.context) if c.source.root is Root.TIMESTAMP_LTZ else c.text


def _shown(c: Cast) -> str:
    if c.source.root is Root.DATE:
        return clipped(f"strftime({c.text}, '%Y-%m-%d')", c.target)
    if c.source.root is Root.TIME:
        text = f"CAST({c.text} AS VARCHAR)"
        if not c.source.precision:
            return clipped(f"left({text}, 8)", c.target)
        point = f"CASE WHEN length({text}) = 8 THEN '.' ELSE '' END"
        return clipped(f"rpad({text} || {point}, {9 + c.source.precision}, '0')", c.target)
    return clipped(timestamp_shown(_local(c), c.source.precision), c.target)


def _to_date(c: Cast) -> str:
    return f"CAST({_local(c)} AS DATE)"


def _to_time(c: Cast) -> str:
    return f"CAST({fraction(_local(c), c.target.precision)} AS TIME)"


def _date_to_timestamp(c: Cast) -> str:
    value = f"CAST({c.text} AS TIMESTAMP)"
    return from_local(value, c.context) if c.target.root is Root.TIMESTAMP_LTZ else value


def _time_to_timestamp(c: Cast) -> str:
    """On the first day of 1970."""
    value = f"(DATE '1970-01-01' + {c.text})"
    return from_local(value, c.context) if c.target.root is Root.TIMESTAMP_LTZ else value


def _interval_shown(c: Cast) -> str:
    """``+1 02:03:04.500``, or of months ``+1-02``."""
    size = f"abs({c.text})"
    sign = f"CASE WHEN {c.text} < 0 THEN '-' ELSE '+' END"
    if c.source.root is Root.INTERVAL_MONTH:
        return clipped(
            f"({sign} || {size} // 12 || '-' || lpad(({size} % 12)::VARCHAR, 2, '0'))", c.target
        )
    parts = " || ".join(
        f"'{mark}' || lpad(({size} // {unit} % {most})::VARCHAR, {digits}, '0')"
        for mark, unit, most, digits in (
            (" ", 3_600_000, 24, 2),
            (":", 60_000, 60, 2),
            (":", 1000, 60, 2),
            (".", 1, 1000, 3),
        )
    )
    return clipped(f"({sign} || {size} // 86400000 || {parts})", c.target)


def _to_interval(c: Cast) -> str:
    return f"CAST({c.text} AS BIGINT)"


RULES = (
    (_TIMES, _TIMES, _retime),
    (_TIMES, (Root.DATE,), _to_date),
    (_TIMES, (Root.TIME,), _to_time),
    ((Root.DATE,), _TIMES, _date_to_timestamp),
    ((Root.TIME,), _TIMES, _time_to_timestamp),
    ((Root.DATE, Root.TIME, *_TIMES), TEXT, _shown),
    ((Root.TIME,), (Root.TIME,), same),
    (_INTERVALS, TEXT, _interval_shown),
    (INTEGERS, _INTERVALS, _to_interval),
    ((Root.INTERVAL_SECOND,), (Root.INTERVAL_SECOND,), same),
    ((Root.INTERVAL_MONTH,), (Root.INTERVAL_MONTH,), same),
)
