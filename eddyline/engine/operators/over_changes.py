"""OVER by columns that are no time: a changelog, since a row that comes moves those behind it.

Also OVER in batch mode, where all rows are there before the first one is given.
"""

from __future__ import annotations

import numpy as np

from eddyline.engine.operators.difference import SEQ, PartitionChanges
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.engine.operators.over_text import (
    FrameWindow,
    finish,
    frame_text,
    result,
    split,
)
from eddyline.record.batch import Batch
from eddyline.record.types import quote
from eddyline.sql.physical_ordered import Over, OverTime

_NUMBER = quote("$n")


class OverChanges(PartitionChanges):
    """Keeps all rows; computes the touched partitions again."""

    def __init__(self, context: OperatorContext, inputs: tuple[Operator, ...], node: Over) -> None:
        super().__init__(context, inputs, node.schema, node.partition_by)
        self._node = node
        self._at_end = node.time is OverTime.BATCH
        if self._at_end:
            self.insert_only = True

    def step(self, inputs: tuple[Step, ...]) -> Step:
        if not self._at_end:
            return super().step(inputs)
        self.begin_step()
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            rows = batch.rows.select(list(self.inputs[0].schema.names))
            order = np.arange(self._seen, self._seen + batch.num_rows)
            self._seen += batch.num_rows
            self._apply(with_columns(rows, seq=order), self._table)
        if not inputs[0].ended:
            return Step(None, watermark)
        rows = self.context.db.query(self._over(self._table))
        self.context.db.run(f"DELETE FROM {self._table}")
        out = Batch(typed(rows, self.schema)) if rows.num_rows else None
        return Step(out, watermark)

    def _result(self) -> str:
        return self._over(self._near)

    def _over(self, source: str) -> str:
        """Text: the rows of ``source`` with their calls."""
        aggregates, others = split(self._node.calls)
        keys = [k.text() for k in self._node.order]
        every = ", ".join([*keys, SEQ])
        frame = frame_text(self._node.frame)
        window = FrameWindow(self._partition(), ", ".join(keys) or SEQ, every, _NUMBER, frame)
        texts = [text for c in aggregates for text in window.accumulators(c)]
        texts += [f"{window.other(c)} AS {quote(f'$o{i}')}" for i, c in others]
        shown = {c.call.name: finish(c, "m") for c in aggregates}
        shown |= {c.name: result(c, quote(f"$o{i}")) for i, c in others}
        columns = [*self._below, *(shown[c.name] for c in self._node.calls)]
        numbered = f"SELECT *, row_number() OVER (ORDER BY {every}) AS {_NUMBER} FROM {source}"
        inner = f"SELECT *, {', '.join(texts)} FROM ({numbered})"
        return f"SELECT {', '.join(columns)} FROM ({inner}) m ORDER BY {SEQ}"
