"""The avro format: single records in the schema of the table, and files with their own schema.

The schema is derived from the table's columns as Flink derives it: each nullable column is a union
with null, nested records are named after their path.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.options.formats.files import AVRO_CODEC, LEGACY_TIMESTAMPS
from eddyline.record.formats.format import BadField, Decoded, Kinds
from eddyline.record.schema import Schema
from eddyline.record.types import BYTES, DataType, Root, arrow_type

NAME = "org.apache.flink.avro.generated.record"
_PLAIN = {
    Root.BOOLEAN: "boolean", Root.TINYINT: "int", Root.SMALLINT: "int", Root.INT: "int",
    Root.BIGINT: "long", Root.FLOAT: "float", Root.DOUBLE: "double",
    Root.INTERVAL_MONTH: "int", Root.INTERVAL_SECOND: "long",
}  # fmt: skip
ROWS_PER_BATCH = 4096


def library() -> Any:
    """The module fastavro.

    Raises:
        EddylineError: ``sql_unsupported`` if it is not installed.
    """
    try:
        import fastavro
    except ImportError:
        hint = "install it with: pip install 'eddyline[avro]'"
        raise EddylineError("sql_unsupported", "format avro needs fastavro", hint=hint) from None
    return fastavro


def avro_schema(schema: Schema, *, legacy: bool) -> dict[str, Any]:
    """The Avro schema of a table's columns.

    Raises:
        EddylineError: ``sql_unsupported`` for a type that Avro does not hold.
    """
    fields = [_field(c.name, c.type, NAME, legacy) for c in schema]
    return {"type": "record", "name": NAME, "fields": fields}


def _field(name: str, t: DataType, path: str, legacy: bool) -> dict[str, Any]:
    kind = _type(t, f"{path}_{name}", legacy)
    out: dict[str, Any] = {"name": name, "type": kind}
    if t.nullable:
        out |= {"type": ["null", kind], "default": None}
    return out


def _type(t: DataType, path: str, legacy: bool) -> Any:
    if t.is_text:
        return "string"
    if t.root in BYTES:
        return "bytes"
    if t.root in _PLAIN:
        return _PLAIN[t.root]
    if t.root is Root.DECIMAL:
        return {"type": "bytes", "logicalType": "decimal", "precision": t.precision,
                "scale": t.scale}  # fmt: skip
    if t.root is Root.DATE:
        return {"type": "int", "logicalType": "date"}
    if t.root is Root.TIME:
        return {"type": "int", "logicalType": "time-millis"}
    if t.is_timestamp:
        unit = "millis" if t.precision <= 3 else "micros"
        local = t.root is Root.TIMESTAMP and not legacy
        return {"type": "long", "logicalType": f"{'local-' if local else ''}timestamp-{unit}"}
    if t.root is Root.ARRAY:
        return {"type": "array", "items": _nullable(t.children[0], path, legacy)}
    if t.root is Root.MAP and t.children[0].is_text:
        return {"type": "map", "values": _nullable(t.children[1], path, legacy)}
    if t.root is Root.ROW:
        pairs = zip(t.names, t.children, strict=True)
        fields = [_field(n, c, path, legacy) for n, c in pairs]
        return {"type": "record", "name": path, "fields": fields}
    raise EddylineError("sql_unsupported", f"format avro cannot hold a {t}")


def _nullable(t: DataType, path: str, legacy: bool) -> Any:
    kind = _type(t, path, legacy)
    return ["null", kind] if t.nullable else kind


class AvroDecoder:
    """Single records, written in the table's schema, to rows."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        self._schema = schema
        avro = avro_schema(schema, legacy=LEGACY_TIMESTAMPS.read(options))
        self._avro = library().parse_schema(avro)

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One row per record."""
        read = library().schemaless_reader
        rows, errors = [], []
        for i, data in enumerate(payload.to_pylist()):
            stream = io.BytesIO(data)
            try:
                row = read(stream, self._avro, None)
                if stream.tell() != len(data):
                    raise ValueError(f"{len(data) - stream.tell()} bytes are left over")
            except (EOFError, ValueError, IndexError, StopIteration, OverflowError) as e:
                row = {}
                reason = f"it is not Avro in the table's schema: {e or 'it is cut short'}"
                errors.append(BadField(i, None, data[:40].hex(), reason))
            rows.append(row)
        return Decoded(table_of(rows, self._schema), tuple(errors))


class AvroEncoder:
    """Rows to single records in the table's schema."""

    def __init__(self, schema: Schema, options: Mapping[str, str]) -> None:
        avro = avro_schema(schema, legacy=LEGACY_TIMESTAMPS.read(options))
        self._avro = library().parse_schema(avro)

    def encode(self, rows: pa.Table, kinds: Kinds | None = None) -> pa.BinaryArray:
        """One record per row."""
        write = library().schemaless_writer
        out = []
        for row in python_rows(rows):
            stream = io.BytesIO()
            write(stream, self._avro, row)
            out.append(stream.getvalue())
        return pa.array(out, pa.binary())


def read_file(file: BinaryIO, schema: Schema, first: int) -> Iterator[pa.Table]:
    """The rows of an Avro file from row ``first`` on, matched to the columns by name."""
    rows: list[dict[str, Any]] = []
    for i, row in enumerate(library().reader(file)):
        if i >= first:
            rows.append(row)
        if len(rows) == ROWS_PER_BATCH:
            yield table_of(rows, schema)
            rows = []
    if rows:
        yield table_of(rows, schema)


def write_file(file: BinaryIO, tables: Iterator[pa.Table], schema: Schema, options: Any) -> None:
    """An Avro file of all rows."""
    avro = avro_schema(schema, legacy=LEGACY_TIMESTAMPS.read(options))
    rows = (row for table in tables for row in python_rows(table))
    library().writer(file, avro, rows, codec=AVRO_CODEC.read(options).value)


def table_of(rows: list[dict[str, Any]], schema: Schema) -> pa.Table:
    """Python rows in the schema's types; a column that is not in a row is NULL."""
    arrays = [
        pa.array([_read(c.type)(row.get(c.name)) for row in rows], arrow_type(c.type))
        for c in schema
    ]
    return pa.table(arrays, names=list(schema.names))


def _read(t: DataType) -> Callable[[Any], Any]:
    """What turns fastavro's value into Arrow's."""
    if t.is_timestamp:
        return _without_zone
    if t.root is Root.ROW:
        inner = [(n, _read(c)) for n, c in zip(t.names, t.children, strict=True)]
        return lambda v: None if v is None else {n: f(v.get(n)) for n, f in inner}
    if t.root is Root.ARRAY:
        item = _read(t.children[0])
        return lambda v: None if v is None else [item(x) for x in v]
    if t.root is Root.MAP:
        value = _read(t.children[1])
        return lambda v: None if v is None else [(k, value(x)) for k, x in v.items()]
    return lambda v: v


def _without_zone(value: Any) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def python_rows(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as fastavro takes them: times with a zone, maps as dictionaries."""
    for row in rows.to_pylist():
        yield {name: _written(value) for name, value in row.items()}


def _written(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return {k: _written(v) for k, v in value}
        return [_written(v) for v in value]
    if isinstance(value, dict):
        return {k: _written(v) for k, v in value.items()}
    return value
