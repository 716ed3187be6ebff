"""ORDER BY: by time as the watermark passes, or by anything at the input's end.

A row that comes behind one already given is late and dropped, as in Flink.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.late_rows import SEQ, RowsBeforeWatermark
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time, stamp
from eddyline.record.batch import MAX_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql.physical_ordered import Sort as SortNode

_FAR = 2**62


class Sort(Operator):
    """Rows wait in a table and are given in order."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: SortNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._time = node.time_column
        self._columns = ", ".join(quote(n) for n in node.schema.names)
        self._order = ", ".join([*(k.text() for k in node.keys), SEQ])
        self._waiting = RowsBeforeWatermark(
            context.db, [], context.table("rows"), context.table("given")
        )
        self._seen = 0
        self._next: int | None = None

    def create(self) -> None:
        self._waiting.create(self.schema.duckdb_columns())

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "a sort")
            self._take(batch)
        return Step(self._give(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._next is not None and inputs[0] >= self._next

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._next = saved["seen"], saved["next"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        if self._time is None:
            return ["rows are sorted when the input ends"]
        return [f"the next row is given when the watermark reaches {stamp(self._next)}"]

    def _take(self, batch: Batch) -> None:
        n = batch.num_rows
        times, marks = np.full(n, _FAR), batch.watermarks
        if self._time is not None:
            times = refuse_null_time(batch.rows, self._time)
        rows = batch.rows.select(list(self.schema.names))
        rows = with_columns(rows, t=times, seq=np.arange(self._seen, self._seen + n))
        self._seen += n
        if self._time is None:
            marks = None
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
        if self._time is None and watermark != MAX_WATERMARK:
            return None
        db, due = self.context.db, self._waiting.due(watermark)
        table = self._waiting.pending
        rows = db.query(f"SELECT {self._columns} FROM {table} WHERE {due} ORDER BY {self._order}")
        self._waiting.remember(f"{table} WHERE {due}", watermark)
        db.run(f"DELETE FROM {table} WHERE {due}")
        self._next = self._waiting.next()
        return Batch(typed(rows, self.schema)) if rows.num_rows else None
