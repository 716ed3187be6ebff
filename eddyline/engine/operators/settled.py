"""Rows in the order of their times: a row is let through once the watermark has settled its time.

So what an operator makes of them does not depend on how they were cut into batches. Rows without a
time are taken as they come, at the clock's time.

State: rows that wait for the watermark.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Int64s, OperatorContext, millis
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.schema import Schema
from eddyline.record.types import quote

# Columns that are added: a row's time in epoch milliseconds, and its number in order of arrival.
TIME, ORDER = "$t", "$n"


class SettledRows:
    """Takes batches, gives rows in order of (time, arrival). held: rows that wait; oldest: the time
    of the first of them; arrived: rows so far."""

    def __init__(self, context: OperatorContext, below: Schema, time_column: str | None) -> None:
        self._context = context
        self._below = below
        self._column = time_column
        self._pending = context.table("pending")
        self._straight = False  # rows come from a source, not out of closed windows
        self.arrived = 0
        self.held = 0
        self.oldest: int | None = None

    def create(self) -> None:
        """Make the table of rows that wait."""
        columns = self._below.duckdb_columns()
        self._context.db.run(
            f"CREATE TABLE {self._pending} ({columns}, {quote(TIME)} BIGINT, {quote(ORDER)} BIGINT)"
        )

    def take(self, batch: Batch | None, watermark: int) -> pa.Table | None:
        """Rows whose time is settled now; the others wait."""
        if batch is not None and batch.num_rows:
            return self._in_order(batch, watermark)
        return self._released(self._bound(watermark)) if self.held else None

    def due(self, watermark: int) -> bool:
        """Whether this watermark lets rows through."""
        return self.oldest is not None and self._bound(watermark) >= self.oldest

    def save(self) -> dict[str, Any]:
        """Small state, for ``restore``."""
        held = {"held": self.held, "oldest": self.oldest, "straight": self._straight}
        return {"arrived": self.arrived, **held}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take back what ``save`` gave."""
        self.arrived, self.held = saved["arrived"], saved["held"]
        self.oldest, self._straight = saved["oldest"], saved["straight"]

    def _in_order(self, batch: Batch, watermark: int) -> pa.Table | None:
        rows = batch.rows.select(list(self._below.names))
        order = np.arange(self.arrived, self.arrived + rows.num_rows)
        self.arrived += rows.num_rows
        if self._column is None:
            times = np.full(rows.num_rows, self._context.clock.now_ms())
            return _marked(rows, times, order)
        column = rows[self._column]
        times = millis(column.fill_null(0)) if column.null_count else millis(column)
        if batch.watermarks is not None:  # rows straight from a source may come late
            late = times < batch.watermarks
            if late.any():
                self._context.figures.late += int(np.count_nonzero(late))
                rows, times, order = rows.filter(pa.array(~late)), times[~late], order[~late]
        marked = _marked(rows, times, order)
        self._straight = batch.watermarks is not None
        bound = self._bound(watermark)
        ready = times <= bound
        if not self.held and ready.all():
            return marked.sort_by([(TIME, "ascending"), (ORDER, "ascending")])
        if rows.num_rows:
            self._context.db.run(f"INSERT INTO {self._pending} SELECT * FROM b", b=marked)
            self.held += rows.num_rows
            first = int(times.min())
            self.oldest = first if self.oldest is None else min(first, self.oldest)
        return self._released(bound)

    def _bound(self, watermark: int) -> int:
        """Times up to this are settled. Straight from a source another row of the very
        watermark's time may still come; out of a closed window it cannot."""
        if watermark == MAX_WATERMARK or not self._straight:
            return watermark
        return max(watermark - 1, MIN_WATERMARK)

    def _released(self, bound: int) -> pa.Table | None:
        db, time = self._context.db, quote(TIME)
        where = f"WHERE {time} <= {bound}"
        rows = db.query(f"SELECT * FROM {self._pending} {where} ORDER BY {time}, {quote(ORDER)}")
        if not rows.num_rows:
            return None
        db.run(f"DELETE FROM {self._pending} {where}")
        self.held -= rows.num_rows
        self.oldest = db.one(f"SELECT min({time}) FROM {self._pending}")
        return rows


def _marked(rows: pa.Table, times: Int64s, order: Int64s) -> pa.Table:
    return rows.append_column(TIME, pa.array(times)).append_column(ORDER, pa.array(order))
