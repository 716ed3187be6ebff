"""A lookup join: each left row, as it comes, with its partners in a table that is read once.

The table is read to its end before the first left row is answered; rows that come earlier wait. So
do rows whose partners would be too much for one micro-batch (``portions.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.join_side import join_condition, make_side, renamed
from eddyline.engine.operators.operator import (
    KIND,
    WATERMARK,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    with_columns,
)
from eddyline.engine.operators.portions import Portions
from eddyline.engine.operators.windows import refuse_changes
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_SEQ_NAME = "$seq"
_SEQ = quote(_SEQ_NAME)


class LookupJoin(Operator):
    """INNER and LEFT; keeps the left side's change kinds, order and times."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.LookupJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, False)
        self._right = make_side(context, 1, below[1], node.right_names, node.right_keys, False)
        self._on = join_condition(self._left, self._right, node.condition)
        self._word = "LEFT JOIN" if node.kind is JoinKind.LEFT else "JOIN"
        self._loaded = False
        # Rows wait until the table has been read; then, while their partners are given in parts.
        self._waits = self._releases = False
        self._portions, self._reading = Portions(context.db), Portions(context.db, "values")
        self._before = self._after = MIN_WATERMARK
        self.insert_only = inputs[0].insert_only

    def create(self) -> None:
        left = self._left.schema.duckdb_columns()
        hidden = f"{quote(KIND)} TINYINT, {quote(WATERMARK)} BIGINT, {_SEQ} BIGINT"
        self.context.db.run(f"CREATE TABLE {self._left.table} ({left}, {hidden})")
        right = self._right.schema.duckdb_columns()
        self.context.db.run(f"CREATE TABLE {self._right.table} ({right}, {_SEQ} BIGINT)")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        left, right = inputs
        if right.batch is not None and right.batch.num_rows:
            self._load(right.batch)
        was_loaded, self._loaded = self._loaded, right.ended
        rows = None
        if left.batch is not None and left.batch.num_rows:
            rows = self._numbered(left.batch)
        if self._loaded and was_loaded and not self._waits:
            return self._answered(rows, left.watermark_ms)
        if rows is not None:
            self._keep(rows)
        if not self._loaded:
            return Step(None, MIN_WATERMARK)
        return self._release(left.watermark_ms)

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether some rows' partners are still to be given."""
        return self._releases

    def step_waiting(self) -> Step:
        """Give those of some of them."""
        return self._release(self._after)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        if inputs[1] != MAX_WATERMARK:
            return MIN_WATERMARK, False
        return inputs[0], not self._loaded or self._waits

    def save(self) -> dict[str, Any]:
        saved = {"loaded": self._loaded, "waits": self._waits}
        return {**saved, "before": self._before} if self._releases else saved

    def restore(self, saved: dict[str, Any]) -> None:
        self._loaded, self._waits = saved["loaded"], saved["waits"]
        if "before" in saved:
            self._releases = True
            self._before = self._after = saved["before"]

    def why_silent(self) -> list[str]:
        return [] if self._loaded else ["the table that rows are looked up in is being read"]

    def _load(self, batch: Batch) -> None:
        refuse_changes(batch, "a table to be looked up")
        db, table = self.context.db, self._right.table
        known = db.one(f"SELECT count(*) FROM {table}")
        rows = renamed(batch, self.inputs[1].schema, self._right)
        rows = with_columns(rows, seq=np.arange(known, known + batch.num_rows))
        db.run(f"INSERT INTO {table} SELECT * FROM b", b=rows)

    def _numbered(self, batch: Batch) -> pa.Table:
        rows = renamed(batch, self.inputs[0].schema, self._left)
        numbers = np.arange(batch.num_rows)
        return with_columns(rows, kind=batch.kinds, wm=batch.watermarks, seq=numbers)

    def _keep(self, rows: pa.Table) -> None:
        """Let left rows wait."""
        db, table = self.context.db, self._left.table
        known = db.one(f"SELECT count(*) FROM {table}")
        hidden = {KIND: "0", WATERMARK: str(MIN_WATERMARK)}
        columns = [quote(n) if n in rows.column_names else value for n, value in hidden.items()]
        shown = ", ".join([*self._left.columns, *columns, f"{_SEQ} + {known}"])
        db.run(f"INSERT INTO {table} SELECT {shown} FROM b", b=rows)
        self._waits = True

    def _answered(self, rows: pa.Table | None, watermark: int) -> Step:
        """The partners of a micro-batch's rows; what is too much waits."""
        if rows is None:
            self._before = watermark
            return Step(None, watermark)
        given, count = self._first(rows)
        if count == rows.num_rows:
            self._before = watermark
        else:
            self._keep(rows.slice(count))
            self._releases, self._after = True, watermark
        return Step(self._batch(given), self._before)

    def _release(self, watermark: int) -> Step:
        """The partners of the rows that waited, or of the first of them."""
        db, table = self.context.db, self._left.table
        known, given = int(db.one(f"SELECT count(*) FROM {table}")), None
        if known:
            source = f"(SELECT * FROM {table} ORDER BY {_SEQ})"
            rows = self._reading.rows_of(source, known, self._portions.rows_max)
            given, count = self._first(rows)
            db.run(f"DELETE FROM {table} WHERE {_SEQ} <= {rows[_SEQ_NAME][count - 1].as_py()}")
            known -= count
        self._waits = self._releases = known > 0
        self._after = watermark
        if not self._waits:
            self._before = watermark
        return Step(None if given is None else self._batch(given), self._before)

    def _first(self, rows: pa.Table) -> tuple[pa.Table, int]:
        """The partners of as many of the rows as give few enough, and how many rows these are."""
        hidden = [quote(n) for n in (KIND, WATERMARK) if n in rows.column_names]
        columns = ", ".join([self._left.of("l"), self._right.of("r"), *(f"l.{c}" for c in hidden)])
        order = f'l.{_SEQ} AS "$l", r.{_SEQ} AS "$r"'
        sql = f"SELECT {columns}, {order} FROM b l {self._word} {self._right.table} r ON {self._on}"

        def answer(count: int, bytes_max: int) -> pa.Table | None:
            return self.context.db.query_within(sql, bytes_max, b=rows.slice(0, count))

        # Only what is given is put in order, not all that would be too much.
        given, count = self._portions.first(rows.num_rows, answer)
        return given.sort_by([("$l", "ascending"), ("$r", "ascending")]), count

    def _batch(self, given: pa.Table) -> Batch | None:
        out, extra = split_hidden(given, self.schema)
        if not out.num_rows:
            return None
        kinds, marks = extra.get(KIND), extra.get(WATERMARK)
        if kinds is not None and not kinds.any():
            kinds = None
        return Batch(out, kinds, marks)
