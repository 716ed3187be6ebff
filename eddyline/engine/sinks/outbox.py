"""Sinks that give each row once: what is committed rests in the outbox until it is surely out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.sink import Sink
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch, Kind
from eddyline.record.formats import encoder
from eddyline.record.formats.format import options_of
from eddyline.sql import physical as plan


class OutboxSink(Sink):
    """Encodes rows in the table's format; a kind of sink says how an epoch's rows are let out."""

    def __init__(
        self, context: Context, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        super().__init__(context, inputs, node.schema)
        options = node.table.options
        self._format = options["format"]
        self._encoder = encoder(self._format, node.columns, options_of(self._format, options))
        self._columns = list(node.columns.names)
        self._sink = str(node.table.path)
        self._job = job
        self._acknowledged = 0

    def take(self, batch: Batch, epoch: int) -> None:
        if batch.kinds is not None and (batch.kinds != Kind.INSERT).any():
            msg = f"table {self._sink} takes only new rows, but the query takes rows back"
            hint = "group by a window, so that each row is given once"
            raise EddylineError("sql_semantic", msg, hint=hint)
        data = self._encoder.encode(batch.rows.select(self._columns))
        seq, keys = pa.array(np.arange(len(data))), self._keys(batch.rows)
        self.context.db.run(
            f"INSERT INTO outbox SELECT {epoch}, ?, seq, key, data FROM b",
            [self._sink],
            b=pa.table({"seq": seq, "key": keys, "data": data}),
        )

    def deliver(self, epoch: int) -> None:
        sink = self._sink.replace("'", "''")
        rows = self.context.db.query(
            f"SELECT key, data FROM outbox WHERE sink = '{sink}' AND epoch = {epoch} ORDER BY seq"
        )
        if rows.num_rows:
            self._give(rows, epoch)
        self._acknowledged = epoch

    def recover(self, epoch: int) -> None:
        done = self._given()
        waiting = self.context.db.rows(
            "SELECT DISTINCT epoch FROM outbox WHERE sink = ? AND epoch > ? ORDER BY epoch",
            [self._sink, done],
        )
        for (late,) in waiting:
            self.deliver(late)
        self._acknowledged = max(done, epoch)

    def acknowledged(self) -> int:
        return self._acknowledged

    def _keys(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """A text a row that is kept beside it."""
        return pa.nulls(rows.num_rows, pa.string())

    def _given(self) -> int:
        """The newest epoch known to be out; -1 where writing twice is harmless."""
        return -1

    def _give(self, rows: pa.Table, epoch: int) -> None:
        """Let out the rows (key, data) of an epoch, at once."""
        raise NotImplementedError
