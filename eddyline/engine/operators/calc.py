"""Filter, then project.

Columns that only pass through stay the same Arrow buffers; only what must be computed goes
through DuckDB, or, in small batches, through Arrow's kernels where they mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.arrow_expressions import Compute, Unusual, array_of, compiled
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
from eddyline.record.formats import kernel
from eddyline.record.schema import Schema
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
        self._small = _small(node)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or batch.num_rows == 0:
            return Step(None, watermark)
        out = self._from_small(batch) if batch.num_rows <= kernel.FEW_ROWS else None
        if out is None:
            out = self._filter(batch) if self._condition else self._project(batch)
        self.context.figures.filtered += batch.num_rows - out.num_rows
        return Step(out, watermark)

    def source_of(self, column: str) -> str | None:
        """The input column that passes through as ``column``, None if it is computed."""
        return self._passed.get(column)

    def _from_small(self, batch: Batch) -> Batch | None:
        """The result of a small batch without a statement; None: it needs one."""
        if self._small is None:
            return None
        try:
            return self._small.apply(batch, self._passed, self.schema)
        except Unusual:
            return None

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


@dataclass(frozen=True, slots=True)
class _Small:
    """A filter and a projection by Arrow's kernels: condition, and each computed column."""

    condition: Compute | None
    computed: dict[str, Compute]

    def apply(self, batch: Batch, passed: dict[str, str | None], schema: Schema) -> Batch:
        """Raises ``Unusual`` for values that need a statement."""
        rows, kinds, watermarks = batch.rows, batch.kinds, batch.watermarks
        if self.condition is not None:
            mask = pc.fill_null(array_of(self.condition(rows), rows.num_rows), False)
            rows = rows.filter(mask)
            chosen = mask.to_numpy(zero_copy_only=False)
            kinds = None if kinds is None else kinds[chosen]
            watermarks = None if watermarks is None else watermarks[chosen]
        arrays = [
            rows[source]
            if source is not None
            else array_of(self.computed[name](rows), rows.num_rows)
            for name, source in passed.items()
        ]
        hidden = [name for name in (SHARD, RECORD) if name in rows.column_names]
        out = typed(pa.table(arrays, names=list(passed)), schema)
        for name in hidden:
            out = out.append_column(name, rows[name])
        return Batch(out, kinds, watermarks)


def _small(node: plan.Calc) -> _Small | None:
    """The node by Arrow's kernels, if they can compute all of it."""
    condition = None
    if node.condition is not None:
        condition = None if node.condition_tree is None else compiled(node.condition_tree)
        if condition is None:
            return None
    columns = {quote(c.name) for c in node.input.schema}
    computed: dict[str, Compute] = {}
    for p in node.projections:
        if p.expr.text not in columns:
            compute = None if p.expr.tree is None else compiled(p.expr.tree)
            if compute is None:
                return None
            computed[p.name] = compute
    return _Small(condition, computed) if node.projections else None
