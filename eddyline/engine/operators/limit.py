"""LIMIT and OFFSET: passes some of the first rows on; then its output is over, whatever its input
still holds."""

from __future__ import annotations

from typing import Any

from eddyline.engine.operators.operator import Operator, OperatorContext, Step
from eddyline.record.batch import MAX_WATERMARK, Batch
from eddyline.sql import physical as plan


class Limit(Operator):
    """Counts over restarts. The rest of the plan (another input of a UNION ALL or a join) runs on;
    the job is over when the LIMIT stands at its root."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Limit
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._skip = node.offset
        self._count(node.count)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        start = min(self._skip, batch.num_rows)
        self._skip -= start
        n = batch.num_rows - start
        if self._left is not None:
            n = min(self._left, n)
            self._count(self._left - n)
        kinds = None if batch.kinds is None else batch.kinds[start : start + n]
        marks = None if batch.watermarks is None else batch.watermarks[start : start + n]
        rows = Batch(batch.rows.slice(start, n), kinds, marks)
        return Step(rows, MAX_WATERMARK if self.satisfied else watermark)

    def save(self) -> dict[str, Any]:
        return {"left": self._left, "skip": self._skip}

    def restore(self, saved: dict[str, Any]) -> None:
        self._skip = saved.get("skip", 0)
        self._count(saved["left"])

    def _count(self, left: int | None) -> None:
        """How many rows are still to come; None for all."""
        self._left = left
        self.satisfied = left == 0
        if self.satisfied:
            self.stop_reading()
