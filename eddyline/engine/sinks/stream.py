"""A local stream as a sink, exactly once.

The transaction that commits state and positions also commits the epoch's encoded rows (the
outbox). After it the rows are appended together with a mark (job, incarnation, sink, epoch) in
one transaction of the log. A crash between the two leaves rows above the mark: recovery appends
them before anything is read. A crash after the append leaves the mark, and they are not appended
again.
"""

from __future__ import annotations

import pyarrow as pa

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.sink import Sink
from eddyline.errors import EddylineError
from eddyline.log.keys import EpochMark
from eddyline.log.put import PutBatch
from eddyline.record.batch import Batch, Kind
from eddyline.record.formats import encoder
from eddyline.record.formats.format import options_of
from eddyline.record.types import quote
from eddyline.sql import physical as plan


class StreamSink(Sink):
    """Rows become records; the partition key is the PARTITIONED BY columns' text, or random."""

    def __init__(
        self,
        context: Context,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        stream: object,
        job: str,
        incarnation: int,
    ) -> None:
        super().__init__(context, inputs, node.schema)
        options = node.table.options
        name = options["format"]
        self._encoder = encoder(name, node.columns, options_of(name, options))
        self._node = node
        self._stream = stream
        self._job, self._incarnation = job, incarnation
        self._sink = str(node.table.path)
        self._acknowledged = 0
        glue = options.get("sink.partitioner-field-delimiter", "|")
        self._keys_sql = _keys_sql(node.partition_by, glue)

    def take(self, batch: Batch, epoch: int) -> None:
        if batch.kinds is not None and (batch.kinds != Kind.INSERT).any():
            raise _updates(self._sink)
        rows = batch.rows.select(list(self._node.columns.names))
        data = self._encoder.encode(rows)
        keys = self.context.db.query(self._keys_sql, b=batch.rows)["k"]
        out = pa.table({"key": keys, "data": data})
        self.context.db.run(
            f"INSERT INTO outbox SELECT {epoch}, ?, row_number() OVER (), key, data FROM b",
            [self._sink],
            b=out,
        )

    def deliver(self, epoch: int) -> None:
        self._append(epoch)

    def recover(self, epoch: int) -> None:
        mark = self._stream.mark(self._job, self._sink)  # type: ignore[attr-defined]
        done = mark.epoch if mark else 0
        waiting = self.context.db.rows(
            "SELECT DISTINCT epoch FROM outbox WHERE sink = ? AND epoch > ? ORDER BY epoch",
            [self._sink, done],
        )
        for (late,) in waiting:
            self._append(late)
        self._acknowledged = max(done, epoch)

    def acknowledged(self) -> int:
        return self._acknowledged

    def _append(self, epoch: int) -> None:
        sink = self._sink.replace("'", "''")
        rows = self.context.db.query(
            f"SELECT key, data FROM outbox WHERE sink = '{sink}' AND epoch = {epoch} ORDER BY seq"
        )
        if rows.num_rows:
            batch = PutBatch(rows["key"].combine_chunks(), rows["data"].combine_chunks())
            mark = EpochMark(self._job, self._incarnation, self._sink, epoch)
            self._stream.append(batch, mark)  # type: ignore[attr-defined]
        self._acknowledged = epoch


def _keys_sql(columns: tuple[str, ...], glue: str) -> str:
    if not columns:
        return "SELECT uuid()::VARCHAR AS k FROM b"
    parts = ", ".join(f"coalesce({quote(c)}::VARCHAR, 'null')" for c in columns)
    literal = "'" + glue.replace("'", "''") + "'"
    key = f"concat_ws({literal}, {parts})"
    return f"SELECT CASE WHEN {key} = '' THEN ' ' ELSE left({key}, 256) END AS k FROM b"


def _updates(sink: str) -> EddylineError:
    msg = f"table {sink} takes only new rows, but the query takes rows back"
    hint = "group by a window, so that each row is given once"
    return EddylineError("sql_semantic", msg, hint=hint)
