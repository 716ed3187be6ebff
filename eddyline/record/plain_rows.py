"""Rows of a small batch as Python lists, a column each.

Making Arrow arrays of a few values, and calling Arrow's kernels on them, costs more than the work
on the values. Operators that can do their work on plain values hand each other these; for all
others a batch makes an Arrow table of them (``Batch.rows``). Times are whole numbers in their
Arrow unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import pyarrow as pa

from eddyline.record.schema import Schema

# DuckDB's sums of integers.
_HUGEINT = pa.decimal128(38, 0)


@dataclass(frozen=True, slots=True)
class PlainRows:
    """n rows. columns: n values each, by name, in order; types: at least theirs."""

    num_rows: int
    columns: dict[str, list[Any]]
    types: Mapping[str, pa.DataType]

    @staticmethod
    def of(rows: pa.Table) -> PlainRows:
        """A table's rows; its columns must be of types that can be plain."""
        names = rows.column_names
        types = dict(zip(names, rows.schema.types, strict=True))
        return PlainRows(rows.num_rows, {n: plain_values(rows[n]) for n in names}, types)

    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        types = self.types
        arrays = [column_of_values(values, types[n]) for n, values in self.columns.items()]
        schema = pa.schema([(n, types[n]) for n in self.columns])
        return pa.Table.from_arrays(arrays, schema=schema)

    def select(self, names: Iterable[str]) -> PlainRows:
        """Some of the columns."""
        columns = self.columns
        return PlainRows(self.num_rows, {n: columns[n] for n in names}, self.types)

    def chosen(self, mask: Sequence[bool | None]) -> PlainRows:
        """The rows where ``mask`` is true."""
        places = [i for i, is_chosen in enumerate(mask) if is_chosen]
        if len(places) == self.num_rows:
            return self
        columns = {n: [values[i] for i in places] for n, values in self.columns.items()}
        return PlainRows(len(places), columns, self.types)


def arrow_types(schema: Schema) -> dict[str, pa.DataType]:
    """The Arrow type of each column."""
    return dict(zip(schema.names, schema.arrow().types, strict=True))


def can_be_plain(t: pa.DataType) -> bool:
    """Whether values of a type can be plain."""
    return is_comparable(t) or bool(pa.types.is_floating(t))


def is_comparable(t: pa.DataType) -> bool:
    """Whether plain values of a type compare as DuckDB compares them, and JSON can hold them."""
    return bool(
        pa.types.is_integer(t)
        or pa.types.is_boolean(t)
        or pa.types.is_string(t)
        or pa.types.is_timestamp(t)
        or pa.types.is_date32(t)
        or pa.types.is_time64(t)
    )


def plain_values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values: numbers, texts and booleans; times as numbers."""
    t = column.type
    if pa.types.is_timestamp(t) or pa.types.is_time64(t):
        column = column.cast(pa.int64())
    elif pa.types.is_date32(t):
        column = column.cast(pa.int32())
    elif t == _HUGEINT:
        return [None if v is None else int(v) for v in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def column_of_values(values: list[Any], t: pa.DataType) -> pa.Array:
    """The other way round."""
    if pa.types.is_timestamp(t) or pa.types.is_time64(t):
        return pa.array(values, pa.int64()).cast(t)
    if pa.types.is_date32(t):
        return pa.array(values, pa.int32()).cast(t)
    return pa.array(values, t)


def as_bits(values: list[float | None]) -> list[int | None]:
    """Floating numbers as whole ones with the same bits, which equal one another only if those do
    in every way (NaN, and zero with its sign)."""
    return [None if v is None else _WHOLE.unpack(_FLOATING.pack(v))[0] for v in values]


def from_bits(values: list[int | None]) -> list[float | None]:
    """The other way round."""
    return [None if v is None else _FLOATING.unpack(_WHOLE.pack(v))[0] for v in values]


_FLOATING, _WHOLE = Struct("<d"), Struct("<q")
