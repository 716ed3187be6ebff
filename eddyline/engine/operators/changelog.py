"""TO_CHANGELOG and FROM_CHANGELOG: kinds of change into a column, and out of one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch
from eddyline.sql.physical_rows import FromChangelog as FromChangelogNode
from eddyline.sql.physical_rows import ToChangelog as ToChangelogNode


class ToChangelog(Operator):
    """Every change becomes a new row with a code in its first column; kinds without a code are
    dropped."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: ToChangelogNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self.insert_only = True
        self._codes = np.array(node.codes, dtype=object)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        kinds = np.zeros(batch.num_rows, np.int8) if batch.kinds is None else batch.kinds
        codes = pa.array(self._codes[kinds], pa.string())
        columns = [codes, *batch.rows.columns]
        rows = pa.Table.from_arrays(columns, names=list(self.schema.names))
        marks = batch.watermarks
        if codes.null_count:
            kept = codes.is_valid()
            rows = rows.filter(kept)
            marks = None if marks is None else marks[kept.to_numpy(zero_copy_only=False)]
        return Step(Batch(typed(rows, self.schema), None, marks), watermark)


class FromChangelog(Operator):
    """The code in a column decides what a row does."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: FromChangelogNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self.insert_only = False
        self._op = node.op
        self._kinds = dict(node.kinds)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        encoded = batch.rows[self._op].combine_chunks().dictionary_encode()
        codes = encoded.dictionary.to_pylist()
        unknown = [c for c in codes if c not in self._kinds]
        if encoded.null_count or unknown:
            code = "NULL" if encoded.null_count else repr(unknown[0])
            msg = f"FROM_CHANGELOG met the operation {code} in column {self._op}"
            hint = f"it knows {', '.join(map(repr, self._kinds))}; op_mapping names others"
            raise EddylineError("sql_runtime", msg, hint=hint)
        by_code = np.array([int(self._kinds[c]) for c in codes], np.int8)
        kinds = by_code[encoded.indices.to_numpy()]
        rows = typed(batch.rows.select(list(self.schema.names)), self.schema)
        return Step(Batch(rows, kinds, batch.watermarks), watermark)
