"""CAST, TRY_CAST and implicit casts: from any type to any other, with Flink's meaning.

Numbers are cut, not rounded, and wrap around where Java's casts do; text that is no number fails
the job (TRY_CAST gives NULL); timestamps print with exactly their precision; conditions print in
capitals.
"""

from __future__ import annotations

from collections.abc import Callable

from eddyline.errors import EddylineError
from eddyline.functions.aggregates import wrapped
from eddyline.functions.registry import Context
from eddyline.record.types import (
    APPROXIMATE,
    BYTES,
    INTEGERS,
    NUMERIC,
    TEXT,
    DataType,
    Root,
    duckdb_type,
)

_LIMITS = {
    Root.TINYINT: ("-128", "127"),
    Root.SMALLINT: ("-32768", "32767"),
    Root.INT: ("-2147483648", "2147483647"),
    # The greatest double below 2^63; a double beyond it saturates to the next step down.
    Root.BIGINT: ("-9223372036854775808", "9223372036854774784"),
}


def cast(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    """``text`` of type ``source`` as ``target``; ``attempt`` gives NULL instead of failing.

    Raises:
        EddylineError: ``sql_semantic`` when no such cast exists.
    """
    if source.root is Root.NULL or source.same_as(target):
        return f"CAST({text} AS {duckdb_type(target)})" if source.root is Root.NULL else text
    found = _find(source, target)
    if found is None:
        msg = f"a value of type {source.plain()} cannot be cast to {target}"
        hint = _HINTS.get((source.root, target.root))
        raise EddylineError("sql_semantic", msg, hint=hint)
    return found(text, source, target, context, attempt)


def castable(source: DataType, target: DataType) -> bool:
    """Whether a cast exists."""
    return source.root is Root.NULL or source.same_as(target) or _find(source, target) is not None


_Cast = Callable[[str, DataType, DataType, Context, bool], str]
_HINTS = {
    (Root.BIGINT, Root.TIMESTAMP): "use TO_TIMESTAMP_LTZ(x, 3) for epoch milliseconds",
    (Root.INT, Root.TIMESTAMP): "use TO_TIMESTAMP_LTZ(x, 0) for epoch seconds",
    (Root.TIMESTAMP, Root.BIGINT): "use UNIX_TIMESTAMP(CAST(x AS STRING))",
}


def _find(source: DataType, target: DataType) -> _Cast | None:
    for sources, targets, method in _TABLE:
        if source.root in sources and target.root in targets:
            return method
    return None


def _same(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    kept = duckdb_type(source) == duckdb_type(target)
    return text if kept else f"CAST({text} AS {duckdb_type(target)})"


def _integer(text: str, source: DataType, target: DataType, c: Context, attempt: bool) -> str:
    if INTEGERS.index(target.root) >= INTEGERS.index(source.root):
        return f"CAST({text} AS {duckdb_type(target)})"
    return wrapped(f"({text})::BIGINT", target.root)


def _cut(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    low, high = _LIMITS[target.root]
    # least and greatest pass over NULL, which must stay NULL; NaN is 0, as in Java.
    cut = f"greatest(least(trunc({text}), {high}), {low})::{duckdb_type(target)}"
    return f"CASE WHEN isnan({text}) THEN 0 WHEN {text} IS NOT NULL THEN {cut} END"


def _whole(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    return (
        wrapped(f"trunc({text})::HUGEINT", target.root)
        if source.precision > 18
        else wrapped(f"trunc({text})::BIGINT", target.root)
    )


def _to_decimal(text: str, source: DataType, target: DataType, c: Context, attempt: bool) -> str:
    """A number that does not fit its DECIMAL is NULL in Flink, whether cast or tried."""
    return f"TRY_CAST({text} AS {duckdb_type(target)})"


def _shown(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    return _clip(f"CAST({text} AS VARCHAR)", target)


def _approximate_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    """As Java prints: plain from 1e-3 up to 1e7, else with E and at least one fraction digit."""
    shown = f"CAST({text} AS VARCHAR)"
    plain = f"abs({text}) >= 1e-3 AND abs({text}) < 1e7 OR {text} = 0"
    digits = (
        f"rtrim(ltrim(replace(regexp_replace(ltrim({shown}, '-'), 'e.*$', ''), '.', ''), '0'), '0')"
    )
    power = f"floor(log10(abs({text})))::INTEGER::VARCHAR"
    sign = f"CASE WHEN {text} < 0 THEN '-' ELSE '' END"
    science = (
        f"{sign} || left({digits}, 1) || '.' || "
        f"CASE WHEN length({digits}) > 1 THEN substr({digits}, 2) ELSE '0' END || 'E' || {power}"
    )
    odd = f"CASE WHEN isnan({text}) THEN 'NaN' WHEN {text} > 0 THEN 'Infinity' ELSE '-Infinity' END"
    value = (
        f"CASE WHEN {plain} THEN {shown} WHEN isfinite({text}) THEN {science} "
        f"WHEN {text} IS NOT NULL THEN {odd} END"
    )
    return _clip(value, target)


def _clip(text: str, target: DataType) -> str:
    """Text cut to CHAR(n) or VARCHAR(n); CHAR(n) is padded."""
    if target.precision >= 2**31 - 1:
        return text
    cut = f"left({text}, {target.precision})"
    return f"rpad({cut}, {target.precision}, ' ')" if target.root is Root.CHAR else cut


def _retext(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    if target.root is Root.VARCHAR and source.precision <= target.precision:
        return text
    return _clip(text, target)


def _boolean_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return _clip(f"upper(CAST({text} AS VARCHAR))", target)


def _text_to_integer(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    number = rf"regexp_extract(trim({text}), '^([+-]?[0-9]+)(\.[0-9]*)?$', 1)"
    return _read(number, text, target, attempt)


def _read(value: str, text: str, target: DataType, attempt: bool) -> str:
    """Text as a number; text that is none is named in the error."""
    to = duckdb_type(target)
    if attempt:
        return f"TRY_CAST({value} AS {to})"
    quote = "chr(39)"
    failed = f"error({quote} || {text} || {quote} || ' is no {target.null()}')::{to}"
    return f"coalesce(TRY_CAST({value} AS {to}), CASE WHEN {text} IS NOT NULL THEN {failed} END)"


def _word(attempt: bool) -> str:
    return "TRY_CAST" if attempt else "CAST"


def _text_to_number(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return _read(f"trim({text})", text, target, attempt)


def _text_to_boolean(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    failed = "NULL" if attempt else "error('this text is neither true nor false')::BOOLEAN"
    word = f"lower(trim({text}))"
    return (
        f"CASE WHEN {word} IN ('t', 'true', 'y', 'yes', '1') THEN TRUE "
        f"WHEN {word} IN ('f', 'false', 'n', 'no', '0') THEN FALSE "
        f"WHEN {text} IS NULL THEN NULL ELSE {failed} END"
    )


def _text_to_date(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return f"{_word(attempt)}(split_part(replace(trim({text}), 'T', ' '), ' ', 1) AS DATE)"


def _text_to_time(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return f"{_word(attempt)}(trim({text}) AS TIME)"


def _text_to_timestamp(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    value = f"{_word(attempt)}(replace(trim({text}), 'T', ' ') AS TIMESTAMP)"
    if target.root is Root.TIMESTAMP_LTZ:
        value = from_local(value, context)
    return fraction(value, target.precision)


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


def _retime(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    value = text
    if source.root is not target.root:
        to_local_time = source.root is Root.TIMESTAMP_LTZ
        value = to_local(text, context) if to_local_time else from_local(text, context)
    return value if target.precision >= source.precision else fraction(value, target.precision)


def to_local(text: str, context: Context) -> str:
    """An instant as the session's zone shows it."""
    if context.is_utc:
        return text
    return f"(({text}) AT TIME ZONE 'UTC' AT TIME ZONE '{context.zone}')"


def from_local(text: str, context: Context) -> str:
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


def _time_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    if source.root is Root.DATE:
        return _clip(f"strftime({text}, '%Y-%m-%d')", target)
    if source.root is Root.TIME:
        return _clip(f"left(CAST({text} AS VARCHAR), 8)", target)
    local = to_local(text, context) if source.root is Root.TIMESTAMP_LTZ else text
    return _clip(timestamp_shown(local, source.precision), target)


def _date_of(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    local = to_local(text, context) if source.root is Root.TIMESTAMP_LTZ else text
    if target.root is Root.TIME:  # Flink's TIME has whole seconds
        local = f"date_trunc('second', {local})"
    return f"CAST({local} AS {duckdb_type(target)})"


def _date_to_timestamp(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    value = f"CAST({text} AS TIMESTAMP)"
    return from_local(value, context) if target.root is Root.TIMESTAMP_LTZ else value


def _to_boolean(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return f"(({text}) <> 0)"


def _seconds(text: str, source: DataType, target: DataType, context: Context, attempt: bool) -> str:
    """An integer as a timestamp: seconds since 1970, as Flink casts them."""
    value = f"make_timestamp(({text})::BIGINT * 1000000)"
    return to_local(value, context) if target.root is Root.TIMESTAMP else value


def _bytes_to_text(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return _clip(f"decode({text})", target)


def _text_to_bytes(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    return f"encode({text})"


def _list_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    from eddyline.record.types import STRING

    inner = cast("_x", source.children[0], STRING, context, attempt)
    items = f"list_transform({text}, lambda _x: coalesce({inner}, 'NULL'))"
    return _clip(f"('[' || array_to_string({items}, ', ') || ']')", target)


def _map_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    """``{a=1, b=2}``"""
    from eddyline.record.types import STRING

    e = f"_e{len(text)}"  # a name that is neither a column's nor that of a lambda around it
    key = cast(f"{e}.key", source.children[0], STRING, context, attempt)
    value = cast(f"{e}.value", source.children[1], STRING, context, attempt)
    entry = f"({key}) || '=' || coalesce({value}, 'NULL')"
    items = f"list_transform(map_entries({text}), lambda {e}: {entry})"
    return _clip(f"('{{{{' || array_to_string({items}, ', ') || '}}}}')", target)


def _row_shown(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    """``(1, x)``; the row itself may be NULL."""
    from eddyline.record.types import STRING

    parts = []
    for name, kind in zip(source.names, source.children, strict=True):
        field = name.replace("'", "''").replace("{", "{{").replace("}", "}}")
        shown = cast(f"struct_extract({text}, '{field}')", kind, STRING, context, attempt)
        parts.append(f"coalesce({shown}, 'NULL')")
    inner = " || ', ' || ".join(parts)
    return _clip(f"CASE WHEN ({text}) IS NOT NULL THEN '(' || {inner} || ')' END", target)


def _elements(
    text: str, source: DataType, target: DataType, context: Context, attempt: bool
) -> str:
    inner = cast("_x", source.children[0], target.children[0], context, attempt)
    return f"list_transform({text}, lambda _x: {inner})"


_TIMES = (Root.TIMESTAMP, Root.TIMESTAMP_LTZ)
_TABLE: tuple[tuple[tuple[Root, ...], tuple[Root, ...], _Cast], ...] = (
    (INTEGERS, INTEGERS, _integer),
    (APPROXIMATE, INTEGERS, _cut),
    ((Root.DECIMAL,), INTEGERS, _whole),
    (NUMERIC, (Root.DECIMAL,), _to_decimal),
    (NUMERIC, APPROXIMATE, _same),
    (APPROXIMATE, TEXT, _approximate_shown),
    (NUMERIC, TEXT, _shown),
    (NUMERIC, (Root.BOOLEAN,), _to_boolean),
    ((Root.BOOLEAN,), TEXT, _boolean_shown),
    ((Root.BOOLEAN,), NUMERIC, _same),
    (INTEGERS, _TIMES, _seconds),
    (TEXT, TEXT, _retext),
    (TEXT, INTEGERS, _text_to_integer),
    (TEXT, (Root.DECIMAL, *APPROXIMATE), _text_to_number),
    (TEXT, (Root.BOOLEAN,), _text_to_boolean),
    (TEXT, (Root.DATE,), _text_to_date),
    (TEXT, (Root.TIME,), _text_to_time),
    (TEXT, _TIMES, _text_to_timestamp),
    (TEXT, BYTES, _text_to_bytes),
    (BYTES, TEXT, _bytes_to_text),
    (BYTES, BYTES, _same),
    (_TIMES, _TIMES, _retime),
    (_TIMES, (Root.DATE, Root.TIME), _date_of),
    ((Root.DATE,), _TIMES, _date_to_timestamp),
    ((Root.DATE, Root.TIME, *_TIMES), TEXT, _time_shown),
    ((Root.TIME,), (Root.TIME,), _same),
    ((Root.INTERVAL_SECOND,), (Root.INTERVAL_SECOND,), _same),
    ((Root.INTERVAL_MONTH,), (Root.INTERVAL_MONTH,), _same),
    ((Root.ARRAY,), (Root.ARRAY,), _elements),
    ((Root.ARRAY,), TEXT, _list_shown),
    ((Root.MAP,), TEXT, _map_shown),
    ((Root.ROW,), TEXT, _row_shown),
    ((Root.MAP,), (Root.MAP,), _same),
    ((Root.ROW,), (Root.ROW,), _same),
)
