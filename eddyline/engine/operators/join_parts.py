"""The changes of both sides of a join, joined in parts if their matches are too many at once.

What a part leaves waits in tables of the state, as if its rows had come in a later micro-batch.
Nothing new is read meanwhile, and the watermark stays where it was before the first part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from eddyline.engine.operators import join_side
from eddyline.engine.operators.join_side import JoinSide, too_large
from eddyline.engine.operators.operator import OperatorContext
from eddyline.record.batch import MIN_WATERMARK

_PLACE = '"$place"'


def meetings(
    sides: tuple[JoinSide, JoinSide], tables: Sequence[str], counts: list[int], columns: str
) -> list[tuple[str, str]]:
    """The pairs of tables whose matches are the change: the deltas of so many rows, and ``tables``,
    which do not hold them yet. columns: those of a row of the left side."""
    left, right = sides
    pairs = [(left.delta, tables[1])] if counts[0] else []
    if counts[1]:
        after = tables[0]
        if counts[0]:
            parts = (f"SELECT {columns} FROM {t}" for t in (tables[0], left.delta))
            after = f"({' UNION ALL '.join(parts)})"
        pairs.append((after, right.delta))
    return pairs


class JoinParts:
    """Sizes of the deltas and of what waits.

    extra: columns of a delta beside the side's own, quoted, and their DuckDB types. before: the
    watermark while rows wait; after: the one when they are joined.
    """

    def __init__(
        self, context: OperatorContext, sides: tuple[JoinSide, JoinSide], extra: dict[str, str]
    ) -> None:
        self._context, self._db = context, context.db
        self._sides = sides
        self._extra = extra
        self.sizes, self._waiting = [0, 0], [0, 0]
        self._part = 1
        self.before = self.after = MIN_WATERMARK

    @property
    def has_waiting(self) -> bool:
        """Whether a part is still to be joined."""
        return any(self._waiting)

    def save(self) -> dict[str, Any] | None:
        """For the operator's own ``save``; None if nothing waits."""
        if not self.has_waiting:
            return None
        return {"waiting": self._waiting, "part": self._part, "before": self.before}

    def restore(self, saved: dict[str, Any]) -> None:
        self._waiting, self._part = saved["waiting"], saved["part"]
        self.before = self.after = saved["before"]

    def columns(self, side: JoinSide) -> str:
        """The columns of a delta."""
        return ", ".join([*side.columns, *self._extra])

    def take_back(self) -> None:
        """Make as many of the rows that wait as the last part had the deltas; the left side's come
        first."""
        now = 0 if self._waiting[0] else 1
        for side in self._sides:
            made = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {self.columns(side)}"
            table = self._rest(side)
            if side.index != now:
                shape = ", ".join(
                    [*side.columns, *(f"NULL::{t} AS {c}" for c, t in self._extra.items())]
                )
                made = f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {shape}"
                self._db.run(f"{made} FROM {side.table} WHERE FALSE")
                self.sizes[side.index] = 0
                continue
            after = int(self._db.one(f"SELECT min({_PLACE}) FROM {table}")) + self._part
            self._db.run(f"{made} FROM {table} WHERE {_PLACE} < {after} ORDER BY {_PLACE}")
            self._db.run(f"DELETE FROM {table} WHERE {_PLACE} < {after}")
            self.sizes[side.index] = min(self._part, self._waiting[side.index])
            self._waiting[side.index] -= self.sizes[side.index]

    def within(self, statements: Callable[[list[int]], list[str]]) -> list[pa.Table]:
        """The matches of the deltas, which are shortened until the matches are few enough.

        statements: gives what to run for deltas of so many rows.
        """
        left, right = self._sides
        while True:
            counts = list(self.sizes)
            least = sum(counts) == 1  # whose matches cannot be divided
            bytes_max = self._db.result_bytes_max if least else join_side.PIECE_BYTES_MAX
            matches = []
            for sql in statements(counts):
                rows = self._db.query_within(sql, bytes_max)
                if rows is None:
                    break
                matches.append(rows)
            else:
                grows = sum(r.nbytes for r in matches) < join_side.PIECE_BYTES_MAX // 2
                self._part = max(1, max(counts) * (2 if grows else 1))
                return matches
            if least:
                raise too_large(self._db.result_bytes_max)
            if all(counts):
                self._postpone(right, 0)
            else:
                side = left if counts[0] else right
                self._postpone(side, counts[side.index] // 2)

    def _postpone(self, side: JoinSide, kept: int) -> None:
        """Move the rows behind the first ``kept`` ones of a delta to those that wait."""
        db, table, columns = self._db, self._rest(side), self.columns(side)
        moved = self.sizes[side.index] - kept
        # A row's number in a table says nothing before the transaction is committed.
        db.run(
            f"CREATE OR REPLACE TEMP TABLE {side.delta} AS SELECT {columns}, "
            f"row_number() OVER () - 1 AS {_PLACE} FROM {side.delta}"
        )
        extra = ", ".join(f"{name} {kind}" for name, kind in self._extra.items())
        db.run(
            f"CREATE TABLE IF NOT EXISTS {table} "
            f"({side.schema.duckdb_columns()}, {extra}, {_PLACE} BIGINT)"
        )
        # What waits already comes after these.
        first = int(db.one(f"SELECT min({_PLACE}) FROM {table}") or 0) - moved - kept
        db.run(
            f"INSERT INTO {table} SELECT {columns}, {_PLACE} + {first} FROM {side.delta} "
            f"WHERE {_PLACE} >= {kept}"
        )
        db.run(f"DELETE FROM {side.delta} WHERE {_PLACE} >= {kept}")
        db.run(f"ALTER TABLE {side.delta} DROP COLUMN {_PLACE}")
        self._waiting[side.index] += moved
        self.sizes[side.index] = kept

    def _rest(self, side: JoinSide) -> str:
        """The table of one side's rows that wait; it is made when it is first needed."""
        return self._context.table(("left", "right")[side.index] + "_waiting")
