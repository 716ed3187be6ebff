"""UNION ALL: the rows of all inputs, one input after the other within a micro-batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Int64s, Operator, OperatorContext, Step, typed
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.schema import Schema


class Union(Operator):
    """A row's watermark is the least of its own input's and what the other inputs had before."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], schema: Schema
    ) -> None:
        super().__init__(context, inputs, schema)
        self._before: tuple[int, ...] = (MIN_WATERMARK,) * len(inputs)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        before = self._before
        self._before = tuple(s.watermark_ms for s in inputs)
        watermark = min(self._before)
        full = [(i, s.batch) for i, s in enumerate(inputs) if s.batch and s.batch.num_rows]
        if not full:
            return Step(None, watermark)
        rows = pa.concat_tables([self._renamed(b) for _, b in full])
        kinds = None
        if any(b.kinds is not None for _, b in full):
            kinds = np.concatenate([_kinds(b) for _, b in full])
        marks = None
        if any(b.watermarks is not None for _, b in full):
            marks = np.concatenate([_marks(b, i, before) for i, b in full])
        return Step(Batch(rows, kinds, marks), watermark)

    def save(self) -> dict[str, Any]:
        return {"before": list(self._before)}

    def restore(self, saved: dict[str, Any]) -> None:
        self._before = tuple(saved["before"])

    def _renamed(self, batch: Batch) -> pa.Table:
        width = len(self.schema)
        rows = batch.rows.select(batch.rows.column_names[:width])
        return typed(rows.rename_columns(list(self.schema.names)), self.schema)


def _kinds(batch: Batch) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return batch.kinds if batch.kinds is not None else np.zeros(batch.num_rows, np.int8)


def _marks(batch: Batch, index: int, before: tuple[int, ...]) -> Int64s:
    """Rows without watermarks of their own are never late."""
    if batch.watermarks is None:
        return np.full(batch.num_rows, MIN_WATERMARK)
    others = [m for i, m in enumerate(before) if i != index]
    return np.minimum(batch.watermarks, min(others, default=2**62))
