"""The print connector: rows as Flink prints them, to the job's listener."""

from __future__ import annotations

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.sink import Listener, Sink
from eddyline.options.connectors.print import IDENTIFIER
from eddyline.record.batch import Batch, Kind
from eddyline.record.formats.coerce import to_text
from eddyline.record.types import Root, quote
from eddyline.sql import physical as plan


class Print(Sink):
    """One line a change: ``prefix> +I[1, a]``; at least once over a crash."""

    def __init__(
        self,
        context: Context,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        listener: Listener,
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._listener = listener
        prefix = IDENTIFIER.get(node.table.options)
        self._prefix = f"{prefix}> " if prefix else ""
        texts = []
        for c in inputs[0].schema:
            text = to_text(c.type, quote(c.name))
            if c.type.root is Root.BOOLEAN:
                text = f"upper({text}::VARCHAR)"
            texts.append(f"coalesce({text}::VARCHAR, 'NULL')")
        self._sql = f"SELECT '[' || concat_ws(', ', {', '.join(texts)}) || ']' AS line FROM b"
        self._lines: list[str] = []

    def take(self, batch: Batch, epoch: int) -> None:
        lines = self.context.db.query(self._sql, b=batch.rows)["line"].to_pylist()
        if batch.kinds is None:
            self._lines = [f"{self._prefix}+I{line}" for line in lines]
            return
        kinds = [Kind(k).short for k in batch.kinds.tolist()]
        pairs = zip(kinds, lines, strict=True)
        self._lines = [f"{self._prefix}{k}{line}" for k, line in pairs]

    def deliver(self, epoch: int) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            self._listener.on_text(line)
