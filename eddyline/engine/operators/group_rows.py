"""Groups of a few rows, without DuckDB: COUNT, SUM, AVG, MIN and MAX of plain columns.

It computes what the texts of ``functions/aggregates.py`` say, in Python, over accumulators of the
same columns; golden cases run both ways. Everything else goes the way of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hashes import key_hashes
from eddyline.engine.keyed.hot_rows import HotRows, Key, column_of_values, is_plain, plain_values
from eddyline.engine.keyed.keyed_state import KeyedState
from eddyline.engine.operators.accumulate import AggregateColumns
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.schema import Schema
from eddyline.record.types import INTEGERS, Root, arrow_type, quote

# More rows are cheaper by statements.
ROWS_MAX = 2048
# The group itself: how many rows it holds.
_ROWS = "$rows"
_BITS = {Root.TINYINT: 8, Root.SMALLINT: 16, Root.INT: 32, Root.BIGINT: 64}

Merge = Callable[[list[Any], list[Any]], list[Any]]
Finish = Callable[[list[Any]], Any]


@dataclass(frozen=True, slots=True)
class _RowCall:
    """One aggregate: its argument's column (None for COUNT(*)), how the values of a batch come to
    its accumulators, and its result."""

    column: str | None
    width: int
    merge: Merge
    finish: Finish


def _cut(value: int, root: Root) -> int:
    """As Java's two's complement cuts it."""
    half = 1 << (_BITS[root] - 1)
    return (value + half) % (2 * half) - half


def _quotient(total: int, count: int) -> int:
    """Towards zero."""
    return total // count if total >= 0 else -(-total // count)


def _add(state: list[Any], values: list[Any]) -> list[Any]:
    zero = 0.0 if values and isinstance(values[0], float) else 0
    return [(state[0] or 0) + sum(values, zero), (state[1] or 0) + len(values)]


def _count(state: list[Any], values: list[Any]) -> list[Any]:
    return [(state[0] or 0) + len(values)]


def _least(state: list[Any], values: list[Any]) -> list[Any]:
    return [min([v for v in (*state, *values) if v is not None], default=None)]


def _greatest(state: list[Any], values: list[Any]) -> list[Any]:
    return [max([v for v in (*state, *values) if v is not None], default=None)]


def _row_call(c: AggregateColumns, below: Schema) -> _RowCall | None:
    """The row form of a call; None if it has none."""
    call = c.call
    if c.distinct or call.filter or len(call.args) > 1:
        return None
    if call.function == "COUNT" and not call.args:
        return _RowCall(None, 1, _count, lambda s: s[0])
    (arg,) = call.args
    name = next((n for n in below.names if quote(n) == arg.text), None)
    if name is None or len(c.columns()) != len(c.compiled.accumulators):
        return None
    root, t = arg.type.root, arrow_type(below[name])
    if call.function == "COUNT":
        return _RowCall(name, 1, _count, lambda s: s[0])
    if call.function in ("MIN", "MAX") and is_plain(t):
        return _RowCall(name, 1, _least if call.function == "MIN" else _greatest, lambda s: s[0])
    if root in INTEGERS and call.function == "SUM":
        return _RowCall(name, 2, _add, lambda s: _cut(s[0], root) if s[1] else None)
    if root in INTEGERS and call.function == "AVG":
        whole = root is Root.BIGINT
        return _RowCall(
            name, 2, _add,
            lambda s: _quotient(_cut(s[0], root) if whole else s[0], s[1]) if s[1] else None,
        )  # fmt: skip
    if root is Root.DOUBLE and call.function == "SUM":
        return _RowCall(name, 2, _add, lambda s: s[0] if s[1] else None)
    if root is Root.DOUBLE and call.function == "AVG":
        return _RowCall(name, 2, _add, lambda s: s[0] / s[1] if s[1] else None)
    return None


def group_rows(
    keyed: KeyedState | None,
    keys: Sequence[str],
    calls: Sequence[AggregateColumns],
    below: Schema,
    schema: Schema,
) -> GroupRows | None:
    """The row form of a grouping; None if it has none."""
    if keyed is None or not all(is_plain(arrow_type(below[k])) for k in keys):
        return None
    candidates = [_row_call(c, below) for c in calls]
    row_calls = [c for c in candidates if c is not None]
    if len(row_calls) != len(candidates):
        return None
    return GroupRows(keyed, tuple(keys), row_calls, [c.call.name for c in calls], schema)


class GroupRows:
    """Takes batches of a few new rows; the groups are rows of ``HotRows``."""

    def __init__(
        self,
        keyed: KeyedState,
        keys: tuple[str, ...],
        calls: list[_RowCall],
        names: list[str],
        schema: Schema,
    ) -> None:
        self._keyed = keyed
        self._keys = keys
        self._calls = calls
        self._schema = schema
        # For each column of the result, its place among keys and results.
        places = {name: i for i, name in enumerate((*keys, *names))}
        self._places = [places[name] for name in schema.names]

    def take(self, rows: pa.Table, hot: HotRows) -> Batch | None:
        """The changes that new rows make."""
        keys = self._key_values(rows)
        self._fetch(rows, keys, hot)
        at: dict[Key, list[int]] = {}
        for i, key in enumerate(keys):
            at.setdefault(key, []).append(i)
        columns = {
            name: plain_values(rows[name]) for c in self._calls if (name := c.column) is not None
        }
        changes: list[tuple[Any, ...]] = []
        kinds: list[int] = []
        for key in sorted(at, key=_order):
            old, new = self._changed(hot, key, at[key], columns)
            if old is None:
                changes.append((*key, *new))
                kinds.append(ChangeKind.INSERT)
            elif not all(map(_same, old, new)):
                changes += [(*key, *old), (*key, *new)]
                kinds += [ChangeKind.UPDATE_BEFORE, ChangeKind.UPDATE_AFTER]
        self._keyed.log_hot(hot, at)
        if not changes:
            return None
        values = list(zip(*changes, strict=True))
        arrays = [
            column_of_values(list(values[place]), arrow_type(t))
            for place, t in zip(self._places, self._schema.types, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, schema=self._schema.arrow())
        return Batch(table, np.array(kinds, np.int8) if any(kinds) else None)

    def _key_values(self, rows: pa.Table) -> list[Key]:
        return list(zip(*(plain_values(rows[k]) for k in self._keys), strict=True))

    def _fetch(self, rows: pa.Table, keys: list[Key], hot: HotRows) -> None:
        """Groups that rest in runs become hot."""
        missing = [i for i, key in enumerate(keys) if key not in hot.rows]
        if missing and self._keyed.num_runs:
            chosen = rows.select(list(self._keys)).take(pa.array(missing))
            for table in self._keyed.fetch(np.unique(key_hashes(chosen, self._keys))):
                hot.take_in(table)

    def _changed(
        self, hot: HotRows, key: Key, at: list[int], columns: dict[str, list[Any]]
    ) -> tuple[list[Any] | None, list[Any]]:
        """A group's results before and after its rows of the batch."""
        state = hot.rows.pop(key, None)  # and back again, as the one that was used last
        old = None if state is None else self._results(state)
        if state is None:
            state = [0] + [None] * sum(c.width for c in self._calls)
        state[0] += len(at)
        place = 1
        for c in self._calls:
            values: list[Any] = at
            if c.column is not None:
                column = columns[c.column]
                values = [v for i in at if (v := column[i]) is not None]
            state[place : place + c.width] = c.merge(state[place : place + c.width], values)
            place += c.width
        hot.rows[key] = state
        return old, self._results(state)

    def _results(self, state: list[Any]) -> list[Any]:
        results, place = [], 1
        for c in self._calls:
            results.append(c.finish(state[place : place + c.width]))
            place += c.width
        return results


def _order(key: Key) -> tuple[tuple[bool, Any], ...]:
    return tuple((v is None, 0 if v is None else v) for v in key)


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))
