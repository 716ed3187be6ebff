"""A join of two windowed inputs on equal windows: given once, when the window closes.

Both sides' rows wait in state until the watermark (the lesser of the two) has passed their
window; then they are joined by one statement and forgotten. If that gives too much at once, the
rows of one side are joined some at a time (``_Peeling``): the rest waits in the state, nothing new
is read meanwhile, and the watermark stays where it was.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators import join_side
from eddyline.engine.operators.join_side import (
    JoinSide,
    join_condition,
    make_side,
    renamed,
    too_large,
)
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, millis, typed
from eddyline.engine.operators.windows import END, refuse_changes, stamp
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_FAR = 2**62
_PLACE = '"$place"'


@dataclass(slots=True)
class _Peeling:
    """A join of windows in parts.

    bound: windows that end before it are joined. place: of the first row that waits. part: how many
    rows the last part had. before: the watermark meanwhile. after: the one when all are joined.
    """

    bound: int
    place: int
    part: int
    before: int
    after: int


class WindowJoin(Operator):
    """All kinds of join over (window start, window end, keys)."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._kind = node.kind
        names = (node.left_names, node.right_names)
        keys = (
            (*node.left_window, *node.left_keys),
            (*node.right_window, *node.right_keys),
        )
        self._sides = tuple(
            make_side(context, i, inputs[i].schema, names[i], keys[i], outer=False) for i in (0, 1)
        )
        self._ends = (node.left_window[1], node.right_window[1])
        self._on = join_condition(self._sides[0], self._sides[1], node.condition)
        self._before = [MIN_WATERMARK, MIN_WATERMARK]
        self._next: int | None = None
        # The side whose rows are joined some at a time: each of them sees all of the other side.
        self._peeled = self._sides[1 if node.kind is JoinKind.RIGHT else 0]
        self._peeling: _Peeling | None = None
        self._given = MIN_WATERMARK

    def create(self) -> None:
        for side in self._sides:
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {quote(END)} BIGINT)"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        for i, step in enumerate(inputs):
            if step.batch is not None and step.batch.num_rows:
                refuse_changes(step.batch, "a window join")
                self._keep(self._sides[i], step.batch)
        self._before = [s.watermark_ms for s in inputs]
        watermark = min(self._before)
        batch = self._fire(watermark)
        if self._peeling is None:
            self._given = watermark
        return Step(batch, self._given)

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether rows of windows that are over are still to be joined."""
        return self._peeling is not None

    def step_waiting(self) -> Step:
        """Join some of them."""
        assert self._peeling is not None
        after = self._peeling.after
        batch = self._peel(self._peeling)
        if self._peeling is None:
            self._given = after
        return Step(batch, self._given)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        watermark = min(inputs)
        return watermark, self._next is not None and watermark >= self._next - 1

    def save(self) -> dict[str, Any]:
        saved: dict[str, Any] = {"next": self._next, "before": self._before}
        return saved if self._peeling is None else {**saved, "peeling": asdict(self._peeling)}

    def restore(self, saved: dict[str, Any]) -> None:
        self._next, self._before = saved["next"], saved["before"]
        if "peeling" in saved:
            self._peeling = _Peeling(**saved["peeling"])
            self._given = self._peeling.before

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next windows are joined when both watermarks reach {stamp(self._next - 1)}"]

    def _keep(self, side: JoinSide, batch: Batch) -> None:
        ends = millis(batch.rows[self._ends[side.index]])
        rows = renamed(batch, self.inputs[side.index].schema, side)
        rows = rows.append_column(END, pa.array(ends))
        if batch.watermarks is not None:
            both = np.minimum(batch.watermarks, self._before[1 - side.index])
            late = both >= ends - 1
            self.context.figures.late += int(np.count_nonzero(late))
            rows, ends = rows.filter(pa.array(~late)), ends[~late]
        if not len(ends):
            return
        self.context.db.run(f"INSERT INTO {side.table} SELECT * FROM b", b=rows)
        first = int(ends.min())
        self._next = first if self._next is None else min(self._next, first)

    def _fire(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next - 1:
            return None
        bound = min(watermark, _FAR) + 1
        due = [f"(SELECT * FROM {s.table} WHERE {quote(END)} <= {bound})" for s in self._sides]
        rows = self.context.db.query_within(
            self._joined(due, self._kind), join_side.PIECE_BYTES_MAX
        )
        if rows is None:
            return self._begin_peeling(bound, watermark)
        self._forget(bound)
        return Batch(typed(rows, self.schema)) if rows.num_rows else None

    def _joined(self, sources: list[str], kind: JoinKind) -> str:
        """Text: the join of two tables of rows."""
        left, right = self._sides
        end, word = quote(END), {JoinKind.INNER: "JOIN"}.get(kind, f"{kind} JOIN")
        columns, order = f"{left.of('l')}, {right.of('r')}", f"coalesce(l.{end}, r.{end})"
        if kind in (JoinKind.SEMI, JoinKind.ANTI):
            columns, order = left.of("l"), f"l.{end}"
        return (
            f"SELECT {columns} FROM {sources[0]} l {word} {sources[1]} r ON {self._on} "
            f"ORDER BY {order}"
        )

    def _forget(self, bound: int) -> None:
        """The rows of windows that are joined leave."""
        db, end = self.context.db, quote(END)
        for side in self._sides:
            db.run(f"DELETE FROM {side.table} WHERE {end} <= {bound}")
        rest = " UNION ALL ".join(f"SELECT min({end}) AS m FROM {s.table}" for s in self._sides)
        self._next = db.one(f"SELECT min(m) FROM ({rest})")

    @property
    def _rest(self) -> str:
        """The table of the peeled side's rows that wait; it is made when it is first needed."""
        return self.context.table("waiting")

    def _begin_peeling(self, bound: int, watermark: int) -> Batch | None:
        """Move the peeled side's rows to those that wait; join the first of them."""
        db, end, side = self.context.db, quote(END), self._peeled
        due = f"{side.table} WHERE {end} <= {bound}"
        # What a full join gives of the other side alone is known only while all rows are there.
        alone = self._alone(bound) if self._kind is JoinKind.FULL else None
        columns = f"{side.schema.duckdb_columns()}, {end} BIGINT, {_PLACE} BIGINT"
        db.run(f"CREATE TABLE IF NOT EXISTS {self._rest} ({columns})")
        db.run(
            f"INSERT INTO {self._rest} SELECT *, row_number() OVER (ORDER BY {end}) - 1 FROM {due}"
        )
        count = int(db.one(f"SELECT count(*) FROM {due}"))
        db.run(f"DELETE FROM {due}")
        self._peeling = _Peeling(bound, 0, max(1, count // 2), self._given, watermark)
        batch = self._peel(self._peeling)
        if alone is None or not alone.num_rows:
            return batch
        pieces = [alone] if batch is None else [batch.rows, alone]
        return Batch(pa.concat_tables(pieces))

    def _alone(self, bound: int) -> pa.Table:
        """The rows of the right side that have no partner, padded."""
        left, right = self._sides
        due = [f"(SELECT * FROM {s.table} WHERE {quote(END)} <= {bound})" for s in self._sides]
        return typed(
            self.context.db.query(
                f"SELECT {left.nulls()}, {right.of('r')} FROM {due[1]} r "
                f"WHERE NOT EXISTS (SELECT 1 FROM {due[0]} l WHERE {self._on})"
            ),
            self.schema,
        )

    def _peel(self, peeling: _Peeling) -> Batch | None:
        """Join as many of the rows that wait as give few enough rows."""
        db, side = self.context.db, self._peeled
        kind = JoinKind.LEFT if self._kind is JoinKind.FULL else self._kind
        while True:
            last = peeling.place + peeling.part
            sources = [f"(SELECT * FROM {s.table} WHERE {quote(END)} <= {peeling.bound})"
                       for s in self._sides]  # fmt: skip
            sources[side.index] = f"(SELECT * FROM {self._rest} WHERE {_PLACE} < {last})"
            limit = join_side.PIECE_BYTES_MAX if peeling.part > 1 else db.result_bytes_max
            rows = db.query_within(self._joined(sources, kind), limit)
            if rows is not None:
                break
            if peeling.part == 1:
                raise too_large(db.result_bytes_max)
            peeling.part //= 2
        db.run(f"DELETE FROM {self._rest} WHERE {_PLACE} < {last}")
        peeling.place = last
        if rows.nbytes < join_side.PIECE_BYTES_MAX // 2:
            peeling.part *= 2
        if not db.one(f"SELECT count(*) FROM {self._rest}"):
            self._forget(peeling.bound)
            self._peeling = None
        return Batch(typed(rows, self.schema)) if rows.num_rows else None
