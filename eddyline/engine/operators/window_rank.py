"""Window Top-N: the best rows of each window and partition, given once, when the window closes.

Only rows that can still be among the best are kept: the batch is cut to them before it is kept,
and the table whenever it has doubled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import KeyColumn, listed
from eddyline.engine.operators.operator import (
    Operator,
    OperatorContext,
    Step,
    millis,
    typed,
    with_columns,
)
from eddyline.engine.operators.windows import END, refuse_changes, stamp
from eddyline.record.batch import Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical_ordered import WindowRank as WindowRankNode

_FAR = 2**62
_E, _SEQ, _RANK = quote(END), quote("$seq"), quote("$rank")
# Below so many rows it is not worth while to look for those that are beaten.
TRIM_ROWS_MIN = 10_000


class WindowRank(Operator):
    """Insert-only; a row whose window has closed is late and dropped."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: WindowRankNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        below = inputs[0].schema
        self._columns = ", ".join(quote(n) for n in below.names)
        keys = [KeyColumn(k, duckdb_type(below[k])) for k in node.partition_by]
        # Flink knows a window by its end: sessions of several keys that end together are one.
        self._partition = f"PARTITION BY {', '.join([quote(node.window[1]), *listed(keys)])}"
        order = [k.text() for k in node.order]
        if node.function == "ROW_NUMBER":
            order.append(f"{_SEQ} {'DESC' if node.newest_first else 'ASC'}")
        self._number = f"{node.function}() OVER ({self._partition} ORDER BY {', '.join(order)})"
        self._table = context.table("rows")
        self._seen = 0
        self._next: int | None = None
        self._trim_at = TRIM_ROWS_MIN

    def create(self) -> None:
        columns = self.inputs[0].schema.duckdb_columns()
        self.context.db.run(f"CREATE TABLE {self._table} ({columns}, {_E} BIGINT, {_SEQ} BIGINT)")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "a window Top-N")
            self._take(batch)
        return Step(self._fire(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._next is not None and inputs[0] >= self._next - 1

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "next": self._next, "trim_at": self._trim_at}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._next = saved["seen"], saved["next"]
        self._trim_at = saved["trim_at"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next window closes when the watermark reaches {stamp(self._next - 1)}"]

    def _take(self, batch: Batch) -> None:
        ends = millis(batch.rows[self._node.window[1]])
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        order = np.arange(self._seen, self._seen + len(ends))
        self._seen += len(ends)
        rows = with_columns(rows, end=ends, seq=order)
        if batch.watermarks is not None:
            late = batch.watermarks >= ends - 1
            self.context.figures.late += int(np.count_nonzero(late))
            rows, ends = rows.filter(pa.array(~late)), ends[~late]
        if not len(ends):
            return
        best = f"{self._number} <= {self._node.last}"
        columns = f"{self._columns}, {_E}, {_SEQ}"
        self.context.db.run(
            f"INSERT INTO {self._table} SELECT {columns} FROM b QUALIFY {best}", b=rows
        )
        first = int(ends.min())
        self._next = first if self._next is None else min(self._next, first)
        self._trim()

    def _trim(self) -> None:
        """Rows that are beaten leave, once there may be many."""
        db = self.context.db
        if db.one(f"SELECT count(*) FROM {self._table}") < self._trim_at:
            return
        db.run(
            f"DELETE FROM {self._table} WHERE {_SEQ} IN (SELECT {_SEQ} FROM {self._table} "
            f"QUALIFY {self._number} > {self._node.last})"
        )
        left = db.one(f"SELECT count(*) FROM {self._table}")
        self._trim_at = max(TRIM_ROWS_MIN, 2 * left)

    def _fire(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next - 1:
            return None
        bound, db = min(watermark, _FAR) + 1, self.context.db
        columns = self._columns
        if self._node.rank is not None:
            columns += f", {_RANK} AS {quote(self._node.rank)}"
        between = f"{_RANK} BETWEEN {self._node.first} AND {self._node.last}"
        rows = db.query(
            f"SELECT {columns} FROM (SELECT *, {self._number} AS {_RANK} FROM {self._table} "
            f"WHERE {_E} <= {bound}) WHERE {between} ORDER BY {_E}, "
            f"row_number() OVER (ORDER BY {_E}, {_SEQ})"
        )
        db.run(f"DELETE FROM {self._table} WHERE {_E} <= {bound}")
        self._next = db.one(f"SELECT min({_E}) FROM {self._table}")
        return Batch(typed(rows, self.schema)) if rows.num_rows else None
