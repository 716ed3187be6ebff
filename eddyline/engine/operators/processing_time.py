"""Where windows are cut by the clock: the clock becomes the watermark.

Rows carry the time of their micro-batch. A window is over once the clock has passed its end, so
the watermark is the time just before now. If the clock is set back, both the watermark and the
time that rows carry stand still until the clock has caught up (``Job`` sees to the latter).
"""

from __future__ import annotations

from typing import Any

from eddyline.engine.operators.operator import Operator, OperatorContext, Step
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.sql import physical as plan

_NOW = "SELECT epoch_ms(getvariable('eddyline_now'))"


class ProcessingTime(Operator):
    """No row is ever late by the clock."""

    is_clock_driven = True

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.ProcessingTime
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._mark = MIN_WATERMARK

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch = inputs[0].batch
        self._mark = max(self._mark, int(self.context.db.one(_NOW)) - 1)
        out = None
        if batch is not None and batch.num_rows:
            out = Batch(batch.rows.select(list(self.schema.names)), batch.kinds)
        return Step(out, MAX_WATERMARK if inputs[0].ended else self._mark)

    @property
    def reached_ms(self) -> int:
        """The earliest processing time at which a row is not late."""
        return self._mark + 1

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        if inputs[0] == MAX_WATERMARK:
            return inputs[0], False
        return max(self._mark, self.context.clock.now_ms() - 1), False

    def save(self) -> dict[str, Any]:
        return {"mark": self._mark}

    def restore(self, saved: dict[str, Any]) -> None:
        self._mark = saved["mark"]
