"""A file of JSON objects, one a line or as one array, as typed columns.

Objects whose members change their kind from line to line are read one by one: numbers stay numbers,
and what is none has no value there. A line that is no object is left out, with a remark.
"""

from __future__ import annotations

import json
from typing import IO, Any

import pyarrow as pa
import pyarrow.json

from eddyline.cli.detect_csv import BLOCK_MAX
from eddyline.cli.detect_dates import read_dates
from eddyline.cli.detect_reading import Reading, reading_of

_BLOCK = 8 << 20


def read_json(source: IO[bytes], first: bytes) -> Reading:
    """A file of JSON objects whose first bytes are given, from its beginning on."""
    if first.lstrip()[:1] == b"[":
        return _one_by_one([json.dumps(one).encode() for one in json.load(source)])
    data = source.read()
    try:
        table = _table(data)
    except pa.ArrowInvalid as error:
        if "changed from" not in str(error) and "parse" not in str(error):
            raise
        return _one_by_one(data.splitlines())
    return _with_times(data, table)


def _table(data: bytes, schema: pa.Schema | None = None) -> pa.Table:
    """Objects within objects as columns ``outer.inner``."""

    def read(block_size: int) -> pa.Table:
        return pa.json.read_json(
            pa.BufferReader(data),
            read_options=pa.json.ReadOptions(block_size=block_size),
            parse_options=pa.json.ParseOptions(explicit_schema=schema),
        )

    try:
        table = read(_BLOCK)
    except pa.ArrowInvalid as error:
        if "straddl" not in str(error):
            raise
        table = read(min(len(data) + 1, BLOCK_MAX))
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _with_times(data: bytes, table: pa.Table) -> Reading:
    """The columns of times with the texts that the file has."""
    dated = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]
    if dated:
        table = _table(data, pa.schema([(name, pa.string()) for name in dated])).select(
            table.column_names
        )
    texts: dict[str, pa.ChunkedArray] = {}
    for at, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if pa.types.is_string(column.type) and (times := read_dates(column)) is not None:
            table, texts[name] = table.set_column(at, name, times), column
    return Reading(table, texts)


def _one_by_one(lines: list[bytes]) -> Reading:
    rows: list[dict[str, Any]] = []
    wrong: list[int] = []
    for nth, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            wrong.append(nth)
    if len(wrong) > len(rows):
        msg = f"line {wrong[0]} is no JSON object"
        raise pa.ArrowInvalid(msg)
    rows = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = {name: pa.chunked_array([[_text(row.get(name)) for row in rows]]) for name in names}
    notes = []
    if wrong:
        what = "1 line is no object" if len(wrong) == 1 else f"{len(wrong):,} lines are no objects"
        notes.append(f"{what} and left out, the first is line {wrong[0]:,}")
    columns = {name: column.cast(pa.string()) for name, column in texts.items()}
    return reading_of(pa.table(columns), ".", notes)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= {f"{name}.{inner}": one for inner, one in _flat(value).items()}
        else:
            out[name] = value
    return out


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
