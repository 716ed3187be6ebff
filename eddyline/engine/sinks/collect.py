"""SELECT: rows go to the caller, after the commit."""

from __future__ import annotations

from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.sinks.sink import Listener, Sink
from eddyline.record.batch import Batch
from eddyline.record.schema import Schema


class Collect(Sink):
    """Hands each micro-batch's changes to the listener."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        schema: Schema,
        listener: Listener,
    ) -> None:
        super().__init__(context, inputs, schema)
        self._listener = listener
        self._batch: Batch | None = None

    def take(self, batch: Batch, epoch: int) -> None:
        names = list(self.schema.names)
        rows = batch.rows.select(list(range(len(names)))).rename_columns(names)
        self._batch = Batch(rows, batch.kinds)

    def deliver(self, epoch: int) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            self._listener.on_rows(batch)
