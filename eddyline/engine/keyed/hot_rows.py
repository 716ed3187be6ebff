"""Rows of one table in memory, and a log of their changes, for work on few rows without DuckDB.

Planning a statement costs more than the work on a few rows. An operator that can do that work
itself keeps the rows that it uses here in place of its DuckDB table. What has changed is appended
to the log before the micro-batch is committed; the job's progress says how much of the log counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

Key = tuple[Any, ...]
# The log is written anew when it has so many bytes, and four times as many as then.
LOG_BYTES = 1 << 20
LOG_GROWTH = 4
_HUGEINT = pa.decimal128(38, 0)


def is_plain(t: pa.DataType) -> bool:
    """Whether values of a type are kept as JSON values that compare as DuckDB compares them."""
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


class HotRows:
    """The rows, by key, those used longest ago first.

    schema: the table's, its key first. directory: where the log is; None for none.
    """

    def __init__(self, schema: pa.Schema, keys: int, directory: Path | None) -> None:
        self.schema = schema
        self._num_keys = keys
        self.rows: dict[Key, list[Any]] = {}
        self._directory = directory
        self._file: BinaryIO | None = None
        self.generation = self.length = 0
        self._length_max = LOG_BYTES

    @property
    def path(self) -> Path | None:
        """The log; None if there is none."""
        return None if self._directory is None else self._directory / f"hot-{self.generation}"

    def open(self, generation: int, length: int) -> None:
        """Take back the rows from the first ``length`` bytes of a log."""
        self.generation, self.length = generation, length
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        assert self.path is not None
        self._file = self.path.open("r+b" if length else "w+b")
        self._file.truncate(length)
        for line in self._file.read(length).splitlines():
            for row in json.loads(line):
                self.rows[tuple(row[: self._num_keys])] = row[self._num_keys :]

    def take_in(self, table: pa.Table) -> None:
        """Rows that rested elsewhere."""
        columns = [plain_values(table[name]) for name in self.schema.names]
        for row in zip(*columns, strict=True):
            self.rows[row[: self._num_keys]] = list(row[self._num_keys :])

    def table(self, keys: Iterable[Key]) -> pa.Table:
        """Rows as a table."""
        rows = [(*key, *self.rows[key]) for key in keys]
        columns = zip(*rows, strict=True) if rows else [()] * len(self.schema)
        arrays = [
            column_of_values(list(values), field.type)
            for values, field in zip(columns, self.schema, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def log(self, keys: Iterable[Key]) -> Path | None:
        """The rows of these keys have changed; the path of the log that this one replaces."""
        if self._file is None:
            return None
        if self.length > self._length_max:
            return self.log_anew()
        self._append(keys)
        return None

    def log_anew(self) -> Path | None:
        """Begin a log that holds all rows; the path of the one before."""
        if self._file is None:
            return None
        old = self.path
        self._file.close()
        self.generation, self.length = self.generation + 1, 0
        assert self.path is not None
        self._file = self.path.open("w+b")
        if self.rows:
            self._append(self.rows)
        self._length_max = max(LOG_BYTES, LOG_GROWTH * self.length)
        return old

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _append(self, keys: Iterable[Key]) -> None:
        assert self._file is not None
        line = json.dumps([[*key, *self.rows[key]] for key in keys]).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(line)
