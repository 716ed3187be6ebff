"""PyFlink's JSON functions and their choices: what becomes of NULL, of nothing, and of errors."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from eddyline.kernel.expressions import Expression, literal, text_of
from eddyline.udf.data_types import as_type


class JsonType(Enum):
    """What ``is_json`` asks for."""

    VALUE = "VALUE"
    SCALAR = "SCALAR"
    ARRAY = "ARRAY"
    OBJECT = "OBJECT"


class JsonExistsOnError(Enum):
    """What ``json_exists`` gives for a text that is no JSON."""

    TRUE = "TRUE"
    FALSE = "FALSE"
    UNKNOWN = "UNKNOWN"
    ERROR = "ERROR"


class JsonValueOnEmptyOrError(Enum):
    """What ``json_value`` gives where there is no value."""

    NULL = "NULL"
    ERROR = "ERROR"
    DEFAULT = "DEFAULT"


class JsonQueryWrapper(Enum):
    """Whether ``json_query`` puts its result into an array."""

    WITHOUT_ARRAY = "WITHOUT ARRAY WRAPPER"
    CONDITIONAL_ARRAY = "WITH CONDITIONAL ARRAY WRAPPER"
    UNCONDITIONAL_ARRAY = "WITH UNCONDITIONAL ARRAY WRAPPER"


class JsonQueryOnEmptyOrError(Enum):
    """What ``json_query`` gives where there is no value."""

    NULL = "NULL"
    EMPTY_ARRAY = "EMPTY ARRAY"
    EMPTY_OBJECT = "EMPTY OBJECT"
    ERROR = "ERROR"


class JsonOnNull(Enum):
    """Whether a value that is NULL is written or left out."""

    NULL = "NULL ON NULL"
    ABSENT = "ABSENT ON NULL"


def is_json(json: Expression, json_type: JsonType | None = None) -> Expression:
    """Whether the text is JSON, of a kind if one is given."""
    kind = "" if json_type is None else f" {json_type.value}"
    return Expression(f"({json.text} IS JSON{kind})")


def json_exists(
    json: Expression, path: str, on_error: JsonExistsOnError | None = None
) -> Expression:
    """Whether a path leads to something."""
    otherwise = "" if on_error is None else f" {on_error.value} ON ERROR"
    return Expression(f"JSON_EXISTS({json.text}, {literal(path)}{otherwise})")


def json_value(
    json: Expression,
    path: str,
    returning_type: Any = None,
    on_empty: JsonValueOnEmptyOrError = JsonValueOnEmptyOrError.NULL,
    default_on_empty: Any = None,
    on_error: JsonValueOnEmptyOrError = JsonValueOnEmptyOrError.NULL,
    default_on_error: Any = None,
) -> Expression:
    """A scalar of a JSON text."""
    returning = "" if returning_type is None else f" RETURNING {as_type(returning_type)}"
    empty = _otherwise("EMPTY", on_empty, default_on_empty)
    error = _otherwise("ERROR", on_error, default_on_error)
    return Expression(f"JSON_VALUE({json.text}, {literal(path)}{returning}{empty}{error})")


def json_query(
    json: Expression,
    path: str,
    wrapping_behavior: JsonQueryWrapper = JsonQueryWrapper.WITHOUT_ARRAY,
    on_empty: JsonQueryOnEmptyOrError = JsonQueryOnEmptyOrError.NULL,
    on_error: JsonQueryOnEmptyOrError = JsonQueryOnEmptyOrError.NULL,
) -> Expression:
    """A part of a JSON text as JSON."""
    choices = f"{wrapping_behavior.value} {on_empty.value} ON EMPTY {on_error.value} ON ERROR"
    return Expression(f"JSON_QUERY({json.text}, {literal(path)} {choices})")


def _otherwise(where: str, choice: JsonValueOnEmptyOrError, default: Any) -> str:
    if choice is JsonValueOnEmptyOrError.NULL:
        return ""
    is_default = choice is JsonValueOnEmptyOrError.DEFAULT
    return f" {f'DEFAULT {text_of(default)}' if is_default else choice.value} ON {where}"


def json_object(on_null: JsonOnNull = JsonOnNull.NULL, *pairs: Any) -> Expression:
    """A JSON object of keys and values in turn."""
    keys, values = map(text_of, pairs[::2]), map(text_of, pairs[1::2])
    fields = ", ".join(f"KEY {k} VALUE {v}" for k, v in zip(keys, values, strict=True))
    return Expression(f"JSON_OBJECT({f'{fields} {on_null.value}' if pairs else ''})")


def json_array(on_null: JsonOnNull = JsonOnNull.ABSENT, *values: Any) -> Expression:
    """A JSON array."""
    items = ", ".join(map(text_of, values))
    return Expression(f"JSON_ARRAY({f'{items} {on_null.value}' if values else ''})")


def json_object_agg(on_null: JsonOnNull, key: Any, value: Any) -> Expression:
    """A JSON object of a group's keys and values."""
    fields = f"KEY {text_of(key)} VALUE {text_of(value)} {on_null.value}"
    return Expression(f"JSON_OBJECTAGG({fields})", is_aggregate=True)


def json_array_agg(on_null: JsonOnNull, item: Any) -> Expression:
    """A JSON array of a group's values."""
    return Expression(f"JSON_ARRAYAGG({text_of(item)} {on_null.value})", is_aggregate=True)


# What expressions have as methods.
METHODS: dict[str, Callable[..., Expression]] = {
    "is_json": is_json, "json_exists": json_exists, "json_value": json_value,
    "json_query": json_query,
}  # fmt: skip
# What ``pyflink.table.expression`` has, and what ``pyflink.table.expressions`` has besides.
CHOICES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        JsonType, JsonExistsOnError, JsonValueOnEmptyOrError, JsonQueryWrapper,
        JsonQueryOnEmptyOrError, JsonOnNull,
    )
}  # fmt: skip
NAMES: dict[str, Any] = {
    **CHOICES, "json_object": json_object, "json_array": json_array,
    "json_object_agg": json_object_agg, "json_array_agg": json_array_agg,
}  # fmt: skip
