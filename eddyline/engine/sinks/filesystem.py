"""Files as a sink: one file a micro-batch, named by its epoch, so that writing twice is harmless.

The rows rest in the outbox until the file is there: a file is written beside its place, synced
and renamed, so a reader never sees half of one. Exactly once, because an epoch's file has one
name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.outbox import OutboxSink, Piece
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

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        first = next(pieces, None)
        if first is not None:
            path = self._root / f"part-{self._job}-{epoch:012d}.{self._format}"
            self._write_file(path, chain((first,), pieces))

    def _write_file(self, path: Path, pieces: Iterable[Piece]) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            hidden = path.with_name("." + path.name)
            with hidden.open("wb") as f:
                for piece in pieces:
                    f.write(b"\n".join(piece.rows["data"].to_pylist()) + b"\n")
                f.flush()
                os.fsync(f.fileno())
            hidden.replace(path)
        except OSError as e:
            msg = f"file {path} cannot be written: {e.strerror}"
            raise EddylineError("disk_full" if e.errno == 28 else "bad_file", msg) from e
