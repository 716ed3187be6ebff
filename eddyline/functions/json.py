"""Functions of JSON text."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass

from eddyline.functions import json_path, json_text
from eddyline.functions.json_filter import PathSyntaxError
from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.record.types import BOOLEAN, STRING, DataType, Root, array
from eddyline.record.vector import by_distinct_row, define


@dataclass(frozen=True, slots=True)
class _DuckPath:
    """A path as DuckDB spells it, in quotes; of several values, as Flink does."""

    text: str
    is_lax: bool
    several: bool

    def __str__(self) -> str:
        return self.text

    def call(self, function: str) -> str:
        """A function of ``json_path`` over a text, as DuckDB text."""
        return f"{function}({{0}}, {self.text}, {self.is_lax})"


def _path(name: str, args: Arguments) -> _DuckPath:
    check(name, args, ("text",))
    path = args[1].text
    if path is None:
        raise mismatch(name, args, "a JSON text and a path in quotes")
    is_lax = path.strip().startswith("lax ")
    path = path.strip().removeprefix("lax ").removeprefix("strict ").strip()
    simple = _duckdb_path(path)
    if simple is not None:
        return _DuckPath(literal(simple), is_lax, False)
    try:
        json_path.read(path)
    except (PathSyntaxError, re.error):
        expected = "a path such as '$.a', '$.a[0]', '$.a[*].b' or '$[\"a b\"]'"
        raise mismatch(name, args, expected) from None
    return _DuckPath(literal(path), is_lax, True)


# A key behind a point or in brackets and quotes, a place in brackets.
_STEP = re.compile(
    r"""\.?\[\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<place>\d+))\s*\]"""
    r"""|\.(?:"(?P<quoted>[^"]*)"|(?P<key>[^.\[\]\s"'*?@()]+))"""
)


def _duckdb_path(path: str) -> str | None:
    """A path of Flink as DuckDB spells it, every key in quotes; None if it has no such spelling."""
    steps, at = ["$"], 1
    while path.startswith("$") and at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            break
        at = step.end()
        key = next((step[g] for g in ("single", "double", "quoted", "key") if step[g]), None)
        steps.append(f"[{step['place']}]" if key is None else f'."{key}"')
    if not path.startswith("$") or at < len(path):
        return None
    return "".join(steps)


def _valid(value: str, path: _DuckPath, otherwise: str = "NULL") -> str:
    """Text that is no JSON gives what Flink gives ON ERROR by default.

    Of a key that an object has twice the last value counts, where DuckDB takes the first. So a
    text in which a key of the path stands twice is rewritten.
    """
    keys = [key.replace("!", "!!") for key in _KEY_IN_PATH.findall(path.text)]
    keys = [key.replace("%", "!%").replace("_", "!_") for key in keys]
    if keys:
        twice = " OR ".join(f"{{0}} LIKE '%{k}%{k}%' ESCAPE '!'" for k in dict.fromkeys(keys))
        text = f"CASE WHEN {twice} THEN coalesce({_NESTED_AT}({{0}}, '$'), {{0}}) ELSE {{0}} END"
        value = value.replace("{0}", f"({text})")
    return f"(CASE WHEN json_valid({{0}}) THEN {value} ELSE {otherwise} END)"


# A key with its quotes in a path that is DuckDB text.
_KEY_IN_PATH = re.compile(r'\.("[^"]*")')


def _json_value(args: Arguments, context: CallContext) -> Built:
    path = _path("JSON_VALUE", args)
    if path.several:
        return Built(STRING, path.call(_SCALAR_OF_SEVERAL))
    # DuckDB reads these numbers as doubles and loses their scale.
    number = f"WHEN 'DOUBLE' THEN {_NUMBER_AT}({{0}}, {path})"
    others = f"ELSE json_extract_string({{0}}, {path})"
    nested = "WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL"
    return Built(
        STRING, _valid(f"CASE json_type({{0}}, {path}) {nested} {number} {others} END", path)
    )


def _json_value_otherwise(args: Arguments, context: CallContext) -> Built:
    """With ON EMPTY and ON ERROR: for each a word (NULL, ERROR, DEFAULT) and a text.

    As in Flink, whatever gives no value is an error in strict mode, which a path without ``lax``
    has, and empty in lax mode.
    """
    value = _json_value(args[:2], context).template
    if (args[1].text or "").strip().startswith("lax "):
        other = _otherwise(args[2].text, "{3}", "the path of JSON_VALUE leads to no value")
    else:
        other = _otherwise(args[4].text, "{5}", "JSON_VALUE needs JSON with a value at its path")
    known = f"WHEN {value} IS NULL THEN {other} ELSE {value}"
    return Built(STRING, f"(CASE WHEN {{0}} IS NULL THEN NULL {known} END)")


def _otherwise(word: str | None, default: str, message: str) -> str:
    choices = {"DEFAULT": default, "ERROR": f"error('{message}')::VARCHAR"}
    return choices.get(word or "", "NULL")


def _json_query(args: Arguments, context: CallContext) -> Built:
    path = _path("JSON_QUERY", args)
    if path.several:
        return Built(STRING, path.call(_NESTED_OF_SEVERAL))
    nested = f"json_type({{0}}, {path}) IN ('OBJECT', 'ARRAY')"
    value = f"CASE WHEN {nested} THEN {_NESTED_AT}({{0}}, {path}) END"
    return Built(STRING, _valid(value, path))


def _json_query_otherwise(args: Arguments, context: CallContext) -> Built:
    """With ON EMPTY and ON ERROR, which count in lax and in strict mode, as with JSON_VALUE."""
    value = _json_query(args[:2], context).template
    is_lax = (args[1].text or "").strip().startswith("lax ")
    failed = "error('JSON_QUERY needs JSON with an object or array at its path')::VARCHAR"
    choices = {"ARRAY": "'[]'", "OBJECT": "'{{}}'", "ERROR": failed}
    other = choices.get((args[2] if is_lax else args[3]).text or "", "NULL")
    known = f"WHEN {value} IS NULL THEN {other} ELSE {value}"
    return Built(STRING, f"(CASE WHEN {{0}} IS NULL THEN NULL {known} END)")


def _json_query_wrapped(conditional: bool) -> Function:
    """The value in an array of its own; CONDITIONAL: unless it is one value of several parts."""
    name = f"JSON_QUERY_{'CONDITIONAL_' if conditional else ''}WRAPPER"

    def builder(args: Arguments, context: CallContext) -> Built:
        path = _path("JSON_QUERY", args)
        if path.several:
            value = path.call(_ANY_OF_SEVERAL)
            wrapped = f"'[' || {value} || ']'"
            if conditional:
                nested = f"{value}[1] IN ('[', chr(123))"
                wrapped = f"CASE WHEN {nested} THEN {value} ELSE {wrapped} END"
            return Built(STRING, f"({wrapped})")
        kinds = (
            f"WHEN 'DOUBLE' THEN {_NUMBER_AT}({{0}}, {path}) "
            f"WHEN 'OBJECT' THEN {_NESTED_AT}({{0}}, {path}) "
            f"WHEN 'ARRAY' THEN {_NESTED_AT}({{0}}, {path}) "
        )
        plain = f"CAST(json_extract({{0}}, {path}) AS VARCHAR)"
        value = f"CASE json_type({{0}}, {path}) {kinds} ELSE {plain} END"
        wrapped = f"'[' || {value} || ']'"
        if conditional:
            nested = f"json_type({{0}}, {path}) IN ('OBJECT', 'ARRAY')"
            wrapped = f"CASE WHEN {nested} THEN {value} ELSE {wrapped} END"
        return Built(STRING, _valid(wrapped, path))

    words = "WITH CONDITIONAL WRAPPER" if conditional else "WITH WRAPPER"
    example = (f"JSON_QUERY('{{\"a\": 1}}', '$.a' {words})", "[1]")
    return Function((name,), (2, 2), builder, "A value at a path, in an array.", example)


def _json_query_array(args: Arguments, context: CallContext) -> Built:
    """RETURNING ARRAY<STRING>."""
    path = _path("JSON_QUERY", args)
    if path.several:
        value = path.call(_NESTED_OF_SEVERAL)
        items = f"CAST(CAST({value} AS JSON) AS VARCHAR[])"
        return Built(array(STRING), f"(CASE WHEN {value}[1] = '[' THEN {items} END)")
    is_array = f"json_type({{0}}, {path}) = 'ARRAY'"
    items = f"CAST(json_extract({{0}}, {path}) AS VARCHAR[])"
    return Built(array(STRING), _valid(f"CASE WHEN {is_array} THEN {items} END", path))


def _json_exists(args: Arguments, context: CallContext) -> Built:
    """Without ``lax``, what is not there is an error; by default an error is FALSE."""
    path = _path("JSON_EXISTS", args)
    word = (args[2].text if len(args) > 2 else None) or "FALSE"
    failed = "error('JSON_EXISTS needs JSON with a value at its path')::BOOLEAN"
    otherwise = {"UNKNOWN": "NULL::BOOLEAN", "ERROR": failed}.get(word, word)
    missing = "FALSE" if path.is_lax else otherwise
    if path.several:
        value = f"CASE WHEN {path.call(_ANY_OF_SEVERAL)} IS NULL THEN {missing} ELSE TRUE END"
    else:
        kind = f"json_type({{0}}, {path})"
        value = f"CASE WHEN {kind} IS NULL THEN {missing} ELSE {kind} <> 'NULL' END"
    valid = _valid(value, path, otherwise)
    return Built(BOOLEAN, f"(CASE WHEN {{0}} IS NULL THEN NULL ELSE {valid} END)")


def _json_string(args: Arguments, context: CallContext) -> Built:
    check("JSON_STRING", args, ("any",))
    kind = args[0].type
    if _has_no_json(kind):
        raise mismatch("JSON_STRING", args, "a value that JSON has; cast it to STRING first")
    name = f"json_string_{zlib.crc32(str(kind).encode()):08x}"
    function = define(name, STRING, by_distinct_row(json_text.writer(kind), STRING))
    return Built(strict(STRING, args), f"{function}({{0}})")


def _has_no_json(kind: DataType) -> bool:
    """Whether Flink has no JSON for the type, or for a part of it."""
    return kind.root in _NO_JSON or any(_has_no_json(child) for child in kind.children)


_NO_JSON = (Root.DATE, Root.TIME, Root.INTERVAL_MONTH, Root.INTERVAL_SECOND)
_NUMBER_AT = define("json_number_at", STRING, by_distinct_row(json_text.number_at, STRING))
_NESTED_AT = define("json_nested_at", STRING, by_distinct_row(json_text.nested_at, STRING))


_SCALAR_OF_SEVERAL = define(
    "json_scalar_of_several", STRING, by_distinct_row(json_path.scalar, STRING)
)
_NESTED_OF_SEVERAL = define(
    "json_nested_of_several", STRING, by_distinct_row(json_path.nested, STRING)
)
_ANY_OF_SEVERAL = define("json_any_of_several", STRING, by_distinct_row(json_path.whole, STRING))


def _parse_json(name: str, wrong: str) -> Function:
    """Text that is JSON, without needless blanks. Its value is shown and kept as that text."""
    text = f"(CASE WHEN json_valid({{0}}) THEN CAST(json({{0}}) AS VARCHAR) ELSE {wrong} END)"
    value = f"(CASE WHEN {{0}} IS NOT NULL THEN {text} END)"
    build = plain(name, ("text",), STRING, value, nullable=name.startswith("TRY"))
    doc = "JSON text as a value; text that is no JSON is "
    doc += "NULL." if name.startswith("TRY") else "an error."
    return Function((name,), (1, 2), build, doc, (f"{name}('{{\"a\": 7}}')", '{"a":7}'))


def _is_json(kind: str, types: str, example: str) -> Function:
    """IS JSON OBJECT, ARRAY or SCALAR."""
    name = f"IS JSON {kind}"
    text = f"(CASE WHEN json_valid({{0}}) THEN json_type({{0}}) {types} ELSE FALSE END)"
    build = plain(name, ("text",), BOOLEAN.not_null(), f"coalesce({text}, FALSE)")
    doc = f"Whether the text is a JSON {kind.lower()}."
    return Function((name,), (1, 1), build, doc, (f"'{example}' IS JSON {kind}", True))


# Flink spells every character beyond ASCII as \\uXXXX.
_QUOTE = define("json_quote", STRING, by_distinct_row(json.dumps, STRING))
_UNQUOTED = (
    "(CASE WHEN {0} LIKE '\"%\"' AND json_valid({0}) "
    "THEN json_extract_string({0}, '$') ELSE {0} END)"
)
register(
    (
        _is_json("OBJECT", "= 'OBJECT'", '{"a": 1}'),
        _is_json("ARRAY", "= 'ARRAY'", "[1]"),
        _is_json("SCALAR", "NOT IN ('OBJECT', 'ARRAY')", "1"),
        _parse_json("PARSE_JSON", "error('PARSE_JSON needs text that is JSON')"),
        _parse_json("TRY_PARSE_JSON", "NULL"),
        Function(
            ("JSON_VALUE",),
            (2, 2),
            _json_value,
            "A scalar at a path, as text.",
            ("JSON_VALUE('{\"a\": 1}', '$.a')", "1"),
        ),
        Function(
            ("JSON_VALUE_OTHERWISE",),
            (6, 6),
            _json_value_otherwise,
            "JSON_VALUE with what it gives for no value and for an error.",
            ("JSON_VALUE('{\"a\": 1}', 'lax $.b' DEFAULT 'none' ON EMPTY)", "none"),
        ),
        Function(
            ("JSON_QUERY",),
            (2, 2),
            _json_query,
            "An object or array at a path.",
            ("JSON_QUERY('{\"a\": [1]}', '$.a')", "[1]"),
        ),
        Function(
            ("JSON_QUERY_OTHERWISE",),
            (4, 4),
            _json_query_otherwise,
            "JSON_QUERY with what it gives for no value and for an error.",
            ("JSON_QUERY('{\"a\": 1}', 'lax $.b' EMPTY ARRAY ON EMPTY)", "[]"),
        ),
        _json_query_wrapped(False),
        _json_query_wrapped(True),
        Function(
            ("JSON_QUERY_ARRAY",),
            (2, 2),
            _json_query_array,
            "An array at a path, as ARRAY<STRING>.",
            ("JSON_QUERY('{\"a\": [\"x\"]}', '$.a' RETURNING ARRAY<STRING>)[1]", "x"),
        ),
        Function(
            ("JSON_EXISTS",),
            (2, 3),
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
            _json_string,
            "Any value as JSON.",
            ("JSON_STRING(1)", "1"),
        ),
    )
)
