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
from eddyline.engine.sinks.outbox import OutboxSink
from eddyline.log.keys import EpochMark
from eddyline.log.put import PutBatch
from eddyline.record.types import quote
from eddyline.sql import physical as plan


class StreamSink(OutboxSink):
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
        super().__init__(context, inputs, node, job)
        self._stream = stream
        self._incarnation = incarnation
        glue = node.table.options.get("sink.partitioner-field-delimiter", "|")
        self._keys_sql = _keys_sql(node.partition_by, glue)

    def _keys(self, rows: pa.Table) -> pa.ChunkedArray:
        return self.context.db.query(self._keys_sql, b=rows)["k"]

    def _given(self) -> int:
        mark = self._stream.mark(self._job, self._sink)  # type: ignore[attr-defined]
        return mark.epoch if mark else 0

    def _give(self, rows: pa.Table, epoch: int) -> None:
        batch = PutBatch(rows["key"].combine_chunks(), rows["data"].combine_chunks())
        mark = EpochMark(self._job, self._incarnation, self._sink, epoch)
        self._stream.append(batch, mark)  # type: ignore[attr-defined]


def _keys_sql(columns: tuple[str, ...], glue: str) -> str:
    if not columns:
        return "SELECT uuid()::VARCHAR AS k FROM b"
    parts = ", ".join(f"coalesce({quote(c)}::VARCHAR, 'null')" for c in columns)
    literal = "'" + glue.replace("'", "''") + "'"
    key = f"concat_ws({literal}, {parts})"
    return f"SELECT CASE WHEN {key} = '' THEN ' ' ELSE left({key}, 256) END AS k FROM b"
