"""One row per key: the first in order of arrival, the first in time, or the last.

The first ones are given once and never taken back. The last is a Top-1 that changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hashes import key_hashes
from eddyline.engine.keyed.hot_rows import HotRows, Key
from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.accumulate import KeyColumn, listed, matching
from eddyline.engine.operators.group_rows import plain_columns
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed, with_columns
from eddyline.engine.operators.rank import Rank
from eddyline.engine.operators.retention import RetainingOperator, Retention, kept
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time, stamp
from eddyline.record.batch import Batch
from eddyline.record.formats.kernel import are_few
from eddyline.record.plain_rows import arrow_types, is_comparable
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical_ordered import Deduplicate, Keep
from eddyline.sql.physical_ordered import Rank as RankNode
from eddyline.sql.sorting import SortKey

_FAR = 2**62
_T, _SEQ = quote("$t"), quote("$seq")


def deduplicate(
    context: OperatorContext, inputs: tuple[Operator, ...], node: Deduplicate
) -> Operator:
    """The operator for what is kept."""
    if node.keep is Keep.LAST:
        time = node.time_column
        order = () if time is None else (SortKey(time, descending=True, nulls_first=False),)
        rank = RankNode(node.input, node.keys, order, "ROW_NUMBER", 1, 1, None, node.schema)
        return Rank(context, inputs, rank, newest_first=True)
    if node.time_column is None:
        return FirstArrival(context, inputs, node)
    return FirstInTime(context, inputs, node)


class FirstArrival(RetainingOperator):
    """The first row of each key, at once."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: Deduplicate
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._keys = [KeyColumn(k, duckdb_type(node.schema[k])) for k in node.keys]
        self._table = context.table("keys")
        self._retention = Retention(context, kept(self._table))
        self.retentions = (self._retention,)
        self._key_names = node.keys
        self.keep_by_key([node.schema], [KeyedTable(self._table, node.keys)])
        types = arrow_types(node.schema)
        self._has_row_way = not self._retention.on and all(
            is_comparable(types[k]) for k in node.keys
        )

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._keys] or ['"$one" INTEGER']
        definition = ", ".join(columns) + self._retention.definition
        self.context.db.run(f"CREATE TABLE {self._table} ({definition})")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        batch = inputs[0].batch
        if batch is None or not batch.num_rows:
            return Step(None, inputs[0].watermark_ms)
        refuse_changes(batch, "a deduplication that keeps the first row")
        few = self._first_of_few(batch)
        if few is not None:
            self.settle()
            fresh = _chosen(batch, few) if few else None
            return Step(fresh, inputs[0].watermark_ms)
        db = self.context.db
        rows = batch.rows.select(list(self.schema.names))
        self.call_back((rows, self._key_names))
        rows = with_columns(rows, seq=np.arange(batch.num_rows))
        names = ", ".join(listed(self._keys))
        part = f"PARTITION BY {names}" if names else ""
        nth = f"row_number() OVER ({part} ORDER BY {_SEQ}) = 1"
        known = f"SELECT 1 FROM {self._table} s WHERE {matching(self._keys, 's', 'b')}"
        first = db.query(
            f"SELECT {_SEQ} FROM b WHERE NOT EXISTS ({known}) QUALIFY {nth} ORDER BY {_SEQ}",
            b=rows,
        )["$seq"]
        if not len(first):
            self.settle()
            return Step(None, inputs[0].watermark_ms)
        fresh = batch.rows.take(first)
        keys = f"SELECT {names or '1'}{self._retention.value} FROM b"
        db.run(f"INSERT INTO {self._table} {keys}", b=fresh)
        self.settle()
        marks = None
        if batch.watermarks is not None:
            marks = batch.watermarks[first.combine_chunks().to_numpy()]
        return Step(Batch(fresh, None, marks), inputs[0].watermark_ms)

    def adapt(self) -> None:
        if not self._has_row_way and self.keyed is not None:
            self.keyed.rows_to_table()
        super().adapt()

    def _first_of_few(self, batch: Batch) -> list[int] | None:
        """The numbers of the rows, of a few, whose key is new; None if that takes a statement."""
        if not self._has_row_way or self.keyed is None:
            return None
        if not are_few(batch.num_rows):
            self.keyed.rows_to_table()
            return None
        hot = self.keyed.hot()
        if not isinstance(hot, HotRows):
            return None
        columns = plain_columns(batch, self._key_names)
        keys: list[Key] = list(zip(*columns.values(), strict=True))
        if self.keyed.num_runs and any(key not in hot.rows for key in keys):
            hashes = key_hashes(batch.rows.select(list(self._key_names)), self._key_names)
            pieces = self.keyed.fetch(np.unique(hashes))
            assert pieces is not None
            hot.take_in(pieces)
        first = []
        for number, key in enumerate(keys):
            if key not in hot.rows:
                first.append(number)
            hot.rows[key] = hot.rows.pop(key, [])  # as the one that was used last
        self.keyed.log_hot(lambda: hot.log(dict.fromkeys(keys)))
        return first


def _chosen(batch: Batch, numbers: list[int]) -> Batch:
    marks = None if batch.watermarks is None else batch.watermarks[numbers]
    if batch.plain is None:
        return Batch(batch.rows.take(pa.array(numbers)), None, marks)
    chosen = set(numbers)
    return Batch(batch.plain.chosen([i in chosen for i in range(batch.num_rows)]), None, marks)


class FirstInTime(RetainingOperator):
    """The row with the least row time of each key, once the watermark has passed it.

    A row behind the watermark is dropped, as in Flink. State: one row per key that waits, and the
    keys that have been given.
    """

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: Deduplicate
    ) -> None:
        super().__init__(context, inputs, node.schema)
        assert node.time_column is not None
        self._time = node.time_column
        self._keys = [KeyColumn(k, duckdb_type(node.schema[k])) for k in node.keys]
        self._table = context.table("rows")
        self._given = context.table("given")
        self._retention = Retention(context, kept(self._table, self._given))
        self.retentions = (self._retention,)
        self._key_names = node.keys
        self.keep_by_key([node.schema], [KeyedTable(self._given, node.keys)])
        self._columns = ", ".join(quote(n) for n in node.schema.names)
        self._seen = 0
        self._next: int | None = None

    def create(self) -> None:
        columns = self.schema.duckdb_columns()
        more = f"{_T} BIGINT, {_SEQ} BIGINT{self._retention.definition}"
        self.context.db.run(f"CREATE TABLE {self._table} ({columns}, {more})")
        keys = ", ".join(f"{quote(k.name)} {k.type}" for k in self._keys) or '"$one" INTEGER'
        self.context.db.run(f"CREATE TABLE {self._given} ({keys}{self._retention.definition})")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "a deduplication by row time")
            self._take(batch)
        given = self._fire(watermark)
        self.settle()
        return Step(given, watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        fires = self._next is not None and inputs[0] >= self._next
        return inputs[0], fires or self._retention.is_due

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._next = saved["seen"], saved["next"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next first row is given when the watermark reaches {stamp(self._next)}"]

    def _take(self, batch: Batch) -> None:
        times = refuse_null_time(batch.rows, self._time)
        rows = batch.rows.select(list(self.schema.names))
        order = np.arange(self._seen, self._seen + len(times))
        self._seen += len(times)
        rows = with_columns(rows, t=times, seq=order)
        if batch.watermarks is not None:
            late = times <= batch.watermarks
            self.context.figures.late += int(np.count_nonzero(late))
            rows = rows.filter(pa.array(~late))
        if not rows.num_rows:
            return
        self.call_back((rows, self._key_names))
        db, names = self.context.db, ", ".join(listed(self._keys))
        part = f"PARTITION BY {names}" if names else ""
        match = matching(self._keys, "s", "b")
        best = f"row_number() OVER ({part} ORDER BY {_T}, {_SEQ})"
        given = f"SELECT 1 FROM {self._given} s WHERE {match}"
        now = self._retention.value
        db.run(
            f"INSERT INTO {self._table} SELECT {self._columns}, {_T}, {_SEQ}{now} FROM b "
            f"WHERE NOT EXISTS ({given}) QUALIFY {best} = 1",
            b=rows,
        )
        db.run(
            f"DELETE FROM {self._table} WHERE {_SEQ} IN "
            f"(SELECT {_SEQ} FROM {self._table} QUALIFY {best} > 1)"
        )
        self._next = db.one(f"SELECT min({_T}) FROM {self._table}")

    def _fire(self, watermark: int) -> Batch | None:
        if self._next is None or watermark < self._next:
            return None
        db, due = self.context.db, f"{_T} <= {min(watermark, _FAR)}"
        rows = db.query(
            f"SELECT {self._columns} FROM {self._table} WHERE {due} ORDER BY {_T}, {_SEQ}"
        )
        keys = ", ".join(listed(self._keys)) or "1"
        given = f"SELECT {keys}{self._retention.value} FROM {self._table} WHERE {due}"
        db.run(f"INSERT INTO {self._given} {given}")
        db.run(f"DELETE FROM {self._table} WHERE {due}")
        self._next = db.one(f"SELECT min({_T}) FROM {self._table}")
        return Batch(typed(rows, self.schema))
