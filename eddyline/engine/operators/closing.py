"""What aggregations over windows share: groups are kept until the watermark closes them."""

from __future__ import annotations

from typing import Any

from eddyline.engine.operators.accumulate import KeyColumn, compile_all, listed
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.engine.operators.windows import END, refuse_changes, stamp
from eddyline.record.batch import Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan

FAR = 2**62


class ClosingAggregate(Operator):
    """Groups in a table with the end of their window, given once when it is over.

    word: what closes. table: where open groups are kept.
    """

    word = "window"
    table = "groups"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowAggregate
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        below = inputs[0].schema
        self._by = [KeyColumn(k, duckdb_type(below[k])) for k in node.keys]
        self._calls = compile_all(node.aggregates)
        self._open = context.table(self.table)
        self._next: int | None = None

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "a window aggregation")
            self._take(batch)
        return Step(self._fire(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._next is not None and inputs[0] >= self._next - 1

    def save(self) -> dict[str, Any]:
        return {"next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._next = saved["next"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        until = stamp(self._next - 1)
        return [f"the next {self.word} closes when the watermark reaches {until}"]

    def _take(self, batch: Batch) -> None:
        """Put rows into their groups, and see to ``_next``."""
        raise NotImplementedError

    def _start(self) -> str:
        """A group's start of the window, as text over its row."""
        raise NotImplementedError

    def _order(self) -> list[str]:
        """What groups are given by, after their end."""
        return listed(self._by, "s")

    def _tables(self) -> list[str]:
        """All tables with rows of open groups."""
        return [self._open]

    def _fire(self, watermark: int) -> Batch | None:
        """Groups whose end - 1 the watermark has reached, in order of their end."""
        if self._next is None or watermark < self._next - 1:
            return None
        bound, db = min(watermark, FAR) + 1, self.context.db
        end, start = quote(END), self._start()
        names = [quote(n) for n in self._node.names]
        columns = listed(self._by, "s")
        columns += [f"{c.finish('s')} AS {quote(c.call.name)}" for c in self._calls]
        columns += [
            f"make_timestamp(({start}) * 1000) AS {names[0]}",
            f"make_timestamp({end} * 1000) AS {names[1]}",
            f"make_timestamp({end} * 1000 - 1000) AS {names[2]}",
        ]
        rows = db.query(
            f"SELECT {', '.join(columns)} FROM {self._open} s WHERE {end} <= {bound} "
            f"ORDER BY {', '.join([end, *self._order()])}"
        )
        for table in self._tables():
            db.run(f"DELETE FROM {table} WHERE {end} <= {bound}")
        self._next = db.one(f"SELECT min({end}) FROM {self._open}")
        return Batch(typed(rows.select(list(self.schema.names)), self.schema))
