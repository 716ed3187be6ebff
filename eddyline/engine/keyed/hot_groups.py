"""Rows of several tables in memory, any number for each key, for work on few rows without DuckDB.

As ``hot_rows.py``, for operators that keep the rows themselves: a row is all of its values, and may
be there several times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hashes import Hashes, key_hashes
from eddyline.engine.keyed.hot_log import HotLog
from eddyline.engine.keyed.hot_rows import Key
from eddyline.record.plain_rows import as_bits, column_of_values, from_bits, plain_values

Row = tuple[Any, ...]
# The column of the number of copies.
COPIES = "$n"
# Rows of a key, and how many copies there are of each.
Group = dict[Row, int]
# Takes rows of keys with these hashes out of runs, see ``KeyedState.fetch``.
Fetch = Callable[[Hashes, int], list[list[pa.Table]] | None]
# So many keys are remembered whose rows are all in memory.
KNOWN_MAX = 65_536


def _chooser(places: list[int]) -> Callable[[Row], Key]:
    """What gives the values of a row at some places, as a tuple."""
    if len(places) == 1:
        (place,) = places
        return lambda row: (row[place],)
    return itemgetter(*places)


class HotGroups(HotLog):
    """The rows by table and key, keys that were used longest ago first.

    schemas: the tables', each with a column of the number of copies (``COPIES``) last, or without
    one. keys: of each table, the columns that are its key. Floating numbers are in rows as bits.
    """

    def __init__(
        self, schemas: Sequence[pa.Schema], keys: Sequence[Sequence[str]], directory: Path | None
    ) -> None:
        super().__init__(directory)
        self._schemas = list(schemas)
        self._key_of = [
            _chooser([schema.names.index(k) for k in names])
            for schema, names in zip(schemas, keys, strict=True)
        ]
        # Whole numbers of any width have the same hashes.
        types = [schemas[0].field(k).type for k in keys[0]]
        self._key_types = [pa.int64() if pa.types.is_integer(t) else t for t in types]
        self._counted = [schema.names[-1] == COPIES for schema in schemas]
        self._floats = [
            [i for i, kind in enumerate(schema.types) if pa.types.is_floating(kind)]
            for schema in schemas
        ]
        self._texts = [
            [i for i, kind in enumerate(schema.types) if pa.types.is_string(kind)]
            for schema in schemas
        ]
        # Characters of texts: of all rows, and at most of one of each table so far.
        self.text_size, self.longest = 0, [0 for _ in schemas]
        self.groups: list[dict[Key, Group]] = [{} for _ in schemas]
        # Keys whose rows are all in memory, as far as is known.
        self.known: set[Key] = set()
        self._num_rows = 0
        self._changed: list[list[Any]] = []

    @property
    def num_rows(self) -> int:
        return self._num_rows

    def key(self, table: int, row: Row) -> Key:
        """The key of a row."""
        return self._key_of[table](row)

    def size_of(self, table: int, row: Row) -> int:
        """Characters of a row's texts."""
        places = self._texts[table]
        return sum([len(row[i]) for i in places if row[i] is not None]) if places else 0

    def used(self, table: int, key: Key) -> Group | None:
        """The rows of a key, which is now the one used last; None if it has none."""
        groups = self.groups[table]
        group = groups.pop(key, None)
        if group is not None:
            groups[key] = group
        return group

    def add(self, table: int, row: Row, copies: int) -> None:
        """Add copies of a row, or take them away; part of the next line of the log."""
        key = self._key_of[table](row)
        group = self.groups[table].get(key)
        after = copies if group is None else group.get(row, 0) + copies
        self._set(table, key, row, after)
        self._changed.append([table, *row, after])

    def take_line(self, changes: Any) -> None:
        for table, *row, copies in changes:
            values = tuple(row)
            self._set(table, self._key_of[table](values), values, copies)

    def all_lines(self) -> Iterable[Any]:
        rows = [
            [table, *row, copies]
            for table, groups in enumerate(self.groups)
            for group in groups.values()
            for row, copies in group.items()
        ]
        return [rows] if rows else []

    def bring(self, keys: Iterable[Key], fetch: Fetch, rows_max: int) -> bool:
        """Have all rows of these keys in memory; False, and nothing has changed, if those that
        rest in runs are more than ``rows_max``."""
        if len(self.known) > KNOWN_MAX:
            self.known.clear()
        missing = [key for key in keys if key not in self.known]
        if not missing:
            return True
        arrays = [
            column_of_values(list(values), t)
            for values, t in zip(zip(*missing, strict=True), self._key_types, strict=True)
        ]
        names = [str(i) for i in range(len(arrays))]
        pieces = fetch(np.unique(key_hashes(pa.table(arrays, names=names), names)), rows_max)
        if pieces is None:
            return False
        self.take_in(pieces)
        self.known.update(missing)
        return True

    def take_in(self, tables: list[list[pa.Table]]) -> None:
        """Rows that rested elsewhere, the pieces of each table; part of the log's next line."""
        for table, pieces in enumerate(tables):
            for rows in pieces:
                columns = [plain_values(rows[name]) for name in self._schemas[table].names]
                for i in self._floats[table]:
                    columns[i] = as_bits(columns[i])
                copies = columns.pop() if self._counted[table] else [1] * rows.num_rows
                for row, count in zip(zip(*columns, strict=True), copies, strict=True):
                    self.add(table, row, count)

    def tables(self) -> list[pa.Table]:
        """All rows, as tables."""
        return [self._table(table, groups) for table, groups in enumerate(self.groups)]

    def let_go(self) -> list[pa.Table]:
        """Of each table, the keys that were used longest ago leave with half of its keys; no part
        of the log."""
        tables = []
        self.known.clear()
        for table, groups in enumerate(self.groups):
            leaving = {key: groups[key] for key in islice(groups, len(groups) // 2 + 1)}
            tables.append(self._table(table, leaving))
            for key, group in leaving.items():
                self._num_rows -= len(group)
                self.text_size -= sum(self.size_of(table, row) for row in group)
                del groups[key]
        return tables

    def log(self) -> Path | None:
        """Write what has been added and taken away; the path of the log that a new one replaces."""
        changed, self._changed = self._changed, []
        return self.append([changed]) if changed else None

    def rewritten_log(self) -> Path | None:
        self._changed = []
        return super().rewritten_log()

    def _set(self, table: int, key: Key, row: Row, copies: int) -> None:
        groups = self.groups[table]
        group = groups.setdefault(key, {})
        was_there = row in group
        if copies:
            group[row] = copies
        else:
            group.pop(row, None)
        change = (row in group) - was_there
        if change:
            size = self.size_of(table, row)
            self._num_rows += change
            self.text_size += change * size
            self.longest[table] = max(self.longest[table], size)
        if not group:
            del groups[key]

    def _table(self, table: int, groups: dict[Key, Group]) -> pa.Table:
        schema = self._schemas[table]
        rows = [(*row, n) for group in groups.values() for row, n in group.items()]
        if not rows:
            return schema.empty_table()
        columns: list[Any] = [list(values) for values in zip(*rows, strict=True)]
        for i in self._floats[table]:
            columns[i] = from_bits(columns[i])
        arrays = [
            column_of_values(values, kind)
            for values, kind in zip(columns, schema.types, strict=False)
        ]
        return pa.Table.from_arrays(arrays, schema=schema)
