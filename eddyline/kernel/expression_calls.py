"""What ``pyflink.table.expressions`` has beside ``col`` and ``lit``: functions by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.kernel.expressions import Expression, col, lit, literal, text_of
from eddyline.udf.data_types import as_type


def _expression(value: Any) -> Expression:
    return value if isinstance(value, Expression) else lit(value)


def call_sql(sql: str) -> Expression:
    """SQL text as an expression."""
    return Expression(f"({sql})")


def call(name: Any, *args: Any) -> Expression:
    """A call of a function by its name, or of a Python function."""
    if not isinstance(name, str):
        made: Expression = name(*args)
        return made
    return Expression(f"{name}({', '.join(map(text_of, args))})")


def if_then_else(condition: Any, if_true: Any, if_false: Any) -> Expression:
    """One of two values."""
    parts = f"WHEN {text_of(condition)} THEN {text_of(if_true)} ELSE {text_of(if_false)}"
    return Expression(f"(CASE {parts} END)")


def and_(*conditions: Any) -> Expression:
    """Whether all hold."""
    return Expression("(" + " AND ".join(map(text_of, conditions)) + ")")


def or_(*conditions: Any) -> Expression:
    """Whether any holds."""
    return Expression("(" + " OR ".join(map(text_of, conditions)) + ")")


def not_(condition: Any) -> Expression:
    """Whether it does not hold."""
    return Expression(f"(NOT {text_of(condition)})")


def _named(name: str) -> Callable[..., Expression]:
    def function(*args: Any) -> Expression:
        return Expression(f"{name}({', '.join(map(text_of, args))})")

    return function


def _constant(text: str) -> Callable[[], Expression]:
    return lambda: Expression(text)


def null_of(data_type: Any) -> Expression:
    """NULL of a type."""
    return Expression(f"CAST(NULL AS {as_type(data_type)})")


def array(head: Any, *tail: Any) -> Expression:
    """An ARRAY."""
    return Expression(literal([head, *tail]))


def map_(*pairs: Any) -> Expression:
    """A MAP of keys and values in turn."""
    return Expression(f"MAP[{', '.join(map(text_of, pairs))}]")


def row(*values: Any) -> Expression:
    """A ROW."""
    return Expression(literal(tuple(values)))


def timestamp_diff(unit: Any, start: Any, end: Any) -> Expression:
    """The whole units between two times."""
    name = getattr(unit, "name", unit)
    return Expression(f"TIMESTAMPDIFF({name}, {text_of(start)}, {text_of(end)})")


def logarithm(value: Any, base: Any = None) -> Expression:
    """The natural logarithm, or one to a base."""
    return _expression(value).log(base)


def temporal_overlaps(left: Any, left_end: Any, right: Any, right_end: Any) -> Expression:
    """Whether two periods meet; each is a time and another time or an interval."""
    periods = [f"({text_of(a)}, {text_of(b)})" for a, b in ((left, left_end), (right, right_end))]
    return Expression(f"({periods[0]} OVERLAPS {periods[1]})")


def _neighbour(name: str) -> Callable[..., Expression]:
    def function(field: Any, offset: int = 1, default: Any = None) -> Expression:
        last = "" if default is None else f", {text_of(default)}"
        return Expression(f"{name}({text_of(field)}, {int(offset)}{last})", is_aggregate=True)

    return function


class TimeIntervalUnit:
    """Units of time, by PyFlink's names."""

    YEAR, MONTH, QUARTER, WEEK, DAY = "YEAR", "MONTH", "QUARTER", "WEEK", "DAY"
    HOUR, MINUTE, SECOND = "HOUR", "MINUTE", "SECOND"


UNBOUNDED_ROW = Expression("UNBOUNDED", value="ROWS")
UNBOUNDED_RANGE = Expression("UNBOUNDED", value="RANGE")
CURRENT_ROW = Expression("CURRENT ROW", value="ROWS")
CURRENT_RANGE = Expression("CURRENT ROW", value="RANGE")
# What ``from pyflink.table.expressions import …`` finds.
NAMES: dict[str, Any] = {
    "Expression": Expression, "col": col, "lit": lit, "call": call, "call_sql": call_sql,
    "if_then_else": if_then_else, "and_": and_, "or_": or_, "not_": not_, "array": array,
    "map_": map_, "row": row, "timestamp_diff": timestamp_diff,
    "TimeIntervalUnit": TimeIntervalUnit, "TimePointUnit": TimeIntervalUnit,
    "UNBOUNDED_ROW": UNBOUNDED_ROW, "UNBOUNDED_RANGE": UNBOUNDED_RANGE,
    "CURRENT_ROW": CURRENT_ROW, "CURRENT_RANGE": CURRENT_RANGE,
    "concat": _named("CONCAT"), "concat_ws": _named("CONCAT_WS"), "coalesce": _named("COALESCE"),
    "uuid": _named("UUID"), "rand": _named("RAND"), "rand_integer": _named("RAND_INTEGER"),
    "atan2": _named("ATAN2"), "log": logarithm, "pi": _named("PI"), "e": _named("E"),
    "json_string": _named("JSON_STRING"), "to_date": _named("TO_DATE"),
    "to_timestamp": _named("TO_TIMESTAMP"), "to_timestamp_ltz": _named("TO_TIMESTAMP_LTZ"),
    "from_unixtime": _named("FROM_UNIXTIME"), "unix_timestamp": _named("UNIX_TIMESTAMP"),
    "date_format": _named("DATE_FORMAT"), "convert_tz": _named("CONVERT_TZ"),
    "current_date": _constant("CURRENT_DATE"), "current_time": _constant("CURRENT_TIME"),
    "current_timestamp": _constant("CURRENT_TIMESTAMP"), "local_time": _constant("LOCALTIME"),
    "current_watermark": _named("CURRENT_WATERMARK"), "null_of": null_of,
    "source_watermark": _named("SOURCE_WATERMARK"), "row_interval": lit,
    "map_from_arrays": _named("MAP_FROM_ARRAYS"),
    "lag": _neighbour("LAG"), "lead": _neighbour("LEAD"), "object_of": _named("OBJECT_OF"),
    "temporal_overlaps": temporal_overlaps, "negative": lambda value: -_expression(value),
    "json": _named("JSON"), "current_database": _named("CURRENT_DATABASE"),
    "local_timestamp": _constant("LOCALTIMESTAMP"), "proctime": _named("PROCTIME"),
}  # fmt: skip
