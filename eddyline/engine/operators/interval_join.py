"""A join bounded in time: each pair once, as soon as its later row comes.

A row waits until the watermark says that no partner can come any more. An outer side's row that
never met one is given then, padded with NULL. Downstream time is held back by the width of the
interval, because a pair may carry the older row's time. A batch with many pairs is joined in parts
(``join_parts.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.join_parts import JoinParts, meetings
from eddyline.engine.operators.join_side import JoinSide, join_condition, make_side, renamed
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_T, _ID, _MET = '"$t"', '"$id"', '"$met"'
_FAR = 2**62


class IntervalJoin(Operator):
    """right time within [left time + lower, left time + upper]."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.IntervalJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        outer = (
            node.kind in (JoinKind.LEFT, JoinKind.FULL),
            node.kind in (JoinKind.RIGHT, JoinKind.FULL),
        )
        names, keys = (node.left_names, node.right_names), (node.left_keys, node.right_keys)
        self._sides = (
            make_side(context, 0, inputs[0].schema, names[0], keys[0], outer[0]),
            make_side(context, 1, inputs[1].schema, names[1], keys[1], outer[1]),
        )
        self._times = (node.left_time, node.right_time)
        on = join_condition(self._sides[0], self._sides[1], node.condition)
        bounds = f"l.{_T} + {node.lower_ms} AND l.{_T} + {node.upper_ms}"
        self._on = f"{on} AND r.{_T} BETWEEN {bounds}"
        # How long after its own time a row may still meet a partner.
        self._waits = (node.upper_ms, -node.lower_ms)
        self._behind = max(0, *self._waits)
        self._counts = [0, 0]
        extra = {_T: "BIGINT", _ID: "BIGINT", _MET: "BOOLEAN"}
        self._parts = JoinParts(context, self._sides, extra)
        # The watermark beyond which some outer side's row has waited in vain.
        self._expires: int | None = None

    def create(self) -> None:
        for side in self._sides:
            self.context.db.run(
                f"CREATE TABLE {side.table} ({side.schema.duckdb_columns()}, {_T} BIGINT, "
                f"{_ID} BIGINT, {_MET} BOOLEAN)"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        for side, step in zip(self._sides, inputs, strict=True):
            self._load(side, step.batch)
        return self._advance(min(s.watermark_ms for s in inputs))

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether a part of the last batch is still to be joined."""
        return self._parts.has_waiting

    def step_waiting(self) -> Step:
        """Join some of the rows that wait."""
        self._parts.take_back()
        return self._advance(self._parts.after)

    def _advance(self, watermark: int) -> Step:
        """Join the changes in the deltas, or the first of them; the watermark after that.

        No row is forgotten before all of them are joined.
        """
        pieces = self._parts.within(self._statements)
        for side in self._sides:
            self._apply(side)
        for side, column in zip(self._sides, ("$l", "$r"), strict=True):
            if side.outer:
                self._meet(side, column, pieces)
        pieces = [rows.drop_columns(["$l", "$r"]) for rows in pieces]
        if self.has_waiting:
            self._parts.after, watermark = watermark, self._parts.before
        else:
            self._parts.before = watermark
            expired = (self._expire(side, watermark) for side in self._sides)
            pieces += [rows for rows in expired if rows is not None]
            self._expires = self._next_expiry()
        pieces = [rows for rows in pieces if rows.num_rows]
        batch = Batch(typed(pa.concat_tables(pieces), self.schema)) if pieces else None
        return Step(batch, self._held(watermark))

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        watermark = min(inputs)
        over = self._expires is not None and watermark > self._expires
        return self._held(watermark), over

    def save(self) -> dict[str, Any]:
        saved: dict[str, Any] = {"counts": self._counts, "expires": self._expires}
        parts = self._parts.save()
        return saved if parts is None else {**saved, "parts": parts}

    def restore(self, saved: dict[str, Any]) -> None:
        self._counts, self._expires = saved["counts"], saved["expires"]
        if "parts" in saved:
            self._parts.restore(saved["parts"])

    def _held(self, watermark: int) -> int:
        if watermark in (MAX_WATERMARK, MIN_WATERMARK):
            return watermark
        return watermark - self._behind

    def _load(self, side: JoinSide, batch: Batch | None) -> None:
        db = self.context.db
        make = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT"
        self._parts.sizes[side.index] = 0 if batch is None else batch.num_rows
        if batch is None or not batch.num_rows:
            db.run(f"{make} * FROM {side.table} WHERE FALSE")
            return
        refuse_changes(batch, "an interval join")
        times = refuse_null_time(batch.rows, self._times[side.index])
        first = self._counts[side.index]
        ids = np.arange(first, first + len(times))
        self._counts[side.index] += len(times)
        rows = renamed(batch, self.inputs[side.index].schema, side)
        rows = rows.append_column("$t", pa.array(times)).append_column("$id", pa.array(ids))
        db.run(f"{make} *, FALSE AS {_MET} FROM b", b=rows)

    def _statements(self, counts: list[int]) -> list[str]:
        """What gives the pairs of deltas of so many rows."""
        left, right = self._sides
        tables = (left.table, right.table)
        shown = f'{left.of("l")}, {right.of("r")}, l.{_ID} AS "$l", r.{_ID} AS "$r"'
        return [
            f"SELECT {shown} FROM {a} l JOIN {b} r ON {self._on}"
            for a, b in meetings(self._sides, tables, counts, self._parts.columns(left))
        ]

    def _meet(self, side: JoinSide, column: str, pieces: list[pa.Table]) -> None:
        """Rows of an outer side remember that they have met."""
        for rows in pieces:
            if rows.num_rows:
                sql = f"SELECT {quote(column)} FROM b"
                self.context.db.run(
                    f"UPDATE {side.table} SET {_MET} = TRUE WHERE {_ID} IN ({sql})",
                    b=rows.select([column]),
                )

    def _apply(self, side: JoinSide) -> None:
        self.context.db.run(f"INSERT INTO {side.table} SELECT * FROM {side.delta}")

    def _expire(self, side: JoinSide, watermark: int) -> pa.Table | None:
        """Rows that can meet nobody any more leave."""
        bound = min(watermark, _FAR) - self._waits[side.index]
        db, old = self.context.db, f"{_T} < {bound}"
        expired = None
        if side.outer:
            other = self._sides[1 - side.index]
            parts = (f"{side.of('z')}, {other.nulls()}", f"{other.nulls()}, {side.of('z')}")
            expired = db.query(
                f"SELECT {parts[side.index]} FROM {side.table} z WHERE {old} AND NOT {_MET} "
                f"ORDER BY {_T}"
            )
        db.run(f"DELETE FROM {side.table} WHERE {old}")
        return expired

    def _next_expiry(self) -> int | None:
        parts = [
            f"SELECT min({_T}) + {self._waits[s.index]} AS m FROM {s.table}"
            for s in self._sides
            if s.outer
        ]
        if not parts:
            return None
        at: int | None = self.context.db.one(f"SELECT min(m) FROM ({' UNION ALL '.join(parts)})")
        return at
