"""Raw records: the payload is the one column's value.

Text and bytes only; that is what a stream's payload is when it is no JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.record.formats.format import BadField, Decoded, shown
from eddyline.record.schema import Schema
from eddyline.record.types import BYTES


def make_decoder(schema: Schema, options: Mapping[str, str], threads: int = 1) -> Raw:
    return Raw(schema, options)


def make_encoder(schema: Schema, options: Mapping[str, str]) -> Raw:
    return Raw(schema, options)


class Raw:
    """Both ways. Option: charset (UTF-8 and its subsets)."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        kinds = [c.type for c in schema]
        if len(kinds) != 1 or not (kinds[0].is_text or kinds[0].root in BYTES):
            hint = "declare exactly one column of type STRING or BYTES"
            raise EddylineError("sql_unsupported", f"format raw cannot hold {schema}", hint=hint)
        charset = options.get("charset", "UTF-8").upper().replace("_", "-")
        if charset not in ("UTF-8", "UTF8", "ASCII", "US-ASCII"):
            msg = f"raw.charset {charset} is not supported"
            raise EddylineError("sql_unsupported", msg, hint="use UTF-8")
        self._schema = schema
        self._text = kinds[0].is_text

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One column."""
        name = self._schema.names[0]
        if not self._text:
            return Decoded(pa.table({name: payload}))
        try:
            return Decoded(pa.table({name: payload.cast(pa.string())}))
        except pa.ArrowInvalid:
            return self._one_by_one(name, payload)

    def encode(self, rows: pa.Table) -> pa.BinaryArray:
        """The column's bytes; NULL is empty."""
        column = rows[self._schema.names[0]].combine_chunks().cast(pa.binary())
        return pc.fill_null(column, b"")

    def _one_by_one(self, name: str, payload: pa.BinaryArray) -> Decoded:
        """Some payload is not UTF-8: find out which."""
        texts: list[str | None] = []
        errors = []
        for row, value in enumerate(payload.to_pylist()):
            try:
                texts.append(value.decode())
            except UnicodeDecodeError as e:
                texts.append(None)
                text = shown(value.decode(errors="replace"))
                errors.append(BadField(row, name, text, f"it is not UTF-8 (byte {e.start})"))
        return Decoded(pa.table({name: pa.array(texts, pa.string())}), tuple(errors))
