"""CSV records: a line per record, fields by position.

Read by Arrow's reader as text columns, all records of a batch at once, then held to Flink's
rules for each type. A record that would break the lines (a quoted line end, too few fields) is
found by the row count and the batch is then read record by record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from eddyline.errors import EddylineError
from eddyline.options.formats import csv as rows
from eddyline.record.formats import spelling
from eddyline.record.formats.coerce import SQL, column, from_text, to_text
from eddyline.record.formats.format import BadField, Decoded, Kinds, shown
from eddyline.record.formats.kernel import FormatConnection
from eddyline.record.schema import Schema
from eddyline.record.types import DataType, Root, quote


class _Style:
    """How fields are written: delimiter, quote, escape, NULL."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.delimiter = rows.FIELD_DELIMITER.read(options)
        quotes = not rows.DISABLE_QUOTES.read(options)
        self.quote = rows.QUOTE_CHARACTER.read(options) if quotes else None
        self.escape = rows.ESCAPE_CHARACTER.get(options)
        self.null = rows.NULL_LITERAL.get(options)
        self.comments = rows.ALLOW_COMMENTS.read(options)
        self.element = rows.ARRAY_DELIMITER.read(options)
        self.trims = rows.TRIM_SPACES.read(options)
        self.empty_is_null = rows.EMPTY_STRING_AS_NULL.read(options)
        self.takes_trailing_comma = rows.ALLOW_TRAILING_COMMA.read(options)
        self.ignores_more = rows.IGNORE_TRAILING.read(options)
        self.fails_on_fewer = rows.FAIL_ON_MISSING_COLUMNS.read(options)
        self.scientific = rows.SCIENTIFIC_DECIMALS.read(options)


class CsvDecoder:
    """Lines to rows."""

    def __init__(self, schema: Schema, options: Mapping[str, str], threads: int = 1) -> None:
        self.schema = schema
        self._style = _Style(options)
        self._kernel = FormatConnection(threads)
        element = self._style.element
        values = [f"{_read(c.type, _nth(i), element)} AS {_nth(i)}" for i, c in enumerate(schema)]
        self._sql = f"SELECT {', '.join(values)} FROM p"

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One row per record; see ``Decoder``."""
        if not len(self.schema):  # no field is read: each record is a row
            return Decoded(pa.table({"c": payload}).select([]))
        origin = None
        if self._style.comments:
            is_comment = pc.starts_with(payload, b"#").to_numpy(zero_copy_only=False)
            origin = np.flatnonzero(~is_comment)
            payload = payload.take(pa.array(origin))
        texts, errors = self._fields(payload)
        texts = self._cleaned(texts)
        values = self._kernel.query(self._sql, texts).rename_columns(list(self.schema.names))
        expected = self.schema.arrow()
        table = values if values.schema.equals(expected) else values.cast(expected)
        assert table.num_rows == len(payload), "a record was lost or doubled in decoding"
        errors += self._misfits(table, texts)
        if origin is not None:
            errors = [replace(e, row=int(origin[e.row])) for e in errors]
        return Decoded(table, tuple(sorted(errors, key=lambda e: e.row)), origin=origin)

    def _fields(self, payload: pa.BinaryArray) -> tuple[pa.Table, list[BadField]]:
        names = [_nth(i) for i in range(len(self.schema))]
        body = b"\n".join(line.rstrip(b"\r\n") for line in payload.to_pylist())
        style = self._style
        if len(payload):
            parse = arrow_csv.ParseOptions(
                delimiter=style.delimiter,
                quote_char=style.quote or False,
                escape_char=style.escape or False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            )
            kinds = dict.fromkeys(names, pa.string())
            convert = arrow_csv.ConvertOptions(
                column_types=kinds, strings_can_be_null=False, quoted_strings_can_be_null=False
            )
            read = arrow_csv.ReadOptions(column_names=names)
            try:
                table = arrow_csv.read_csv(io.BytesIO(body), read, parse, convert)
            except pa.ArrowInvalid:
                table = None
            if table is not None and table.num_rows == len(payload):
                return table, []
        return self._one_by_one(payload)

    def _one_by_one(self, payload: pa.BinaryArray) -> tuple[pa.Table, list[BadField]]:
        names = [_nth(i) for i in range(len(self.schema))]
        columns: list[list[str | None]] = [[] for _ in names]
        errors: list[BadField] = []
        for row, raw in enumerate(payload.to_pylist()):
            text = raw.decode(errors="replace").rstrip("\r\n")
            fields: list[str | None] = list(self._split(text))
            if len(fields) != len(names):
                fields, error = self._fitted(row, text, fields)
                errors += [error] if error else []
            fields += [None] * (len(names) - len(fields))
            for i, values in enumerate(columns):
                values.append(fields[i])
        arrays = [pa.array(c, pa.string()) for c in columns]
        return pa.table(arrays, names=names), errors

    def _fitted(
        self, row: int, text: str, fields: list[str | None]
    ) -> tuple[list[str | None], BadField | None]:
        """The fields of a line that has too many or too few, and what is wrong with it."""
        n, style = len(self.schema), self._style
        if len(fields) > n:
            trailing = len(fields) == n + 1 and not fields[n] and style.takes_trailing_comma
            if trailing or style.ignores_more:
                return fields[:n], None
            reason = f"it has {len(fields)} fields, not {n}"
            return [], BadField(row, None, shown(text), reason)
        reason = f"the line has {len(fields)} fields, not {n}"
        # A whole record that does not fit is skipped where errors are ignored, a field is NULL.
        column = None if style.fails_on_fewer else self.schema.names[len(fields)]
        return fields, BadField(row, column, shown(text), reason)

    def _split(self, text: str) -> list[str]:
        style = self._style
        reader = csv.reader(
            [text],
            delimiter=style.delimiter,
            quotechar=style.quote,
            escapechar=style.escape,
            quoting=csv.QUOTE_MINIMAL if style.quote else csv.QUOTE_NONE,
        )
        return next(iter(reader), [])

    def _cleaned(self, texts: pa.Table) -> pa.Table:
        """Fields without the spaces around them, and NULL for what is spelt as NULL."""
        style = self._style
        columns = texts.columns
        if style.trims:
            columns = [pc.utf8_trim(c, " ") for c in columns]
        nulls = ([""] if style.empty_is_null else []) + ([] if style.null is None else [style.null])
        for null in nulls:
            columns = [
                pc.if_else(pc.equal(c, null), pa.scalar(None, pa.string()), c) for c in columns
            ]
        return pa.table(columns, names=texts.column_names)

    def _misfits(self, table: pa.Table, texts: pa.Table) -> list[BadField]:
        """Fields with a text but no value; an empty field of another type than text is NULL."""
        out = []
        for i, c in enumerate(self.schema):
            if not table.column(i).null_count:
                continue
            text = texts.column(i)
            bad = pc.and_(pc.is_null(table.column(i)), pc.not_equal(pc.fill_null(text, ""), ""))
            for row in np.flatnonzero(bad.combine_chunks().to_numpy(zero_copy_only=False)):
                reason = f"it is no {c.type.null()}"
                out.append(BadField(int(row), c.name, shown(text[int(row)].as_py()), reason))
        return out


# Jackson encloses a text in quotes if it is longer than this, without looking at it.
_QUOTE_CHECK_MAX = 24


class CsvEncoder:
    """Rows to lines, without a line end, quoted as Jackson quotes them."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        self._style = style = _Style(options)
        self._kernel = FormatConnection(1)
        null = _literal(style.null or "")
        parts = [f"coalesce({self._field(c.type, _nth(i))}, {null})" for i, c in enumerate(schema)]
        glue = _literal(style.delimiter)
        self._sql = f"SELECT {f' || {glue} || '.join(parts)} AS line FROM p"

    def encode(self, batch: pa.Table, kinds: Kinds | None = None) -> pa.BinaryArray:
        """One line per row."""
        by_position = batch.rename_columns([_nth(i) for i in range(batch.num_columns)])
        lines = self._kernel.query(self._sql, by_position)["line"]
        return lines.combine_chunks().cast(pa.binary())

    def _field(self, t: DataType, value: str) -> str:
        if t.root in (Root.ARRAY, Root.ROW):
            return self._elements(t, value)
        if t.root is Root.MAP:
            hint = "csv holds values, ARRAY and ROW; write a MAP with format json"
            raise EddylineError("sql_unsupported", f"format csv cannot hold {t}", hint=hint)
        text = self._plain(t, value)
        is_quoted = t.is_text or t.is_timestamp or t.root in (Root.BINARY, Root.VARBINARY)
        return self._quoted(text) if is_quoted and self._style.quote else text

    def _plain(self, t: DataType, value: str) -> str:
        if t.root in (Root.FLOAT, Root.DOUBLE):
            return spelling.approximate(value)
        if t.root is Root.DECIMAL:
            scientific = self._style.scientific
            return spelling.decimal(value) if scientific else spelling.plain_decimal(value)
        return f"{to_text(t, value)}::VARCHAR"

    def _elements(self, t: DataType, value: str) -> str:
        null = _literal(self._style.null or "")
        glue = _literal(self._style.element)
        if t.root is Root.ARRAY:
            item = f"coalesce({self._plain(t.children[0], 'e')}, {null})"
            return f"array_to_string(list_transform({value}, lambda e: {item}), {glue})"
        fields = zip(t.names, t.children, strict=True)
        items = [f"coalesce({self._plain(c, column(value, n))}, {null})" for n, c in fields]
        return f"CASE WHEN {value} IS NOT NULL THEN {f' || {glue} || '.join(items)} END"

    def _quoted(self, text: str) -> str:
        style = self._style
        assert style.quote is not None
        q, escape = _literal(style.quote), style.escape
        least = max(map(ord, (style.delimiter, style.quote, escape or "\r", "\r"))) + 1
        risky = f"length({text}) > {_QUOTE_CHECK_MAX} OR regexp_matches({text}, {_below(least)})"
        doubled = f"replace({text}, {q}, {_literal(style.quote * 2)})"
        if escape is not None and escape != style.quote:
            doubled = f"replace({doubled}, {_literal(escape)}, {_literal(escape * 2)})"
        return f"CASE WHEN {risky} THEN {q} || {doubled} || {q} ELSE {text} END"


def _below(code: int) -> str:
    """A pattern of the characters below a code."""
    return f"'[\\x{{00}}-\\x{{{code - 1:x}}}]'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _nth(position: int) -> str:
    """What the column at a position is called in the statements: DuckDB does not tell ``id`` from
    ``ID``, but a table's columns may be called so."""
    return f"c{position}"


def _read(t: DataType, text: str, element: str) -> str:
    if t.root is Root.ARRAY:
        item = _read(t.children[0], "e", element)
        items = f"list_transform(string_split({text}, {_literal(element)}), lambda e: {item})"
        return f"CASE WHEN {text} <> '' THEN {items} END"
    if t.root is Root.ROW:
        parts = f"string_split({text}, {_literal(element)})"
        fields = [
            f"{quote(n)} := {_read(c, f'{parts}[{i + 1}]', element)}"
            for i, (n, c) in enumerate(zip(t.names, t.children, strict=True))
        ]
        return f"CASE WHEN {text} <> '' THEN struct_pack({', '.join(fields)}) END"
    if t.root is Root.BOOLEAN or not t.is_text:
        return f"CASE WHEN {text} <> '' THEN {from_text(t, text, SQL)} END"
    return text
