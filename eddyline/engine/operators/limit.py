"""LIMIT: the first rows, then the statement is over."""

from __future__ import annotations

from typing import Any

from eddyline.engine.operators.operator import Context, Operator, Step
from eddyline.record.batch import Batch
from eddyline.sql import physical as plan


class Limit(Operator):
    """Counts over restarts."""

    def __init__(self, context: Context, inputs: tuple[Operator, ...], node: plan.Limit) -> None:
        super().__init__(context, inputs, node.schema)
        self._left = node.count
        self.satisfied = node.count == 0

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch = inputs[0].batch
        if batch is None or not batch.num_rows:
            return Step(None, inputs[0].watermark_ms)
        n = min(self._left, batch.num_rows)
        self._left -= n
        self.satisfied = self._left == 0
        kinds = None if batch.kinds is None else batch.kinds[:n]
        marks = None if batch.watermarks is None else batch.watermarks[:n]
        return Step(Batch(batch.rows.slice(0, n), kinds, marks), inputs[0].watermark_ms)

    def save(self) -> dict[str, Any]:
        return {"left": self._left}

    def restore(self, saved: dict[str, Any]) -> None:
        self._left = saved["left"]
        self.satisfied = self._left == 0
