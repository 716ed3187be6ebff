"""Rows of SESSION windows: each row waits until its session is over, which alone says its bounds.

Sessions are kept as in an aggregation whose only aggregate is the number of their first row. Each
waiting row carries that number; where sessions merge, the rows of the later ones get the first's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import listed, matching
from eddyline.engine.operators.closing import FAR
from eddyline.engine.operators.operator import Operator, OperatorContext, typed
from eddyline.engine.operators.session_aggregate import START, SessionAggregate
from eddyline.engine.operators.windows import END
from eddyline.record.batch import Batch
from eddyline.record.types import BIGINT, quote
from eddyline.sql import physical as plan

_SEQ, _SESSION = quote("$seq"), quote("$session")
_S, _E = quote(START), quote(END)


class SessionTable(SessionAggregate):
    """Appends start, end and time of the session; a row behind its fired session is late."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.SessionTable
    ) -> None:
        first = plan.Aggregate("MIN", (plan.Expr(_SEQ, BIGINT),), BIGINT, "$session")
        window = plan.Window(plan.WindowKind.SESSION, node.gap_ms)
        sessions = plan.WindowAggregate(
            node.input, window, node.time_column, node.partition_by, (first,), node.names,
            node.schema,
        )  # fmt: skip
        super().__init__(context, inputs, sessions)
        (self._first,) = self._accumulators
        self._rows = context.table("rows")
        self._columns = [quote(n) for n in inputs[0].schema.names]
        self._seen = 0

    def create(self) -> None:
        super().create()
        columns = self.inputs[0].schema.duckdb_columns()
        self.context.db.run(
            f"CREATE TABLE {self._rows} ({columns}, {_SEQ} BIGINT, {_SESSION} BIGINT)"
        )

    def save(self) -> dict[str, Any]:
        return {**super().save(), "seen": self._seen}

    def restore(self, saved: dict[str, Any]) -> None:
        super().restore(saved)
        self._seen = saved["seen"]

    def _take(self, batch: Batch) -> None:
        super()._take(batch)
        self._seen += batch.num_rows

    def _merge(self, rows: pa.Table, items: pa.Table) -> None:
        """Rows into their sessions, then the rows themselves under their session's number."""
        number = np.arange(self._seen, self._seen + rows.num_rows)
        rows = rows.append_column("$seq", pa.array(number))
        super()._merge(rows, items)
        db, new, old = self.context.db, self.context.table("new"), self.context.table("old")
        same = matching(self._by, "n", "o")
        db.run(
            f"UPDATE {self._rows} AS r SET {_SESSION} = n.{self._first} FROM {old} o JOIN {new} n "
            f'ON o."$i" = n."$i" AND {same} '
            f"WHERE r.{_SESSION} = o.{self._first} AND o.{self._first} <> n.{self._first}"
        )
        columns = ", ".join(f"b.{c}" for c in [*self._columns, _SEQ])
        same = matching(self._by, "n", "j")
        db.run(
            f"INSERT INTO {self._rows} SELECT {columns}, n.{self._first} FROM b "
            f'JOIN items j ON j."$r" = b."$row" JOIN {new} n ON n."$i" = j."$i" AND {same} '
            f'WHERE NOT j."$late"',
            b=rows,
            items=items,
        )

    def _fire(self, watermark: int) -> Batch | None:
        """The rows of sessions whose end - 1 the watermark has reached, session by session."""
        if self._next is None or watermark < self._next - 1:
            return None
        over, db = f"{_E} <= {min(watermark, FAR) + 1}", self.context.db
        start, end, time = (quote(n) for n in self._node.names)
        order = ", ".join([f"s.{_E}", *listed(self._by, "s"), f"s.{_S}", f"r.{_SEQ}"])
        rows = db.query(
            f"SELECT {', '.join('r.' + c for c in self._columns)}, "
            f"make_timestamp(s.{_S} * 1000) AS {start}, make_timestamp(s.{_E} * 1000) AS {end}, "
            f"make_timestamp(s.{_E} * 1000 - 1000) AS {time} "
            f"FROM {self._rows} r JOIN {self._open} s ON r.{_SESSION} = s.{self._first} "
            f"WHERE s.{over} ORDER BY {order}"
        )
        db.run(
            f"DELETE FROM {self._rows} WHERE {_SESSION} IN "
            f"(SELECT {self._first} FROM {self._open} WHERE {over})"
        )
        db.run(f"DELETE FROM {self._open} WHERE {over}")
        self._next = db.one(f"SELECT min({_E}) FROM {self._open}")
        return Batch(typed(rows.select(list(self.schema.names)), self.schema))
