"""Casts of arrays, maps and rows: what is inside is cast one by one."""

from __future__ import annotations

from eddyline.functions.casts.rule import Cast, clipped
from eddyline.record.types import STRING, TEXT, DataType, Root, quote

COLLECTIONS = (Root.ARRAY, Root.MAP, Root.ROW)


def pairs(source: DataType, target: DataType) -> list[tuple[DataType, DataType]] | None:
    """Types inside a value, each with its target's; None if their numbers differ."""
    if source.root not in COLLECTIONS:
        return []
    if target.root in TEXT:
        return [(c, STRING) for c in source.children]
    if len(source.children) != len(target.children):
        return None
    return list(zip(source.children, target.children, strict=True))


def _variable(text: str) -> str:
    """A name that is neither a column's nor that of a lambda around it."""
    return f"_e{len(text)}"


def _array_shown(c: Cast) -> str:
    """``[1, NULL]``"""
    e = _variable(c.text)
    inner = c.inner(e, c.source.children[0], STRING)
    items = f"list_transform({c.text}, lambda {e}: coalesce({inner}, 'NULL'))"
    return clipped(f"('[' || array_to_string({items}, ', ') || ']')", c.target)


def _map_shown(c: Cast) -> str:
    """``{a=1, b=NULL}``"""
    e = _variable(c.text)
    key = c.inner(f"{e}.key", c.source.children[0], STRING)
    value = c.inner(f"{e}.value", c.source.children[1], STRING)
    entry = f"coalesce({key}, 'NULL') || '=' || coalesce({value}, 'NULL')"
    items = f"list_transform(map_entries({c.text}), lambda {e}: {entry})"
    return clipped(f"('{{{{' || array_to_string({items}, ', ') || '}}}}')", c.target)


def _row_shown(c: Cast) -> str:
    """``(1, x)``, an object ``(a=1, b=x)``; the row itself may be NULL."""
    parts = []
    for name, kind in zip(c.source.names, c.source.children, strict=True):
        shown = c.inner(_field(c.text, name), kind, STRING)
        label = f"'{_text(name)}=' || " if c.source.is_structured else ""
        parts.append(f"{label}coalesce({shown}, 'NULL')")
    inner = " || ', ' || ".join(parts)
    return clipped(f"CASE WHEN ({c.text}) IS NOT NULL THEN '(' || {inner} || ')' END", c.target)


def _field(text: str, name: str) -> str:
    return f"struct_extract({text}, '{_text(name)}')"


def _text(name: str) -> str:
    return name.replace("'", "''").replace("{", "{{").replace("}", "}}")


def _array(c: Cast) -> str:
    e = _variable(c.text)
    inner = c.inner(e, c.source.children[0], c.target.children[0])
    return inner if inner == c.text else f"list_transform({c.text}, lambda {e}: {inner})"


def _map(c: Cast) -> str:
    e = _variable(c.text)
    key = c.inner(f"{e}.key", c.source.children[0], c.target.children[0])
    value = c.inner(f"{e}.value", c.source.children[1], c.target.children[1])
    pair = f"struct_pack(key := {key}, value := {value})"
    entries = f"list_transform(map_entries({c.text}), lambda {e}: {pair})"
    return f"CASE WHEN {c.text} IS NOT NULL THEN map_from_entries({entries}) END"


def _row(c: Cast) -> str:
    """Field by field, by place: names need not agree."""
    parts = []
    fields = zip(c.source.names, c.source.children, strict=True)
    for (name, kind), new, to in zip(fields, c.target.names, c.target.children, strict=True):
        label = quote(new).replace("{", "{{").replace("}", "}}")
        parts.append(f"{label} := {c.inner(_field(c.text, name), kind, to)}")
    return f"CASE WHEN {c.text} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"


RULES = (
    ((Root.ARRAY,), (Root.ARRAY,), _array),
    ((Root.ARRAY,), TEXT, _array_shown),
    ((Root.MAP,), TEXT, _map_shown),
    ((Root.ROW,), TEXT, _row_shown),
    ((Root.MAP,), (Root.MAP,), _map),
    ((Root.ROW,), (Root.ROW,), _row),
)
