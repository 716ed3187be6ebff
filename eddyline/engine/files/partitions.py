"""Partitions of a folder as Hive lays them out: ``day=2026-01-01/country=DE/part-0``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.record.types import DataType, arrow_type

# What Hive escapes in a value of a path.
_ESCAPED = "\"#%'*/:=?\\{[]^\x7f" + "".join(map(chr, range(1, 32)))
_UNSAFE = re.compile("[" + re.escape(_ESCAPED) + "]")


def path_of(columns: Sequence[str], values: Sequence[str | None], default: str) -> str:
    """The folder of a partition; NULL and the empty text are the default partition."""
    pairs = zip(columns, values, strict=True)
    return "/".join(f"{_escaped(c)}={_escaped(v) if v else default}" for c, v in pairs)


def values_of(relative: str, columns: Sequence[str], default: str) -> dict[str, str | None] | None:
    """The values that the folders of a file say; None if a column is not among them."""
    folders = (part.partition("=") for part in relative.split("/")[:-1])
    values = {unquote(name): unquote(value) for name, sign, value in folders if sign}
    if any(c not in values for c in columns):
        return None
    return {c: None if values[c] == default else values[c] for c in columns}


def column_of(value: str | None, kind: DataType, rows: int) -> pa.Array:
    """A column that holds the value of a partition in each row.

    Raises:
        pyarrow.ArrowInvalid: for a text that is not of the type.
    """
    text = pa.array([value], pa.string())
    if kind.is_timestamp and value is not None:
        text = pc.replace_substring(text, "T", " ")
    return pa.repeat(text.cast(arrow_type(kind), safe=False)[0], rows)


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda m: f"%{ord(m[0]):02X}", text)
