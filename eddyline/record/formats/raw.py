"""Raw records: the payload is the one column's value.

Texts are decoded in the table's charset; numbers and BOOLEAN have the width of their type, as Java
writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.options.formats.raw import CHARSET, ENDIANNESS, Endianness
from eddyline.record.formats.format import BadField, Decoded, Kinds, shown
from eddyline.record.schema import Schema
from eddyline.record.types import BYTES, Root, arrow_type

# Types of a fixed width, as numpy names them without the order of bytes.
_WIDTHS = {
    Root.BOOLEAN: "i1", Root.TINYINT: "i1", Root.SMALLINT: "i2", Root.INT: "i4", Root.BIGINT: "i8",
    Root.FLOAT: "f4", Root.DOUBLE: "f8",
}  # fmt: skip


class Raw:
    """Both ways."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        kinds = [c.type for c in schema]
        root = kinds[0].root if len(kinds) == 1 else Root.ROW
        self._text = len(kinds) == 1 and kinds[0].is_text
        if not self._text and root not in BYTES and root not in _WIDTHS:
            hint = "declare exactly one column: a text, bytes, a number or BOOLEAN"
            raise EddylineError("sql_unsupported", f"format raw cannot hold {schema}", hint=hint)
        self._name = schema.names[0]
        self._type = kinds[0]
        self._charset = CHARSET.read(options)
        order = "<" if ENDIANNESS.read(options) is Endianness.LITTLE else ">"
        self._fixed: Any = np.dtype(order + _WIDTHS[root]) if root in _WIDTHS else None

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One column."""
        if self._fixed is not None:
            return self._numbers(payload)
        if not self._text:
            return Decoded(pa.table({self._name: payload}))
        if self._charset in ("utf-8", "ascii"):
            try:
                return Decoded(pa.table({self._name: payload.cast(pa.string())}))
            except pa.ArrowInvalid:
                pass
        return self._texts(payload)

    def encode(self, rows: pa.Table, kinds: Kinds | None = None) -> pa.BinaryArray:
        """The column's bytes; NULL is empty."""
        column = rows[self._name].combine_chunks()
        if self._fixed is not None:
            return self._packed(column)
        if self._text and self._charset not in ("utf-8", "ascii"):
            texts = (
                t.encode(self._charset, "replace") for t in pc.fill_null(column, "").to_pylist()
            )
            return pa.array(texts, pa.binary())
        return pc.fill_null(column.cast(pa.binary()), b"")

    def _numbers(self, payload: pa.BinaryArray) -> Decoded:
        width = self._fixed.itemsize
        fits = pc.equal(pc.binary_length(payload), width)
        errors = []
        for row in np.flatnonzero(~fits.to_numpy(zero_copy_only=False)).tolist():
            raw = payload[row].as_py()
            reason = f"a {self._type.null()} has {width} bytes, the record {len(raw)}"
            errors.append(BadField(row, self._name, raw.hex(), reason))
        whole = pc.if_else(fits, payload, b"\0" * width)
        values = np.frombuffer(b"".join(whole.to_pylist()), self._fixed)
        native = values.astype(self._fixed.newbyteorder("="))
        array = pa.array(native != 0 if self._type.root is Root.BOOLEAN else native)
        array = pc.if_else(fits, array, pa.scalar(None, array.type))
        return Decoded(pa.table({self._name: array.cast(arrow_type(self._type))}), tuple(errors))

    def _packed(self, column: pa.Array) -> pa.BinaryArray:
        kind = pa.int8() if self._type.root is Root.BOOLEAN else column.type
        values = pc.fill_null(column.cast(kind), 0).to_numpy(zero_copy_only=False)
        body = pa.py_buffer(values.astype(self._fixed).tobytes())
        width = self._fixed.itemsize
        fixed = pa.Array.from_buffers(pa.binary(width), len(column), [None, body])
        return pc.if_else(column.is_valid(), fixed.cast(pa.binary()), b"")

    def _texts(self, payload: pa.BinaryArray) -> Decoded:
        """Texts of another charset, or some that are not of this one: find out which."""
        texts: list[str | None] = []
        errors = []
        for row, value in enumerate(payload.to_pylist()):
            try:
                texts.append(value.decode(self._charset))
            except UnicodeDecodeError as e:
                texts.append(None)
                text = shown(value.decode(errors="replace"))
                name = self._charset.upper()
                errors.append(BadField(row, self._name, text, f"it is not {name} (byte {e.start})"))
        return Decoded(pa.table({self._name: pa.array(texts, pa.string())}), tuple(errors))
