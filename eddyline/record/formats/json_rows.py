"""JSON records of small batches, without a statement: msgspec reads and writes them one by one.

Planning a DuckDB statement costs milliseconds whatever the number of rows. For up to ``FEW_ROWS``
rows this is the cheaper way. It handles plain records only: every value in the JSON type that the
column expects, no field twice, nothing unusual in a text. For any other batch it gives None, and
the caller takes the general way, so that both ways give the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
import pyarrow as pa

from eddyline.record.formats.coerce import ISO
from eddyline.record.plain_rows import PlainRows, arrow_types
from eddyline.record.schema import Schema
from eddyline.record.types import BITS, DataType, Root

# Names that a record spells in one way only, unless it escapes characters for no reason.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ .-]+")
_UNUSUAL = re.compile(r"[\x00-\x1f]")
# Doubles in this range are spelt without an exponent, here as in Java.
_SPELT_MIN, _SPELT_MAX = 1e-3, 1e7
_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)  # noqa: DTZ001


class JsonRows:
    """Reads records under a schema; see ``rows_reader``."""

    def __init__(self, schema: Schema, style: str) -> None:
        self._types = arrow_types(schema)
        self._keys = [f'"{c.name}"'.encode() for c in schema]
        self._times = [i for i, c in enumerate(schema) if c.type.is_timestamp]
        separator = "T" if style == ISO else " "
        self._time = re.compile(
            rf"[1-9]\d{{3}}-\d\d-\d\d{separator}\d\d:\d\d:\d\d(?:\.\d{{1,3}})?", re.ASCII
        )
        names = [f"c{i}" for i in range(len(schema))]
        fields = [
            (name, _read_as(c.type) | None | msgspec.UnsetType, msgspec.UNSET)
            for name, c in zip(names, schema, strict=True)
        ]
        rename = dict(zip(names, schema.names, strict=True))
        record = msgspec.defstruct("Record", fields, rename=rename, gc=False)
        self._decode = msgspec.json.Decoder(record).decode
        self._names = names

    def read(self, payload: pa.BinaryArray) -> PlainRows | None:
        """One row per record; None if a record is not plain."""
        records = payload.to_pylist()
        try:
            text = b"\n".join(records)
            text.decode()
            rows = [self._decode(record) for record in records]
        except (TypeError, UnicodeDecodeError, msgspec.DecodeError):
            return None
        if b"\\u" in text:
            return None
        columns: list[list[Any]] = []
        for name, key in zip(self._names, self._keys, strict=True):
            values = [getattr(row, name) for row in rows]
            absent = values.count(msgspec.UNSET)
            if text.count(key) != len(rows) - absent:  # a field twice, or its name in a text
                return None
            columns.append(
                [None if v is msgspec.UNSET else v for v in values] if absent else values
            )
        for i in self._times:
            times = self._read_times(columns[i])
            if times is None:
                return None
            columns[i] = times
        return PlainRows(len(rows), dict(zip(self._types, columns, strict=True)), self._types)

    def _read_times(self, texts: list[str | None]) -> list[int | None] | None:
        """Microseconds since 1970."""
        plain, read = self._time.fullmatch, datetime.fromisoformat
        try:
            return [
                None if t is None else (read(t if plain(t) else "") - _EPOCH) // _MICROSECOND
                for t in texts
            ]
        except ValueError:
            return None


class JsonTexts:
    """Writes rows as JSON objects; see ``rows_writer``."""

    def __init__(self, schema: Schema, style: str) -> None:
        self._names = list(schema.names)
        self._spell = [_SPELL.get(c.type.root, _as_it_is) for c in schema]
        self._separator = "T" if style == ISO else " "
        self._encode = msgspec.json.Encoder().encode

    def write(self, values: Iterable[list[Any]]) -> list[bytes] | None:
        """One object per row, from the plain values of each column; None if a value is one of those
        that are spelt in several ways."""
        columns = []
        try:
            for column, spell in zip(values, self._spell, strict=True):
                columns.append(spell(column, self._separator))
        except (OverflowError, ValueError):  # a time beyond Python's, or an unusual value
            return None
        encode, names = self._encode, self._names
        return [encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def rows_reader(schema: Schema, style: str) -> JsonRows | None:
    """A reader for small batches; None if the schema has types that it does not handle."""
    names = [c.name for c in schema]
    folded = {name.casefold() for name in names}
    plain = all(_PLAIN_NAME.fullmatch(name) for name in names) and len(folded) == len(names)
    if not names or not plain or any(not _is_read(c.type) for c in schema):
        return None
    return JsonRows(schema, style)


def rows_writer(schema: Schema, style: str) -> JsonTexts | None:
    """A writer for small batches; None if the schema has types that it does not handle."""
    names = [c.name for c in schema]
    if not names or len(set(names)) != len(names) or any(_UNUSUAL.search(n) for n in names):
        return None
    return JsonTexts(schema, style) if all(_is_written(c.type) for c in schema) else None


def _is_read(t: DataType) -> bool:
    if t.root is Root.TIMESTAMP:
        return t.precision >= 3
    return t.root in BITS or t.root in (Root.DOUBLE, Root.BOOLEAN) or t.is_text


def _is_written(t: DataType) -> bool:
    return t.root in BITS or t.root in _SPELL


def _read_as(t: DataType) -> Any:
    if t.root in BITS:
        limit = 1 << (BITS[t.root] - 1)
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)]
    if t.root is Root.DOUBLE:
        return float
    return bool if t.root is Root.BOOLEAN else str


def _as_it_is(values: list[Any], separator: str) -> list[Any]:
    return values


def _texts(values: list[str | None], separator: str) -> list[str | None]:
    if _UNUSUAL.search("".join(filter(None, values))):
        raise ValueError
    return values


def _doubles(values: list[float | None], separator: str) -> list[float | None]:
    for v in values:
        if v is not None and v and not _SPELT_MIN <= abs(v) < _SPELT_MAX:
            raise ValueError
    return values


def _times(values: list[int | None], separator: str) -> list[str | None]:
    return [None if v is None else _time(v, separator) for v in values]


def _time(microseconds: int, separator: str) -> str:
    value = _EPOCH + timedelta(microseconds=microseconds)
    if value.year < 1000:
        raise ValueError
    text = value.isoformat(separator)
    return text.rstrip("0") if value.microsecond else text


_SPELL: dict[Root, Any] = {
    Root.BOOLEAN: _as_it_is,
    Root.DOUBLE: _doubles,
    Root.CHAR: _texts,
    Root.VARCHAR: _texts,
    Root.TIMESTAMP: _times,
}
