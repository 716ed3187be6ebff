"""Semi and anti joins: the left side's rows that have a partner on the right, or have none.

Both sides are kept, as net copies of each row. What a batch changes is found by looking at the
rows of the touched keys before and after it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.join_side import (
    JoinSide,
    N,
    batch_keys,
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
    with_columns,
)
from eddyline.engine.operators.partners import MET, PartnerCount, adapt_counts
from eddyline.engine.operators.retention import RetainingOperator, Retention, kept
from eddyline.record.batch import Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind


class SemiJoin(RetainingOperator):
    """SEMI of rows that are never taken back is insert-only; ANTI never is."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.SemiJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, False)
        self._right = make_side(context, 1, below[1], node.right_names, node.right_keys, False)
        self._sides = (self._left, self._right)
        on = join_condition(self._left, self._right, node.condition)
        self.retentions = tuple(Retention(context, kept(s.table)) for s in self._sides)
        self._forgets = context.state_ttl_ms > 0
        retention = self.retentions[0]
        self._count = PartnerCount(context.db, self._left, self._right, on, retention)
        partner = f"EXISTS (SELECT 1 FROM {self._right.table} r WHERE {on})"
        if self._forgets:
            partner = f"(l.{MET} > 0)"
        self._batch_keys = (node.left_keys, node.right_keys)
        tables = [KeyedTable(side.table, side.keys) for side in self._sides]
        self.keep_by_key([side.schema for side in self._sides], tables)
        self._kept = partner if node.kind is JoinKind.SEMI else f"NOT {partner}"
        self.insert_only = self.insert_only and node.kind is JoinKind.SEMI

    def create(self) -> None:
        for side in self._sides:
            more = f"{N} BIGINT{self.retentions[side.index].definition}"
            more += f", {MET} BIGINT" if side is self._left and self._forgets else ""
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {more})"
            )

    def adapt(self) -> None:
        super().adapt()
        adapt_counts([self._count], forgets=self._forgets)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        watermark = min(s.watermark_ms for s in inputs)
        if not any(s.num_rows for s in inputs):
            return Step(None, watermark)
        db = self.context.db
        self.call_back(*batch_keys(inputs, self._batch_keys))
        for side, step in zip(self._sides, inputs, strict=True):
            self._load(side, step.batch)
        before = db.query(self._result())
        for side in self._sides:
            self._apply(side)
        if self._forgets:
            self._count.update()
        changes = self._changes(before, db.query(self._result()))
        self.settle()
        return Step(changes, watermark)

    def _load(self, side: JoinSide, batch: Batch | None) -> None:
        """The side's net change of this batch, as a table with a signed number of copies."""
        db, columns = self.context.db, ", ".join(side.columns)
        make = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {columns}"
        if batch is None or not batch.num_rows:
            db.run(f"{make}, {N} FROM {side.table} WHERE FALSE")
            return
        rows = renamed(batch, self.inputs[side.index].schema, side)
        kinds = batch.kinds if batch.kinds is not None else np.zeros(batch.num_rows, np.int8)
        rows = with_columns(rows, kind=kinds)
        sign = f"sum(CASE WHEN {quote(KIND)} IN (0, 2) THEN 1 ELSE -1 END)::BIGINT"
        # A row that went and came again is written, which prolongs its life.
        net = "" if self._forgets else f"HAVING {sign} <> 0"
        db.run(f"{make}, {sign} AS {N} FROM b GROUP BY {columns} {net}", b=rows)

    def _apply(self, side: JoinSide) -> None:
        columns, retention = ", ".join(side.columns), self.retentions[side.index]
        same = " AND ".join(f"s.{c} IS NOT DISTINCT FROM d.{c}" for c in side.columns)
        values = ", ".join(f"d.{c}" for c in side.columns)
        self.context.db.run(
            f"MERGE INTO {side.table} AS s USING {side.delta} AS d ON {same} "
            f"WHEN MATCHED AND s.{N} + d.{N} = 0 THEN DELETE "
            f"WHEN MATCHED THEN UPDATE SET {N} = s.{N} + d.{N}{retention.assignment} "
            f"WHEN NOT MATCHED{' AND d.' + N + ' > 0' if self._forgets else ''} "
            f"THEN INSERT ({columns}, {N}{retention.column}) "
            f"VALUES ({values}, d.{N}{retention.value})"
        )

    def _result(self) -> str:
        """Text: the left side's rows of touched keys that are kept."""
        me = self._left
        touched = "TRUE"
        if me.keys:
            pairs = list(zip(me.keys, self._right.keys, strict=True))
            mine = " AND ".join(f"d.{quote(k)} IS NOT DISTINCT FROM l.{quote(k)}" for k in me.keys)
            theirs = " AND ".join(f"d.{quote(b)} = l.{quote(a)}" for a, b in pairs)
            touched = (
                f"(EXISTS (SELECT 1 FROM {me.delta} d WHERE {mine}) OR "
                f"EXISTS (SELECT 1 FROM {self._right.delta} d WHERE {theirs}))"
            )
        return f"SELECT {me.of('l')}, l.{N} FROM {me.table} l WHERE {touched} AND {self._kept}"

    def _changes(self, before: pa.Table, after: pa.Table) -> Batch | None:
        columns = ", ".join(self._left.columns)
        both = f'SELECT *, {N} AS "$net" FROM new UNION ALL SELECT *, -{N} FROM old'
        net = (
            f'SELECT {columns}, sum("$net")::BIGINT AS "$net" FROM ({both}) GROUP BY {columns} '
            'HAVING sum("$net") <> 0'
        )
        kind = 'CASE WHEN "$net" > 0 THEN 0 ELSE 3 END::TINYINT AS "$kind"'
        sql = (
            f'SELECT {columns}, {kind}, unnest(range(abs("$net"))) AS "$copy" FROM ({net}) '
            'ORDER BY "$kind" DESC'
        )
        rows, hidden = split_hidden(self.context.db.query(sql, old=before, new=after), self.schema)
        if not rows.num_rows:
            return None
        kinds = hidden[KIND]
        return Batch(rows, kinds if np.any(kinds) else None)
