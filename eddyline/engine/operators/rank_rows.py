"""A Top-N by ROW_NUMBER for a few new rows, without DuckDB: what ``rank.py`` says, in memory.

It holds for rows that are never taken back and a fixed number of rows for each partition, as a
deduplication that keeps the last row has it. Golden cases run both ways.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hot_groups import HotGroups, Row
from eddyline.engine.keyed.hot_rows import Key
from eddyline.engine.keyed.keyed_state import KeyedState
from eddyline.engine.operators.group_rows import in_order, plain_columns
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.plain_rows import (
    PlainRows,
    arrow_types,
    as_bits,
    can_be_plain,
    from_bits,
    is_comparable,
)
from eddyline.record.types import arrow_type
from eddyline.sql.physical_ordered import Rank as RankNode
from eddyline.sql.sorting import SortKey

# Partitions of more rows, or more rows that come out of files at once, are cheaper by statements.
PARTITION_ROWS_MAX = 256
FETCHED_ROWS_MAX = 4096


@dataclass(frozen=True, slots=True)
class _SortPass:
    """One pass of a stable sort."""

    value: Callable[[Row], Any]
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class _RankedChange:
    """A row of the result that goes or comes, and what makes two of them one update."""

    row: Row
    pair: Key | None


class RankRows:
    """Takes a few new rows; the partitions' rows are ``HotGroups``, each with its number last."""

    def __init__(self, keyed: KeyedState, node: RankNode, *, newest_first: bool) -> None:
        self._keyed = keyed
        self._node = node
        self._newest_first = newest_first
        below = arrow_types(node.input.schema)
        self._names = list(below)
        self._floats = {n for n, t in below.items() if pa.types.is_floating(t)}
        self._types = arrow_types(node.schema)
        self._sorts = [self._sort(key) for key in reversed(node.order)]
        assert isinstance(node.last, int)
        self._last = node.last
        self._is_one = node.first == node.last

    def take(self, batch: Batch, seen: int, hot: HotGroups) -> tuple[bool, Batch | None]:
        """Whether the rows, which are numbered from ``seen`` on, were taken, and the changes that
        they make; if not, nothing was."""
        columns = plain_columns(batch, self._names)
        values = [as_bits(columns[n]) if n in self._floats else columns[n] for n in self._names]
        numbers = range(seen, seen + batch.num_rows)
        come: dict[Key, list[Row]] = {}
        for row in zip(*values, numbers, strict=True):
            come.setdefault(hot.key(0, row), []).append(row)
        if self._keyed.num_runs and not hot.bring(come, self._keyed.fetch, FETCHED_ROWS_MAX):
            return False, None
        gone: list[_RankedChange] = []
        new: list[_RankedChange] = []
        is_any_old = False
        for key in sorted(come, key=in_order):
            is_any_old |= self._advance(key, come[key], hot, gone, new)
        self._keyed.log_hot(hot.log)
        return True, self._given(gone, new, is_any_old)

    def _advance(
        self,
        key: Key,
        come: list[Row],
        hot: HotGroups,
        gone: list[_RankedChange],
        new: list[_RankedChange],
    ) -> bool:
        """The change of one partition; whether its result had rows."""
        old = self._sorted(list(hot.used(0, key) or ()))
        ranked = self._sorted(old + come)
        kept, beyond = ranked[: self._last], set(ranked[self._last :])
        for row in old:
            if row in beyond:
                hot.add(0, row, -1)
        for row in come:
            if row not in beyond:
                hot.add(0, row, 1)
        before, after = self._result(old), self._result(kept)
        gone += self._without(before, after, key)
        new += self._without(after, before, key)
        return bool(before)

    def _result(self, ranked: list[Row]) -> list[Row]:
        """The rows of the result of a partition's, in order."""
        first = self._node.first
        rows = enumerate(ranked[first - 1 : self._last], first)
        if self._node.rank is None:
            return [row[:-1] for _, row in rows]
        return [(*row[:-1], rank) for rank, row in rows]

    def _without(self, rows: list[Row], others: list[Row], key: Key) -> list[_RankedChange]:
        """The rows that are not among others, copy by copy."""
        left, changes = Counter(others), []
        for row in rows:
            if left[row]:
                left[row] -= 1
            elif self._node.rank is not None:
                changes.append(_RankedChange(row, (*key, row[-1])))
            else:
                changes.append(_RankedChange(row, key if self._is_one else None))
        return changes

    def _sorted(self, rows: list[Row]) -> list[Row]:
        rows = sorted(rows, key=lambda row: row[-1], reverse=self._newest_first)
        for sort in self._sorts:
            rows.sort(key=sort.value, reverse=sort.is_reversed)
        return rows

    def _sort(self, key: SortKey) -> _SortPass:
        """As DuckDB sorts: NaN is the greatest number."""
        place, is_floating = self._names.index(key.column), key.column in self._floats
        is_null_greater = key.nulls_first == key.descending

        def value(row: Row) -> Any:
            v = row[place]
            if v is None:
                return (is_null_greater, False, 0)
            if is_floating:
                (v,) = from_bits([v])
                if v != v:
                    return (not is_null_greater, True, 0)
            return (not is_null_greater, False, v)

        return _SortPass(value, key.descending)

    def _given(
        self, gone: list[_RankedChange], new: list[_RankedChange], is_any_old: bool
    ) -> Batch | None:
        """First what goes, then what comes."""
        if not gone and not new:
            return None
        both = {c.pair for c in gone if c.pair is not None} & {c.pair for c in new}
        rows = [c.row for c in (*gone, *new)]
        names = [*self._names, *([] if self._node.rank is None else [self._node.rank])]
        columns: dict[str, list[Any]] = {
            name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
        for name in self._floats:
            columns[name] = from_bits(columns[name])
        given = PlainRows(len(rows), {n: columns[n] for n in self._types}, self._types)
        if not is_any_old:
            return Batch(given)
        back, forth = ChangeKind.UPDATE_BEFORE, ChangeKind.UPDATE_AFTER
        kinds = [back if c.pair in both else ChangeKind.DELETE for c in gone]
        kinds += [forth if c.pair in both else ChangeKind.INSERT for c in new]
        return Batch(given, np.array(kinds, np.int8) if any(kinds) else None)


def rank_rows(keyed: KeyedState | None, node: RankNode, *, newest_first: bool) -> RankRows | None:
    """The row form of a Top-N over rows that are never taken back; None if it has none."""
    if keyed is None or node.function != "ROW_NUMBER" or not isinstance(node.last, int):
        return None
    below = arrow_types(node.input.schema)
    plain = all(can_be_plain(t) for t in below.values()) and node.last <= PARTITION_ROWS_MAX
    if not plain or not all(is_comparable(below[k]) for k in node.partition_by):
        return None
    if node.rank is not None and not pa.types.is_integer(arrow_type(node.schema[node.rank])):
        return None
    return RankRows(keyed, node, newest_first=newest_first)
