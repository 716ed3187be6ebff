"""Groups of a few rows, without DuckDB: COUNT, SUM, AVG, MIN and MAX of plain columns.

It computes what the texts of ``functions/aggregates.py`` say, in Python, over accumulators of the
same columns; golden cases run both ways. Everything else goes the way of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hashes import key_hashes
from eddyline.engine.keyed.hot_rows import HotRows, Key
from eddyline.engine.keyed.keyed_state import KeyedState
from eddyline.engine.operators.accumulate import AggregateColumns
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.plain_rows import PlainRows, arrow_types, is_comparable, plain_values
from eddyline.record.schema import Schema
from eddyline.record.types import BITS, INTEGERS, Root, arrow_type, quote

# More rows are cheaper by statements.
ROWS_MAX = 2048
# The group itself: how many rows it holds.
_ROWS = "$rows"

Merge = Callable[[list[Any], list[Any]], list[Any]]
Finish = Callable[[list[Any]], Any]


@dataclass(frozen=True, slots=True)
class RowCall:
    """One aggregate: its argument's column (None for COUNT(*)), how the values of a batch come to
    its accumulators, and its result."""

    column: str | None
    width: int
    merge: Merge
    finish: Finish

    def values(self, columns: dict[str, list[Any]], at: list[int]) -> list[Any]:
        """The argument's values in some rows that are not NULL; for COUNT(*) one each."""
        if self.column is None:
            return at
        column = columns[self.column]
        return [v for i in at if (v := column[i]) is not None]


def _cut(value: int, root: Root) -> int:
    """As Java's two's complement cuts it."""
    half = 1 << (BITS[root] - 1)
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


def _row_call(c: AggregateColumns, below: Schema) -> RowCall | None:
    """The row form of a call; None if it has none."""
    call = c.call
    if c.distinct or call.filter or len(call.args) > 1:
        return None
    if call.function == "COUNT" and not call.args:
        return RowCall(None, 1, _count, lambda s: s[0])
    (arg,) = call.args
    name = next((n for n in below.names if quote(n) == arg.text), None)
    if name is None or len(c.columns()) != len(c.compiled.accumulators):
        return None
    root, t = arg.type.root, arrow_type(below[name])
    if call.function == "COUNT":
        return RowCall(name, 1, _count, lambda s: s[0])
    if call.function in ("MIN", "MAX") and is_comparable(t):
        return RowCall(name, 1, _least if call.function == "MIN" else _greatest, lambda s: s[0])
    if root in INTEGERS and call.function == "SUM":
        return RowCall(name, 2, _add, lambda s: _cut(s[0], root) if s[1] else None)
    if root in INTEGERS and call.function == "AVG":
        whole = root is Root.BIGINT
        return RowCall(
            name, 2, _add,
            lambda s: _quotient(_cut(s[0], root) if whole else s[0], s[1]) if s[1] else None,
        )  # fmt: skip
    if root is Root.DOUBLE and call.function == "SUM":
        return RowCall(name, 2, _add, lambda s: s[0] if s[1] else None)
    if root is Root.DOUBLE and call.function == "AVG":
        return RowCall(name, 2, _add, lambda s: s[0] / s[1] if s[1] else None)
    return None


def row_calls(calls: Sequence[AggregateColumns], below: Schema) -> list[RowCall] | None:
    """The row form of each call; None if one has none."""
    made = [_row_call(c, below) for c in calls]
    known = [c for c in made if c is not None]
    return known if len(known) == len(made) else None


def group_rows(
    keyed: KeyedState | None,
    keys: Sequence[str],
    calls: Sequence[AggregateColumns],
    below: Schema,
    schema: Schema,
) -> GroupRows | None:
    """The row form of a grouping; None if it has none."""
    if keyed is None or not all(is_comparable(arrow_type(below[k])) for k in keys):
        return None
    made = row_calls(calls, below)
    if made is None:
        return None
    return GroupRows(keyed, tuple(keys), made, [c.call.name for c in calls], schema)


class GroupRows:
    """Takes batches of a few new rows; the groups are rows of ``HotRows``."""

    def __init__(
        self,
        keyed: KeyedState,
        keys: tuple[str, ...],
        calls: list[RowCall],
        names: list[str],
        schema: Schema,
    ) -> None:
        self._keyed = keyed
        self._keys = keys
        self._calls = calls
        self._types = arrow_types(schema)
        # For each column of the result, its place among keys and results.
        places = {name: i for i, name in enumerate((*keys, *names))}
        self._places = [places[name] for name in schema.names]

    def take(self, batch: Batch, hot: HotRows) -> Batch | None:
        """The changes that new rows make."""
        names = dict.fromkeys([*self._keys, *(c.column for c in self._calls if c.column)])
        columns = plain_columns(batch, names)
        keys: list[Key] = list(zip(*(columns[k] for k in self._keys), strict=True))
        self._fetch(batch, keys, hot)
        at: dict[Key, list[int]] = {}
        for i, key in enumerate(keys):
            at.setdefault(key, []).append(i)
        changes: list[tuple[Any, ...]] = []
        kinds: list[int] = []
        for key in sorted(at, key=in_order):
            old, new = self._changed(hot, key, at[key], columns)
            if old is None:
                changes.append((*key, *new))
                kinds.append(ChangeKind.INSERT)
            elif not all(map(_same, old, new)):
                changes += [(*key, *old), (*key, *new)]
                kinds += [ChangeKind.UPDATE_BEFORE, ChangeKind.UPDATE_AFTER]
        self._keyed.log_hot(lambda: hot.log(at))
        if not changes:
            return None
        values = list(zip(*changes, strict=True))
        given = {n: list(values[at]) for n, at in zip(self._types, self._places, strict=True)}
        rows = PlainRows(len(changes), given, self._types)
        return Batch(rows, np.array(kinds, np.int8) if any(kinds) else None)

    def _fetch(self, batch: Batch, keys: list[Key], hot: HotRows) -> None:
        """Groups that rest in runs become hot."""
        if not self._keyed.num_runs:
            return
        missing = [i for i, key in enumerate(keys) if key not in hot.rows]
        if missing:
            chosen = batch.rows.select(list(self._keys)).take(pa.array(missing))
            pieces = self._keyed.fetch(np.unique(key_hashes(chosen, self._keys)))
            assert pieces is not None
            hot.take_in(pieces)

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
            values = c.values(columns, at)
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


def plain_columns(batch: Batch, names: Iterable[str]) -> dict[str, list[Any]]:
    """Columns of a batch as plain values."""
    if batch.plain is not None:
        columns = batch.plain.columns
        return {n: columns[n] for n in names}
    return {n: plain_values(batch.rows[n]) for n in names}


def in_order(key: Key) -> tuple[tuple[bool, Any], ...]:
    """What keys are sorted by, NULL last."""
    return tuple((v is None, 0 if v is None else v) for v in key)


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))
