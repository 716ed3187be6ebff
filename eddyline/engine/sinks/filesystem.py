"""Files as a sink: one file a micro-batch, named by its epoch, so that writing twice is harmless.

The rows rest in the outbox until the file is there: a file is written beside its place, synced
and renamed, so a reader never sees half of one. Exactly once, because an epoch's file has one
name.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.outbox import OutboxSink
from eddyline.engine.sources.filesystem import local_path
from eddyline.errors import EddylineError
from eddyline.sql import physical as plan


class FilesystemSink(OutboxSink):
    """Lines in ``path``/part-<job>-<epoch>.<format>."""

    def __init__(
        self, context: Context, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        super().__init__(context, inputs, node, job)
        self._root = local_path(node.table.options["path"])

    def _give(self, rows: pa.Table, epoch: int) -> None:
        self._write_file(self._root / f"part-{self._job}-{epoch:012d}.{self._format}", rows)

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
