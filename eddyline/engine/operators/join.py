"""A regular join: both sides are kept, each change meets the other side's rows.

The change of the result is dL ⋈ R(before) + L(after) ⋈ dR. An outer side adds its rows that match
nothing, padded with NULL: found by looking at the touched keys before and after. Takes and gives
changelogs; within a micro-batch changes are net.

A batch whose result has more than ``PIECE_BYTES_MAX`` bytes, as that of a hot key has, is joined in
parts (``join_parts.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hot_groups import HotGroups
from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.join_parts import JoinParts, meetings
from eddyline.engine.operators.join_rows import join_rows
from eddyline.engine.operators.join_side import (
    JoinSide,
    N,
    batch_keys,
    counted,
    join_condition,
    make_side,
    renamed,
)
from eddyline.engine.operators.operator import (
    KIND,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    typed,
    with_columns,
)
from eddyline.engine.operators.partners import MET, PartnerCount, adapt_counts
from eddyline.engine.operators.retention import RetainingOperator, Retention, kept
from eddyline.record.batch import Batch
from eddyline.record.formats.kernel import are_few
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_COPY = '"$copy"'


class Join(RetainingOperator):
    """INNER, LEFT, RIGHT and FULL."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Join
    ) -> None:
        super().__init__(context, inputs, node.schema)
        left_outer = node.kind in (JoinKind.LEFT, JoinKind.FULL)
        right_outer = node.kind in (JoinKind.RIGHT, JoinKind.FULL)
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, left_outer)
        self._right = make_side(
            context, 1, below[1], node.right_names, node.right_keys, right_outer
        )
        self._sides = (self._left, self._right)
        self._on = join_condition(self._left, self._right, node.condition)
        # The tables that are read: those of the sides, or of their rows near a batch.
        self._read = [side.table for side in self._sides]
        self._parts = JoinParts(context, self._sides, {N: "BIGINT"})
        self.insert_only = self.insert_only and node.kind is JoinKind.INNER
        self.retentions = tuple(
            Retention(context, kept(side.table), ttl_ms)
            for side, ttl_ms in zip(self._sides, node.state_ttl_ms, strict=True)
        )
        self._forgets = any(r.on for r in self.retentions)
        # Of the outer sides, for when partners can be forgotten.
        self._counts = [
            PartnerCount(context.db, side, self._sides[1 - side.index], self._on,
                         self.retentions[side.index])
            for side in self._sides if side.outer
        ]  # fmt: skip
        self._names = ", ".join(quote(n) for n in self.schema.names)
        self._batch_keys = (node.left_keys, node.right_keys)
        tables = [KeyedTable(side.table, side.keys) for side in self._sides]
        self.keep_by_key([side.schema for side in self._sides], tables, is_grouped=True)
        self._row_way = None
        if node.condition is None and not self._forgets:
            self._row_way = join_rows(self.keyed, self._sides, below, self._batch_keys, self.schema)

    def create(self) -> None:
        for side in self._sides:
            more = f"{N} BIGINT{self.retentions[side.index].definition}"
            more += f", {MET} BIGINT" if side.outer and self._forgets else ""
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {more})"
            )

    def adapt(self) -> None:
        if self._row_way is None and self.keyed is not None:
            self.keyed.rows_to_table()
        super().adapt()
        adapt_counts(self._counts, forgets=self._forgets)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        watermark = min(s.watermark_ms for s in inputs)
        if not any(s.num_rows for s in inputs):
            self._parts.before = watermark
            return Step(None, watermark)
        is_taken, changes = self._take_few(inputs)
        if is_taken:
            self._parts.before = watermark
            self.settle()
            return Step(changes, watermark)
        self.call_back(*batch_keys(inputs, self._batch_keys))
        for side, step in zip(self._sides, inputs, strict=True):
            self._load(side, step.batch)
        return self._advance(watermark)

    def _take_few(self, inputs: tuple[Step, ...]) -> tuple[bool, Batch | None]:
        """Whether a few rows were taken without a statement, and the changes that they make."""
        if self._row_way is None or self.keyed is None:
            return False, None
        if are_few(sum(s.num_rows for s in inputs)):
            hot = self.keyed.hot()
            if not isinstance(hot, HotGroups):
                return False, None
            is_taken, changes = self._row_way.take([s.batch for s in inputs], hot)
            if is_taken:
                return True, changes
        self.keyed.rows_to_table()
        return False, None

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether a part of the last batch is still to be joined."""
        return self._parts.has_waiting

    def step_waiting(self) -> Step:
        self.begin_step()
        self._parts.take_back()
        return self._advance(self._parts.after)

    def save(self) -> dict[str, Any] | None:
        return self._parts.save()

    def restore(self, saved: dict[str, Any]) -> None:
        self._parts.restore(saved)

    def _advance(self, watermark: int) -> Step:
        """Join the changes in the deltas, or the first of them; the watermark after that."""
        outer = [s for s in self._sides if s.outer]
        # With an outer side each table is read more than once.
        copies = bool(outer and self._left.keys and not self._forgets)
        if copies:
            self._read = [self._near(side) for side in self._sides]
        matches = self._parts.within(self._statements)
        padded = [self._unmatched(s, -1) for s in outer]
        counts = self._counts if self._forgets else []
        padded += [self._forgotten(c.side) for c in counts]
        for side in self._sides:
            self._apply(side, side.table)
            if copies:
                self._apply(side, self._read[side.index])
        for count in counts:
            count.update()
        padded += [self._unmatched(s, 1) for s in outer]
        changes = self._changes([*matches, *padded])
        if self.has_waiting:
            self._parts.after = watermark
            return Step(changes, self._parts.before)
        self._parts.before = watermark
        self.settle()
        return Step(changes, watermark)

    def _near(self, side: JoinSide) -> str:
        """The table of a side's rows whose keys the batch touches, made again."""
        near = self.context.table(("left", "right")[side.index] + "_near")
        me, other = ("l", "r")[side.index], self._sides[1 - side.index]
        touched = self._touched(side, other, me)
        self.context.db.run(
            f"CREATE OR REPLACE TEMP TABLE {near} AS "
            f"SELECT {counted(side)} FROM {side.table} {me} WHERE {touched}"
        )
        return near

    def _statements(self, counts: list[int]) -> list[str]:
        """What gives the matches of deltas of so many rows."""
        return [
            self._matches(left, right)
            for left, right in meetings(self._sides, self._read, counts, counted(self._left))
        ]

    def _load(self, side: JoinSide, batch: Batch | None) -> None:
        """The side's net change of this batch, as a table with a signed number of copies."""
        db, columns = self.context.db, ", ".join(side.columns)
        make = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {columns}"
        self._parts.sizes[side.index] = batch.num_rows if batch is not None else 0
        if batch is None or not batch.num_rows:
            db.run(f"{make}, {N} FROM {side.table} WHERE FALSE")
            return
        rows = renamed(batch, self.inputs[side.index].schema, side)
        if batch.kinds is None:
            db.run(f"{make}, 1::BIGINT AS {N} FROM b", b=rows)
            return
        rows = with_columns(rows, kind=batch.kinds)
        sign = 'sum(CASE WHEN "$kind" IN (0, 2) THEN 1 ELSE -1 END)::BIGINT'
        # A row that went and came again is written, which prolongs its life.
        net = "" if self._forgets else f"HAVING {sign} <> 0"
        db.run(f"{make}, {sign} AS {N} FROM b GROUP BY {columns} {net}", b=rows)
        self._parts.sizes[side.index] = int(db.one(f"SELECT count(*) FROM {side.delta}"))

    def _matches(self, left: str, right: str) -> str:
        both = f"{self._left.of('l')}, {self._right.of('r')}"
        return f"SELECT {both}, l.{N} * r.{N} AS {N} FROM {left} l JOIN {right} r ON {self._on}"

    def _unmatched(self, side: JoinSide, sign: int) -> pa.Table:
        """Rows of an outer side with a touched key that match nothing, with ``sign``."""
        me, you = ("l", "r") if side.index == 0 else ("r", "l")
        other = self._right if side.index == 0 else self._left
        parts = (f"{side.of('l')}, {other.nulls()}", f"{other.nulls()}, {side.of('r')}")
        touched = self._touched(side, other, me)
        alone = f"NOT EXISTS (SELECT 1 FROM {self._read[other.index]} {you} WHERE {self._on})"
        if self._forgets:
            alone = f"{me}.{MET} <= 0"
        return self.context.db.query(
            f"SELECT {parts[side.index]}, {me}.{N} * {sign} AS {N} "
            f"FROM {self._read[side.index]} {me} WHERE {touched} AND {alone}"
        )

    def _forgotten(self, side: JoinSide) -> pa.Table:
        """Rows that an outer side takes back after they were forgotten: without a partner that is
        still there they were given alone, as far as is known."""
        me, you = ("l", "r") if side.index == 0 else ("r", "l")
        other = self._sides[1 - side.index]
        parts = (f"{side.of('l')}, {other.nulls()}", f"{other.nulls()}, {side.of('r')}")
        same = " AND ".join(f"s.{c} IS NOT DISTINCT FROM {me}.{c}" for c in side.columns)
        return self.context.db.query(
            f"SELECT {parts[side.index]}, {me}.{N} FROM {side.delta} {me} WHERE {me}.{N} < 0 "
            f"AND NOT EXISTS (SELECT 1 FROM {side.table} s WHERE {same}) "
            f"AND NOT EXISTS (SELECT 1 FROM {other.table} {you} WHERE {self._on})"
        )

    def _touched(self, side: JoinSide, other: JoinSide, alias: str) -> str:
        """Whether the row's key is among those that this batch changes, on either side."""
        if not side.keys:
            return "TRUE"
        mine = " AND ".join(
            f"d.{quote(k)} IS NOT DISTINCT FROM {alias}.{quote(k)}" for k in side.keys
        )
        pairs = zip(side.keys, other.keys, strict=True)
        theirs = " AND ".join(f"d.{quote(b)} = {alias}.{quote(a)}" for a, b in pairs)
        return (
            f"(EXISTS (SELECT 1 FROM {side.delta} d WHERE {mine}) OR "
            f"EXISTS (SELECT 1 FROM {other.delta} d WHERE {theirs}))"
        )

    def _apply(self, side: JoinSide, table: str) -> None:
        """The change becomes part of a table of the side."""
        db, columns = self.context.db, ", ".join(side.columns)
        retention = self.retentions[side.index]
        if self.inputs[side.index].insert_only:
            db.run(
                f"INSERT INTO {table} ({columns}, {N}{retention.column}) "
                f"SELECT {columns}, {N}{retention.value} FROM {side.delta}"
            )
            return
        same = " AND ".join(f"s.{c} IS NOT DISTINCT FROM d.{c}" for c in side.columns)
        values = ", ".join(f"d.{c}" for c in side.columns)
        db.run(
            f"MERGE INTO {table} AS s USING {side.delta} AS d ON {same} "
            f"WHEN MATCHED AND s.{N} + d.{N} = 0 THEN DELETE "
            f"WHEN MATCHED THEN UPDATE SET {N} = s.{N} + d.{N}{retention.assignment} "
            f"WHEN NOT MATCHED{' AND d.' + N + ' > 0' if self._forgets else ''} "
            f"THEN INSERT ({columns}, {N}{retention.column}) "
            f"VALUES ({values}, d.{N}{retention.value})"
        )

    def _changes(self, pieces: list[pa.Table]) -> Batch | None:
        """Signed copies become rows with kinds: first what goes, then what comes."""
        pieces = [p for p in pieces if p.num_rows]
        if not pieces:
            return None
        changes = pa.concat_tables(pieces)
        copies = changes["$n"].to_numpy()
        if self.insert_only and (copies == 1).all():
            return Batch(typed(changes.select(list(self.schema.names)), self.schema))
        kind = f'CASE WHEN {N} > 0 THEN 0 ELSE 3 END::TINYINT AS "$kind"'
        net = (
            f"SELECT {self._names}, sum({N})::BIGINT AS {N} FROM b GROUP BY {self._names} "
            f"HAVING sum({N}) <> 0"
        )
        sql = (
            f"SELECT {self._names}, {kind}, unnest(generate_series(1, abs({N}))) AS {_COPY} "
            f'FROM ({net}) ORDER BY "$kind" DESC'
        )
        rows, hidden = split_hidden(self.context.db.query(sql, b=changes), self.schema)
        kinds = hidden[KIND]
        if not rows.num_rows:
            return None
        return Batch(rows, kinds if np.any(kinds) else None)
