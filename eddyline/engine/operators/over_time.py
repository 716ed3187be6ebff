"""OVER by time: each row once, with what its neighbours before it add up to.

Rows wait until the watermark has passed them (row time), or are given at once (processing time),
always in order of time and, of equal times, of arrival. What a frame reaches back to is state:
for frames without a beginning one row of accumulators per key, else the last rows of each key as
far as a frame can reach.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import KeyColumn
from eddyline.engine.operators.late_rows import SEQ, RowsBeforeWatermark, T
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.engine.operators.over_state import KeptRows, OverState, RunningState
from eddyline.engine.operators.retention import RetainingOperator
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time, stamp
from eddyline.record.batch import Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical_ordered import Over, OverTime


class OverByTime(RetainingOperator):
    """Insert-only."""

    def __init__(self, context: OperatorContext, inputs: tuple[Operator, ...], node: Over) -> None:
        super().__init__(context, inputs, node.schema)
        below = inputs[0].schema
        self._time = node.order[0].column
        self._by_clock = node.time is OverTime.PROCTIME
        self._columns = ", ".join(quote(n) for n in below.names)
        keys = [KeyColumn(k, duckdb_type(below[k])) for k in node.partition_by]
        running = node.frame.is_running
        reach = None if node.frame.rows or running else -(node.frame.start or 0)
        # As Flink: a key's rows are forgotten half as long again after a frame can reach them.
        forget = None if reach is None else reach + reach // 2 + 1
        self._running = running
        self._waiting = RowsBeforeWatermark(
            context.db, keys, context.table("rows"), context.table("given"), forget
        )
        self._due = context.table("due")
        kind: type[OverState] = RunningState if running else KeptRows
        self._state = kind(context, node, below, keys, by_arrival=self._by_clock)
        self.retentions = (self._state.retention,)
        self._seen = 0
        self._next: int | None = None

    def create(self) -> None:
        self._waiting.create(self.inputs[0].schema.duckdb_columns())
        self._state.create()

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "OVER by time")
            if self._by_clock:
                return Step(self._at_once(batch), watermark)
            self._take(batch)
        return Step(self._give(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        gives = self._next is not None and inputs[0] >= self._next
        return inputs[0], gives or self._state.retention.is_due

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._next = saved["seen"], saved["next"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next row is given when the watermark reaches {stamp(self._next)}"]

    def _numbered(self, batch: Batch) -> pa.Table:
        times = refuse_null_time(batch.rows, self._time)
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        order = np.arange(self._seen, self._seen + len(times))
        self._seen += len(times)
        return with_columns(rows, t=times, seq=order)

    def _at_once(self, batch: Batch) -> Batch:
        rows = self._numbered(batch)
        db = self.context.db
        db.run(f"CREATE OR REPLACE TEMP TABLE {self._due} AS SELECT * FROM b", b=rows)
        out = typed(self._state.take(self._due), self.schema)
        self._state.trim(None)
        return Batch(out, None, batch.watermarks)

    def _take(self, batch: Batch) -> None:
        rows, marks = self._numbered(batch), batch.watermarks
        if self._running and marks is not None:
            late = rows["$t"].combine_chunks().to_numpy() <= marks
        else:
            late = self._waiting.late(rows, marks)
        if late.any():
            self.context.figures.late += int(np.count_nonzero(late))
            rows = rows.filter(pa.array(~late))
            marks = None if marks is None else marks[~late]
        self._waiting.keep(rows, marks, self._columns)
        self._next = self._waiting.next()

    def _give(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next:
            return None
        db, due, table = self.context.db, self._waiting.due(watermark), self._waiting.pending
        db.run(
            f"CREATE OR REPLACE TEMP TABLE {self._due} AS "
            f"SELECT {self._columns}, {T}, {SEQ} FROM {table} WHERE {due}"
        )
        db.run(f"DELETE FROM {table} WHERE {due}")
        out = typed(self._state.take(self._due), self.schema)
        if not self._running:
            self._waiting.remember(self._due, watermark)
            self._state.trim(self._waiting.given)
        self._next = self._waiting.next()
        return Batch(out) if out.num_rows else None
