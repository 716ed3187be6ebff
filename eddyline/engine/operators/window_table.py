"""A window table function without aggregation: each row once per window it lies in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Int64s, Operator, OperatorContext, Step, typed
from eddyline.engine.operators.windows import WindowGrid, refuse_null_time
from eddyline.record.batch import Batch
from eddyline.sql import physical as plan


class WindowTable(Operator):
    """Appends start, end and time of the window. Late rows pass: lateness is the consumer's."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowTable
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._grid = WindowGrid(node.window)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch = inputs[0].batch
        if batch is None or not batch.num_rows:
            return Step(None, inputs[0].watermark_ms)
        return Step(self._widen(batch), inputs[0].watermark_ms)

    def _widen(self, batch: Batch) -> Batch:
        times = refuse_null_time(batch.rows, self._node.time_column)
        first, last = self._grid.ends(times)
        copies = (last - first) // self._grid.step + 1
        at = np.repeat(np.arange(len(times)), copies)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(copies) - copies, copies)
        end = first[at] + nth * self._grid.step
        start = self._grid.starts(end)
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        rows = rows if self._grid.single else rows.take(pa.array(at))
        for name, ms in zip(self._node.names, (start, end, end - 1), strict=True):
            rows = rows.append_column(name, _stamps(ms))
        kinds = None if batch.kinds is None else batch.kinds[at]
        marks = None if batch.watermarks is None else batch.watermarks[at]
        return Batch(typed(rows.select(list(self.schema.names)), self.schema), kinds, marks)


def _stamps(ms: Int64s) -> pa.Array:
    return pa.array(ms * 1000).cast(pa.timestamp("us"))
