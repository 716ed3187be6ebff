"""GROUPING SETS: each row once per set, with NULL in the keys that are not in it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.record.batch import Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan


class Expand(Operator):
    """The copies of a row stand side by side, so that rows keep their order."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Expand
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._sets = []
        for items in node.sets:
            columns = ", ".join(f"({p.expr.text}) AS {quote(p.name)}" for p in items)
            self._sets.append(f"SELECT {columns} FROM b")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        db, n, copies = self.context.db, batch.num_rows, len(self._sets)
        made = [typed(db.query(sql, b=batch.rows), self.schema) for sql in self._sets]
        order = np.arange(n * copies).reshape(copies, n).T.ravel()
        rows = pa.concat_tables(made).take(pa.array(order))
        kinds = None if batch.kinds is None else np.repeat(batch.kinds, copies)
        marks = None if batch.watermarks is None else np.repeat(batch.watermarks, copies)
        return Step(Batch(rows, kinds, marks), watermark)
