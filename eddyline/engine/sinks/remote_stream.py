"""A stream behind another endpoint as a sink: at least once.

Rows rest in the outbox until PutRecords has taken them. A job that fails between a PutRecords and
the next commit writes the rows of its last micro-batch again.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.remote_stream import RemoteStream
from eddyline.engine.sinks.outbox import OutboxSink, Piece
from eddyline.engine.sinks.stream import StreamSink
from eddyline.errors import EddylineError
from eddyline.options.connectors import kinesis as options
from eddyline.sql import physical as plan

REQUEST_BYTES_MAX = 5 << 20
ATTEMPTS = 20
BACKOFF_S = 0.1


class RemoteStreamSink(StreamSink):
    """Rows become records of another endpoint's stream."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        table = node.table
        remote = RemoteStream(table.path.name, table.options, context.settings)
        super().__init__(context, inputs, node, remote, job, 0)
        self._remote = remote
        self._batch_max = options.BATCH_MAX.read(table.options)
        remote.shards()  # so that a stream that does not exist is reported before rows are read

    def append_with(self, epoch: int, progress: bytes) -> bool:
        return OutboxSink.append_with(self, epoch, progress)

    def progress_after(self, epoch: int) -> bytes | None:
        return None

    def _given(self) -> int:
        return -1

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        for piece in pieces:
            keys, data = piece.rows["key"].to_pylist(), piece.rows["data"].to_pylist()
            for entries in self._requests(keys, data):
                self._send(entries)

    def _requests(self, keys: list[str], data: list[bytes]) -> Iterator[list[dict[str, Any]]]:
        entries: list[dict[str, Any]] = []
        size = 0
        for key, body in zip(keys, data, strict=True):
            length = len(body) + len(key.encode())
            if entries and (len(entries) >= self._batch_max or size + length > REQUEST_BYTES_MAX):
                yield entries
                entries, size = [], 0
            entries.append({"PartitionKey": key, "Data": body})
            size += length
        if entries:
            yield entries

    def _send(self, entries: list[dict[str, Any]]) -> None:
        """Put records until all are taken; those that were throttled are sent again."""
        message = ""
        for attempt in range(ATTEMPTS):
            with self._remote.errors():
                reply = self._remote.client.put_records(
                    StreamName=self._remote.name, Records=entries
                )
            results = zip(entries, reply["Records"], strict=True)
            failed = [(e, r) for e, r in results if r.get("ErrorCode")]
            if not failed:
                return
            entries = [e for e, _ in failed]
            message = f"{failed[0][1]['ErrorCode']}: {failed[0][1].get('ErrorMessage', '')}"
            wait_s = BACKOFF_S * 2 ** min(attempt, 6)
            self.context.clock.wait(Event(), wait_s)
        what = f"stream {self._remote.name} did not take {len(entries):,} records: {message}"
        hint = "give the stream more shards; the job is tried again"
        raise EddylineError("endpoint_error", f"table {self._sink}: {what}", hint=hint)
