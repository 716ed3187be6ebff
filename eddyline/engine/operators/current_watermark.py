"""CURRENT_WATERMARK: the watermark before each row, as a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Operator, OperatorContext, Step
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.sql.physical_rows import CurrentWatermark as CurrentWatermarkNode


class CurrentWatermark(Operator):
    """NULL until there is a watermark."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: CurrentWatermarkNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._column = node.column
        self._before = MIN_WATERMARK

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        before, self._before = self._before, watermark
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        marks = batch.watermarks
        if marks is None:  # rows that an operator below gave together, under one watermark
            marks = np.full(batch.num_rows, before)
        unknown = marks == MIN_WATERMARK
        us = np.where(unknown, 0, marks) * 1000
        field = self.schema.arrow().field(self._column)
        values = pa.array(us, pa.int64(), mask=unknown).cast(pa.timestamp("us")).cast(field.type)
        rows = batch.rows.append_column(field, values)
        return Step(Batch(rows, batch.kinds, batch.watermarks), watermark)

    def save(self) -> dict[str, Any]:
        return {"before": self._before}

    def restore(self, saved: dict[str, Any]) -> None:
        self._before = saved["before"]
