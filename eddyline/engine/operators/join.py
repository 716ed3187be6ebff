"""A regular join: both sides are kept, each change meets the other side's rows.

The change of the result is dL ⋈ R(before) + L(after) ⋈ dR. An outer side adds its rows that match
nothing, padded with NULL: found by looking at the touched keys before and after. Takes and gives
changelogs; within a micro-batch changes are net.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import (
    KIND,
    Context,
    Operator,
    Step,
    split_hidden,
    typed,
    with_columns,
)
from eddyline.record.batch import Batch
from eddyline.record.schema import Column, Schema
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

N = '"$n"'
_COPY = '"$copy"'


@dataclass(frozen=True, slots=True)
class JoinSide:
    """One side of a join: its columns under their output names, its keys, its tables."""

    index: int
    schema: Schema
    keys: tuple[str, ...]
    table: str
    delta: str
    outer: bool

    @property
    def columns(self) -> list[str]:
        return [quote(n) for n in self.schema.names]

    def of(self, alias: str) -> str:
        return ", ".join(f"{alias}.{c}" for c in self.columns)

    def nulls(self) -> str:
        pairs = zip(self.columns, self.schema.types, strict=True)
        return ", ".join(f"NULL::{duckdb_type(t)} AS {c}" for c, t in pairs)


def make_side(
    context: Context,
    index: int,
    below: Schema,
    names: tuple[str, ...],
    keys: tuple[str, ...],
    outer: bool,
) -> JoinSide:
    """A side from its input's schema and its output names."""
    renamed = dict(zip(below.names, names, strict=True))
    schema = Schema(tuple(Column(renamed[c.name], c.type) for c in below))
    word = ("left", "right")[index]
    return JoinSide(
        index,
        schema,
        tuple(renamed[k] for k in keys),
        context.table(word),
        context.table(word + "_delta"),
        outer,
    )


def renamed(batch: Batch, below: Schema, side: JoinSide) -> pa.Table:
    """A batch's rows under the join's output names."""
    rows = batch.rows.select(list(below.names))
    return rows.rename_columns(list(side.schema.names))


def join_condition(left: JoinSide, right: JoinSide, condition: str | None) -> str:
    """Equal keys (NULL equals nothing) and the rest, over aliases ``l`` and ``r``."""
    pairs = zip(left.keys, right.keys, strict=True)
    parts = [f"l.{quote(a)} = r.{quote(b)}" for a, b in pairs]
    if condition:
        parts.append(f"({condition})")
    return " AND ".join(parts) or "TRUE"


class Join(Operator):
    """INNER, LEFT, RIGHT and FULL."""

    def __init__(self, context: Context, inputs: tuple[Operator, ...], node: plan.Join) -> None:
        super().__init__(context, inputs, node.schema)
        left_outer = node.kind in (JoinKind.LEFT, JoinKind.FULL)
        right_outer = node.kind in (JoinKind.RIGHT, JoinKind.FULL)
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, left_outer)
        self._right = make_side(
            context, 1, below[1], node.right_names, node.right_keys, right_outer
        )
        self._on = join_condition(self._left, self._right, node.condition)
        self.insert_only = self.insert_only and node.kind is JoinKind.INNER
        self._names = ", ".join(quote(n) for n in self.schema.names)

    def create(self) -> None:
        for side in (self._left, self._right):
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {N} BIGINT)"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        watermark = min(s.watermark_ms for s in inputs)
        if not any(s.num_rows for s in inputs):
            return Step(None, watermark)
        sides, db = (self._left, self._right), self.context.db
        for side, step in zip(sides, inputs, strict=True):
            self._load(side, step.batch)
        outer = [s for s in sides if s.outer]
        padded = [self._unmatched(s, -1) for s in outer]
        found = [db.query(self._matches(self._left.delta, self._right.table))]
        self._apply(self._left)
        found.append(db.query(self._matches(self._left.table, self._right.delta)))
        self._apply(self._right)
        padded += [self._unmatched(s, 1) for s in outer]
        return Step(self._changes([*found, *padded]), watermark)

    def _load(self, side: JoinSide, batch: Batch | None) -> None:
        """The side's net change of this batch, as a table with a signed number of copies."""
        db, columns = self.context.db, ", ".join(side.columns)
        make = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {columns}"
        if batch is None or not batch.num_rows:
            db.run(f"{make}, {N} FROM {side.table} WHERE FALSE")
            return
        rows = renamed(batch, self.inputs[side.index].schema, side)
        if batch.kinds is None:
            db.run(f"{make}, 1::BIGINT AS {N} FROM b", b=rows)
            return
        rows = with_columns(rows, kind=batch.kinds)
        sign = 'sum(CASE WHEN "$kind" IN (0, 2) THEN 1 ELSE -1 END)::BIGINT'
        db.run(f"{make}, {sign} AS {N} FROM b GROUP BY {columns} HAVING {sign} <> 0", b=rows)

    def _matches(self, left: str, right: str) -> str:
        both = f"{self._left.of('l')}, {self._right.of('r')}"
        return f"SELECT {both}, l.{N} * r.{N} AS {N} FROM {left} l JOIN {right} r ON {self._on}"

    def _unmatched(self, side: JoinSide, sign: int) -> pa.Table:
        """Rows of an outer side with a touched key that match nothing, with ``sign``."""
        me, you = ("l", "r") if side.index == 0 else ("r", "l")
        other = self._right if side.index == 0 else self._left
        parts = (f"{side.of('l')}, {other.nulls()}", f"{other.nulls()}, {side.of('r')}")
        touched = self._touched(side, other, me)
        return self.context.db.query(
            f"SELECT {parts[side.index]}, {me}.{N} * {sign} AS {N} FROM {side.table} {me} "
            f"WHERE {touched} AND NOT EXISTS "
            f"(SELECT 1 FROM {other.table} {you} WHERE {self._on})"
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

    def _apply(self, side: JoinSide) -> None:
        """The change becomes part of the kept side."""
        db, columns = self.context.db, ", ".join(side.columns)
        if self.inputs[side.index].insert_only:
            db.run(f"INSERT INTO {side.table} SELECT {columns}, {N} FROM {side.delta}")
            return
        same = " AND ".join(f"s.{c} IS NOT DISTINCT FROM d.{c}" for c in side.columns)
        values = ", ".join(f"d.{c}" for c in side.columns)
        db.run(
            f"MERGE INTO {side.table} AS s USING {side.delta} AS d ON {same} "
            f"WHEN MATCHED AND s.{N} + d.{N} = 0 THEN DELETE "
            f"WHEN MATCHED THEN UPDATE SET {N} = s.{N} + d.{N} "
            f"WHEN NOT MATCHED THEN INSERT ({columns}, {N}) VALUES ({values}, d.{N})"
        )

    def _changes(self, pieces: list[pa.Table]) -> Batch | None:
        """Signed copies become rows with kinds: first what goes, then what comes."""
        found = pa.concat_tables([p for p in pieces if p.num_rows] or pieces[:1])
        if not found.num_rows:
            return None
        copies = found["$n"].to_numpy()
        if self.insert_only and (copies == 1).all():
            return Batch(typed(found.select(list(self.schema.names)), self.schema))
        kind = f'CASE WHEN {N} > 0 THEN 0 ELSE 3 END::TINYINT AS "$kind"'
        net = (
            f"SELECT {self._names}, sum({N})::BIGINT AS {N} FROM b GROUP BY {self._names} "
            f"HAVING sum({N}) <> 0"
        )
        sql = (
            f"SELECT {self._names}, {kind}, unnest(generate_series(1, abs({N}))) AS {_COPY} "
            f'FROM ({net}) ORDER BY "$kind" DESC'
        )
        rows, hidden = split_hidden(self.context.db.query(sql, b=found), self.schema)
        kinds = hidden[KIND]
        if not rows.num_rows:
            return None
        return Batch(rows, kinds if np.any(kinds) else None)
