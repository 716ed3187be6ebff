"""Data frames of a query's rows, with the types of columns that PyFlink gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eddyline.udf.row import Row

if TYPE_CHECKING:
    from eddyline.kernel.results import RowsOfQuery

# Numpy's types of columns without NULL; with NULL pandas chooses.
_NUMBERS = {
    "TINYINT": "int8", "SMALLINT": "int16", "INT": "int32", "BIGINT": "int64",
    "FLOAT": "float32", "DOUBLE": "float64", "BOOLEAN": "bool",
}  # fmt: skip
_OBJECTS = ("STRING", "CHAR", "VARCHAR", "ARRAY", "MAP", "MULTISET", "ROW", "DECIMAL", "BYTES")


def data_frame(rows: RowsOfQuery) -> Any:
    """The rows as a ``pandas.DataFrame``; a ROW is a dictionary."""
    import pandas

    columns = [_series(rows.column(i), kind) for i, kind in enumerate(rows.types)]
    frame = pandas.concat(columns, axis=1) if columns else pandas.DataFrame()
    frame.columns = rows.columns
    return frame


def _series(values: list[Any], kind: str) -> Any:
    import pandas

    base = kind.removesuffix(" NOT NULL").partition("(")[0].partition("<")[0]
    if base in _OBJECTS:
        return pandas.Series(list(map(_plain, values)), dtype="object")
    if base in _NUMBERS and None not in values:
        return pandas.Series(values, dtype=_NUMBERS[base])
    return pandas.Series(values, dtype=None if values else "object")


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return {name: _plain(v) for name, v in zip(value._names, value, strict=True)}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value
