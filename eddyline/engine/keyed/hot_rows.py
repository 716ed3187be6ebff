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

from eddyline.record.plain_rows import column_of_values, plain_values

Key = tuple[Any, ...]
# The log is rewritten when it has so many bytes, and four times as many as then.
LOG_BYTES = 1 << 20
LOG_GROWTH = 4


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
            changes = json.loads(line)
            if isinstance(changes, dict):
                for key in changes["gone"]:
                    self.rows.pop(tuple(key), None)
                continue
            for row in changes:
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
        """The rows of these keys have changed, or are no more; the path of the log that this one
        replaces."""
        if self._file is None:
            return None
        if self.length > self._length_max:
            return self.rewritten_log()
        self._append(keys)
        return None

    def rewritten_log(self) -> Path | None:
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
        rows, changed, gone = self.rows, [], []
        for key in keys:
            if key in rows:
                changed.append([*key, *rows[key]])
            else:
                gone.append(key)
        line = json.dumps(changed).encode() + b"\n" if changed else b""
        if gone:
            line += json.dumps({"gone": gone}).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(line)
