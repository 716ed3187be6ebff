"""Filter, then project.

Columns that only pass through stay the same Arrow buffers; only what must be computed goes
through DuckDB, or, in small batches, through Python or Arrow's kernels where these mean the same.
Rows whose values are too large to be computed at once are computed a portion at a time
(``portions.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine import plain_expressions
from eddyline.engine.arrow_expressions import Compute, Unusual, array_of, compiled
from eddyline.engine.operators.operator import (
    KIND,
    RECORD,
    SHARD,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    typed,
    with_columns,
)
from eddyline.engine.operators.portions import PortionedOperator
from eddyline.engine.operators.scan import Scan
from eddyline.engine.value_errors import ASIDE, located
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch
from eddyline.record.formats import kernel
from eddyline.record.plain_rows import PlainRows, arrow_types, can_be_plain
from eddyline.record.schema import Schema
from eddyline.record.types import arrow_type, quote
from eddyline.sql import physical as plan
from eddyline.sql.typed import Ref


class Calc(PortionedOperator):
    """Keeps change kinds, per-row watermarks and the rows' order."""

    multiplied = "values"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Calc
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._condition = node.condition
        self._scan = _scan_of(inputs[0])
        columns = {quote(n): n for n in inputs[0].schema.names}
        self._passed = {p.name: columns.get(p.expr.text) for p in node.projections}
        self._texts = {p.name: f"({p.expr.text}) AS {quote(p.name)}" for p in node.projections}
        computed = [t for n, t in self._texts.items() if self._passed[n] is None]
        self._compute = f"SELECT {', '.join(computed)} FROM b" if computed else None
        self._small = _small(node)
        self._plain = _plain(node, self._passed) if self._small is not None else None
        self._types = {**arrow_types(self.schema), SHARD: pa.int32(), RECORD: pa.int32()}

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or batch.num_rows == 0:
            return self.take(None, watermark)
        bad = self.context.figures.bad_records
        try:
            out = self._computed(batch)
        except EddylineError as error:
            if self.may_wait and _lacks_memory(error):
                return self._in_portions(batch, watermark)
            if error.code != "sql_runtime":
                raise
            out = self._around_faults(batch, error)
        set_aside = self.context.figures.bad_records - bad
        self.context.figures.filtered += batch.num_rows - out.num_rows - set_aside
        self._rows.before = watermark
        return Step(out, watermark)

    def multiply(self, rows: pa.Table, bytes_max: int) -> pa.Table | None:
        kinds, watermarks = (
            rows[n].combine_chunks().to_numpy() if n in rows.column_names else None
            for n in (KIND, WATERMARK)
        )
        batch = Batch(rows.select(list(self.inputs[0].schema.names)), kinds, watermarks)
        try:
            out = self._computed(batch)
        except EddylineError as error:
            if not _lacks_memory(error):
                raise
            return None
        given = with_columns(out.rows, kind=out.kinds, wm=out.watermarks)
        return given if given.nbytes <= bytes_max else None

    def _in_portions(self, batch: Batch, watermark: int) -> Step:
        """The step of a micro-batch whose values are too large to be computed at once."""
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        self._portions.rows_max = max(1, batch.num_rows // 2)
        return self.take(with_columns(rows, kind=batch.kinds, wm=batch.watermarks), watermark)

    def _first(self, rows: pa.Table) -> tuple[pa.Table, int]:
        given, count = super()._first(rows)
        self.context.figures.filtered += count - given.num_rows
        return given, count

    def _computed(self, batch: Batch) -> Batch:
        out = self._from_small(batch) if batch.num_rows <= kernel.FEW_ROWS else None
        if out is not None:
            return out
        return self._filter(batch) if self._condition else self._project(batch)

    def _around_faults(self, batch: Batch, error: EddylineError) -> Batch:
        """The rows that can be computed: the others become dead letters, or the first of them ends
        the job with a message that names it."""
        scan = self._scan if self._scan is not None and self._scan.gave(batch.num_rows) else None
        parts = list(self._halves(batch, 0, error, scan))
        if not parts:
            return Batch(self.schema.arrow().empty_table())
        if len(parts) == 1:
            return parts[0]
        kinds = [p.kinds for p in parts if p.kinds is not None]
        watermarks = [p.watermarks for p in parts if p.watermarks is not None]
        return Batch(
            pa.concat_tables([p.rows for p in parts]),
            np.concatenate(kinds) if kinds else None,
            np.concatenate(watermarks) if watermarks else None,
        )

    def _halves(
        self, batch: Batch, first: int, error: EddylineError, scan: Scan | None
    ) -> Iterator[Batch]:
        """Results of the parts of a batch that fails; ``first``: the number of its first row."""
        rows = batch.num_rows
        if rows == 1:
            self._fault(batch.rows, first, error, scan)
            return
        for start, stop in ((0, rows // 2), (rows // 2, rows)):
            part = _part(batch, start, stop)
            try:
                yield self._computed(part)
            except EddylineError as failure:
                if failure.code != "sql_runtime":
                    raise
                yield from self._halves(part, first + start, failure, scan)

    def _fault(self, row: pa.Table, number: int, error: EddylineError, scan: Scan | None) -> None:
        """Set the record of a row that cannot be computed aside, or raise why it cannot be."""
        error = located(self.context.db, self._node, row, error)
        if scan is None:
            raise error
        if scan.keeps_bad:
            scan.set_aside(np.array([number]), "", error.message)
            return
        error.detail = f"the record is {scan.place_of(number)}"
        error.hint = f"{error.hint}; {ASIDE}" if error.hint else ASIDE
        raise error

    def source_of(self, column: str) -> str | None:
        """The input column that passes through as ``column``, None if it is computed."""
        return self._passed.get(column)

    def _from_small(self, batch: Batch) -> Batch | None:
        """The result of a small batch without a statement; None: it needs one."""
        if self._small is None:
            return None
        try:
            if batch.plain is not None and self._plain is not None:
                return self._plain.apply(batch, batch.plain, self._types)
            return self._small.apply(batch, self._passed, self.schema)
        except Unusual:
            return None

    def _project(self, batch: Batch) -> Batch:
        rows = batch.rows
        made = self.context.db.compute(self._compute, b=rows) if self._compute else None
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
        out, hidden = split_hidden(self.context.db.compute(sql, b=rows), self.schema)
        for name in (SHARD, RECORD):
            if name in hidden:
                out = out.append_column(name, pa.array(hidden[name]))
        return Batch(out, hidden.get(KIND), hidden.get(WATERMARK))


def _part(batch: Batch, start: int, stop: int) -> Batch:
    kinds = None if batch.kinds is None else batch.kinds[start:stop]
    watermarks = None if batch.watermarks is None else batch.watermarks[start:stop]
    return Batch(batch.rows.slice(start, stop - start), kinds, watermarks)


def _scan_of(operator: Operator) -> Scan | None:
    """The scan whose rows arrive here as they are, row by row."""
    from eddyline.engine.operators.assign_watermark import AssignWatermark

    while isinstance(operator, AssignWatermark):
        operator = operator.inputs[0]
    return operator if isinstance(operator, Scan) else None


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


@dataclass(frozen=True, slots=True)
class _PlainCalc:
    """A filter and a projection of plain values: condition, and each column."""

    condition: plain_expressions.Compute | None
    columns: dict[str, plain_expressions.Compute]

    def apply(self, batch: Batch, rows: PlainRows, types: Mapping[str, pa.DataType]) -> Batch:
        """Raises ``Unusual`` for values that need a statement."""
        kinds, watermarks = batch.kinds, batch.watermarks
        if self.condition is not None:
            mask = [value is True for value in self.condition(rows)]
            if not all(mask):
                rows = rows.chosen(mask)
                kinds = None if kinds is None else kinds[mask]
                watermarks = None if watermarks is None else watermarks[mask]
        columns = {name: compute(rows) for name, compute in self.columns.items()}
        for name in (SHARD, RECORD):
            if name in rows.columns:
                columns[name] = rows.columns[name]
        return Batch(PlainRows(rows.num_rows, columns, types), kinds, watermarks)


def _plain(node: plan.Calc, passed: dict[str, str | None]) -> _PlainCalc | None:
    """The node over plain values, if all its columns can be such."""
    if not all(can_be_plain(arrow_type(t)) for t in node.schema.types):
        return None
    condition = None
    if node.condition_tree is not None:
        condition = plain_expressions.compiled(node.condition_tree)
    columns: dict[str, plain_expressions.Compute] = {}
    for p in node.projections:
        source = passed[p.name]
        tree = Ref(source, node.input.schema[source]) if source is not None else p.expr.tree
        compute = None if tree is None else plain_expressions.compiled(tree)
        if compute is None:
            return None
        columns[p.name] = compute
    return _PlainCalc(condition, columns)


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


def _lacks_memory(error: EddylineError) -> bool:
    """Whether fewer rows may do; a function of the user's that exceeds its own limits is none."""
    return error.code == "limit_exceeded" and error.message.startswith(kernel.NO_MEMORY)
