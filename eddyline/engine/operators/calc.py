"""Filter, then project.

Columns that only pass through stay the same Arrow buffers; only what must be computed goes
through DuckDB.
"""

from __future__ import annotations

import pyarrow as pa

from eddyline.engine.operators.operator import (
    KIND,
    RECORD,
    SHARD,
    WATERMARK,
    Context,
    Operator,
    Step,
    split_hidden,
    typed,
    with_columns,
)
from eddyline.record.batch import Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan


class Calc(Operator):
    """Keeps change kinds, per-row watermarks and the rows' order."""

    def __init__(self, context: Context, inputs: tuple[Operator, ...], node: plan.Calc) -> None:
        super().__init__(context, inputs, node.schema)
        self._condition = node.condition
        columns = {quote(n): n for n in inputs[0].schema.names}
        self._passed = {p.name: columns.get(p.expr.text) for p in node.projections}
        self._texts = {p.name: f"({p.expr.text}) AS {quote(p.name)}" for p in node.projections}
        computed = [t for n, t in self._texts.items() if self._passed[n] is None]
        self._compute = f"SELECT {', '.join(computed)} FROM b" if computed else None

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or batch.num_rows == 0:
            return Step(None, watermark)
        out = self._filter(batch) if self._condition else self._project(batch)
        self.context.figures.filtered += batch.num_rows - out.num_rows
        return Step(out, watermark)

    def source_of(self, column: str) -> str | None:
        """The input column that passes through as ``column``, None if it is computed."""
        return self._passed.get(column)

    def _project(self, batch: Batch) -> Batch:
        rows = batch.rows
        made = self.context.db.query(self._compute, b=rows) if self._compute else None
        if made is not None:
            assert made.num_rows == rows.num_rows, "a projection must keep every row"
        arrays, names = [], []
        for name, source in self._passed.items():
            arrays.append(rows[source] if source is not None else made[name])  # type: ignore[index]
            names.append(name)
        out = typed(pa.table(arrays, names=names), self.schema) if names else rows.select([])
        for name in (SHARD, RECORD):
            if name in rows.column_names:
                out = out.append_column(name, rows[name])
        return Batch(out, batch.kinds, batch.watermarks)

    def _filter(self, batch: Batch) -> Batch:
        rows = with_columns(batch.rows, kind=batch.kinds, wm=batch.watermarks)
        carried = [quote(n) for n in (KIND, WATERMARK, SHARD, RECORD) if n in rows.column_names]
        selected = ", ".join([*self._texts.values(), *carried])
        sql = f"SELECT {selected} FROM b WHERE {self._condition}"
        out, hidden = split_hidden(self.context.db.query(sql, b=rows), self.schema)
        for name in (SHARD, RECORD):
            if name in hidden:
                out = out.append_column(name, pa.array(hidden[name]))
        return Batch(out, hidden.get(KIND), hidden.get(WATERMARK))
