"""Files as a sink: one file per micro-batch and partition, named by its epoch.

The rows rest in the outbox until the files exist. A file appears whole or not at all, and an
epoch's file has one name, so that writing it a second time after a crash changes nothing: exactly
once. Rows of a bulk format rest as Arrow streams of many rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.files.partitions import path_of
from eddyline.engine.files.store import store_of
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.sinks.outbox import OutboxSink, Piece
from eddyline.options.connectors import filesystem as options
from eddyline.options.connectors.filesystem import CommitPolicy
from eddyline.options.formats import own_options
from eddyline.record.formats.coerce import to_text
from eddyline.record.formats.files import BULK_FORMATS, bulk_format, from_bytes, to_bytes
from eddyline.record.formats.format import Kinds
from eddyline.record.schema import Schema
from eddyline.record.types import quote
from eddyline.sql import physical as plan

# What a partition's lines of one epoch take in memory before they are a temporary file.
MEMORY_BYTES_MAX = 4 << 20


class FilesystemSink(OutboxSink):
    """Files ``path``/[partition/]part-<job>-<epoch>.<format>."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        table = node.table
        stored = tuple(c for c in node.columns if c.name not in table.partitioned_by)
        super().__init__(context, inputs, node, job, Schema(stored))
        self._store = store_of(options.PATH.read(table.options), context.settings)
        self._success_file = None
        if options.COMMIT_POLICY.get(table.options) is CommitPolicy.SUCCESS_FILE:
            self._success_file = options.SUCCESS_FILE.read(table.options)
        self._partitioned_by = table.partitioned_by
        self._default = options.DEFAULT_PARTITION.read(table.options)
        texts = [
            f"{to_text(c.type, quote(f'c{i}'))}::VARCHAR AS {quote(c.name)}"
            for i, c in enumerate(node.columns)
            if c.name in table.partitioned_by
        ]
        self._values_sql = f"SELECT {', '.join(texts)} FROM b" if texts else None
        self._bulk = None
        if self._format in BULK_FORMATS:
            own = own_options(self._format, table.options)
            self._bulk = bulk_format(self._format, Schema(stored), own)

    def _encoded(self, rows: pa.Table, stored: pa.Table, kinds: Kinds | None) -> pa.Table:
        keys = self._keys(rows)
        if self._bulk is None:
            assert self._encoder is not None
            return pa.table({"key": keys, "data": self._encoder.encode(stored, kinds)})
        folders = pc.fill_null(keys, "")
        names = pc.unique(folders).to_pylist()
        data = [to_bytes(stored.filter(pc.equal(folders, name))) for name in names]
        return pa.table({"key": pa.array(names), "data": pa.array(data, pa.binary())})

    def _keys(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """The folder of each row's partition."""
        if self._values_sql is None:
            return pa.nulls(rows.num_rows, pa.string())
        numbered = rows.select(list(range(len(self._columns))))
        numbered = numbered.rename_columns([f"c{i}" for i in range(len(self._columns))])
        values = self.context.db.query(self._values_sql, b=numbered)
        columns = [values[c].to_pylist() for c in self._partitioned_by]
        known: dict[tuple[str | None, ...], str] = {}
        folders = []
        for row in zip(*columns, strict=True):
            if row not in known:
                known[row] = path_of(self._partitioned_by, row, self._default)
            folders.append(known[row])
        return pa.array(folders, pa.string())

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        bodies: dict[str, BinaryIO] = {}
        for piece in pieces:
            folders = pc.fill_null(piece.rows["key"], "").to_numpy(zero_copy_only=False)
            data = piece.rows["data"].to_pylist()
            for folder in dict.fromkeys(folders.tolist()):
                body = bodies.get(folder)
                if body is None:
                    body = bodies[folder] = _buffer()
                for i in np.flatnonzero(folders == folder).tolist():
                    if self._bulk is not None:
                        body.write(len(data[i]).to_bytes(8, "little"))
                    body.write(data[i])
                    if self._bulk is None:
                        body.write(b"\n")
        for folder, body in bodies.items():
            body.seek(0)
            name = f"part-{self._job}-{epoch:012d}.{self._format}"
            self._write(f"{folder}/{name}" if folder else name, body)
            if self._success_file is not None and folder:
                self._store.write(f"{folder}/{self._success_file}", lambda file: None)
            body.close()

    def _write(self, relative: str, body: BinaryIO) -> None:
        def write(file: BinaryIO) -> None:
            if self._bulk is not None:
                self._bulk.write(file, _tables(body))
                return
            while chunk := body.read(1 << 20):
                file.write(chunk)

        self._store.write(relative, write)


def _buffer() -> BinaryIO:
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(MEMORY_BYTES_MAX))


def _tables(body: BinaryIO) -> Iterator[pa.Table]:
    while size := body.read(8):
        yield from_bytes(body.read(int.from_bytes(size, "little")))
