"""Parquet files as JSON objects: numbers to the digit, instants in ISO 8601 (UTC with a Z)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.generator.replay.batch import ReplayBatch
from eddyline.generator.replay.columns import ColumnReader, objects
from eddyline.generator.replay.instant import read_times
from eddyline.generator.replay.time_field import SAMPLE_LINES, find_time

MAGIC = b"PAR1"
BATCH_ROWS = 16_384


class ParquetReader(ColumnReader):
    """Reads row groups by column; nested values are written row by row."""

    format = "parquet"

    def _tables(self) -> Iterator[Any]:
        from pyarrow import parquet

        try:
            whole = self._source.seekable()
            file = parquet.ParquetFile(
                self._source if whole else pa.BufferReader(self._source.read())
            )
            yield from file.iter_batches(batch_size=BATCH_ROWS)
        except (pa.ArrowException, OSError) as error:
            message = f"{self._path} is no Parquet file that can be read: {error}"
            raise EddylineError("bad_file", message) from error

    def _infer(self, table: Any) -> None:
        names = list(table.schema.names)
        if len(set(names)) != len(names) or not names:
            message = f"{self._path} names a column twice, or has none"
            raise EddylineError("bad_file", message)
        self.facts.columns.update({f.name: str(f.type) for f in table.schema})

        def sample(name: str) -> list[str]:
            texts = _texts(table.column(name).slice(0, SAMPLE_LINES))[0].to_pylist()
            return [t for t in texts if t is not None]

        forms = "timestamps, ISO 8601, epoch s or ms"
        find_time(self.facts, self._path, names, sample, forms=forms)

    def _batch(self, table: Any, first: int) -> ReplayBatch:
        style, field = self.facts.style, self.facts.time_field
        ms = np.zeros(len(table), np.int64)
        if style is not None:
            texts = pc.fill_null(_texts(table.column(field))[0], "")
            ms, valid = read_times(texts, style)
            for row in np.flatnonzero(~valid):
                text = texts[int(row)].as_py()
                self.faults.add(first + int(row), f"{field}: {text!r} is no {style.value} time")
            if not valid.all():
                rows = np.flatnonzero(valid)
                table, ms = table.take(pa.array(rows)), ms[rows]
        columns = ((n, *_texts(table.column(n))) for n in table.schema.names)
        return objects(columns, None if style is None else field, ms)


def _texts(column: Any) -> tuple[Any, bool]:
    """A column as a StringArray, null where there is nothing, and whether it is a JSON text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string()), True
    if pa.types.is_floating(kind):
        finite = pc.is_finite(column)
        return pc.if_else(finite, column, pa.scalar(None, kind)).cast(pa.string()), False
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string()), False
    if pa.types.is_timestamp(kind):
        zone = "" if kind.tz is None else "Z"
        naive = column.cast(pa.timestamp(kind.unit, "UTC" if kind.tz else None))
        naive = naive.cast(pa.int64()).cast(pa.timestamp(kind.unit))
        text = pc.replace_substring(naive.cast(pa.string()), " ", "T")
        return pc.binary_join_element_wise(text, zone, ""), True
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return column.cast(pa.string()), True
    values = [
        None if v is None else json.dumps(v, default=str, ensure_ascii=False)
        for v in column.to_pylist()
    ]
    return pa.array(values, pa.string()), False
