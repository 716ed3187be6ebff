"""A local stream as a sink, exactly once.

A job without state beyond its positions appends its rows together with a mark that holds its
progress: one commit. In every other case the transaction that commits state and positions also
commits the epoch's encoded rows (the outbox). After it the rows are appended together with a mark
(job, incarnation, sink, epoch) in one transaction of the log. A crash between the two leaves rows
above the mark: recovery appends them before anything is read. A crash after the append leaves the
mark, and they are not appended again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.sinks.outbox import PIECE_BYTES_MAX, ListedRecords, OutboxSink, Piece
from eddyline.errors import EddylineError
from eddyline.log.keys import EpochMark
from eddyline.log.put import PutBatch
from eddyline.options.connectors import kinesis
from eddyline.options.connectors.kinesis import Partitioner
from eddyline.record.formats.format import PlainEncoder
from eddyline.record.plain_rows import PlainRows, arrow_types
from eddyline.record.types import quote
from eddyline.sql import physical as plan

# Marks of an epoch's pieces, beside the sink's own mark.
_PIECES = " pieces"
_PIECES_MAX = 1 << 24
# The payload of a record where the stream sets no limit of its own.
RECORD_KIB = 1024


class StreamSink(OutboxSink):
    """Rows become records; the partition key is the PARTITIONED BY columns' text, or random."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        stream: Any,
        job: str,
        incarnation: int,
    ) -> None:
        super().__init__(context, inputs, node, job)
        self._stream = stream
        self._incarnation = incarnation
        glue = kinesis.FIELD_DELIMITER.read(node.table.options)
        self._is_fixed = kinesis.PARTITIONER.read(node.table.options) is Partitioner.FIXED
        if node.partition_by and kinesis.PARTITIONER.given(node.table.options):
            message = f"table {node.table.path.name}: 'sink.partitioner' beside PARTITIONED BY"
            hint = "the columns of PARTITIONED BY are the partition key: leave one of the two out"
            raise EddylineError("sql_semantic", message, hint=hint)
        by_name = dict(zip(node.columns.names, inputs[0].schema.names, strict=True))
        self._key_columns = tuple(by_name[c] for c in node.partition_by)
        self._glue = glue
        self._keys_sql = _keys_sql(self._key_columns, glue)
        below = inputs[0].schema
        self._places = below.names[: len(node.columns)]
        types = arrow_types(below)
        self._lists = (
            isinstance(self._encoder, PlainEncoder)
            and [types[n] for n in self._places] == node.columns.arrow().types
            and all(below[c].is_integer or below[c].is_text for c in self._key_columns)
        )

    def _keys(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        if self._keys_sql is None:
            if self._is_fixed:
                return pa.array([self._job] * rows.num_rows, pa.string())
            return _random_keys(rows.num_rows)
        return self.context.db.query(self._keys_sql, b=rows)["k"]

    def _listed(self, rows: PlainRows) -> ListedRecords | None:
        if not self._lists:
            return None
        assert isinstance(self._encoder, PlainEncoder)
        data = self._encoder.encode_plain([rows.columns[name] for name in self._places])
        if data is None or max(map(len, data)) > RECORD_KIB << 10:
            return None
        if self._keys_sql is not None:
            keys = self._plain_keys(rows)
        elif self._is_fixed:
            keys = [self._job] * rows.num_rows
        else:
            keys = [os.urandom(16).hex() for _ in data]
        if sum(map(len, data)) > PIECE_BYTES_MAX // 2:
            return None
        return ListedRecords(keys, data)

    def _plain_keys(self, rows: PlainRows) -> list[str]:
        """As ``_keys_sql``."""
        columns = [rows.columns[name] for name in self._key_columns]
        parts = zip(*columns, strict=True)
        keys = [self._glue.join("null" if v is None else str(v) for v in row) for row in parts]
        return [key[:256] or " " for key in keys]

    def _check(self, rows: pa.Table) -> None:
        longest = pc.max(pc.binary_length(rows["data"])).as_py() or 0
        if longest <= RECORD_KIB << 10:  # which no stream refuses
            return
        limit = int(self._stream.attributes().get("max_record_kib", RECORD_KIB)) << 10
        if longest > limit:
            msg = (
                f"table {self._sink}: a row of {longest:,} bytes is too large, because a record of "
                f"stream {self._stream.name} has at most {limit:,}"
            )
            hint = "write less into a row, or raise the limit with UpdateMaxRecordSize"
            raise EddylineError("limit_exceeded", msg, hint=hint)

    def append_with(self, epoch: int, progress: bytes) -> bool:
        if self._taken is None:
            return False
        (taken_epoch, rows), self._taken = self._taken, None
        assert taken_epoch == epoch, "rows are given out in the epoch that took them"
        mark = EpochMark(self._job, self._incarnation, self._sink, epoch, progress)
        if isinstance(rows, ListedRecords):
            self._stream.append(PutBatch(rows.keys, rows.data), mark)
        else:
            self._append(rows, mark)
        self._acknowledged = epoch
        return True

    def progress_after(self, epoch: int) -> bytes | None:
        mark = self._stream.mark(self._job, self._sink)
        return mark.progress or None if mark and mark.epoch > epoch else None

    def _given(self) -> int:
        mark = self._stream.mark(self._job, self._sink)
        return mark.epoch if mark else 0

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        """The last piece raises the sink's mark; those before it raise a mark of their own. A piece
        that is out already has its mark there, so the log does not take it again."""
        for piece in pieces:
            name, number = self._sink, epoch
            if not piece.last:
                name, number = self._sink + _PIECES, epoch * _PIECES_MAX + piece.number
            self._append(piece.rows, EpochMark(self._job, self._incarnation, name, number))

    def _append(self, rows: pa.Table, mark: EpochMark) -> None:
        batch = PutBatch(rows["key"].combine_chunks(), rows["data"].combine_chunks())
        self._stream.append(batch, mark)


def _random_keys(count: int) -> pa.Array:
    """Keys that spread rows evenly over the shards: 32 random digits each."""
    digits = os.urandom(16 * count).hex().encode()
    offsets = np.arange(0, 32 * (count + 1), 32, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(digits)]
    )


def _keys_sql(columns: tuple[str, ...], glue: str) -> str | None:
    """DuckDB text of the partition keys; None for random ones."""
    if not columns:
        return None
    parts = ", ".join(f"coalesce({quote(c)}::VARCHAR, 'null')" for c in columns)
    literal = "'" + glue.replace("'", "''") + "'"
    key = f"concat_ws({literal}, {parts})"
    return f"SELECT CASE WHEN {key} = '' THEN ' ' ELSE left({key}, 256) END AS k FROM b"
