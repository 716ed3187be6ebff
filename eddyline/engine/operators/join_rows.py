"""A join's change for a few rows, without DuckDB: what ``join.py`` says, over rows in memory.

For joins on equal keys alone, without a TTL. Golden cases run both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hot_groups import Group, HotGroups, Row
from eddyline.engine.keyed.hot_rows import Key
from eddyline.engine.keyed.keyed_state import KeyedState
from eddyline.engine.operators import join_side
from eddyline.engine.operators.group_rows import plain_columns
from eddyline.engine.operators.join_side import JoinSide
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.plain_rows import (
    PlainRows,
    arrow_types,
    as_bits,
    can_be_plain,
    from_bits,
    is_comparable,
)
from eddyline.record.schema import Schema
from eddyline.record.types import arrow_type

# More matches, or more rows of one key, are cheaper by statements.
MATCHES_MAX = 4096
# What a value takes beside its text.
VALUE_BYTES = 8
_GOES = (ChangeKind.UPDATE_BEFORE, ChangeKind.DELETE)


@dataclass(slots=True)
class _KeyChange:
    """What comes and goes under one key: net copies of rows, of each side."""

    sides: tuple[Group, Group] = field(default_factory=lambda: ({}, {}))


class JoinRows:
    """Takes a few changes of both sides; the sides' rows are ``HotGroups``.

    below: the inputs' schemas. keys: their key columns.
    """

    def __init__(
        self,
        keyed: KeyedState,
        sides: tuple[JoinSide, JoinSide],
        below: Sequence[Schema],
        keys: Sequence[tuple[str, ...]],
        schema: Schema,
    ) -> None:
        self._keyed = keyed
        self._sides = sides
        self._below = below
        self._types = arrow_types(schema)
        self._widths = [len(s) for s in below]
        self._floats = [n for n, t in self._types.items() if pa.types.is_floating(t)]

    def take(self, batches: Sequence[Batch | None], hot: HotGroups) -> tuple[bool, Batch | None]:
        """Whether the changes were taken, and those that they make; if not, nothing was."""
        changes: dict[Key, _KeyChange] = {}
        for side, batch in enumerate(batches):
            if batch is not None:
                self._read(side, batch, hot, changes)
        if self._keyed.num_runs and not hot.bring(changes, self._keyed.fetch, MATCHES_MAX):
            return False, None
        if not self._are_few(changes, hot):
            return False, None
        net: Group = {}
        for key, change in changes.items():
            self._advance(key, change, hot, net)
        self._keyed.log_hot(hot.log)
        return True, self._given(net)

    def _read(
        self, side: int, batch: Batch, hot: HotGroups, changes: dict[Key, _KeyChange]
    ) -> None:
        schema = self._below[side]
        columns = plain_columns(batch, schema.names)
        values = [
            as_bits(columns[c.name])
            if pa.types.is_floating(arrow_type(c.type))
            else columns[c.name]
            for c in schema
        ]
        kinds = [0] * batch.num_rows if batch.kinds is None else batch.kinds.tolist()
        for kind, row in zip(kinds, zip(*values, strict=True), strict=True):
            group = changes.setdefault(hot.key(side, row), _KeyChange()).sides[side]
            group[row] = group.get(row, 0) + (-1 if kind in _GOES else 1)

    def _are_few(self, changes: dict[Key, _KeyChange], hot: HotGroups) -> bool:
        """Whether the rows to be looked at, and the bytes that they make, are few."""
        left, right = hot.groups
        total, longest = 0, list(hot.longest)
        for key, change in changes.items():
            sizes = _copies(left.get(key)), _copies(right.get(key))
            come = _copies(change.sides[0]), _copies(change.sides[1])
            total += come[0] * sizes[1] + come[1] * (sizes[0] + come[0]) + sum(sizes)
            for side, group in enumerate(change.sides):
                for row in group:
                    longest[side] = max(longest[side], hot.size_of(side, row))
        row_bytes = sum(longest) + VALUE_BYTES * sum(self._widths)
        return total <= MATCHES_MAX and total * row_bytes <= join_side.PIECE_BYTES_MAX

    def _advance(self, key: Key, change: _KeyChange, hot: HotGroups, net: Group) -> None:
        """The change of one key: it goes into the sides' rows, what it makes into ``net``."""
        meets = None not in key
        before: list[Group] = [dict(hot.used(side, key) or ()) for side in (0, 1)]
        if meets:
            _add_matches(net, change.sides[0], before[1])
        for side, group in enumerate(change.sides):
            for row, copies in group.items():
                if copies:
                    hot.add(side, row, copies)
        after = [hot.groups[side].get(key, {}) for side in (0, 1)]
        if meets:
            _add_matches(net, after[0], change.sides[1])
        for outer in self._sides:
            if outer.outer:
                me, you = outer.index, 1 - outer.index
                was_alone, is_alone = (not meets or not g[you] for g in (before, after))
                if was_alone and is_alone:
                    self._add_alone(net, me, change.sides[me], 1)
                elif was_alone:
                    self._add_alone(net, me, before[me], -1)
                elif is_alone:
                    self._add_alone(net, me, after[me], 1)

    def _add_alone(self, net: Group, side: int, rows: Group, sign: int) -> None:
        """Rows of an outer side without a partner."""
        nulls = (None,) * self._widths[1 - side]
        for row, copies in rows.items():
            whole = row + nulls if side == 0 else nulls + row
            net[whole] = net.get(whole, 0) + sign * copies

    def _given(self, net: Group) -> Batch | None:
        """Rows with kinds: first what goes, then what comes."""
        rows: list[Row] = []
        for row, copies in net.items():
            rows += [row] * -copies
        gone = len(rows)
        for row, copies in net.items():
            rows += [row] * copies
        if not rows:
            return None
        columns: dict[str, list[Any]] = {
            name: list(values)
            for name, values in zip(self._types, zip(*rows, strict=True), strict=True)
        }
        for name in self._floats:
            columns[name] = from_bits(columns[name])
        kinds = np.zeros(len(rows), np.int8)
        kinds[:gone] = ChangeKind.DELETE
        return Batch(PlainRows(len(rows), columns, self._types), kinds if gone else None)


def _copies(group: Group | None) -> int:
    return sum(map(abs, group.values())) if group else 0


def _add_matches(net: Group, left: Group, right: Group) -> None:
    for row, copies in left.items():
        for other, times in right.items():
            whole = row + other
            net[whole] = net.get(whole, 0) + copies * times


def join_rows(
    keyed: KeyedState | None,
    sides: tuple[JoinSide, JoinSide],
    below: Sequence[Schema],
    keys: Sequence[tuple[str, ...]],
    schema: Schema,
) -> JoinRows | None:
    """The row form of a join on equal keys; None if its columns have none."""
    if keyed is None:
        return None
    plain = all(can_be_plain(arrow_type(t)) for s in below for t in s.types)
    pairs = [(s, k) for s, names in zip(below, keys, strict=True) for k in names]
    if not plain or not all(is_comparable(arrow_type(s[k])) for s, k in pairs):
        return None
    return JoinRows(keyed, sides, below, keys, schema)
