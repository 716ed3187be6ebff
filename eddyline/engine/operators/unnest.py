"""UNNEST: each row once per element of a collection."""

from __future__ import annotations

import pyarrow as pa

from eddyline.engine.operators.operator import (
    KIND,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    with_columns,
)
from eddyline.engine.operators.portions import PortionedOperator
from eddyline.engine.value_errors import first_fault
from eddyline.errors import EddylineError
from eddyline.record.types import Root, quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import ELEMENT


class Unnest(PortionedOperator):
    """Keeps change kinds and per-row watermarks; elements come in their order."""

    multiplied = "elements"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Unnest
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._below = [quote(n) for n in node.schema.names if n in inputs[0].schema]

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        rows = None
        if batch is not None and batch.num_rows:
            rows = with_columns(batch.rows, kind=batch.kinds, wm=batch.watermarks)
        return self.take(rows, watermark)

    def multiply(self, rows: pa.Table, bytes_max: int) -> pa.Table | None:
        hidden = [quote(n) for n in (KIND, WATERMARK) if n in rows.column_names]
        names = [*self._below, *hidden]
        own = f"({self._node.collection.text})"
        if self._node.collection.type.root is Root.MAP:
            own = f"map_entries({own})"
        collection = own
        if self._node.outer:
            collection = f"CASE WHEN len({own}) > 0 THEN {own} ELSE [NULL] END"
        parts = [f"{p.expr.text} AS {quote(p.name)}" for p in self._node.parts]
        ordinal = ""
        if self._node.ordinal is not None:
            ordinal = f', unnest(range(1, len({collection}) + 1)) AS "$nth", len({own}) AS "$len"'
            number = 'CASE WHEN "$len" > 0 THEN "$nth" END::INTEGER'
            parts.append(f"{number} AS {quote(self._node.ordinal)}")
        columns = ", ".join([*names, f"unnest({collection}) AS {ELEMENT}"])
        sql = f"SELECT {', '.join([*self._below, *parts, *hidden])} FROM "
        try:
            return self.context.db.query_within(
                f"{sql}(SELECT {columns}{ordinal} FROM b)", bytes_max, b=rows
            )
        except EddylineError as error:
            trees = [self._node.collection.tree]
            raise first_fault(self.context.db, "$collection", trees, rows, error) from error
