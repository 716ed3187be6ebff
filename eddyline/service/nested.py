"""Values of results that cannot be read back from their printed text, as an Arrow stream.

``(1, a, b)`` may be a ROW of two or of three fields, so Python in notes, which needs values rather
than text, gets these columns as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eddyline.errors import EddylineError

# The kernel of a note reads rows without nested values as well, and needs none of these then.
if TYPE_CHECKING:
    import pyarrow as pa

    from eddyline.record.schema import Schema
    from eddyline.record.types import DataType


def nested_columns(schema: Schema, rows: pa.Table) -> bytes:
    """The columns of these rows that need it, each named by its place; empty if none does."""
    from eddyline.record.types import BYTES, Root

    roots = (Root.ARRAY, Root.MAP, Root.ROW, Root.INTERVAL_SECOND, *BYTES)
    places = [i for i, c in enumerate(schema.columns) if c.type.root in roots]
    if not places:
        return b""
    import pyarrow as pa

    columns = pa.table({str(i): rows.column(i) for i in places})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, columns.schema) as writer:
        writer.write_table(columns)
    return bytes(sink.getvalue())


def nested_values(data: bytes, types: list[str]) -> dict[int, list[Any]]:
    """Python's values of such columns by their place: lists, dictionaries, ``Row``, bytes."""
    if not data:
        return {}
    import pyarrow as pa

    from eddyline.udf.values import to_python

    values = {}
    with pa.ipc.open_stream(data) as reader:
        table = reader.read_all()
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = _type_of(types[int(name)])
        if kind is not None:
            values[int(name)] = to_python(column, kind)
    return values


def _type_of(text: str) -> DataType | None:
    """The type that a result's header names; None for intervals within others."""
    from eddyline.record.types import INTERVAL_SECOND
    from eddyline.sql.parse import parse_type

    if text.startswith(str(INTERVAL_SECOND)):
        return INTERVAL_SECOND
    try:
        return parse_type(text)
    except EddylineError:
        return None
