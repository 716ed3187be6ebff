"""Hive's spelling of column types, as the Glue catalog has them, to and from our types."""

from __future__ import annotations

import re

from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.types import VARCHAR_MAX, DataType, Root

_SIMPLE: dict[str, DataType] = {
    "boolean": t.BOOLEAN,
    "tinyint": t.TINYINT,
    "smallint": t.SMALLINT,
    "int": t.INT,
    "integer": t.INT,
    "bigint": t.BIGINT,
    "long": t.BIGINT,
    "float": t.FLOAT,
    "double": t.DOUBLE,
    "string": t.STRING,
    "binary": t.BYTES_TYPE,
    "date": t.DATE,
    # The precision of a row time; a table made by SQL keeps the one that it was given.
    "timestamp": t.timestamp(3),
    "decimal": t.decimal(10, 0),
}
_NAMES: dict[Root, str] = {
    Root.BOOLEAN: "boolean",
    Root.TINYINT: "tinyint",
    Root.SMALLINT: "smallint",
    Root.INT: "int",
    Root.BIGINT: "bigint",
    Root.FLOAT: "float",
    Root.DOUBLE: "double",
    Root.BINARY: "binary",
    Root.VARBINARY: "binary",
    Root.DATE: "date",
    Root.TIMESTAMP: "timestamp",
    Root.TIMESTAMP_LTZ: "timestamp",
    # Hive has neither of these.
    Root.TIME: "string",
    Root.NULL: "string",
    Root.INTERVAL_MONTH: "string",
    Root.INTERVAL_SECOND: "string",
}
_SIZED = re.compile(r"(decimal|char|varchar)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")


def hive_type(kind: DataType) -> str:
    """A type as Hive writes it; what Hive lacks is a string."""
    if kind.root is Root.DECIMAL:
        return f"decimal({kind.precision},{kind.scale})"
    if kind.root is Root.CHAR:
        return f"char({kind.precision})"
    if kind.root is Root.VARCHAR:
        return "string" if kind.precision == VARCHAR_MAX else f"varchar({kind.precision})"
    if kind.root is Root.ARRAY:
        return f"array<{hive_type(kind.children[0])}>"
    if kind.root is Root.MAP:
        return f"map<{hive_type(kind.children[0])},{hive_type(kind.children[1])}>"
    if kind.root is Root.ROW:
        fields = zip(kind.names, kind.children, strict=True)
        return f"struct<{','.join(f'{n}:{hive_type(c)}' for n, c in fields)}>"
    return _NAMES[kind.root]


def read_hive_type(text: str, column: str) -> DataType:
    """The type that Hive's spelling means.

    Raises:
        EddylineError: ``invalid_argument`` naming the column.
    """
    word = text.strip()
    lower = word.lower()
    if lower in _SIMPLE:
        return _SIMPLE[lower]
    if sized := _SIZED.fullmatch(lower):
        size, scale = int(sized[2]), int(sized[3] or 0)
        kinds = {
            "decimal": t.decimal(size, scale),
            "char": t.char(size),
            "varchar": t.varchar(size),
        }
        return kinds[sized[1]]
    name, _, rest = word.partition("<")
    if rest.endswith(">"):
        parts = _parts(rest[:-1])
        if name.lower() == "array" and len(parts) == 1:
            return t.array(read_hive_type(parts[0], column))
        if name.lower() == "map" and len(parts) == 2:
            key, value = (read_hive_type(part, column) for part in parts)
            return t.map_of(key, value)
        if name.lower() == "struct" and parts:
            fields = [part.partition(":") for part in parts]
            names = tuple(field[0].strip() for field in fields)
            return t.row(names, tuple(read_hive_type(field[2], column) for field in fields))
    msg = f"column {column} has the type {text[:100]!r}, which is not a type of Hive"
    hint = "write it like bigint, string, timestamp, decimal(10,2), array<int> or struct<a:int>"
    raise EddylineError("invalid_argument", msg, hint=hint)


def _parts(text: str) -> list[str]:
    """The parts between commas that are inside no bracket."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "<(":
            depth += 1
        elif char in ">)":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
