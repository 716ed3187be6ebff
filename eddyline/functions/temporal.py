"""Functions of dates and times.

An instant (TIMESTAMP_LTZ) is shown and read in the session's zone, ``table.local-time-zone``.
The present is ``getvariable('eddyline_now')``, set by the engine for each batch, so that a query
sees one time within a batch and a test can hold it.
"""

from __future__ import annotations

import re

from eddyline.functions.casts import fraction, from_local, timestamp_shown, to_local
from eddyline.functions.casts.texts import date_read
from eddyline.functions.java.date_reader import names_zone, plain_time
from eddyline.functions.patterns import parsed, parsed_leniently, printed
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    register,
    strict,
)
from eddyline.record.types import (
    APPROXIMATE,
    BIGINT,
    DATE,
    INT,
    STRING,
    TIME,
    DataType,
    Root,
    TimeAttribute,
    timestamp,
    timestamp_ltz,
)
from eddyline.record.vector import by_distinct_row, define

NOW = "CAST(getvariable('eddyline_now') AS TIMESTAMP)"
_DEFAULT = "yyyy-MM-dd HH:mm:ss"
_DATE_LIKE = (
    r"'\s*[0-9]{{1,4}}-[0-9]{{1,2}}-[0-9]{{1,2}}"
    r"([ T][0-9]{{1,2}}:[0-9]{{1,2}}(:[0-9]{{1,2}}(\.[0-9]{{1,9}})?)?)?\s*'"
)


def _local(arg: DataType, context: CallContext, text: str = "{0}") -> str:
    """The time as the clock on the session's wall shows it."""
    return to_local(text, context) if arg.root is Root.TIMESTAMP_LTZ else f"({text})"


def _pattern(name: str, args: Arguments, place: int) -> str:
    if len(args) <= place:
        return _DEFAULT
    text = args[place].text
    if text is None:
        raise mismatch(name, args, "a pattern in quotes, such as 'yyyy-MM-dd'")
    return text


def _current_timestamp(args: Arguments, context: CallContext) -> Built:
    return Built(timestamp_ltz(3).not_null(), fraction(NOW, 3))


def _proctime(args: Arguments, context: CallContext) -> Built:
    kind = DataType(Root.TIMESTAMP_LTZ, 3, nullable=False, time_attribute=TimeAttribute.PROCTIME)
    return Built(kind, fraction(NOW, 3))


def _local_timestamp(args: Arguments, context: CallContext) -> Built:
    return Built(timestamp(3).not_null(), to_local(fraction(NOW, 3), context))


def _current_date(args: Arguments, context: CallContext) -> Built:
    return Built(DATE.not_null(), f"CAST({to_local(NOW, context)} AS DATE)")


def _current_time(args: Arguments, context: CallContext) -> Built:
    local = to_local(f"date_trunc('second', {NOW})", context)
    return Built(TIME.not_null(), f"CAST({local} AS TIME)")


def _unix_timestamp(args: Arguments, context: CallContext) -> Built:
    """Seconds since 1970; what follows the pattern in the text is passed over, as in Java."""
    if not args:
        return Built(BIGINT.not_null(), f"(epoch_ms({NOW}) // 1000)")
    check("UNIX_TIMESTAMP", args, ("text",))
    pattern = _pattern("UNIX_TIMESTAMP", args, 1)
    time = parsed_leniently("{0}", pattern)
    instant = time if names_zone(pattern) else from_local(time, context)
    value = "CASE WHEN {0} IS NOT NULL THEN "
    value += f"coalesce((epoch_us({instant}) // 1000000), -9223372036854775808) END"
    return Built(strict(BIGINT, args), f"({value})")


def _from_unixtime(args: Arguments, context: CallContext) -> Built:
    check("FROM_UNIXTIME", args, ("number", "text"))
    time = to_local("make_timestamp(CAST({0} AS BIGINT) * 1000000)", context)
    return Built(STRING, printed(time, _pattern("FROM_UNIXTIME", args, 1), simple=True))


_PLAIN = define("plain_time", timestamp(6), by_distinct_row(plain_time, timestamp(6)))


def _plain_time(text: str) -> str:
    """``2024-02-03 10:05:06`` as a timestamp; the 30th of February is the month's last day."""
    form = f"regexp_full_match({text}, {_DATE_LIKE})"
    return f"(CASE WHEN {form} THEN coalesce(TRY_CAST({text} AS TIMESTAMP), {_PLAIN}({text})) END)"


def _to_timestamp(args: Arguments, context: CallContext) -> Built:
    check("TO_TIMESTAMP", args, ("text",))
    if len(args) == 1:
        value = _plain_time("{0}")
    else:
        value = parsed("{0}", _pattern("TO_TIMESTAMP", args, 1))
    return Built(timestamp(3), f"({fraction(value, 3)})")


def _zone(args: Arguments) -> str:
    """The zone that the third argument names."""
    from zoneinfo import ZoneInfo

    zone = args[2].text
    if zone is None:
        raise mismatch("TO_TIMESTAMP_LTZ", args, "a text, a pattern and a zone in quotes")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        raise mismatch("TO_TIMESTAMP_LTZ", args, "a zone such as 'Europe/Berlin'") from None
    return zone


def _to_timestamp_ltz(args: Arguments, context: CallContext) -> Built:
    kind = args[0].type
    if kind.is_text:
        pattern = _pattern("TO_TIMESTAMP_LTZ", args, 1)
        value = _plain_time("{0}") if len(args) == 1 else parsed("{0}", pattern)
        if len(args) == 3:
            value = from_local(value, CallContext(_zone(args)))
        shown = max(3, min(9, pattern.count("S")))
        return Built(timestamp_ltz(shown), fraction(value, shown))
    check("TO_TIMESTAMP_LTZ", args, ("number", "integer"))
    digits = 3 if len(args) == 1 else args[1].integer
    if digits is None or not 0 <= digits <= 9:
        needs = "a number and 0 (seconds), 3 (milliseconds), 6 or 9 (nanoseconds)"
        raise mismatch("TO_TIMESTAMP_LTZ", args, needs)
    whole = "trunc({0})" if kind.root is Root.DECIMAL else "({0})"
    wide = whole if kind.root in APPROXIMATE else f"{whole}::HUGEINT"
    scaled = f"{wide} * {10 ** (6 - digits)}" if digits <= 6 else f"{wide} // {10 ** (digits - 6)}"
    result = timestamp_ltz(max(3, digits))
    # Beyond the years 1 to 9999 there is none in Flink.
    inside = f"{scaled} BETWEEN -62135596800000000 AND 253402300799999999"
    micros = f"make_timestamp(CASE WHEN {inside} THEN CAST({scaled} AS BIGINT) END)"
    return Built(result, fraction(micros, result.precision))


def _to_date(args: Arguments, context: CallContext) -> Built:
    check("TO_DATE", args, ("text",))
    if len(args) == 1:
        return Built(DATE, date_read("left(trim({0}), 10)", attempt=True))
    return Built(DATE, f"CAST({parsed_leniently('{0}', _pattern('TO_DATE', args, 1))} AS DATE)")


def _date_and_time(text: str) -> str:
    """A text as a timestamp if it has a time of day with seconds."""
    return f"(CASE WHEN regexp_full_match({text}, {_DATE_AND_TIME}) THEN {_plain_time(text)} END)"


_DATE_AND_TIME = (
    r"'[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}} [0-9]{{1,2}}:[0-9]{{1,2}}:[0-9]{{1,2}}(\.[0-9]+)?'"
)


def _date_format(args: Arguments, context: CallContext) -> Built:
    check("DATE_FORMAT", args[1:], ("text",))
    kind = args[0].type
    if not (kind.is_text or kind.is_timestamp or kind.root is Root.DATE):
        raise mismatch("DATE_FORMAT", args, "a time and a pattern")
    time = _local(kind, context)
    if kind.is_text:
        time = _date_and_time("{0}")
    return Built(
        STRING if kind.is_text else strict(STRING, args),
        printed(time, _pattern("DATE_FORMAT", args, 1)),
    )


_PARTS = {
    "YEAR": "year({0})",
    "QUARTER": "quarter({0})",
    "MONTH": "month({0})",
    "WEEK": "weekofyear({0})",
    "DAY": "day({0})",
    "DOY": "dayofyear({0})",
    "DOW": "(dayofweek({0}) + 1)",
    "ISODOW": "isodow({0})",
    "ISOYEAR": "isoyear({0})",
    "HOUR": "hour({0})",
    "MINUTE": "minute({0})",
    "SECOND": "second({0})",
    "MILLISECOND": "(millisecond({0}) % 1000)",
    "MICROSECOND": "(microsecond({0}) % 1000000)",
    "NANOSECOND": "(microsecond({0}) % 1000000 * 1000)",
    "EPOCH": "(epoch_us({0}) // 1000000)",
    "DECADE": "(year({0}) // 10)",
    "CENTURY": "century({0})",
    "MILLENNIUM": "millennium({0})",
}


# An interval is a number of milliseconds, or of months.
_PARTS_OF_INTERVALS = {
    (Root.INTERVAL_SECOND, "DAY"): "CAST({1} // 86400000 AS BIGINT)",
    (Root.INTERVAL_SECOND, "HOUR"): "CAST({1} // 3600000 % 24 AS BIGINT)",
    (Root.INTERVAL_SECOND, "MINUTE"): "CAST({1} // 60000 % 60 AS BIGINT)",
    (Root.INTERVAL_SECOND, "SECOND"): "CAST({1} // 1000 % 60 AS BIGINT)",
    (Root.INTERVAL_MONTH, "YEAR"): "CAST({1} // 12 AS BIGINT)",
    (Root.INTERVAL_MONTH, "MONTH"): "CAST({1} % 12 AS BIGINT)",
}


def _extract(args: Arguments, context: CallContext) -> Built:
    unit = args[0].unit
    if unit is None or unit not in _PARTS:
        raise mismatch("EXTRACT", args[1:], "a unit FROM a time")
    of_interval = _PARTS_OF_INTERVALS.get((args[1].type.root, unit))
    if of_interval is not None:
        return Built(strict(BIGINT, args[1:]), of_interval)
    check("EXTRACT", args[1:], ("time",))
    kind = args[1].type
    text = _local(kind, context, "{1}")
    if unit == "EPOCH":
        text = "CAST({1} AS TIMESTAMP)"
    return Built(strict(BIGINT, args[1:]), f"CAST({_PARTS[unit].format(text)} AS BIGINT)")


def _part(names: str, unit: str, value: int) -> Function:
    first = names.split()[0]

    def builder(args: Arguments, context: CallContext) -> Built:
        check(first, args, ("time",))
        text = _PARTS[unit].format(_local(args[0].type, context))
        return Built(strict(BIGINT, args), f"CAST({text} AS BIGINT)")

    doc = f"The {unit.lower()} of a time."
    example = (f"{first}(TIMESTAMP '2023-08-29 12:55:29')", value)
    return Function(tuple(names.split()), (1, 1), builder, doc, example)


_STEPS = {
    "MILLENNIUM": "INTERVAL 1000 YEAR",
    "CENTURY": "INTERVAL 100 YEAR",
    "DECADE": "INTERVAL 10 YEAR",
    "YEAR": "INTERVAL 1 YEAR",
    "QUARTER": "INTERVAL 3 MONTH",
    "MONTH": "INTERVAL 1 MONTH",
    "WEEK": "INTERVAL 7 DAY",
    "DAY": "INTERVAL 1 DAY",
    "HOUR": "INTERVAL 1 HOUR",
    "MINUTE": "INTERVAL 1 MINUTE",
    "SECOND": "INTERVAL 1 SECOND",
    "MILLISECOND": "INTERVAL 1 MILLISECOND",
}
_SHORT = ("HOUR", "MINUTE", "SECOND", "MILLISECOND")
# Centuries begin with the year 1, not 0.
_YEARS = {"CENTURY": 100, "MILLENNIUM": 1000}


def rounded_time(name: str, args: Arguments, context: CallContext) -> Built:
    """FLOOR(time TO unit) and CEIL(time TO unit), in the session's zone."""
    check(name, args[:1], ("time",))
    kind, unit = args[0].type, args[1].unit
    of_day = kind.root is Root.TIME
    units = _SHORT if of_day else tuple(_STEPS)
    if unit is None or unit not in units:
        raise mismatch(name, args[:1], f"one of {', '.join(units)} behind TO")
    local = "(DATE '1970-01-01' + {0})" if of_day else _local(kind, context)
    low = f"date_trunc('{unit.lower()}', {local})"
    if unit == "WEEK":  # weeks begin on Sunday, as in Flink
        low = f"(date_trunc('week', {local} + INTERVAL 1 DAY) - INTERVAL 1 DAY)"
    if unit in _YEARS:
        first = f"(year({local}) - 1) // {_YEARS[unit]} * {_YEARS[unit]} + 1"
        low = f"make_timestamp({first}, 1, 1, 0, 0, 0)"
    value = low
    if name == "CEIL":
        value = f"(CASE WHEN {low} = {local} THEN {local} ELSE {low} + {_STEPS[unit]} END)"
    if kind.root is Root.TIMESTAMP_LTZ:
        value = from_local(value, context)
    to = kind.root.name if kind.root in (Root.DATE, Root.TIME) else "TIMESTAMP"
    return Built(kind.plain(), f"CAST({value} AS {to})")


def _timestampadd(args: Arguments, context: CallContext) -> Built:
    unit, kind = args[0].unit, args[2].type.plain()
    short = unit in _SHORT
    fits = kind.is_timestamp or kind.root is Root.DATE or (short and kind.root is Root.TIME)
    if unit not in _STEPS or not fits:
        raise mismatch("TIMESTAMPADD", args[1:], "a unit, a number and a time")
    moved = f"({{2}}) + ({{1}}) * {_STEPS[unit]}"
    if kind.root is Root.TIME:
        return Built(strict(kind, args[1:]), f"CAST({moved} AS TIME)")
    if kind.root is Root.DATE and not short:
        return Built(strict(kind, args[1:]), f"CAST({moved} AS DATE)")
    result = timestamp(6) if kind.root is Root.DATE else kind
    return Built(strict(result, args[1:]), f"CAST({moved} AS TIMESTAMP)")


def _timestampdiff(args: Arguments, context: CallContext) -> Built:
    unit = args[0].unit
    if unit not in _STEPS:
        raise mismatch("TIMESTAMPDIFF", args[1:], "a unit and two times")
    check("TIMESTAMPDIFF", args[1:], ("time",))
    first, last = (f"CAST({{{i}}} AS TIMESTAMP)" for i in (1, 2))
    value = f"CAST(date_sub('{unit.lower()}', {first}, {last}) AS INTEGER)"
    return Built(strict(INT, args[1:]), value)


def _convert_tz(args: Arguments, context: CallContext) -> Built:
    """A zone that does not exist is UTC, as Java has it."""
    check("CONVERT_TZ", args, ("text",))
    first, last = (f"{_ZONE}({z})" for z in ("{1}", "{2}"))
    time = f"{_date_and_time('{0}')} AT TIME ZONE {first} AT TIME ZONE {last}"
    return Built(STRING, timestamp_shown(f"({time})", 0))


def _zone_or_utc(name: str) -> str:
    from zoneinfo import available_timezones

    known = name in available_timezones() or name in _SHORT_ZONES or _OFFSET.fullmatch(name)
    return name if known else "UTC"


_OFFSET = re.compile(r"GMT[+-]\d{1,2}(:\d\d)?")
# Java's short names that are no files of the time zone database.
_SHORT_ZONES = (
    "ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT", "ECT",
    "IET", "IST", "JST", "MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST",
)  # fmt: skip
_ZONE = define("zone_or_utc", STRING, by_distinct_row(_zone_or_utc, STRING))


register(
    (
        Function(
            ("CURRENT_TIMESTAMP", "NOW", "CURRENT_ROW_TIMESTAMP"),
            (0, 0),
            _current_timestamp,
            "The present as an instant.",
            ("CURRENT_TIMESTAMP IS NULL", False),
        ),
        Function(
            ("PROCTIME",), (0, 0), _proctime, "Processing time.", ("PROCTIME() IS NULL", False)
        ),
        Function(
            ("LOCALTIMESTAMP",),
            (0, 0),
            _local_timestamp,
            "The present in the session's zone.",
            ("LOCALTIMESTAMP IS NULL", False),
        ),
        Function(
            ("CURRENT_DATE",), (0, 0), _current_date, "Today.", ("CURRENT_DATE IS NULL", False)
        ),
        Function(
            ("CURRENT_TIME", "LOCALTIME"),
            (0, 0),
            _current_time,
            "The time of day.",
            ("CURRENT_TIME IS NULL", False),
        ),
        Function(
            ("UNIX_TIMESTAMP",),
            (0, 2),
            _unix_timestamp,
            "Seconds since 1970 of a text.",
            ("UNIX_TIMESTAMP('1970-01-01 00:01:00.999')", 60),
        ),
        Function(
            ("FROM_UNIXTIME",),
            (1, 2),
            _from_unixtime,
            "Seconds since 1970 as text.",
            ("FROM_UNIXTIME(60)", "1970-01-01 00:01:00"),
        ),
        Function(
            ("TO_TIMESTAMP",),
            (1, 2),
            _to_timestamp,
            "A text as TIMESTAMP(3); NULL if it is none.",
            ("CAST(TO_TIMESTAMP('2023-08-29 12:55:29') AS STRING)", "2023-08-29 12:55:29.000"),
        ),
        Function(
            ("TO_TIMESTAMP_LTZ",),
            (1, 3),
            _to_timestamp_ltz,
            "Epoch seconds (0) or milliseconds (3) as an instant.",
            ("CAST(TO_TIMESTAMP_LTZ(1500, 3) AS STRING)", "1970-01-01 00:00:01.500"),
        ),
        Function(
            ("TO_DATE",),
            (1, 2),
            _to_date,
            "A text as DATE.",
            ("CAST(TO_DATE('2023-08-29') AS STRING)", "2023-08-29"),
        ),
        Function(
            ("DATE_FORMAT",),
            (2, 2),
            _date_format,
            "A time printed by a Java pattern.",
            (
                "DATE_FORMAT(TIMESTAMP '2023-08-29 12:55:29', 'yyyy/MM/dd HH:mm')",
                "2023/08/29 12:55",
            ),
        ),
        Function(
            ("EXTRACT",),
            (2, 2),
            _extract,
            "A unit of a time.",
            ("EXTRACT(HOUR FROM TIMESTAMP '2023-08-29 12:55:29')", 12),
        ),
        Function(
            ("TIMESTAMPADD",),
            (3, 3),
            _timestampadd,
            "A time moved by n units.",
            ("CAST(TIMESTAMPADD(DAY, 1, DATE '2023-08-29') AS STRING)", "2023-08-30"),
        ),
        Function(
            ("TIMESTAMPDIFF",),
            (3, 3),
            _timestampdiff,
            "Whole units between two times.",
            ("TIMESTAMPDIFF(DAY, DATE '2023-08-29', DATE '2023-09-01')", 3),
        ),
        Function(
            ("CONVERT_TZ",),
            (3, 3),
            _convert_tz,
            "A text's time in another zone.",
            ("CONVERT_TZ('2023-08-29 12:00:00', 'UTC', 'Europe/Berlin')", "2023-08-29 14:00:00"),
        ),
        _part("YEAR", "YEAR", 2023),
        _part("QUARTER", "QUARTER", 3),
        _part("MONTH", "MONTH", 8),
        _part("WEEK", "WEEK", 35),
        _part("DAYOFYEAR", "DOY", 241),
        _part("DAYOFMONTH", "DAY", 29),
        _part("DAYOFWEEK", "DOW", 3),
        _part("HOUR", "HOUR", 12),
        _part("MINUTE", "MINUTE", 55),
        _part("SECOND", "SECOND", 29),
    )
)
