"""A join of two windowed inputs on equal windows: given once, when the window closes.

Both sides' rows wait in state until the watermark (the lesser of the two) has passed their
window; then they are joined by one statement and forgotten.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.join_side import JoinSide, join_condition, make_side, renamed
from eddyline.engine.operators.operator import Context, Operator, Step, millis, typed
from eddyline.engine.operators.windows import END, refuse_changes, stamp
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_FAR = 2**62


class WindowJoin(Operator):
    """All kinds of join over (window start, window end, keys)."""

    def __init__(
        self, context: Context, inputs: tuple[Operator, ...], node: plan.WindowJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._kind = node.kind
        names = (node.left_names, node.right_names)
        keys = (
            (*node.left_window, *node.left_keys),
            (*node.right_window, *node.right_keys),
        )
        self._sides = tuple(
            make_side(context, i, inputs[i].schema, names[i], keys[i], outer=False) for i in (0, 1)
        )
        self._ends = (node.left_window[1], node.right_window[1])
        self._on = join_condition(self._sides[0], self._sides[1], node.condition)
        self._before = [MIN_WATERMARK, MIN_WATERMARK]
        self._next: int | None = None

    def create(self) -> None:
        for side in self._sides:
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {quote(END)} BIGINT)"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        for i, step in enumerate(inputs):
            if step.batch is not None and step.batch.num_rows:
                refuse_changes(step.batch, "a window join")
                self._keep(self._sides[i], step.batch)
        self._before = [s.watermark_ms for s in inputs]
        watermark = min(self._before)
        return Step(self._fire(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        watermark = min(inputs)
        return watermark, self._next is not None and watermark >= self._next - 1

    def save(self) -> dict[str, Any]:
        return {"next": self._next, "before": self._before}

    def restore(self, saved: dict[str, Any]) -> None:
        self._next, self._before = saved["next"], saved["before"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next windows are joined when both watermarks reach {stamp(self._next - 1)}"]

    def _keep(self, side: JoinSide, batch: Batch) -> None:
        ends = millis(batch.rows[self._ends[side.index]])
        rows = renamed(batch, self.inputs[side.index].schema, side)
        rows = rows.append_column(END, pa.array(ends))
        if batch.watermarks is not None:
            both = np.minimum(batch.watermarks, self._before[1 - side.index])
            late = both >= ends - 1
            self.context.figures.late += int(np.count_nonzero(late))
            rows, ends = rows.filter(pa.array(~late)), ends[~late]
        if not len(ends):
            return
        self.context.db.run(f"INSERT INTO {side.table} SELECT * FROM b", b=rows)
        first = int(ends.min())
        self._next = first if self._next is None else min(self._next, first)

    def _fire(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next - 1:
            return None
        bound, db, end = min(watermark, _FAR) + 1, self.context.db, quote(END)
        left, right = self._sides
        word = {JoinKind.INNER: "JOIN"}.get(self._kind, f"{self._kind} JOIN")
        due = [f"(SELECT * FROM {s.table} WHERE {end} <= {bound})" for s in self._sides]
        columns, order = f"{left.of('l')}, {right.of('r')}", f"coalesce(l.{end}, r.{end})"
        if self._kind in (JoinKind.SEMI, JoinKind.ANTI):
            columns, order = left.of("l"), f"l.{end}"
        rows = db.query(
            f"SELECT {columns} FROM {due[0]} l {word} {due[1]} r ON {self._on} ORDER BY {order}"
        )
        for side in self._sides:
            db.run(f"DELETE FROM {side.table} WHERE {end} <= {bound}")
        rest = " UNION ALL ".join(f"SELECT min({end}) AS m FROM {s.table}" for s in self._sides)
        self._next = db.one(f"SELECT min(m) FROM ({rest})")
        return Batch(typed(rows, self.schema)) if rows.num_rows else None
