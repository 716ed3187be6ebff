"""VALUES: rows written in the statement, given once."""

from __future__ import annotations

from typing import Any

from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan


class Values(Operator):
    """A bounded input without a source."""

    def __init__(self, context: OperatorContext, node: plan.Values) -> None:
        super().__init__(context, (), node.schema)
        self._node = node
        self._given = False

    def step(self, inputs: tuple[Step, ...]) -> Step:
        if self._given:
            return Step(None, MAX_WATERMARK)
        self._given = True
        rows = self.context.db.query(self._sql())
        return Step(Batch(typed(rows, self.schema)), MAX_WATERMARK)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return (MAX_WATERMARK if self._given else MIN_WATERMARK), not self._given

    def save(self) -> dict[str, Any]:
        return {"given": self._given}

    def restore(self, saved: dict[str, Any]) -> None:
        self._given = saved["given"]

    def _sql(self) -> str:
        names = ", ".join(quote(c.name) for c in self.schema)
        typed_names = ", ".join(
            f"{quote(c.name)}::{duckdb_type(c.type)} AS {quote(c.name)}" for c in self.schema
        )
        rows = ", ".join("(" + ", ".join(r) + ")" for r in self._node.rows)
        if not self._node.rows:
            pairs = [(duckdb_type(c.type), quote(c.name)) for c in self.schema]
            nulls = ", ".join(f"NULL::{t} AS {n}" for t, n in pairs)
            return f"SELECT {nulls} WHERE FALSE"
        return f"SELECT {typed_names} FROM (VALUES {rows}) AS v({names})"
