"""A window table function without aggregation: each row once per window it lies in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import (
    KIND,
    WATERMARK,
    Int64s,
    Operator,
    OperatorContext,
    Step,
    typed,
    with_columns,
)
from eddyline.engine.operators.portions import PortionedOperator
from eddyline.engine.operators.windows import WindowGrid, refuse_null_time
from eddyline.record.batch import Batch
from eddyline.sql import physical as plan

# Bytes that the three columns of a window take in a row.
_WINDOW_BYTES = 24


class WindowTable(PortionedOperator):
    """Appends start, end and time of the window. Late rows pass: lateness is the consumer's."""

    multiplied = "windows"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowTable
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._grid = WindowGrid(node.window)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return self.take(None, watermark)
        if not self._grid.single:
            rows = with_columns(batch.rows, kind=batch.kinds, wm=batch.watermarks)
            return self.take(rows, watermark)
        first, _ = self._grid.ends(refuse_null_time(batch.rows, self._node.time_column))
        rows = typed(self._with_window(batch.rows, first), self.schema)
        return Step(Batch(rows, batch.kinds, batch.watermarks), watermark)

    def multiply(self, rows: pa.Table, bytes_max: int) -> pa.Table | None:
        first, last = self._grid.ends(refuse_null_time(rows, self._node.time_column))
        copies = (last - first) // self._grid.step + 1
        total = int(copies.sum())
        if total * (rows.nbytes / rows.num_rows + _WINDOW_BYTES) > bytes_max:
            return None
        at = np.repeat(np.arange(len(copies)), copies)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(copies) - copies, copies)
        end = first[at] + nth * self._grid.step
        hidden = [n for n in (KIND, WATERMARK) if n in rows.column_names]
        return self._with_window(rows.take(pa.array(at)), end, *hidden)

    def _with_window(self, rows: pa.Table, end: Int64s, *hidden: str) -> pa.Table:
        """The rows in this operator's columns, and hidden ones, with the windows that end there."""
        start = self._grid.starts(end)
        rows = rows.select([*self.inputs[0].schema.names, *hidden])
        for name, ms in zip(self._node.names, (start, end, end - 1), strict=True):
            rows = rows.append_column(name, _stamps(ms))
        return rows.select([*self.schema.names, *hidden])


def _stamps(ms: Int64s) -> pa.Array:
    return pa.array(ms * 1000).cast(pa.timestamp("us"))
