"""Tables from Python values: lists of rows and data frames become VALUES."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from eddyline.kernel.expressions import literal, quoted, text_of
from eddyline.udf.data_types import DataType, DataTypes, as_type
from eddyline.udf.row import Row

ROWS_MAX = 10_000
_INFERRED: tuple[tuple[type, str], ...] = (
    (bool, "BOOLEAN"),
    (int, "BIGINT"),
    (float, "DOUBLE"),
    (str, "STRING"),
    (Decimal, "DECIMAL(38, 18)"),
    (bytes, "BYTES"),
    (datetime.datetime, "TIMESTAMP(6)"),
    (datetime.date, "DATE"),
    (datetime.time, "TIME"),
)


def values_query(elements: Iterable[Any], schema: Any = None) -> str:
    """The query that gives these rows; ``schema``: names, or a ROW type, or types are inferred.

    Raises:
        TypeError: a value has no SQL type, or ``schema`` is of another kind.
        ValueError: no rows without a schema, rows of different lengths, or too many.
    """
    elements = list(elements)
    first = elements[0] if elements else None
    if schema is None and isinstance(first, Row) and first._names:
        schema = list(first._names)
    elif schema is None and isinstance(first, dict):
        schema = list(first)
    rows = [_row(element) for element in elements]
    if len(rows) > ROWS_MAX:
        msg = f"{len(rows):,} rows are too many for from_elements: put them into a stream or a file"
        raise ValueError(msg)
    names, types = _schema(rows, schema)
    if any(len(row) != len(names) for row in rows):
        msg = f"every row must have {len(names)} values"
        raise ValueError(msg)
    columns = ", ".join(
        f"CAST({quoted(n)} AS {t}) AS {quoted(n)}" for n, t in zip(names, types, strict=True)
    )
    if not rows:
        nulls = ", ".join(
            f"CAST(NULL AS {t}) AS {quoted(n)}" for n, t in zip(names, types, strict=True)
        )
        return f"SELECT * FROM (SELECT {nulls}) WHERE FALSE"
    texts = (", ".join(map(text_of, row)) for row in rows)
    listed = ", ".join(f"({text})" for text in texts)
    shown = ", ".join(map(quoted, names))
    return f"SELECT {columns} FROM (VALUES {listed}) AS v ({shown})"


def _row(element: Any) -> tuple[Any, ...]:
    if isinstance(element, dict):
        return tuple(element.values())
    if isinstance(element, tuple | list | Row):
        return tuple(element)
    return (element,)


def _schema(rows: list[tuple[Any, ...]], schema: Any) -> tuple[list[str], list[str]]:
    if isinstance(schema, DataType) and schema.fields:
        return schema.field_names(), [str(t) for t in schema.field_types()]
    if isinstance(schema, DataType):
        return ["f0"], [str(schema)]
    if not rows:
        msg = "from_elements needs rows, or a schema with types"
        raise ValueError(msg)
    types = [_inferred([row[i] for row in rows]) for i in range(len(rows[0]))]
    if schema is None:
        return [f"_{i + 1}" for i in range(len(types))], types
    if isinstance(schema, list | tuple):
        return [str(n) for n in schema], types
    msg = "schema is a list of names, or DataTypes.ROW([DataTypes.FIELD(...), ...])"
    raise TypeError(msg)


def _inferred(values: list[Any]) -> str:
    for value in values:
        if value is None:
            continue
        for kind, text in _INFERRED:
            if isinstance(value, kind):
                return text
        if isinstance(value, list | tuple) and not isinstance(value, Row):
            return f"ARRAY<{_inferred(list(value))}>"
        if isinstance(value, dict):
            pair = _inferred(list(value)), _inferred(list(value.values()))
            return f"MAP<{pair[0]}, {pair[1]}>"
        literal(value)
    return "STRING"


def frame_elements(frame: Any) -> tuple[list[tuple[Any, ...]], DataType]:
    """A data frame's rows as Python values, and its schema."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [DataTypes.FIELD(str(f.name), as_type(_arrow(f.type))) for f in table.schema]
    columns = [c.to_pylist() for c in table.columns]
    return list(zip(*columns, strict=True)), DataTypes.ROW(fields)


def _arrow(kind: Any) -> str:
    import pyarrow as pa

    for test, text in (
        (pa.types.is_boolean, "BOOLEAN"), (pa.types.is_integer, "BIGINT"),
        (pa.types.is_floating, "DOUBLE"), (pa.types.is_timestamp, "TIMESTAMP(6)"),
        (pa.types.is_date, "DATE"), (pa.types.is_time, "TIME"),
        (pa.types.is_decimal, "DECIMAL(38, 18)"),
        (pa.types.is_binary, "BYTES"),
    ):  # fmt: skip
        if test(kind):
            return text
    if pa.types.is_list(kind):
        return f"ARRAY<{_arrow(kind.value_type)}>"
    return "STRING"
