"""Sinks that give each row once: what is committed rests in the outbox until it is surely out.

An epoch is let out in pieces of at most ``PIECE_BYTES_MAX``, so that one of any size can be
delivered in little memory. Where the pieces are cut follows from the rows alone: a run that takes
over after a crash cuts them as the one before did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.catalog.options import has_changelog
from eddyline.engine.operators.operator import Context, Operator
from eddyline.engine.sinks.sink import Sink
from eddyline.errors import EddylineError
from eddyline.options.any_table import FORMAT
from eddyline.options.formats import FORMATS, own_options
from eddyline.record.batch import Batch, Kind
from eddyline.record.formats import Encoder, encoder, kernel
from eddyline.record.formats.format import Kinds
from eddyline.record.schema import Schema
from eddyline.sql import physical as plan

PIECE_BYTES_MAX = 16 << 20
# Rows that are encoded at a time, so that a large batch is not twice in memory.
ENCODED_ROWS = 131_072


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows (key, data) of an epoch; ``number`` counts from 0, ``last`` is the epoch's last one."""

    number: int
    last: bool
    rows: pa.Table


class OutboxSink(Sink):
    """Encodes rows in the table's format; a kind of sink says how an epoch's rows are let out."""

    def __init__(
        self,
        context: Context,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        job: str,
        stored: Schema | None = None,
    ) -> None:
        """stored: the columns that are in a record, by default all."""
        super().__init__(context, inputs, node.schema)
        options = node.table.options
        self._format = FORMAT.read(options)
        self._recorded = stored or node.columns
        self._encoder: Encoder | None = None
        if FORMATS[self._format].records:
            own = own_options(self._format, options)
            self._encoder = encoder(self._format, self._recorded, own)
        self._takes_changes = has_changelog(node.table)
        self._columns = list(node.columns.names)
        self._sink = str(node.table.path)
        self._job = job
        self._acknowledged = 0
        # Epochs whose rows may be in the outbox; after a restart those of any earlier one.
        self._stored = [0]
        # The epoch that was taken last and its rows, if they are one piece: read from memory.
        self._taken: tuple[int, pa.Table] | None = None
        self._is_stored = True  # whether they are in the outbox as well

    def take(self, batch: Batch, epoch: int) -> None:
        changes = batch.kinds is not None and (batch.kinds != Kind.INSERT).any()
        if changes and not self._takes_changes:
            msg = f"table {self._sink} takes only new rows, but the query takes rows back"
            hint = "group by a window, so that each row is given once"
            raise EddylineError("sql_semantic", msg, hint=hint)
        payload = batch.rows.select(list(range(len(self._columns))))
        payload = payload.rename_columns(self._columns)
        payload = payload.select(list(self._recorded.names))
        rows = None
        for first in range(0, payload.num_rows, ENCODED_ROWS):
            part = batch.rows.slice(first, ENCODED_ROWS)
            kinds = None if batch.kinds is None else batch.kinds[first : first + ENCODED_ROWS]
            encoded = self._encoded(part, payload.slice(first, ENCODED_ROWS), kinds)
            seq = pa.array(np.arange(first, first + encoded.num_rows))
            rows = encoded.add_column(0, "seq", seq)
            if payload.num_rows > kernel.FEW_ROWS:
                self._insert(rows, epoch)
        whole = payload.num_rows <= ENCODED_ROWS
        small = whole and rows is not None and int(_bytes(rows).sum()) <= PIECE_BYTES_MAX
        self._taken = (epoch, rows) if small and rows is not None else None
        self._is_stored = payload.num_rows > kernel.FEW_ROWS
        if not small and not self._is_stored and rows is not None:  # few rows, but large ones
            self._insert(rows, epoch)

    def _insert(self, rows: pa.Table, epoch: int) -> None:
        if epoch not in self._stored:
            self._stored.append(epoch)
        sql = f"INSERT INTO outbox SELECT {epoch}, ?, seq, key, data FROM b"
        self.context.db.run(sql, [self._sink], b=rows)

    def store(self, epoch: int) -> None:
        if self._taken is not None and not self._is_stored:
            self._insert(self._taken[1], epoch)
            self._is_stored = True

    def deliver(self, epoch: int) -> None:
        if epoch <= self._acknowledged:  # it was given out with its progress
            return
        if self._taken is not None or epoch in self._stored:
            self._give(self._pieces(epoch), epoch)
        self._acknowledged = epoch

    def recover(self, epoch: int) -> None:
        done = self._given()
        waiting = self.context.db.rows(
            "SELECT DISTINCT epoch FROM outbox WHERE sink = ? AND epoch > ? ORDER BY epoch",
            [self._sink, done],
        )
        for (late,) in waiting:
            self._give(self._pieces(late), late)
        self._acknowledged = max(done, epoch)

    def acknowledged(self) -> int:
        done = [epoch for epoch in self._stored if epoch <= self._acknowledged]
        self._stored = [epoch for epoch in self._stored if epoch > self._acknowledged]
        return self._acknowledged if done else 0

    def _pieces(self, epoch: int) -> Iterator[Piece]:
        """The rows of an epoch; none if it has no rows."""
        taken, self._taken = self._taken, None
        if taken is not None and taken[0] == epoch:
            yield Piece(0, last=True, rows=taken[1])
            return
        sink = self._sink.replace("'", "''")
        where = f"FROM outbox WHERE sink = '{sink}' AND epoch = {epoch}"
        sizes = self.context.db.query(
            f"SELECT seq, octet_length(data) + coalesce(strlen(key), 0) AS bytes {where} "
            "ORDER BY seq"
        )
        if not sizes.num_rows:
            return
        seq = sizes["seq"].to_numpy()
        cuts = _cuts(sizes["bytes"].to_numpy())
        for number, (first, after) in enumerate(pairwise(cuts)):
            rows = self.context.db.query(
                f"SELECT key, data {where} AND seq BETWEEN {seq[first]} AND {seq[after - 1]} "
                "ORDER BY seq"
            )
            yield Piece(number, last=after == len(seq), rows=rows)

    def _encoded(self, rows: pa.Table, stored: pa.Table, kinds: Kinds | None) -> pa.Table:
        """Key and data of each record; ``stored`` are the columns of the rows that it holds."""
        assert self._encoder is not None
        return pa.table({"key": self._keys(rows), "data": self._encoder.encode(stored, kinds)})

    def _keys(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """A text for each row that is kept beside it."""
        return pa.nulls(rows.num_rows, pa.string())

    def _given(self) -> int:
        """The newest epoch known to be out; -1 where writing twice is harmless."""
        return -1

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        """Let out the rows of an epoch, piece after piece."""
        raise NotImplementedError


def _bytes(rows: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Payload and key bytes of each row."""
    total = pc.binary_length(rows["data"]).cast(pa.int64())
    keys = pc.fill_null(pc.binary_length(rows["key"]), 0).cast(pa.int64())
    sizes: np.ndarray[tuple[int], np.dtype[np.int64]] = pc.add(total, keys).to_numpy()
    return sizes


def _cuts(sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Where pieces begin, and the number of rows: as many rows as fit, at least one."""
    ends = np.cumsum(sizes)
    cuts = [0]
    while cuts[-1] < len(sizes):
        before = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        after = int(np.searchsorted(ends, before + PIECE_BYTES_MAX, "right"))
        cuts.append(max(after, cuts[-1] + 1))
    return cuts
