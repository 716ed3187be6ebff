"""Functions of JSON text."""

from __future__ import annotations

import json
import re

from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    Arguments,
    Built,
    Context,
    Function,
    check,
    mismatch,
    plain,
    register,
)
from eddyline.record.types import BOOLEAN, STRING
from eddyline.record.vector import by_distinct_row, define


def _path(name: str, args: Arguments) -> str:
    check(name, args, ("text",))
    path = args[1].text
    if path is None:
        raise mismatch(name, args, "a JSON text and a path in quotes")
    path = path.strip().removeprefix("lax ").removeprefix("strict ").strip()
    return literal(_duckdb_path(name, path, args))


# A key behind a point or in brackets and quotes, a place in brackets.
_STEP = re.compile(
    r"""\.?\[\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<place>\d+))\s*\]"""
    r"""|\.(?:"(?P<quoted>[^"]*)"|(?P<key>[^.\[\]\s"'*?@()]+))"""
)


def _duckdb_path(name: str, path: str, args: Arguments) -> str:
    """A path of Flink as DuckDB spells it: every key in quotes."""
    steps, at = ["$"], 1
    while path.startswith("$") and at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            break
        at = step.end()
        key = next((step[g] for g in ("single", "double", "quoted", "key") if step[g]), None)
        steps.append(f"[{step['place']}]" if key is None else f'."{key}"')
    if not path.startswith("$") or at < len(path):
        raise mismatch(name, args, "a path such as '$.a', '$.a[0]' or '$[\"a b\"]'")
    return "".join(steps)


def _valid(value: str, otherwise: str = "NULL") -> str:
    """Text that is no JSON gives what Flink gives ON ERROR by default."""
    return f"(CASE WHEN json_valid({{0}}) THEN {value} ELSE {otherwise} END)"


def _json_value(args: Arguments, context: Context) -> Built:
    path = _path("JSON_VALUE", args)
    scalar = f"json_type({{0}}, {path}) NOT IN ('OBJECT', 'ARRAY')"
    return Built(STRING, _valid(f"CASE WHEN {scalar} THEN json_extract_string({{0}}, {path}) END"))


def _json_query(args: Arguments, context: Context) -> Built:
    path = _path("JSON_QUERY", args)
    nested = f"json_type({{0}}, {path}) IN ('OBJECT', 'ARRAY')"
    value = f"CASE WHEN {nested} THEN CAST(json_extract({{0}}, {path}) AS VARCHAR) END"
    return Built(STRING, _valid(value))


def _json_exists(args: Arguments, context: Context) -> Built:
    path = _path("JSON_EXISTS", args)
    return Built(BOOLEAN, _valid(f"json_exists({{0}}, {path})", "FALSE"))


# Flink spells every character beyond ASCII as \\uXXXX.
_QUOTE = define("json_quote", STRING, by_distinct_row(json.dumps, STRING))
_UNQUOTED = (
    "(CASE WHEN {0} LIKE '\"%\"' AND json_valid({0}) "
    "THEN json_extract_string({0}, '$') ELSE {0} END)"
)
register(
    (
        Function(
            ("JSON_VALUE",),
            (2, 2),
            _json_value,
            "A scalar at a path, as text.",
            ("JSON_VALUE('{\"a\": 1}', '$.a')", "1"),
        ),
        Function(
            ("JSON_QUERY",),
            (2, 2),
            _json_query,
            "An object or array at a path.",
            ("JSON_QUERY('{\"a\": [1]}', '$.a')", "[1]"),
        ),
        Function(
            ("JSON_EXISTS",),
            (2, 2),
            _json_exists,
            "Whether the path is there.",
            ("JSON_EXISTS('{\"a\": 1}', '$.a')", True),
        ),
        Function(
            ("IS JSON", "IS_JSON"),
            (1, 1),
            plain("IS JSON", ("text",), BOOLEAN.not_null(), "coalesce(json_valid({0}), FALSE)"),
            "Whether the text is JSON.",
            ("'[1]' IS JSON", True),
        ),
        Function(
            ("JSON_QUOTE",),
            (1, 1),
            plain("JSON_QUOTE", ("text",), STRING, f"{_QUOTE}({{0}})"),
            "As a JSON string.",
            ("JSON_QUOTE('a')", '"a"'),
        ),
        Function(
            ("JSON_UNQUOTE",),
            (1, 1),
            plain("JSON_UNQUOTE", ("text",), STRING, _UNQUOTED),
            "From a JSON string.",
            ("JSON_UNQUOTE('\"a\"')", "a"),
        ),
        Function(
            ("JSON_STRING",),
            (1, 1),
            plain("JSON_STRING", ("any",), STRING, "CAST(to_json({0}) AS VARCHAR)"),
            "Any value as JSON.",
            ("JSON_STRING(1)", "1"),
        ),
    )
)
