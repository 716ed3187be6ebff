"""JSON_OBJECT, JSON_ARRAY and JSON: JSON text of values, the keys of objects in order.

The grammar has made each value JSON text already (``JSON_STRING``, or text that is JSON itself),
and says in the function's name what NULL becomes, as Flink's own names do.
"""

from __future__ import annotations

from eddyline.functions.json_text import java_order, ordered
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    register,
)
from eddyline.record.types import STRING
from eddyline.record.vector import by_distinct_row, define

# JSON text with the keys of all objects in order.
ORDERED = define("json_ordered", STRING, by_distinct_row(ordered, STRING))
NULLS = ("NULL_ON_NULL", "ABSENT_ON_NULL")


def _object(absent: bool) -> Function:
    """Pairs of a key and a value; a key that is NULL is an error, as in Flink."""
    name = "JSON_OBJECT_ABSENT_ON_NULL" if absent else "JSON_OBJECT"

    def builder(args: Arguments, context: CallContext) -> Built:
        if len(args) % 2:
            raise mismatch("JSON_OBJECT", args, "pairs: KEY 'a' VALUE 1")
        check("JSON_OBJECT", args, ("text",))
        parts: dict[str | int, str] = {}
        for i in range(0, len(args), 2):
            known = f"coalesce({{{i}}}, error('a key of JSON_OBJECT is NULL'))"
            key = f"CAST(to_json({known}) AS VARCHAR)"
            value = f"{{{i + 1}}}" if absent else f"coalesce({{{i + 1}}}, 'null')"
            name = args[i].text
            parts[i if name is None else name] = f"{key} || ':' || {value}"
        names = [name for name in parts if isinstance(name, str)]
        if len(names) == len(parts):
            texts = [parts[name] for name in sorted(names, key=java_order)]
            return Built(STRING.not_null(), _joined("{{", texts, "}}"))
        text = _joined("{{", list(parts.values()), "}}")
        return Built(STRING.not_null(), f"{ORDERED}({text})")

    example = (
        "JSON_OBJECT('a' VALUE 1)" if not absent else "JSON_OBJECT('a' VALUE 1 ABSENT ON NULL)"
    )
    doc = "A JSON object of keys and values; a NULL is null, or left out with ABSENT ON NULL."
    return Function((name,), (0, UNBOUNDED), builder, doc, (example, '{"a":1}'))


def _array(absent: bool) -> Function:
    name = "JSON_ARRAY" if absent else "JSON_ARRAY_NULL_ON_NULL"

    def builder(args: Arguments, context: CallContext) -> Built:
        check("JSON_ARRAY", args, ("text",))
        parts = [f"{{{i}}}" if absent else f"coalesce({{{i}}}, 'null')" for i in range(len(args))]
        return Built(STRING.not_null(), _joined("[", parts, "]"))

    example = "JSON_ARRAY(1, 'a')" if absent else "JSON_ARRAY(1, 'a' NULL ON NULL)"
    doc = "A JSON array of values; a NULL is left out, or null with NULL ON NULL."
    return Function((name,), (0, UNBOUNDED), builder, doc, (example, '[1,"a"]'))


def _joined(opening: str, parts: list[str], closing: str) -> str:
    """The parts that are not NULL between brackets."""
    if not parts:
        return f"('{opening}{closing}')"
    return f"('{opening}' || concat_ws(',', {', '.join(f'({p})' for p in parts)}) || '{closing}')"


def _json(args: Arguments, context: CallContext) -> Built:
    """Text that is JSON already."""
    check("JSON", args, ("text",))
    wrong = "error('JSON() needs text that is JSON')"
    text = (
        f"(CASE WHEN {{0}} IS NULL THEN NULL WHEN NOT json_valid({{0}}) THEN {wrong} "
        f"ELSE coalesce({ORDERED}({{0}}), {{0}}) END)"
    )
    return Built(STRING if args[0].type.nullable else STRING.not_null(), text)


register(
    (
        _object(False),
        _object(True),
        _array(False),
        _array(True),
        Function(
            ("JSON",),
            (1, 1),
            _json,
            "JSON text as a value of JSON_OBJECT and JSON_ARRAY.",
            ("JSON_OBJECT('a' VALUE JSON('[1]'))", '{"a":[1]}'),
        ),
    )
)
