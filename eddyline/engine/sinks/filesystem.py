"""Files as a sink: one file a micro-batch, named by its epoch, so that writing twice is harmless.

The rows rest in the outbox until the file is there: a file is written beside its place, synced
and renamed, so a reader never sees half of one. Exactly once, because an epoch's file has one
name.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.sink import Sink
from eddyline.engine.sources.filesystem import local_path
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch, Kind
from eddyline.record.formats import encoder
from eddyline.record.formats.format import options_of
from eddyline.sql import physical as plan


class FilesystemSink(Sink):
    """Lines in ``path``/part-<job>-<epoch>.<format>."""

    def __init__(
        self, context: Context, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        super().__init__(context, inputs, node.schema)
        options = node.table.options
        self._format = options["format"]
        self._encoder = encoder(self._format, node.columns, options_of(self._format, options))
        self._columns = node.columns
        self._root = local_path(options["path"])
        self._sink = str(node.table.path)
        self._job = job
        self._acknowledged = 0

    def take(self, batch: Batch, epoch: int) -> None:
        if batch.kinds is not None and (batch.kinds != Kind.INSERT).any():
            msg = f"table {self._sink} takes only new rows, but the query takes rows back"
            hint = "group by a window, so that each row is given once"
            raise EddylineError("sql_semantic", msg, hint=hint)
        data = self._encoder.encode(batch.rows.select(list(self._columns.names)))
        seq = pa.array(np.arange(len(data)))
        self.context.db.run(
            f"INSERT INTO outbox SELECT {epoch}, ?, seq, NULL, data FROM b",
            [self._sink],
            b=pa.table({"seq": seq, "data": data}),
        )

    def deliver(self, epoch: int) -> None:
        self._write(epoch)

    def recover(self, epoch: int) -> None:
        rows = self.context.db.rows(
            "SELECT DISTINCT epoch FROM outbox WHERE sink = ? ORDER BY epoch", [self._sink]
        )
        for (late,) in rows:
            self._write(late)
        self._acknowledged = epoch

    def acknowledged(self) -> int:
        return self._acknowledged

    def _write(self, epoch: int) -> None:
        name = self._sink.replace("'", "''")
        rows = self.context.db.query(
            f"SELECT data FROM outbox WHERE sink = '{name}' AND epoch = {epoch} ORDER BY seq"
        )
        if rows.num_rows:
            self._write_file(self._root / f"part-{self._job}-{epoch:012d}.{self._format}", rows)
        self._acknowledged = epoch

    def _write_file(self, path: Path, rows: pa.Table) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            hidden = path.with_name("." + path.name)
            with hidden.open("wb") as f:
                f.write(b"\n".join(rows["data"].to_pylist()) + b"\n")
                f.flush()
                os.fsync(f.fileno())
            hidden.replace(path)
        except OSError as e:
            msg = f"file {path} cannot be written: {e.strerror}"
            raise EddylineError("disk_full" if e.errno == 28 else "bad_file", msg) from e
