"""Operators whose result per partition is a query over the partition's rows.

The rows are kept in a table. What a batch changes is the difference of the touched partitions'
results before and after it; so within a batch changes are net. An update is given as the row that
goes and the row that comes.

The touched partitions are copied to a table of their own, where the batch is worked out; so the
large table is searched once for them, and once more if rows leave it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hot_groups import HotGroups
from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.accumulate import KeyColumn, listed, matching
from eddyline.engine.operators.operator import (
    KIND,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    with_columns,
)
from eddyline.engine.operators.rank_rows import RankRows
from eddyline.engine.operators.retention import AT, RetainingOperator, Retention, kept
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.formats.kernel import are_few
from eddyline.record.schema import Schema
from eddyline.record.types import duckdb_type, quote

SEQ = quote("$seq")


class PartitionChanges(RetainingOperator):
    """Keeps rows by partition; a subclass says what the result over them is."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        schema: Schema,
        partition_by: tuple[str, ...],
    ) -> None:
        super().__init__(context, inputs, schema)
        below = inputs[0].schema
        self._keys = [KeyColumn(k, duckdb_type(below[k])) for k in partition_by]
        self._below = [quote(n) for n in below.names]
        self._table = context.table("rows")
        self._near = context.table("near")
        self._gone: list[int] = []
        self._steady = inputs[0].insert_only
        self._seen = 0
        self._retention = Retention(context, kept(self._table))
        self.retentions = (self._retention,)
        self._key_names = partition_by
        table = KeyedTable(self._table, partition_by)
        self.keep_by_key([below], [table], is_grouped=True)
        # How a subclass takes a few new rows without a statement, if it can.
        self._row_way: RankRows | None = None
        self.insert_only = False

    def create(self) -> None:
        columns = self.inputs[0].schema.duckdb_columns()
        more = f"{SEQ} BIGINT{self._retention.definition}"
        self.context.db.run(f"CREATE TABLE {self._table} ({columns}, {more})")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        batch = inputs[0].batch
        if batch is None or batch.num_rows == 0:
            return Step(None, inputs[0].watermark_ms)
        changes = self._take(batch)
        self.settle()
        return Step(changes, inputs[0].watermark_ms)

    def adapt(self) -> None:
        if self._row_way is None and self.keyed is not None:
            self.keyed.rows_to_table()
        super().adapt()

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen = saved["seen"]

    def _take(self, batch: Batch) -> Batch | None:
        is_taken, changes = self._take_few(batch)
        if is_taken:
            return changes
        db = self.context.db
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        order = np.arange(self._seen, self._seen + batch.num_rows)
        self._seen += batch.num_rows
        self.call_back((rows, self._key_names))
        rows = with_columns(rows, kind=batch.kinds, seq=order)
        touched = f"SELECT 1 FROM b WHERE {matching(self._keys, 's', 'b')}"
        where = f"WHERE EXISTS ({touched})" if self._keys else ""
        db.run(
            f"CREATE OR REPLACE TEMP TABLE {self._near} AS SELECT s.* FROM {self._table} s {where}",
            b=rows,
        )
        self._gone = []
        old = db.query(self._result())
        self._apply(rows, self._near)
        new = db.query(self._result())
        self._trim()
        self._keep(int(order[0]))
        return difference(self.context, old, new, self.schema, self._pairs())

    def _take_few(self, batch: Batch) -> tuple[bool, Batch | None]:
        """Whether a few new rows were taken without a statement, and the changes that they make."""
        if self._row_way is None or self.keyed is None:
            return False, None
        if are_few(batch.num_rows):
            hot = self.keyed.hot()
            if not isinstance(hot, HotGroups):
                return False, None
            is_taken, changes = self._row_way.take(batch, self._seen, hot)
            if is_taken:
                self._seen += batch.num_rows
                return True, changes
        self.keyed.rows_to_table()
        return False, None

    def _keep(self, first: int) -> None:
        """What has changed near the batch, whose rows begin at ``first``, changes in the table."""
        db = self.context.db
        gone = [seq for seq in self._gone if seq < first]
        if gone:
            sql = f"DELETE FROM {self._table} WHERE {SEQ} IN (SELECT seq FROM gone)"
            db.run(sql, gone=pa.table({"seq": pa.array(gone, pa.int64())}))
        columns = f"{', '.join(self._below)}, {SEQ}{self._retention.column}"
        db.run(
            f"INSERT INTO {self._table} ({columns}) "
            f"SELECT {columns} FROM {self._near} WHERE {SEQ} >= {first}"
        )

    def _forget_near(self, condition: str) -> None:
        """Rows near the batch leave."""
        sql = f"DELETE FROM {self._near} WHERE {condition} RETURNING {SEQ}"
        self._gone += [seq for (seq,) in self.context.db.rows(sql)]

    def _result(self) -> str:
        """Text of the touched partitions' result, in the schema's columns."""
        raise NotImplementedError

    def _trim(self) -> None:
        """Forget rows that can never be part of a result again."""

    def _pairs(self) -> list[str]:
        """Columns that make a row that goes and one that comes an update of one another."""
        return []

    def _partition(self) -> str:
        names = ", ".join(listed(self._keys))
        return f"PARTITION BY {names}" if names else ""

    def _apply(self, rows: pa.Table, table: str) -> None:
        """The batch's rows come into a table; those that are taken back leave the near one."""
        db, columns = self.context.db, ", ".join(self._below)
        target = f"{table} ({columns}, {SEQ}{self._retention.column})"
        now = self._retention.value
        if self._steady or KIND not in rows.column_names:
            db.run(f"INSERT INTO {target} SELECT {columns}, {SEQ}{now} FROM b", b=rows)
            return
        # A row that comes and goes within the batch leaves no trace: only net copies count.
        net = self.context.table("net")
        came = f"count(*) FILTER (WHERE {quote(KIND)} IN (0, 2))"
        db.run(
            f"CREATE OR REPLACE TEMP TABLE {net} AS SELECT {columns}, "
            f'{came} - (count(*) - {came}) AS "$net" FROM b GROUP BY {columns}',
            b=rows,
        )
        same = _same(self._below, "x", "n")
        part = f"PARTITION BY {columns} ORDER BY {SEQ}"
        db.run(
            f"INSERT INTO {target} SELECT {_of('x', self._below)}, x.{SEQ}{now} FROM (SELECT *, "
            f'row_number() OVER ({part} DESC) AS "$nth" FROM b WHERE {quote(KIND)} IN (0, 2)) x '
            f'JOIN {net} n ON {same} WHERE x."$nth" <= n."$net"',
            b=rows,
        )
        self._forget_near(
            f"{SEQ} IN (SELECT x.{SEQ} FROM (SELECT s.*, "
            f'row_number() OVER ({part}) AS "$nth" FROM {self._near} s) x '
            f'JOIN {net} n ON {same} WHERE n."$net" < 0 AND x."$nth" <= -n."$net")'
        )
        if self._retention.on:  # a row that went and came again was written
            same = _same(self._below, "s", "n")
            db.run(
                f"UPDATE {self._table} AS s SET {AT} = {self._retention.now_ms} FROM {net} n "
                f'WHERE n."$net" = 0 AND {same}'
            )


def _same(columns: list[str], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{c} IS NOT DISTINCT FROM {right}.{c}" for c in columns)


def _of(alias: str, columns: list[str]) -> str:
    return ", ".join(f"{alias}.{c}" for c in columns)


def difference(
    context: OperatorContext, old: pa.Table, new: pa.Table, schema: Schema, pairs: list[str]
) -> Batch | None:
    """What makes ``new`` of ``old``: rows that go, then rows that come in the order of ``new``.

    pairs: columns by which a row that goes and one that comes are one update.
    """
    if old.num_rows == 0:
        return Batch(new) if new.num_rows else None
    columns = ", ".join(quote(n) for n in schema.names)
    old = old.append_column("$i", pa.array(np.arange(old.num_rows)))
    new = new.append_column("$i", pa.array(np.arange(new.num_rows)))
    # Equal rows cancel one another copy by copy.
    nth = f'row_number() OVER (PARTITION BY {columns} ORDER BY "$i") AS "$nth"'
    sides = {name: f"(SELECT *, {nth} FROM {name})" for name in ("old", "new")}
    same = _same([quote(n) for n in (*schema.names, "$nth")], "x", "y")

    def only(side: str, other: str, kind: int) -> str:
        return (
            f'SELECT {_of("x", [quote(n) for n in schema.names])}, {kind} AS "$k", x."$i" '
            f"FROM {sides[side]} x WHERE NOT EXISTS (SELECT 1 FROM {sides[other]} y WHERE {same})"
        )

    changes = f"{only('old', 'new', 3)} UNION ALL {only('new', 'old', 0)}"
    if pairs:
        part = ", ".join(quote(p) for p in pairs)
        both = f'count(DISTINCT "$k") OVER (PARTITION BY {part}) = 2'
        kind = f'CASE WHEN {both} THEN CASE "$k" WHEN 3 THEN 1 ELSE 2 END ELSE "$k" END'
        changes = f'SELECT {columns}, {kind} AS "$k", "$i" FROM ({changes})'
    order = '"$k" IN (1, 3) DESC, "$i"'
    sql = f'SELECT {columns}, "$k"::TINYINT AS "$kind" FROM ({changes}) ORDER BY {order}'
    rows, hidden = split_hidden(context.db.query(sql, old=old, new=new), schema)
    if not rows.num_rows:
        return None
    kinds = hidden[KIND]
    return Batch(rows, kinds if (kinds != ChangeKind.INSERT).any() else None)
