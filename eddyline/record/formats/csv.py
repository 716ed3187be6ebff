"""CSV records: a line a record, fields by position.

Read by Arrow's reader as text columns, all records of a batch at once, then held to Flink's
rules for each type. A record that would break the lines (a quoted line end, too few fields) is
found by the row count and the batch is then read record by record.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from eddyline.errors import EddylineError
from eddyline.record.formats.coerce import SQL, from_text, to_text
from eddyline.record.formats.format import BadField, Decoded, flag, shown
from eddyline.record.formats.kernel import Kernel
from eddyline.record.schema import Schema
from eddyline.record.types import DataType, Root


def make_decoder(schema: Schema, options: Mapping[str, str], threads: int = 1) -> CsvDecoder:
    return CsvDecoder(schema, options, threads)


def make_encoder(schema: Schema, options: Mapping[str, str]) -> CsvEncoder:
    return CsvEncoder(schema, options)


class _Style:
    """How fields are written: delimiter, quote, escape, NULL."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.delimiter = _character(options.get("field-delimiter", ","))
        quotes = not flag(options, "disable-quote-character")
        self.quote = options.get("quote-character", '"') if quotes else None
        self.escape = options.get("escape-character")
        self.null = options.get("null-literal")
        self.comments = flag(options, "allow-comments")


def _character(text: str) -> str:
    r"""One character, which may be written as ``\t`` or ``\u0001``.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    plain = plain.replace("\\t", "\t").replace("\\\\", "\\")
    if len(plain) == 1 and ord(plain) < 128 and plain not in "\r\n":
        return plain
    message = f"option 'csv.field-delimiter' is {text[:20]!r}, which is not one ASCII character"
    hint = r"as in ';', '\t' or '\u0001'"
    raise EddylineError("sql_semantic", message, hint=hint)


class CsvDecoder:
    """Lines to rows."""

    def __init__(self, schema: Schema, options: Mapping[str, str], threads: int = 1) -> None:
        self.schema = schema
        self._style = _Style(options)
        self._kernel = Kernel(threads)
        values = [f"{_read(c.type, _nth(i))} AS {_nth(i)}" for i, c in enumerate(schema)]
        self._sql = f"SELECT {', '.join(values)} FROM p"

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One row per record; see ``Decoder``."""
        if not len(self.schema):  # no field is read: each record is a row
            return Decoded(pa.table({"c": payload}).select([]))
        texts, errors = self._fields(payload)
        if self._style.null is not None:
            texts = self._nulls(texts)
        rows = self._kernel.query(self._sql, texts).rename_columns(list(self.schema.names))
        wanted = self.schema.arrow()
        table = rows if rows.schema.equals(wanted) else rows.cast(wanted)
        assert table.num_rows == len(payload), "a record was lost or doubled in decoding"
        errors += self._misfits(table, texts)
        return Decoded(table, tuple(sorted(errors, key=lambda e: e.row)))

    def _fields(self, payload: pa.BinaryArray) -> tuple[pa.Table, list[BadField]]:
        names = [_nth(i) for i in range(len(self.schema))]
        body = b"\n".join(line.rstrip(b"\r\n") for line in payload.to_pylist())
        style = self._style
        if not style.comments and len(payload):
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
        style = self._style
        names = [_nth(i) for i in range(len(self.schema))]
        columns: list[list[str | None]] = [[] for _ in names]
        errors: list[BadField] = []
        for row, raw in enumerate(payload.to_pylist()):
            text = raw.decode(errors="replace").rstrip("\r\n")
            fields = self._split(text)
            reason = None
            if style.comments and text.startswith("#"):
                reason = "it is a comment"
            elif len(fields) != len(names):
                reason = f"it has {len(fields)} fields, not {len(names)}"
            if reason:
                errors.append(BadField(row, None, shown(text), reason))
            for i, column in enumerate(columns):
                column.append(None if reason else fields[i])
        arrays = [pa.array(c, pa.string()) for c in columns]
        return pa.table(arrays, names=names), errors

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

    def _nulls(self, texts: pa.Table) -> pa.Table:
        columns = [
            pc.if_else(pc.equal(c, self._style.null), pa.scalar(None, pa.string()), c)
            for c in texts.columns
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


class CsvEncoder:
    """Rows to lines, without a line end."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        style = _Style(options)
        self._kernel = Kernel(1)
        null = "'" + (style.null or "").replace("'", "''") + "'"
        parts = [
            f"coalesce({self._field(c.type, _nth(i), style)}, {null})" for i, c in enumerate(schema)
        ]
        glue = "'" + style.delimiter.replace("'", "''") + "'"
        self._sql = f"SELECT {f' || {glue} || '.join(parts)} AS line FROM p"

    def encode(self, rows: pa.Table) -> pa.BinaryArray:
        """One line a row."""
        by_position = rows.rename_columns([_nth(i) for i in range(rows.num_columns)])
        lines = self._kernel.query(self._sql, by_position)["line"]
        return lines.combine_chunks().cast(pa.binary())

    def _field(self, t: DataType, value: str, style: _Style) -> str:
        text = f"{to_text(t, value)}::VARCHAR"
        if not t.is_text or not style.quote:
            return text
        q = style.quote.replace("'", "''")
        d = style.delimiter.replace("'", "''")
        risky = " OR ".join(f"contains({text}, {s})" for s in (f"'{q}'", f"'{d}'", "chr(10)"))
        doubled = f"'{q}' || replace({text}, '{q}', '{q}{q}') || '{q}'"
        return f"CASE WHEN {risky} OR contains({text}, ' ') THEN {doubled} ELSE {text} END"


def _nth(position: int) -> str:
    """What the column at a position is called in the statements: DuckDB does not tell ``id`` from
    ``ID``, but a table's columns may be called so."""
    return f"c{position}"


def _read(t: DataType, text: str) -> str:
    if t.root is Root.BOOLEAN or not t.is_text:
        return f"CASE WHEN {text} <> '' THEN {from_text(t, text, SQL)} END"
    return text
