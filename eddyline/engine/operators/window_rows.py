"""Groups of windows for a few rows, without DuckDB: the calls of ``group_rows.py``.

Golden cases run both ways. The groups are rows of ``HotTable``: the window's end, the keys, and the
accumulators of each call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eddyline.engine.keyed.hot_rows import HotRows, Key
from eddyline.engine.keyed.hot_table import HotTable
from eddyline.engine.operators.accumulate import AggregateColumns
from eddyline.engine.operators.group_rows import RowCall, in_order, plain_columns, row_calls
from eddyline.engine.operators.operator import Int64s
from eddyline.engine.operators.windows import WindowGrid
from eddyline.record.batch import Batch
from eddyline.record.plain_rows import PlainRows, arrow_types, is_comparable
from eddyline.record.schema import Schema
from eddyline.record.types import arrow_type

# More (row, window) pairs are cheaper by statements.
PAIRS_MAX = 2048


class WindowRows:
    """Takes a few rows at a time into groups in memory, and gives those whose window is over.

    names: of the columns of a window's start, end and time in the result.
    """

    def __init__(
        self,
        grid: WindowGrid,
        keys: tuple[str, ...],
        calls: list[RowCall],
        results: list[str],
        names: tuple[str, str, str],
        schema: Schema,
    ) -> None:
        self._grid = grid
        self._keys = keys
        self._calls = calls
        self._results = results
        self._names = names
        self._types = arrow_types(schema)
        self._read = dict.fromkeys([*keys, *(c.column for c in calls if c.column)])

    def take(
        self, batch: Batch, first: Int64s, last: Int64s, table: HotTable, hot: HotRows
    ) -> None:
        """Put each row into the groups of the windows that end at ``first`` to ``last``."""
        columns = plain_columns(batch, self._read)
        step = self._grid.step
        keys: list[Key] = (
            list(zip(*(columns[k] for k in self._keys), strict=True))
            if self._keys
            else [()] * batch.num_rows
        )
        at: dict[Key, list[int]] = {}
        for i, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            for end in range(low, high + 1, step):
                at.setdefault((end, *keys[i]), []).append(i)
        empty = [None] * sum(c.width for c in self._calls)
        for key, places in at.items():
            state = hot.rows.setdefault(key, list(empty))
            place = 0
            for c in self._calls:
                accumulators = slice(place, place + c.width)
                state[accumulators] = c.merge(state[accumulators], c.values(columns, places))
                place += c.width
        table.log(at)

    def fire(self, bound: int, table: HotTable, hot: HotRows) -> Batch | None:
        """The groups of windows that end at ``bound`` or before, in order of their end."""
        over = sorted((key for key in hot.rows if key[0] <= bound), key=in_order)
        if not over:
            return None
        ends = np.array([key[0] for key in over], np.int64)
        times = (self._grid.starts(ends), ends, ends - 1)
        columns: dict[str, list[Any]] = {
            name: (ms * 1000).tolist() for name, ms in zip(self._names, times, strict=True)
        }
        for i, name in enumerate(self._keys, 1):
            columns[name] = [key[i] for key in over]
        states = [hot.rows.pop(key) for key in over]
        place = 0
        for name, c in zip(self._results, self._calls, strict=True):
            columns[name] = [c.finish(state[place : place + c.width]) for state in states]
            place += c.width
        table.log(over)
        given = {name: columns[name] for name in self._types}
        return Batch(PlainRows(len(over), given, self._types))


def window_rows(
    grid: WindowGrid,
    keys: Sequence[str],
    calls: Sequence[AggregateColumns],
    names: tuple[str, str, str],
    below: Schema,
    schema: Schema,
) -> WindowRows | None:
    """The row form of a grouping by windows; None if it has none."""
    made = row_calls(calls, below)
    if made is None or not all(is_comparable(arrow_type(below[k])) for k in keys):
        return None
    return WindowRows(grid, tuple(keys), made, [c.call.name for c in calls], names, schema)
