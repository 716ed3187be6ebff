"""Parquet files as JSON objects: numbers to the digit, instants in ISO 8601 (UTC with a Z)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError, nearest
from eddyline.generator.replay.batch import Batch, Facts, whole
from eddyline.generator.replay.instant import Style, detect_field, parse
from eddyline.generator.replay.ndjson import SAMPLE_LINES, by_likelihood
from eddyline.generator.replay.text import Faults, or_null, quoted

MAGIC = b"PAR1"
BATCH_ROWS = 16_384


class ParquetReader:
    """Reads row groups by column; nested values are written row by row."""

    def __init__(self, source: IO[bytes], path: Path, time_field: str | None) -> None:
        self._source = source
        self._path = path
        self._known = False
        self.facts = Facts("parquet", time_field)
        self.faults = Faults()

    def batches(self) -> Iterator[Batch]:
        row = 1
        for table in self._tables():
            if not self._known:
                self._infer(table)
            batch = self._batch(table, row)
            row += len(table)
            if len(batch):
                yield batch

    def _tables(self) -> Iterator[Any]:
        from pyarrow import parquet

        try:
            file = parquet.ParquetFile(self._source)
            yield from file.iter_batches(batch_size=BATCH_ROWS)
        except (pa.ArrowException, OSError) as error:
            message = f"{self._path} is no Parquet file that can be read: {error}"
            raise EddylineError("bad_file", message) from error

    def _infer(self, table: Any) -> None:
        names = list(table.schema.names)
        if len(set(names)) != len(names) or not names:
            message = f"{self._path} names a column twice, or has none"
            raise EddylineError("bad_file", message)
        self._known = True
        self.facts.columns.update({f.name: str(f.type) for f in table.schema})
        wanted = self.facts.time_field
        if wanted is not None and wanted not in names:
            near = nearest(wanted, names) or names[:5]
            message = f"no column {wanted} in {self._path}"
            raise EddylineError("bad_file", message, hint=f"there is {', '.join(near)}")
        for name in [wanted] if wanted else by_likelihood(names):
            column = table.column(name).slice(0, SAMPLE_LINES)
            texts = [t for t in _texts(column)[0].to_pylist() if t is not None]
            style = detect_field(name, texts, asked=wanted is not None) if texts else None
            if style is not None:
                self.facts.time_field, self.facts.style = name, style
                return
        if wanted is not None:
            message = f"the column {wanted} of {self._path} holds no times that can be read"
            raise EddylineError("bad_file", message, hint="timestamps, ISO 8601, epoch s or ms")

    def _batch(self, table: Any, first: int) -> Batch:
        style, field = self.facts.style, self.facts.time_field
        ms = np.zeros(len(table), np.int64)
        if style is not None:
            texts = pc.fill_null(_texts(table.column(field))[0], "")
            ms, valid = parse(texts, style)
            for row in np.flatnonzero(~valid):
                text = texts[int(row)].as_py()
                self.faults.add(first + int(row), f"{field}: {text!r} is no {style.value} time")
            if not valid.all():
                rows = np.flatnonzero(valid)
                table, ms = table.take(pa.array(rows)), ms[rows]
        return self._records(table, ms, style)

    def _records(self, table: Any, ms: Any, style: Style | None) -> Batch:
        parts: list[Any] = []
        head, time, opening = None, None, "{"
        for name in table.schema.names:
            parts.append(opening + json.dumps(name, ensure_ascii=False) + ":")
            opening = ","
            texts, is_text = _texts(table.column(name))
            if style is not None and name == self.facts.time_field:
                mark = '"' if is_text else ""
                head = _joined([*parts, mark], len(ms))
                time, parts = texts, [mark]
            else:
                parts.append(or_null(quoted(texts) if is_text else texts))
        tail = _joined([*parts, "}"], len(ms))
        return whole(tail) if head is None else Batch(head, time, tail, ms)


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


def _joined(parts: list[Any], n: int) -> Any:
    if all(isinstance(p, str) for p in parts):
        return pa.repeat("".join(parts), n)
    return pc.binary_join_element_wise(*parts, "")
