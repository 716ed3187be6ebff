"""Sinks that give each row once: what is committed rests in the outbox until it is surely out.

An epoch is let out in pieces of at most ``PIECE_BYTES_MAX``, so that one of any size can be
delivered in little memory. Where the pieces are cut follows from the rows alone: a run that takes
over after a crash cuts them as the one before did. A row that could never be let out is refused
before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.catalog.options import has_changelog
from eddyline.engine.operators.operator import Int64s, Operator, OperatorContext
from eddyline.engine.sinks.sink import Sink
from eddyline.errors import EddylineError
from eddyline.options.any_table import FORMAT
from eddyline.options.formats import FORMATS, own_options
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.formats import Encoder, encoder, kernel
from eddyline.record.formats.format import Kinds
from eddyline.record.plain_rows import PlainRows
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


@dataclass(frozen=True, slots=True)
class ListedRecords:
    """A few records: key and data of each."""

    keys: list[str]
    data: list[bytes]

    def table(self) -> pa.Table:
        """As rows of the outbox."""
        seq = np.arange(len(self.data))
        return pa.table({"seq": seq, "key": self.keys, "data": pa.array(self.data, pa.binary())})


class OutboxSink(Sink):
    """Encodes rows in the table's format; a kind of sink says how an epoch's rows are let out."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        job: str,
        stored: Schema | None = None,
    ) -> None:
        """stored: the columns that are in a record, by default all."""
        super().__init__(context, inputs, node.schema)
        options = node.table.options
        self._format = FORMAT.get(options) or ""
        self._recorded = stored or node.columns
        self._encoder: Encoder | None = None
        if self._format and FORMATS[self._format].records:
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
        self._taken: tuple[int, pa.Table | ListedRecords] | None = None
        self._is_stored = True  # whether they are in the outbox as well

    def take(self, batch: Batch, epoch: int) -> None:
        changes = batch.kinds is not None and (batch.kinds != ChangeKind.INSERT).any()
        if changes and not self._takes_changes:
            msg = f"table {self._sink} takes only new rows, but the query takes rows back"
            hint = "group by a window, so that each row is given once"
            raise EddylineError("sql_semantic", msg, hint=hint)
        listed = None if batch.plain is None or changes else self._listed(batch.plain)
        if listed is not None:
            self._taken, self._is_stored = (epoch, listed), False
            return
        payload = batch.rows.select(list(range(len(self._columns))))
        payload = payload.rename_columns(self._columns)
        payload = payload.select(list(self._recorded.names))
        slices = list(_slices(payload))
        stored = len(slices) > 1 or payload.num_rows > kernel.FEW_ROWS
        rows, made = None, 0
        for first, count in slices:
            kinds = None if batch.kinds is None else batch.kinds[first : first + count]
            part = batch.rows.slice(first, count)
            encoded = self._encoded(part, payload.slice(first, count), kinds)
            self._check(encoded)
            seq = pa.array(np.arange(made, made + encoded.num_rows))
            made += encoded.num_rows
            rows = encoded.add_column(0, "seq", seq)
            if stored:
                self._insert(rows, epoch)
        self._is_stored, self._taken = stored, None
        if rows is None or len(slices) > 1:
            return
        if int(_bytes(rows).sum()) <= PIECE_BYTES_MAX:
            self._taken = (epoch, rows)
        elif not stored:  # few rows, but large ones
            self._insert(rows, epoch)

    def _insert(self, rows: pa.Table, epoch: int) -> None:
        if epoch not in self._stored:
            self._stored.append(epoch)
        sql = f"INSERT INTO outbox SELECT {epoch}, ?, seq, key, data FROM b"
        self.context.db.run(sql, [self._sink], b=rows)

    def store(self, epoch: int) -> None:
        if self._taken is not None and not self._is_stored:
            self._insert(_outbox_rows(self._taken[1]), epoch)
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
            yield Piece(0, last=True, rows=_outbox_rows(taken[1]))
            return
        sink = self._sink.replace("'", "''")
        where = f"FROM outbox WHERE sink = '{sink}' AND epoch = {epoch}"
        count = int(self.context.db.one(f"SELECT count(*) {where}"))
        cuts = _cuts(self._sizes(where, count))
        for number, (first, after) in enumerate(pairwise(chain((0,), cuts))):
            rows = self.context.db.query(
                f"SELECT key, data {where} AND seq >= {first} AND seq < {after} ORDER BY seq"
            )
            yield Piece(number, last=after == count, rows=rows)

    def _sizes(self, where: str, count: int) -> Iterator[Int64s]:
        """The bytes of the rows in their order, some rows at a time."""
        for first in range(0, count, ENCODED_ROWS):
            sizes = self.context.db.query(
                f"SELECT octet_length(data) + coalesce(strlen(key), 0) AS bytes {where} "
                f"AND seq >= {first} AND seq < {first + ENCODED_ROWS} ORDER BY seq"
            )
            yield sizes["bytes"].to_numpy()

    def _check(self, rows: pa.Table) -> None:
        """Refuse rows (key, data) that could not be let out; before they are committed."""

    def _encoded(self, rows: pa.Table, stored: pa.Table, kinds: Kinds | None) -> pa.Table:
        """Key and data of each record; ``stored`` are the columns of the rows that it holds."""
        assert self._encoder is not None
        return pa.table({"key": self._keys(rows), "data": self._encoder.encode(stored, kinds)})

    def _keys(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """A text for each row that is kept beside it."""
        return pa.nulls(rows.num_rows, pa.string())

    def _listed(self, rows: PlainRows) -> ListedRecords | None:
        """A few new rows as records, without a statement; None where the general way must."""
        return None

    def _given(self) -> int:
        """The newest epoch known to be out; -1 where writing twice is harmless."""
        return -1

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        """Let out the rows of an epoch, piece after piece."""
        raise NotImplementedError


def _outbox_rows(taken: pa.Table | ListedRecords) -> pa.Table:
    return taken.table() if isinstance(taken, ListedRecords) else taken


def _bytes(rows: pa.Table) -> Int64s:
    """Payload and key bytes of each row."""
    total = pc.binary_length(rows["data"]).cast(pa.int64())
    keys = pc.fill_null(pc.binary_length(rows["key"]), 0).cast(pa.int64())
    sizes: Int64s = pc.add(total, keys).to_numpy()
    return sizes


def _slices(rows: pa.Table) -> Iterator[tuple[int, int]]:
    """(first, count) of rows to encode at a time: few if they are large."""
    first = 0
    while first < rows.num_rows:
        count = min(ENCODED_ROWS, rows.num_rows - first)
        while count > 1 and rows.slice(first, count).nbytes > PIECE_BYTES_MAX:
            count //= 2
        yield first, count
        first += count


def _cuts(chunks: Iterable[Int64s]) -> Iterator[int]:
    """Where pieces end: each holds as many rows as fit, at least one.

    chunks: the bytes of the rows, some rows at a time; where they are cut changes nothing.
    """
    seen = last = held = 0  # rows before the chunk, the last cut, bytes since then
    for sizes in chunks:
        ends, after, closed = np.cumsum(sizes), 0, 0
        while after < len(sizes):
            fits = int(np.searchsorted(ends, closed + PIECE_BYTES_MAX - held, "right"))
            if fits == len(sizes):
                held += int(ends[-1]) - closed
                break
            after = max(fits, after if seen + after > last else after + 1)
            closed, held = int(ends[after - 1]) if after else 0, 0
            last = seen + after
            yield last
        seen += len(sizes)
    if seen > last:
        yield seen
