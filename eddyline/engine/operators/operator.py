"""What every operator promises: one step a micro-batch, over all its inputs.

An operator is a few DuckDB statements over (this batch, its own state tables). Its tables live in
the job's database and change only inside the micro-batch's transaction; what is small enough for
Python (``save``) is written there too. So a crash at any moment leaves a state that is exactly
some micro-batch's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.clock import Clock
from eddyline.engine.database import Database
from eddyline.engine.metrics import Figures
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.schema import Schema
from eddyline.record.types import quote
from eddyline.settings import Settings
from eddyline.sql.typed import Typed

SHARD = "$shard"
KIND = "$kind"
WATERMARK = "$wm"
ROW = "$row"
RECORD = "$record"

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Step:
    """What flows out of an operator in one micro-batch: rows, and the watermark after them.

    ``watermark_ms`` is MAX_WATERMARK when the input is over.
    """

    batch: Batch | None = None
    watermark_ms: int = MIN_WATERMARK

    @property
    def ended(self) -> bool:
        return self.watermark_ms == MAX_WATERMARK

    @property
    def num_rows(self) -> int:
        return self.batch.num_rows if self.batch else 0


@dataclass(frozen=True, slots=True)
class OperatorContext:
    """What an operator is given: its name (unique in the job, stable over restarts), the job's
    database and its directory (None for a query, which keeps nothing).

    state_ttl_ms: after how long without a write state is forgotten; 0 for never.
    """

    name: str
    db: Database
    settings: Settings
    clock: Clock
    figures: Figures
    zone: str = "UTC"
    directory: Path | None = None
    state_ttl_ms: int = 0

    def table(self, suffix: str) -> str:
        """A quoted table name of this operator."""
        return quote(f"{self.name}_{suffix}")


class StateFiles(Protocol):
    """Rows of an operator that are not in its tables."""

    @property
    def num_rows(self) -> int: ...

    @property
    def num_bytes(self) -> int:
        """Their size on disk."""

    def save(self) -> dict[str, Any] | None:
        """What of the files counts, as JSON values; None if there are none."""

    def restore(self, saved: dict[str, Any] | None) -> None:
        """Take back what ``save`` gave."""

    def committed(self) -> None:
        """The database names what ``save`` gave last: older files may go."""

    def close(self) -> None: ...


class Operator:
    """Base of all operators; overrides what it needs.

    ``satisfied``: no further input can change what this operator gives, so its output is over and
    nothing below it is stepped any more. ``insert_only``: no row is ever taken back.
    ``has_waiting``: rows that were taken earlier are still to be worked on, because what they give
    was too much for one micro-batch; nothing new is read until they are done. ``may_wait``: rows
    may wait here; not below an operator that takes its watermark from the shards themselves.
    """

    satisfied = False
    # Whether the clock alone moves this operator's watermark.
    is_clock_driven = False
    has_waiting = False
    # Where rows rest that are not in the operator's tables.
    keyed: StateFiles | None = None
    may_wait = True
    # Conditions that it evaluates over rows of several inputs; for messages.
    conditions: tuple[Typed, ...] = ()
    # How many operators read this one's rows; a shared source has several.
    readers = 1

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], schema: Schema
    ) -> None:
        self.context = context
        self.inputs = inputs
        self.schema = schema
        self.insert_only: bool = all(i.insert_only for i in inputs)
        self._released_by: set[int] = set()

    @property
    def name(self) -> str:
        return self.context.name

    @property
    def described(self) -> str:
        """The operator in words: ``the group aggregate of (k, n), GroupAggregate3``."""
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()
        columns = ", ".join(self.schema.names[:4]) + (", …" if len(self.schema) > 4 else "")
        return f"the {kind} of ({columns}), {self.name}"

    def create(self) -> None:
        """Make the state tables; called once, inside the job's first transaction."""

    def adapt(self) -> None:
        """Fit the tables of a saved state to options that may have changed; called once, inside
        a transaction, before the first step."""

    def step(self, inputs: tuple[Step, ...]) -> Step:
        """Take one micro-batch of every input, give one."""
        raise NotImplementedError

    def step_waiting(self) -> Step:
        """Work on some of the rows that wait; in place of ``step`` while there are any."""
        raise NotImplementedError

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        """For watermarks that the inputs would have now: own watermark, and whether a step
        without rows would change anything."""
        return min(inputs), False

    def save(self) -> dict[str, Any] | None:
        """Small state as JSON values, None if there is none; called inside the transaction."""
        return None

    def restore(self, saved: dict[str, Any]) -> None:
        """Take back what ``save`` gave; tables are there already."""

    def committed(self, epoch: int) -> None:
        """The micro-batch is committed: what was kept back for others may be told."""

    def release(self, reader: Operator | None = None) -> None:
        """``reader`` reads this operator's rows no more; once nobody does, its sources stop
        reading."""
        self._released_by.add(id(reader))
        if len(self._released_by) >= self.readers:
            self.stop_reading()

    def stop_reading(self) -> None:
        """Read nothing any more."""
        for below in self.inputs:
            below.release(self)

    def why_silent(self) -> list[str]:
        """Sentences: what keeps this operator's rows back."""
        return []

    def close(self) -> None:
        """Let go of what is not in the database."""
        if self.keyed is not None:
            self.keyed.close()


def millis(column: pa.ChunkedArray | pa.Array) -> Int64s:
    """A TIMESTAMP column without NULL as epoch milliseconds, rounded down."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    us: Int64s = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return us // 1000


def numbers_of(batch: Batch, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any] | None:
    """A column without NULL of whole numbers, or of times as such; None if it is not there."""
    if batch.plain is not None:
        values = batch.plain.columns.get(name)
        return None if values is None else np.array(values, dtype)
    if name not in batch.rows.column_names:
        return None
    column = batch.rows[name].combine_chunks()
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def with_columns(rows: pa.Table, **extra: npt.NDArray[Any] | None) -> pa.Table:
    """The rows with hidden columns (``kind`` becomes ``$kind``) for a statement."""
    for name, values in extra.items():
        if values is not None:
            rows = rows.append_column("$" + name, pa.array(values))
    return rows


def split_hidden(rows: pa.Table, schema: Schema) -> tuple[pa.Table, dict[str, npt.NDArray[Any]]]:
    """A statement's result as rows of ``schema`` and its hidden columns by name."""
    hidden = {}
    for name in (KIND, WATERMARK, SHARD, RECORD):
        if name in rows.column_names:
            hidden[name] = rows[name].combine_chunks().to_numpy(zero_copy_only=False)
    return typed(rows.select(list(schema.names)), schema), hidden


def typed(rows: pa.Table, schema: Schema) -> pa.Table:
    """Rows in exactly the schema's Arrow types."""
    expected = schema.arrow()
    return rows if rows.schema.equals(expected) else rows.cast(expected)
