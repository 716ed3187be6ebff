"""Bulk formats: whole files of rows instead of single records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol

import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.options.formats.files import COMPRESSION
from eddyline.record.schema import Schema

BULK_FORMATS = ("parquet", "avro")


class BulkFormat(Protocol):
    """Reads and writes files of one schema."""

    def read(self, file: BinaryIO, first: int) -> Iterator[pa.Table]:
        """The rows from row ``first`` on, in the types of the schema; columns match by name.

        Raises:
            EddylineError: ``bad_file``.
        """

    def write(self, file: BinaryIO, tables: Iterator[pa.Table]) -> None:
        """A file of all rows."""


def bulk_format(name: str, schema: Schema, options: Mapping[str, str]) -> BulkFormat:
    """The bulk format ``name``; ``options`` without the format's prefix."""
    return _Parquet(schema, options) if name == "parquet" else _Avro(schema, options)


class _Parquet:
    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        self._schema = schema
        compression = COMPRESSION.read(options).value.lower()
        self._compression = "none" if compression == "uncompressed" else compression

    def read(self, file: BinaryIO, first: int) -> Iterator[pa.Table]:
        from pyarrow import parquet

        try:
            reader = parquet.ParquetFile(file)
        except (pa.ArrowInvalid, OSError) as e:
            raise EddylineError("bad_file", f"it is not a Parquet file: {e}") from e
        there = set(reader.schema_arrow.names)
        columns = [n for n in self._schema.names if n in there]
        passed = 0
        for group in range(reader.num_row_groups):
            rows = reader.metadata.row_group(group).num_rows
            if passed + rows > first:
                table = reader.read_row_group(group, columns=columns).slice(max(0, first - passed))
                yield self._fitted(table)
            passed += rows

    def write(self, file: BinaryIO, tables: Iterator[pa.Table]) -> None:
        from pyarrow import parquet

        with parquet.ParquetWriter(
            file, self._schema.arrow(), compression=self._compression
        ) as writer:
            for table in tables:
                writer.write_table(table.cast(self._schema.arrow()))

    def _fitted(self, table: pa.Table) -> pa.Table:
        """The columns in the schema's types; one that the file does not have is NULL."""
        arrays = []
        for c in self._schema.arrow():
            if c.name not in table.column_names:
                arrays.append(pa.nulls(table.num_rows, c.type))
                continue
            column = table[c.name]
            if pa.types.is_timestamp(column.type) and column.type.tz is not None:
                column = column.cast(pa.timestamp(column.type.unit, "UTC")).cast(
                    pa.timestamp(column.type.unit)
                )
            try:
                arrays.append(column.cast(c.type, safe=not pa.types.is_timestamp(c.type)))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
                message = f"column {c.name} of the file is {column.type}, which does not fit: {e}"
                raise EddylineError("bad_file", message) from e
        return pa.table(arrays, schema=self._schema.arrow())


class _Avro:
    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        self._schema, self._options = schema, options

    def read(self, file: BinaryIO, first: int) -> Iterator[pa.Table]:
        from eddyline.record.formats.avro import read_file

        try:
            yield from read_file(file, self._schema, first)
        except (ValueError, EOFError, pa.ArrowInvalid) as e:
            raise EddylineError("bad_file", f"it is not an Avro file of these columns: {e}") from e

    def write(self, file: BinaryIO, tables: Iterator[pa.Table]) -> None:
        from eddyline.record.formats.avro import write_file

        write_file(file, tables, self._schema, self._options)


def to_bytes(table: pa.Table) -> bytes:
    """Rows as Arrow's stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def from_bytes(data: bytes) -> pa.Table:
    """The rows of ``to_bytes``."""
    return pa.ipc.open_stream(data).read_all()
