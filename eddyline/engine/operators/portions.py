"""Rows that are answered a portion at a time, so that one micro-batch never gives too much.

An operator that gives several rows for one of its input's takes as many rows as give at most
``PIECE_BYTES_MAX``; the others wait in a table of its state. Nothing new is read meanwhile, and the
watermark stays where it was before the first portion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from eddyline.engine.database import Database
from eddyline.engine.operators import join_side
from eddyline.engine.operators.join_side import too_large
from eddyline.engine.operators.operator import (
    KIND,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
)
from eddyline.errors import EddylineError
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.schema import Schema
from eddyline.record.types import quote

PLACE = quote("$place")

# What the first so many rows give; None if that is more than so many bytes.
Answer = Callable[[int, int], pa.Table | None]


@dataclass(slots=True)
class Portions:
    """How many rows are answered at once.

    what: what a row has too much of, for the message. rows_max: for the next portion; 0: no limit.
    """

    db: Database
    what: str = "matches"
    rows_max: int = 0

    def first(self, count: int, answer: Answer) -> tuple[pa.Table, int]:
        """What the first of ``count`` rows give, and how many rows these are: at least one.

        Raises:
            EddylineError: ``limit_exceeded``: one row alone gives too much.
        """
        rows = min(count, self.rows_max or count)
        while True:
            bytes_max = join_side.PIECE_BYTES_MAX if rows > 1 else self.db.result_bytes_max
            given = answer(rows, bytes_max)
            if given is not None:
                break
            if rows == 1:
                raise too_large(bytes_max, self.what)
            rows //= 2
        grows = given.nbytes < join_side.PIECE_BYTES_MAX // 2
        self.rows_max = 0 if rows == count else rows * (2 if grows else 1)
        return given, rows

    def rows_of(self, source: str, count: int, rows_max: int = 0) -> pa.Table:
        """The first of the ``count`` rows of a statement in brackets, at most ``rows_max`` (0: any
        number), and no more than fit."""

        def read(n: int, bytes_max: int) -> pa.Table | None:
            return self.db.query_within(f"SELECT * FROM {source} LIMIT {n}", bytes_max)

        return self.first(min(count, rows_max or count), read)[0]


class WaitingRows:
    """Rows of an operator's input that wait, with their change kinds and watermarks, in order.

    before: the watermark while rows wait; after: the one when they have been answered.
    """

    def __init__(self, context: OperatorContext, schema: Schema) -> None:
        self._context, self._db, self._schema = context, context.db, schema
        self._table = context.table("waiting")
        self._reading = Portions(context.db, "values")
        self.count = 0
        self.before = self.after = MIN_WATERMARK

    def save(self) -> dict[str, Any] | None:
        """For the operator's own ``save``; None if nothing waits."""
        if not self.count:
            return None
        return {"count": self.count, "before": self.before, "columns": self._shape}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take the rows of a saved state.

        Raises:
            EddylineError: ``state_mismatch``: they are rows of another operator.
        """
        if saved["columns"] != self._shape:
            msg = f"the saved state holds rows that wait before another {self._context.name}"
            hint = "run the old statement until it has given them, or start the job with --fresh"
            raise EddylineError("state_mismatch", msg, hint=hint)
        self.count = saved["count"]
        self.before = self.after = saved["before"]

    def add(self, rows: pa.Table) -> None:
        """Let rows wait; their hidden columns are among them. Nothing waits yet."""
        db, table, names = self._db, self._table, rows.column_names
        hidden = f"{quote(KIND)} TINYINT, {quote(WATERMARK)} BIGINT, {PLACE} BIGINT"
        db.run(f"CREATE TABLE IF NOT EXISTS {table} ({self._schema.duckdb_columns()}, {hidden})")
        columns = [quote(n) for n in self._schema.names]
        columns += [quote(n) if n in names else "NULL" for n in (KIND, WATERMARK)]
        numbered = f"SELECT {', '.join(columns)}, row_number() OVER () - 1 FROM b"
        db.run(f"INSERT INTO {table} {numbered}", b=rows)
        self.count = rows.num_rows

    def rows(self, rows_max: int) -> pa.Table:
        """The first rows that wait, at most ``rows_max`` (0: any number), and no more than fit."""
        source = f"(SELECT * FROM {self._table} ORDER BY {PLACE})"
        rows = self._reading.rows_of(source, self.count, rows_max).drop_columns(["$place"])
        unknown = [n for n in (KIND, WATERMARK) if rows[n].null_count]
        return rows.drop_columns(unknown)

    def leave(self, count: int) -> None:
        """The first ``count`` rows have been answered."""
        self._db.run(
            f"DELETE FROM {self._table} WHERE {PLACE} < "
            f"(SELECT min({PLACE}) FROM {self._table}) + {count}"
        )
        self.count -= count

    @property
    def _shape(self) -> list[list[str]]:
        return [[c.name, str(c.type.plain())] for c in self._schema]


class PortionedOperator(Operator):
    """An operator without other state that gives any number of rows for one of its input's."""

    multiplied = "matches"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], schema: Schema
    ) -> None:
        super().__init__(context, inputs, schema)
        self._portions = Portions(context.db, self.multiplied)
        self._rows = WaitingRows(context, inputs[0].schema)

    def multiply(self, rows: pa.Table, bytes_max: int) -> pa.Table | None:
        """What rows give, with their hidden columns; None if it has more than ``bytes_max``."""
        raise NotImplementedError

    def take(self, rows: pa.Table | None, watermark: int) -> Step:
        """The step of a micro-batch's rows, which have change kinds and watermarks as columns."""
        given = None
        if rows is not None:
            given, count = self._first(rows)
            if count < rows.num_rows:
                self._rows.add(rows.slice(count))
        self._rows.after = watermark
        return self._step(given)

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether rows of the last batch are still to be answered."""
        return self._rows.count > 0

    def step_waiting(self) -> Step:
        """Answer some of them."""
        given, count = self._first(self._rows.rows(self._portions.rows_max))
        self._rows.leave(count)
        return self._step(given)

    def save(self) -> dict[str, Any] | None:
        return self._rows.save()

    def restore(self, saved: dict[str, Any]) -> None:
        self._rows.restore(saved)

    def _first(self, rows: pa.Table) -> tuple[pa.Table, int]:
        def answer(count: int, bytes_max: int) -> pa.Table | None:
            return self.multiply(rows.slice(0, count), bytes_max)

        return self._portions.first(rows.num_rows, answer)

    def _step(self, given: pa.Table | None) -> Step:
        if not self.has_waiting:
            self._rows.before = self._rows.after
        if given is None or not given.num_rows:
            return Step(None, self._rows.before)
        out, hidden = split_hidden(given, self.schema)
        return Step(Batch(out, hidden.get(KIND), hidden.get(WATERMARK)), self._rows.before)
