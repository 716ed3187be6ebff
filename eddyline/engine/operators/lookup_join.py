"""A lookup join: each left row, as it comes, with its partners in a table that is read once.

The table is read to its end before the first left row is answered; rows that come earlier wait.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eddyline.engine.operators.join_side import join_condition, make_side, renamed
from eddyline.engine.operators.operator import (
    KIND,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    with_columns,
)
from eddyline.engine.operators.windows import refuse_changes
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_SEQ = quote("$seq")


class LookupJoin(Operator):
    """INNER and LEFT; keeps the left side's change kinds, order and times."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.LookupJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, False)
        self._right = make_side(context, 1, below[1], node.right_names, node.right_keys, False)
        self._on = join_condition(self._left, self._right, node.condition)
        self._word = "LEFT JOIN" if node.kind is JoinKind.LEFT else "JOIN"
        self._loaded = False
        self._waits = False
        self.insert_only = inputs[0].insert_only

    def create(self) -> None:
        left = self._left.schema.duckdb_columns()
        hidden = f"{quote(KIND)} TINYINT, {quote(WATERMARK)} BIGINT, {_SEQ} BIGINT"
        self.context.db.run(f"CREATE TABLE {self._left.table} ({left}, {hidden})")
        right = self._right.schema.duckdb_columns()
        self.context.db.run(f"CREATE TABLE {self._right.table} ({right}, {_SEQ} BIGINT)")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        left, right = inputs
        if right.batch is not None and right.batch.num_rows:
            self._load(right.batch)
        was_loaded, self._loaded = self._loaded, right.ended
        if not self._loaded:
            if left.batch is not None and left.batch.num_rows:
                self._keep(left.batch)
            return Step(None, MIN_WATERMARK)
        if self._waits or not was_loaded:
            if left.batch is not None and left.batch.num_rows:
                self._keep(left.batch)
            return Step(self._release(), left.watermark_ms)
        if left.batch is None or not left.batch.num_rows:
            return Step(None, left.watermark_ms)
        batch = left.batch
        rows = renamed(batch, self.inputs[0].schema, self._left)
        rows = with_columns(
            rows, kind=batch.kinds, wm=batch.watermarks, seq=np.arange(batch.num_rows)
        )
        return Step(self._joined("b", rows, batch), left.watermark_ms)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        if inputs[1] != MAX_WATERMARK:
            return MIN_WATERMARK, False
        return inputs[0], not self._loaded or self._waits

    def save(self) -> dict[str, Any]:
        return {"loaded": self._loaded, "waits": self._waits}

    def restore(self, saved: dict[str, Any]) -> None:
        self._loaded, self._waits = saved["loaded"], saved["waits"]

    def why_silent(self) -> list[str]:
        return [] if self._loaded else ["the table that rows are looked up in is being read"]

    def _load(self, batch: Batch) -> None:
        refuse_changes(batch, "a table to be looked up")
        db, table = self.context.db, self._right.table
        known = db.one(f"SELECT count(*) FROM {table}")
        rows = renamed(batch, self.inputs[1].schema, self._right)
        rows = with_columns(rows, seq=np.arange(known, known + batch.num_rows))
        db.run(f"INSERT INTO {table} SELECT * FROM b", b=rows)

    def _keep(self, batch: Batch) -> None:
        """Left rows wait until the table has been read."""
        db, table, n = self.context.db, self._left.table, batch.num_rows
        known = db.one(f"SELECT count(*) FROM {table}")
        kinds = batch.kinds if batch.kinds is not None else np.zeros(n, np.int8)
        marks = batch.watermarks if batch.watermarks is not None else np.full(n, MIN_WATERMARK)
        rows = renamed(batch, self.inputs[0].schema, self._left)
        rows = with_columns(rows, kind=kinds, wm=marks, seq=np.arange(known, known + n))
        db.run(f"INSERT INTO {table} SELECT * FROM b", b=rows)
        self._waits = True

    def _release(self) -> Batch | None:
        """All rows that waited."""
        self._waits = False
        db, table = self.context.db, self._left.table
        rows = db.query(f"SELECT * FROM {table} ORDER BY {_SEQ}")
        if not rows.num_rows:
            return None
        db.run(f"DELETE FROM {table}")
        return self._joined("b", rows, None)

    def _joined(self, source: str, rows: Any, batch: Batch | None) -> Batch | None:
        hidden = [quote(n) for n in (KIND, WATERMARK) if n in rows.column_names]
        columns = ", ".join([self._left.of("l"), self._right.of("r"), *(f"l.{c}" for c in hidden)])
        sql = (
            f"SELECT {columns} FROM {source} l {self._word} {self._right.table} r ON {self._on} "
            f"ORDER BY l.{_SEQ}, r.{_SEQ}"
        )
        out, extra = split_hidden(self.context.db.query(sql, b=rows), self.schema)
        if not out.num_rows:
            return None
        kinds, marks = extra.get(KIND), extra.get(WATERMARK)
        if kinds is not None and not kinds.any():
            kinds = None
        return Batch(out, kinds, marks)
