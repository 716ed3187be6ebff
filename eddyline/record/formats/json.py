"""JSON records: one vectorised parse per record, under the table's schema.

DuckDB's ``from_json`` parses each payload once into the columns; numbers come as they are spelt
or as doubles, times as text, and are then held to Flink's rules (Jackson's converters): 3.7 into
INT is 3, "12" into INT is 12, any value into STRING is its text, a missing key is NULL. A batch
in which a NULL appears is looked at a second time, for those rows only, to tell a missing value
from one that did not fit. Payloads are never joined into one text: a torn record must not be
able to swallow its neighbour.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.options.formats.json import (
    DECIMAL_AS_PLAIN_NUMBER,
    FAIL_ON_MISSING_FIELD,
    IGNORE_NULL_FIELDS,
    TIMESTAMP_STANDARD,
)
from eddyline.record.formats import kernel, spelling
from eddyline.record.formats.coerce import column, from_text, to_text
from eddyline.record.formats.format import BadField, Decoded, Kinds, shown
from eddyline.record.formats.json_rows import rows_reader, rows_writer
from eddyline.record.formats.kernel import FormatConnection
from eddyline.record.plain_rows import PlainRows, plain_values
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, Root, duckdb_type, quote

_SMALL_INTEGERS = {Root.TINYINT: 2**7, Root.SMALLINT: 2**15, Root.INT: 2**31}
_NESTED = (Root.ARRAY, Root.MAP, Root.ROW)


class JsonDecoder:
    """Payloads to rows. Options: timestamp-format.standard, fail-on-missing-field."""

    def __init__(self, schema: Schema, options: Mapping[str, str], threads: int = 1) -> None:
        self.schema = schema
        self._style = TIMESTAMP_STANDARD.read(options)
        self._missing_fails = FAIL_ON_MISSING_FIELD.read(options)
        self._kernel = FormatConnection(threads)
        self._fast = self._values_query(schema) if len(schema) else _KINDS
        self._slow = _texts_query(schema)
        self._rows = None if self._missing_fails else rows_reader(schema, self._style)

    def _values_query(self, schema: Schema) -> str:
        """The typed values of all records. Result columns are named by position, because DuckDB
        does not tell ``id`` from ``ID``, but JSON does."""
        structs, sources = _parsed(schema, texts=False)
        values = [
            f"{self._value(c, source)} AS {_nth(i)}"
            for i, (c, source) in enumerate(zip(schema, sources, strict=True))
        ]
        return f"SELECT {', '.join(values)} FROM (SELECT {', '.join(structs)} FROM p)"

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One row a payload; see ``Decoder``."""
        if self._rows is not None and len(payload) <= kernel.FEW_ROWS:
            plain = self._rows.read(payload)
            if plain is not None:
                return Decoded(plain.table())
        text, errors = _as_text(payload)
        try:
            rows = self._run(self._fast, text)
        except duckdb.InvalidInputException:
            text, unreadable = self._blank_malformed(text)
            errors += unreadable
            rows = self._run(self._fast, text)
        assert rows.num_rows == len(payload), "a record was lost or doubled in decoding"
        table, suspects = _typed(rows, self.schema)
        skip = {e.row for e in errors}
        errors += [e for e in self._misfits(table, suspects, text, payload) if e.row not in skip]
        return Decoded(table, tuple(sorted(errors, key=lambda e: e.row)))

    def decode_plain(self, payload: pa.BinaryArray) -> PlainRows | None:
        """As ``decode`` for a few plain records; None if they are not."""
        return None if self._rows is None else self._rows.read(payload)

    def _run(self, sql: str, text: pa.StringArray) -> pa.Table:
        return self._kernel.query(sql, pa.table({"j": text}))

    def _value(self, c: Column, source: str) -> str:
        """The column's value from its field ``source`` of the parsed record."""
        t = c.type
        if t.root in _SMALL_INTEGERS:
            limit = _SMALL_INTEGERS[t.root]
            fits = f"{source} > {-limit - 1} AND {source} < {limit}"
            return f"CASE WHEN {fits} THEN trunc({source})::{duckdb_type(t)} END"
        if t.root is Root.BIGINT:
            plain = from_text(t, source)
            return f"coalesce({plain}, {_whole_part(source)})"
        if t.root is Root.DOUBLE:
            return source
        if t.root in _NESTED:
            return _nested(t, source, self._style)
        return from_text(t, source, self._style)

    def _blank_malformed(self, text: pa.StringArray) -> tuple[pa.StringArray, list[BadField]]:
        """Unreadable records become ``{}`` so that the others can be decoded."""
        valid = self._run("SELECT json_valid(j) AS ok FROM p", text)["ok"].combine_chunks()
        bad = np.flatnonzero(~valid.to_numpy(zero_copy_only=False))
        errors = [self._malformed(int(row), text[int(row)].as_py()) for row in bad]
        return pc.if_else(valid, text, "{}"), errors

    def _malformed(self, row: int, text: str) -> BadField:
        if not text.strip():
            return BadField(row, None, "", "it is empty")
        try:
            json.loads(text)
        except ValueError as e:
            return BadField(row, None, shown(text), f"it is not JSON: {e}")
        return BadField(row, None, shown(text), "it is not JSON")

    def _misfits(
        self,
        table: pa.Table,
        rows: npt.NDArray[np.int64],
        text: pa.StringArray,
        payload: pa.BinaryArray,
    ) -> Iterator[BadField]:
        """Values of ``rows`` that are NULL although the record holds something."""
        if not len(rows):
            return
        picked = pa.array(rows)
        second = self._run(self._slow, text.take(picked))
        kinds = second["kind"].combine_chunks()
        if pc.any(pc.not_equal(kinds, "OBJECT")).as_py():
            yield from _not_objects(rows, kinds, payload)
        for i, c in enumerate(self.schema):
            empty = pc.is_null(table.column(i).take(picked))
            yield from self._column_misfits(i, c, rows, empty, second)

    def _column_misfits(
        self,
        nth: int,
        c: Column,
        rows: npt.NDArray[np.int64],
        empty: pa.ChunkedArray,
        second: pa.Table,
    ) -> Iterator[BadField]:
        texts = second[f"text{nth}"]
        bad = pc.and_(empty, pc.is_valid(texts))
        if c.type.root is Root.DECIMAL:  # one with too many digits is NULL in Flink
            bad = pc.and_(bad, pc.invert(pc.match_substring_regex(texts, _NUMBER)))
        for i in np.flatnonzero(_mask(bad)):
            text = texts[int(i)].as_py()
            yield BadField(int(rows[i]), c.name, shown(str(text)), f"it is not {_article(c.type)}")
        if self._missing_fails:
            there = pc.invert(second[f"exists{nth}"])
            for i in np.flatnonzero(_mask(pc.and_(empty, there))):
                yield BadField(int(rows[i]), c.name, "", "the field is missing")


_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


class JsonEncoder:
    """Rows to JSON objects, numbers and times as Flink writes them."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        self.schema = schema
        self._kernel = FormatConnection(1)
        self._rows = None
        if not IGNORE_NULL_FIELDS.read(options):
            self._rows = rows_writer(schema, TIMESTAMP_STANDARD.read(options))
        writer = JsonText(options)
        fields = [(c.name, c.type, _nth(i)) for i, c in enumerate(schema)]
        self._sql = f"SELECT {writer.object(fields)} AS j FROM p"

    def encode(self, rows: pa.Table, kinds: Kinds | None = None) -> pa.BinaryArray:
        """One JSON object per row, in the order of the schema's columns."""
        if self._rows is not None and rows.num_rows <= kernel.FEW_ROWS:
            made = self._rows.write([plain_values(column) for column in rows.columns])
            if made is not None:
                return pa.array(made, pa.binary())
        by_position = rows.rename_columns([_nth(i) for i in range(rows.num_columns)])
        text = self._kernel.query(self._sql, by_position)["j"]
        return text.combine_chunks().cast(pa.binary())

    def encode_plain(self, columns: Sequence[list[Any]]) -> list[bytes] | None:
        """As ``encode`` for few rows of plain values; None where it takes a statement."""
        return None if self._rows is None else self._rows.write(columns)


class JsonText:
    """Values as JSON text: expressions of DuckDB, NULL for NULL."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._style = TIMESTAMP_STANDARD.read(options)
        self._skips_nulls = IGNORE_NULL_FIELDS.read(options)
        self._plain = DECIMAL_AS_PLAIN_NUMBER.read(options)

    def object(self, fields: Sequence[tuple[str, DataType, str]]) -> str:
        """A JSON object of (name, type, value) fields."""
        if not fields:
            return "'{}'"
        pieces = []
        for name, kind, value in fields:
            key = json.dumps(name, ensure_ascii=False) + ":"
            text = self.value(kind, value)
            if self._skips_nulls:
                pieces.append(f"CASE WHEN {value} IS NOT NULL THEN {_literal(key)} || {text} END")
            else:
                pieces.append(f"{_literal(key)} || coalesce({text}, 'null')")
        return f"('{{' || concat_ws(',', {', '.join(pieces)}) || '}}')"

    def value(self, t: DataType, value: str, depth: int = 0) -> str:
        """One value."""
        if t.root is Root.ROW:
            inner = [(n, c, column(value, n)) for n, c in zip(t.names, t.children, strict=True)]
            return f"CASE WHEN {value} IS NOT NULL THEN {self.object(inner)} END"
        if t.root is Root.ARRAY:
            e = f"e{depth}"
            item = f"coalesce({self.value(t.children[0], e, depth + 1)}, 'null')"
            return self._joined(f"list_transform({value}, lambda {e}: {item})", "[", "]")
        if t.root is Root.MAP:
            e = f"e{depth}"
            key, kind = t.children
            name = f"to_json({to_text(key, f'{e}.key', self._style)}::VARCHAR)::VARCHAR"
            item = f"coalesce({self.value(kind, f'{e}.value', depth + 1)}, 'null')"
            pairs = f"list_transform(map_entries({value}), lambda {e}: {name} || ':' || {item})"
            return self._joined(pairs, "{", "}")
        if t.root in (Root.FLOAT, Root.DOUBLE):
            special = f"isnan({value}) OR isinf({value})"
            text = spelling.approximate(value)
            return f"CASE WHEN {special} THEN '\"' || {text} || '\"' ELSE {text} END"
        if t.root is Root.DECIMAL:
            return spelling.plain_decimal(value) if self._plain else spelling.decimal(value)
        if t.is_integer or t.root in (Root.BOOLEAN, Root.INTERVAL_MONTH, Root.INTERVAL_SECOND):
            return f"{value}::VARCHAR"
        return f"to_json({to_text(t, value, self._style)}::VARCHAR)::VARCHAR"

    def _joined(self, items: str, start: str, end: str) -> str:
        return f"('{start}' || array_to_string({items}, ',') || '{end}')"


# The kind of each record's outermost value; fails for a record that is not JSON.
_KINDS = "SELECT json_type(j) AS kind FROM p"


def _nth(position: int) -> str:
    """What the column at a position of the schema is called in the statements."""
    return f"c{position}"


def _parsed(schema: Schema, *, texts: bool) -> tuple[list[str], list[str]]:
    """The structs that a record is parsed into, and each column's field in them.

    One struct, unless names differ in case only: then as many as there are spellings of a name,
    because the fields of a DuckDB struct cannot differ in case only.
    """
    structs: list[dict[str, Any]] = []
    fields = []
    for c in schema:
        folded = c.name.casefold()
        spelt = [{name.casefold() for name in s} for s in structs]
        nth = next((i for i, names in enumerate(spelt) if folded not in names), len(structs))
        if nth == len(structs):
            structs.append({})
        structs[nth][c.name] = _shape(c.type, texts)
        fields.append(column(f"s{nth}", c.name))
    literals = [_literal(json.dumps(s, ensure_ascii=False)) for s in structs]
    return [f"from_json(j, {text}) AS s{i}" for i, text in enumerate(literals)], fields


def _texts_query(schema: Schema) -> str:
    """Each record's kind, and each column as its text and whether the record has it."""
    if not len(schema):
        return _KINDS
    structs, fields = _parsed(schema, texts=True)
    texts = [f"{field} AS text{i}" for i, field in enumerate(fields)]
    exists = [f"json_exists(j, {_path(c.name)}) AS exists{i}" for i, c in enumerate(schema)]
    return (
        f"SELECT json_type(j) AS kind, {', '.join(texts + exists)} "
        f"FROM (SELECT j, {', '.join(structs)} FROM p)"
    )


def _shape(t: DataType, texts: bool) -> Any:
    if texts:
        return "VARCHAR"
    if t.root in _SMALL_INTEGERS or t.root is Root.DOUBLE:
        return "DOUBLE"
    if t.root is Root.ARRAY:
        return [_deep(t.children[0])]
    return _deep(t)


def _deep(t: DataType) -> Any:
    if t.root is Root.ARRAY:
        return [_deep(t.children[0])]
    if t.root is Root.MAP:
        value = t.children[1]
        inner = _deep(value)
        return f"MAP(VARCHAR, {inner})" if isinstance(inner, str) else "JSON"
    if t.root is Root.ROW:
        return {n: _deep(c) for n, c in zip(t.names, t.children, strict=True)}
    return "VARCHAR"


def _nested(t: DataType, source: str, style: str, depth: int = 0) -> str:
    """A nested value whose leaves are texts, with each leaf read."""
    if t.root is Root.ARRAY:
        item = f"e{depth}"
        inner = _nested(t.children[0], item, style, depth + 1)
        return f"list_transform({source}, lambda {item}: {inner})"
    if t.root is Root.MAP:
        item = f"e{depth}"
        key = _nested(t.children[0], f"{item}.key", style, depth + 1)
        value = _nested(t.children[1], f"{item}.value", style, depth + 1)
        pair = f"struct_pack(key := {key}, value := {value})"
        return f"map_from_entries(list_transform(map_entries({source}), lambda {item}: {pair}))"
    if t.root is Root.ROW:
        fields = zip(t.names, t.children, strict=True)
        parts = [f"{quote(n)} := {_nested(c, column(source, n), style, depth)}" for n, c in fields]
        return f"CASE WHEN {source} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"
    if t.is_integer:
        return f"coalesce({from_text(t, source)}, {_whole_part(source, t)})"
    return from_text(t, source, style)


def _whole_part(source: str, t: DataType | None = None) -> str:
    """A fraction or an exponent into an integer column: cut, as Jackson does."""
    kind = duckdb_type(t) if t else "BIGINT"
    return f"TRY_CAST(trunc(TRY_CAST({source} AS DOUBLE)) AS {kind})"


def _as_text(payload: pa.BinaryArray) -> tuple[pa.StringArray, list[BadField]]:
    """Payloads as text; one that is not UTF-8 becomes ``{}`` and an error."""
    try:
        text = payload.cast(pa.string())
    except pa.ArrowInvalid:
        return _repaired(payload)
    return (pc.fill_null(text, "") if text.null_count else text), []


def _repaired(payload: pa.BinaryArray) -> tuple[pa.StringArray, list[BadField]]:
    texts, errors = [], []
    for row, value in enumerate(payload.to_pylist()):
        try:
            texts.append((value or b"").decode())
        except UnicodeDecodeError as e:
            texts.append("{}")
            text = shown(value.decode(errors="replace"))
            errors.append(BadField(row, None, text, f"it is not UTF-8 (byte {e.start})"))
    return pa.array(texts, pa.string()), errors


def _typed(rows: pa.Table, schema: Schema) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Rows in the schema's names and types, and which rows may hide a value that does not fit."""
    if not len(schema):
        others = pc.not_equal(rows["kind"], "OBJECT")
        return rows.select([]), np.flatnonzero(_mask(others))
    rows = rows.rename_columns(list(schema.names))
    expected = schema.arrow()
    table = rows if rows.schema.equals(expected) else rows.cast(expected)
    return table, _rows_with_null(table)


def _rows_with_null(table: pa.Table) -> npt.NDArray[np.int64]:
    """Rows in which some column is NULL."""
    mask = np.zeros(table.num_rows, np.bool_)
    for c in table.columns:
        if c.null_count:
            mask |= _mask(c.is_null())
    return np.flatnonzero(mask)


def _not_objects(
    rows: npt.NDArray[np.int64], kinds: pa.Array, payload: pa.BinaryArray
) -> Iterator[BadField]:
    for i, kind in enumerate(kinds.to_pylist()):
        if kind != "OBJECT":
            row = int(rows[i])
            text = payload[row].as_py().decode(errors="replace")
            yield BadField(row, None, shown(text), f"it is a JSON {kind.lower()}, not an object")


def _mask(values: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    mask: npt.NDArray[np.bool_] = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return mask


def _article(t: DataType) -> str:
    name = str(t.null())
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


def _path(name: str) -> str:
    return _literal('$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
