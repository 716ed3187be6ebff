"""Rows of one table in memory, one for each key, for work on few rows without DuckDB.

Planning a statement costs more than the work on a few rows. An operator that can do that work
itself keeps the rows that it uses here in place of its DuckDB table. The changes have a log.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from eddyline.engine.keyed.hot_log import HotLog
from eddyline.record.plain_rows import column_of_values, plain_values

Key = tuple[Any, ...]


class HotRows(HotLog):
    """The rows, by key, those used longest ago first.

    schema: the table's, its key first.
    """

    def __init__(self, schema: pa.Schema, keys: int, directory: Path | None) -> None:
        super().__init__(directory)
        self.schema = schema
        self._num_keys = keys
        self.rows: dict[Key, list[Any]] = {}

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def take_line(self, changes: Any) -> None:
        if isinstance(changes, dict):
            for key in changes["gone"]:
                self.rows.pop(tuple(key), None)
            return
        for row in changes:
            self.rows[tuple(row[: self._num_keys])] = row[self._num_keys :]

    def all_lines(self) -> Iterable[Any]:
        return [[[*key, *row] for key, row in self.rows.items()]] if self.rows else []

    def take_in(self, tables: list[list[pa.Table]]) -> None:
        """Rows that rested elsewhere: the pieces of the only table."""
        (pieces,) = tables
        for piece in pieces:
            columns = [plain_values(piece[name]) for name in self.schema.names]
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

    def tables(self) -> list[pa.Table]:
        """All rows, as the only table."""
        return [self.table(self.rows)]

    def let_go(self) -> list[pa.Table]:
        """The half that was used longest ago leaves, as the only table; no part of the log."""
        leaving = list(islice(self.rows, len(self.rows) // 2 + 1))
        table = self.table(leaving)
        for key in leaving:
            del self.rows[key]
        return [table]

    def log(self, keys: Iterable[Key]) -> Path | None:
        """The rows of these keys have changed, or are no more; the path of the log that a new one
        replaces."""
        rows, changed, gone = self.rows, [], []
        for key in keys:
            if key in rows:
                changed.append([*key, *rows[key]])
            else:
                gone.append(key)
        lines: list[Any] = [changed] if changed else []
        return self.append([*lines, {"gone": gone}] if gone else lines)
