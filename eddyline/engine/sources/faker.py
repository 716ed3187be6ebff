"""The faker connector: rows made from Datafaker's expressions, ``fields.<column>.expression``.

The columns are those of the generator; texts become the type of a column. Options of nested
values have the path of the field: ``fields.<row>.<field>.expression`` for a ROW,
``fields.<map>.key.expression`` and ``fields.<map>.value.expression`` for a MAP. ``length`` is the
number of elements of an ARRAY, MAP or MULTISET, ``null-rate`` the share of NULLs.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.sources.paced import Offsets, PacedSource
from eddyline.engine.sources.source import SourceContext
from eddyline.errors import EddylineError
from eddyline.generator.column import At, GeneratedColumn, spread
from eddyline.generator.datafaker.expression import compile_expression
from eddyline.generator.moment import MONTHS
from eddyline.options.connectors.faker import EXPRESSION, LENGTH
from eddyline.options.connectors.paced import NULL_RATE, NUMBER_OF_ROWS
from eddyline.options.formats import own_options
from eddyline.record.schema import Schema
from eddyline.record.types import DataType, Root, arrow_type

_MONTHS = [name[:3] for name in MONTHS]
# How dates of Java's Date print; timestamps in other forms are read as SQL or ISO 8601 write them.
_JAVA_DATE = r"^\w{3} (?P<month>\w{3}) (?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d) \S+ (?P<year>\d{4})$"


class FakerField:
    """One column, or one part of a nested column: its expression and what stands around it."""

    def __init__(self, path: str, kind: DataType, options: dict[str, str]) -> None:
        self._path = path
        self._kind = kind
        own = own_options(path, options, "fields.")
        self._null_rate = NULL_RATE.read(own)
        self._length = LENGTH.read(own) if kind.root in (Root.ARRAY, Root.MAP) else 1
        self._column: GeneratedColumn | None = None
        self._parts: list[FakerField] = []
        if kind.root is Root.ROW:
            pairs = zip(kind.names, kind.children, strict=True)
            self._parts = [FakerField(f"{path}.{n}", t, options) for n, t in pairs]
        elif kind.root is Root.MAP:
            pairs = zip(("key", "value"), kind.children, strict=True)
            self._parts = [FakerField(f"{path}.{n}", t, options) for n, t in pairs]
        elif kind.root is Root.ARRAY and f"fields.{path}.expression" in options:
            inner = {f"fields.{path}.expression": options[f"fields.{path}.expression"]}
            self._parts = [FakerField(path, kind.children[0], inner)]
        else:
            self._column = _compiled(path, options)

    def build(self, n: int, now_ms: int, rng: np.random.Generator) -> Any:
        """``n`` values as an Arrow array of the column's type."""
        values = self._values(n, now_ms, rng)
        if self._null_rate:
            gone = pa.array(rng.random(n) < self._null_rate)
            values = pc.if_else(gone, pa.scalar(None, values.type), values)
        return values

    def _values(self, n: int, now_ms: int, rng: np.random.Generator) -> Any:
        if self._column is not None:
            now = np.full(n, now_ms, np.int64)
            texts = self._column.build(rng.random((n, self._column.slots)), At(now, now))
            return typed(spread(texts, n), self._kind, self._path)
        if self._kind.root is Root.ROW:
            fields = [part.build(n, now_ms, rng) for part in self._parts]
            return pa.StructArray.from_arrays(fields, names=list(self._kind.names))
        parts = [part.build(n * self._length, now_ms, rng) for part in self._parts]
        offsets = pa.array(np.arange(n + 1, dtype=np.int32) * self._length)
        if self._kind.root is Root.MAP:
            return _unique_keys(pa.MapArray.from_arrays(offsets, *parts), arrow_type(self._kind))
        return pa.ListArray.from_arrays(offsets, parts[0])


class FakerSource(PacedSource):
    """Rows of expressions, at a rate."""

    def __init__(self, context: SourceContext, schema: Schema) -> None:
        super().__init__(context, schema, NUMBER_OF_ROWS.get(context.options))
        self._fields = [FakerField(c.name, c.type, context.options) for c in schema]

    def _columns(self, offset: Offsets, now_ms: int) -> list[Any]:
        seed = zlib.crc32(self.context.name.encode())
        rng = np.random.default_rng([seed, int(offset[0])])
        return [field.build(len(offset), now_ms, rng) for field in self._fields]


def _compiled(path: str, options: dict[str, str]) -> GeneratedColumn:
    key = f"fields.{path}.{EXPRESSION.name}"
    text = EXPRESSION.get(own_options(path, options, "fields."))
    if text is None:
        hint = f"as in '{key}' = '#{{Name.fullName}}'"
        raise EddylineError("sql_semantic", f"the option '{key}' is missing", hint=hint)
    try:
        return compile_expression(text)
    except EddylineError as error:
        message = f"option '{key}': {error.message}"
        raise EddylineError("sql_semantic", message, hint=error.hint) from None


def typed(texts: Any, kind: DataType, path: str) -> Any:
    """Texts (StringArray) as values of a type. Raises ``sql_runtime`` for one that does not fit."""
    try:
        return _cast(texts, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        sample = next((t for t in texts.to_pylist() if t is not None), "")
        message = f"the expression of {path} makes {sample[:60]!r}, which is no {kind}"
        raise EddylineError("sql_runtime", message, detail=str(error)) from None


def _cast(texts: Any, kind: DataType) -> Any:
    target = arrow_type(kind)
    if kind.is_text:
        return texts
    if kind.root in (Root.BINARY, Root.VARBINARY):
        return texts.cast(target)
    if kind.root is Root.BOOLEAN:
        return pc.equal(pc.utf8_lower(texts), "true")
    trimmed = pc.utf8_trim_whitespace(texts)
    if kind.is_timestamp:
        return _instants(trimmed).cast(target, safe=False)
    if kind.root is Root.DATE:
        return pc.utf8_slice_codeunits(_sql_form(trimmed), 0, 10).cast(target)
    if kind.root is Root.TIME:
        clock = pc.utf8_slice_codeunits(_sql_form(trimmed), 11, 19)
        return clock.cast(pa.time32("s")).cast(target)
    if kind.root is Root.DECIMAL:
        numbers = trimmed.cast(pa.decimal128(38, 18))
        return pc.round(numbers, kind.scale, "half_towards_infinity").cast(target, safe=False)
    return trimmed.cast(target)


def _instants(texts: Any) -> Any:
    return _sql_form(texts).cast(pa.timestamp("us"))


def _sql_form(texts: Any) -> Any:
    """Times as SQL writes them; what Java's Date prints is turned round."""
    parts = pc.extract_regex(texts, _JAVA_DATE)
    if not pc.any(parts.is_valid()).as_py():
        return pc.replace_substring(texts, "T", " ")
    months = pa.array(_MONTHS)
    month = pc.add(pc.index_in(parts.field("month"), value_set=months), 1).cast(pa.string())
    day = pc.binary_join_element_wise(
        parts.field("year"), pc.utf8_lpad(month, 2, "0"), parts.field("day"), "-"
    )
    turned = pc.binary_join_element_wise(day, parts.field("clock"), " ")
    return pc.coalesce(turned, pc.replace_substring(texts, "T", " "))


def _unique_keys(maps: Any, kind: Any) -> Any:
    """Maps whose keys came twice keep the last value of each."""
    rows = [None if pairs is None else list(dict(pairs).items()) for pairs in maps.to_pylist()]
    return pa.array(rows, kind)
