"""A temporal join: each left row with the version of its partner that was valid at its time.

Left rows wait until the watermark of both sides has passed them, so that all versions up to their
time are there. Of the versions behind the watermark only the newest of each key is kept; a left
row that comes later than that finds what is left, as in Flink. Rows whose versions are too much for
one micro-batch are joined a portion at a time (``portions.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import KeyColumn
from eddyline.engine.operators.join_side import make_side, renamed
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.engine.operators.portions import Portions
from eddyline.engine.operators.retention import AT, KeptTable, RetainingOperator, Retention
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time, stamp
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan
from eddyline.sql.physical import JoinKind

_FAR = 2**62
_T, _SEQ = quote("$t"), quote("$seq")


class TemporalJoin(RetainingOperator):
    """INNER and LEFT; insert-only."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.TemporalJoin
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        below = [i.schema for i in inputs]
        self._left = make_side(context, 0, below[0], node.left_names, node.left_keys, False)
        self._right = make_side(context, 1, below[1], node.right_names, node.right_keys, False)
        # As in Flink, a NULL key has versions as well.
        pairs = zip(self._left.keys, self._right.keys, strict=True)
        same = [f"l.{quote(a)} IS NOT DISTINCT FROM r.{quote(b)}" for a, b in pairs]
        self._on = " AND ".join(same)
        alive = dict(zip(below[1].names, node.right_names, strict=True)).get(node.alive or "")
        self._alive = None if alive is None else quote(alive)
        self._keys = ", ".join(quote(k) for k in self._right.keys)
        # The versions of a key live until no row of either side has had that key for so long.
        schema = self._right.schema
        keys = tuple(KeyColumn(k, duckdb_type(schema[k])) for k in self._right.keys)
        self._retention = Retention(context, (KeptTable(self._right.table, keys),))
        self.retentions = (self._retention,)
        self._seen = 0
        self._next: int | None = None
        # Up to when rows are joined in portions at present; the watermark before, and after them.
        self._due: int | None = None
        self._portions = Portions(context.db)
        self._before = self._after = MIN_WATERMARK

    def create(self) -> None:
        for side in (self._left, self._right):
            columns = side.schema.duckdb_columns()
            more = self._retention.definition if side is self._right else ""
            self.context.db.run(
                f"CREATE TABLE {side.table} ({columns}, {_T} BIGINT, {_SEQ} BIGINT{more})"
            )

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        watermark = min(s.watermark_ms for s in inputs)
        left, right = inputs[0].batch, inputs[1].batch
        if right is not None and right.num_rows:
            self._versions(right)
        if left is not None and left.num_rows:
            refuse_changes(left, "a temporal join")
            self._wait(left)
        return self._advance(watermark, watermark)

    @property
    def has_waiting(self) -> bool:  # type: ignore[override]
        """Whether rows that the watermark has passed are still to be joined."""
        return self._due is not None

    def step_waiting(self) -> Step:
        """Join some of them."""
        assert self._due is not None
        return self._advance(self._due, self._after)

    def _advance(self, bound: int, after: int) -> Step:
        """Join the rows up to ``bound``, or the first of them; then the watermark is ``after``."""
        batch = self._give(bound)
        if self._due is None:
            self._before = after
        self._after = after
        return Step(batch, self._before)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        mark = min(inputs)
        gives = self._next is not None and mark >= self._next
        return mark, gives or self._retention.is_due

    def save(self) -> dict[str, Any]:
        saved = {"seen": self._seen, "next": self._next}
        return saved if self._due is None else {**saved, "due": self._due, "before": self._before}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._next = saved["seen"], saved["next"]
        if "due" in saved:
            self._due = saved["due"]
            self._before = self._after = saved["before"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next row is joined when both watermarks reach {stamp(self._next)}"]

    def _numbers(self, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        numbers = np.arange(self._seen, self._seen + n)
        self._seen += n
        return numbers

    def _wait(self, batch: Batch) -> None:
        times = refuse_null_time(batch.rows, self._node.left_time)
        rows = renamed(batch, self.inputs[0].schema, self._left)
        rows = with_columns(rows, t=times, seq=self._numbers(len(times)))
        self.context.db.run(f"INSERT INTO {self._left.table} SELECT * FROM b", b=rows)
        if self._retention.on:
            self.context.db.run(
                f"UPDATE {self._right.table} AS r SET {AT} = {self._retention.now_ms} FROM b l "
                f"WHERE {self._on}",
                b=rows,
            )
        first = int(times.min())
        self._next = first if self._next is None else min(self._next, first)

    def _versions(self, batch: Batch) -> None:
        """New versions; one that takes another's time takes its place."""
        refuse_changes(batch, "the versions of a temporal join")
        db, table = self.context.db, self._right.table
        times = refuse_null_time(batch.rows, self._node.right_time)
        rows = renamed(batch, self.inputs[1].schema, self._right)
        rows = with_columns(rows, t=times, seq=self._numbers(len(times)))
        source = "b"
        if self._node.rising:
            part = f"PARTITION BY {self._keys} ORDER BY {_SEQ} ROWS UNBOUNDED PRECEDING"
            same = " AND ".join(
                f"v.{quote(k)} IS NOT DISTINCT FROM b.{quote(k)}" for k in self._right.keys
            )
            newest = f"(SELECT max(v.{_T}) FROM {table} v WHERE {same})"
            source = (
                f'(SELECT * EXCLUDE ("$top", "$known") FROM (SELECT *, max({_T}) OVER ({part}) '
                f'AS "$top", {newest} AS "$known" FROM b) '
                f'WHERE {_T} >= "$top" AND {_T} >= coalesce("$known", {_T}))'
            )
        now = self._retention.value
        db.run(f"INSERT INTO {table} SELECT *{now} FROM {source}", b=rows)
        twice = f"row_number() OVER (PARTITION BY {self._keys}, {_T} ORDER BY {_SEQ} DESC) > 1"
        db.run(f"DELETE FROM {table} WHERE {_SEQ} IN (SELECT {_SEQ} FROM {table} QUALIFY {twice})")

    def _give(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next:
            self._due = None
            return None
        db, bound = self.context.db, min(watermark, _FAR)
        count = int(db.one(f"SELECT count(*) FROM {self._left.table} WHERE {_T} <= {bound}"))

        def answer(n: int, bytes_max: int) -> pa.Table | None:
            return db.query_within(self._joined(self._first(bound, n, count)), bytes_max)

        rows, given = self._portions.first(count, answer)
        first = self._first(bound, given, count)
        db.run(f"DELETE FROM {self._left.table} WHERE {_SEQ} IN (SELECT {_SEQ} FROM {first})")
        if given < count:
            self._due = watermark
        else:
            self._due = None
            self._forget(bound)
        self._next = db.one(f"SELECT min({_T}) FROM {self._left.table}")
        return Batch(typed(rows, self.schema)) if rows.num_rows else None

    def _first(self, bound: int, rows: int, count: int) -> str:
        """Text: the first rows of those up to ``bound``, of which there are ``count``."""
        due = f"SELECT * FROM {self._left.table} WHERE {_T} <= {bound}"
        return f"({due})" if rows == count else f"({due} ORDER BY {_T}, {_SEQ} LIMIT {rows})"

    def _joined(self, rows: str) -> str:
        """Text: left rows, each with the version that is valid at its time, in their order."""
        left, right = self._left, self._right
        columns = ", ".join([left.of("l"), right.of("r")])
        pairs = (
            f'SELECT {columns}, r.{_T} AS "$r", l.{_T} AS "$l", l.{_SEQ} AS "$s" FROM {rows} l '
            f"ASOF LEFT JOIN {right.table} r ON {self._on} AND l.{_T} >= r.{_T}"
        )
        fits = ['"$r" IS NOT NULL']
        fits += [f"coalesce({self._alive}, FALSE)"] if self._alive else []
        fits += [f"coalesce(({self._node.condition}), FALSE)"] if self._node.condition else []
        match, order = " AND ".join(fits), '"$l", "$s"'
        if self._node.kind is JoinKind.INNER:
            shown = ", ".join([*left.columns, *right.columns])
            return f"SELECT {shown} FROM ({pairs}) WHERE {match} ORDER BY {order}"
        padded = [f"CASE WHEN {match} THEN {c} END AS {c}" for c in right.columns]
        shown = ", ".join([*left.columns, *padded])
        return f"SELECT {shown} FROM ({pairs}) ORDER BY {order}"

    def _forget(self, watermark: int) -> None:
        """Versions that another one has replaced by now."""
        table = self._right.table
        later = f"lead({_T}) OVER (PARTITION BY {self._keys} ORDER BY {_T}) <= {watermark}"
        self.context.db.run(
            f"DELETE FROM {table} WHERE {_SEQ} IN (SELECT {_SEQ} FROM {table} QUALIFY {later})"
        )
