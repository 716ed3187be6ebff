"""UNNEST: each row once per element of a collection."""

from __future__ import annotations

from eddyline.engine.operators.operator import (
    KIND,
    SHARD,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    with_columns,
)
from eddyline.record.batch import Batch
from eddyline.record.types import Root, quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import ELEMENT


class Unnest(Operator):
    """Keeps change kinds and per-row watermarks; elements come in their order."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Unnest
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._below = [quote(n) for n in inputs[0].schema.names]

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is None or not batch.num_rows:
            return Step(None, watermark)
        rows = with_columns(batch.rows, kind=batch.kinds, wm=batch.watermarks)
        hidden = [quote(n) for n in (KIND, WATERMARK, SHARD) if n in rows.column_names]
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
        elements = f"SELECT {', '.join(names)}, unnest({collection}) AS {ELEMENT}{ordinal} FROM b"
        sql = f"SELECT {', '.join([*self._below, *parts, *hidden])} FROM ({elements})"
        out, extra = split_hidden(self.context.db.query(sql, b=rows), self.schema)
        return Step(Batch(out, extra.get(KIND), extra.get(WATERMARK)), watermark)
