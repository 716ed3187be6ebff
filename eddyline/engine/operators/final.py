"""The batch mode's end: changes are collected, and the rows that remain are given once.

Changes are appended as counts (+1, -1) per row, so that a batch costs one INSERT; they are added
up when the input ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.record.batch import MAX_WATERMARK, Batch, ChangeKind
from eddyline.record.types import quote
from eddyline.sql.physical_ordered import Final as FinalNode

_TAKEN_BACK = (ChangeKind.UPDATE_BEFORE, ChangeKind.DELETE)


class Final(Operator):
    """Gives the rows that are left when the input has ended, in order of their last change."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: FinalNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self.insert_only = True
        self._names = node.schema.names
        self._columns = ", ".join(quote(n) for n in self._names)
        self._table = context.table("rows")
        self._seen = 0
        self._given = False

    def create(self) -> None:
        columns = f'{self.schema.duckdb_columns()}, "$count" TINYINT, "$seq" BIGINT'
        self.context.db.run(f"CREATE TABLE {self._table} ({columns})")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            self._take(batch)
        if watermark != MAX_WATERMARK or self._given:
            return Step(None, watermark)
        self._given = True
        return Step(self._remaining(), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], inputs[0] == MAX_WATERMARK and not self._given

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "given": self._given}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._given = saved["seen"], saved["given"]

    def why_silent(self) -> list[str]:
        return [] if self._given else ["in batch mode rows are given when the input ends"]

    def _take(self, batch: Batch) -> None:
        n = batch.num_rows
        counts = np.ones(n, np.int8)
        if batch.kinds is not None:
            counts[np.isin(batch.kinds, _TAKEN_BACK)] = -1
        places = np.arange(self._seen, self._seen + n)
        self._seen += n
        rows = with_columns(batch.rows.select(list(self._names)), count=counts, seq=places)
        columns = f'{self._columns}, "$count", "$seq"'
        self.context.db.run(f"INSERT INTO {self._table} SELECT {columns} FROM rows", rows=rows)

    def _remaining(self) -> Batch | None:
        db = self.context.db
        left = (
            f'SELECT {self._columns}, sum("$count") AS "$left", max("$seq") AS "$last" '
            f'FROM {self._table} GROUP BY {self._columns} HAVING "$left" > 0'
        )
        rows = db.query(
            f'SELECT {self._columns} FROM (SELECT *, unnest(range("$left"::BIGINT)) FROM ({left})) '
            f'ORDER BY "$last"'
        )
        db.run(f"DELETE FROM {self._table}")
        return Batch(typed(rows, self.schema)) if rows.num_rows else None
