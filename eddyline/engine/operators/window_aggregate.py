"""TUMBLE, HOP and CUMULATE aggregation: each window's groups once, when the watermark closes it.

State is one row a (window end, group). Rows are judged one by one against the watermark that was
in force before them: a row counts for every window of its time that had not fired by then, so
that results do not depend on how rows were cut into batches. A few rows are counted in memory
(``window_rows.py``), many by statements.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.engine.keyed.hot_table import HotTable
from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.accumulate import (
    AggregateColumns,
    KeyColumn,
    group_by,
    listed,
    merge_statement,
)
from eddyline.engine.operators.closing import FAR, ClosingAggregate
from eddyline.engine.operators.operator import Int64s, Operator, OperatorContext, numbers_of
from eddyline.engine.operators.window_rows import PAIRS_MAX, window_rows
from eddyline.engine.operators.windows import END, WindowGrid, refuse_null_time
from eddyline.record.batch import Batch
from eddyline.record.formats.kernel import are_few
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan


class WindowAggregate(ClosingAggregate):
    """Grouping by aligned windows and keys."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowAggregate
    ) -> None:
        super().__init__(context, inputs, node)
        self._grid = WindowGrid(node.window)
        self._keys = [KeyColumn(END, "BIGINT"), *self._by]
        below = inputs[0].schema
        self._row_way = window_rows(
            self._grid, node.keys, self._calls, node.names, below, node.schema
        )
        self._groups: HotTable | None = None
        if self._row_way is not None:
            table = KeyedTable(self._open, (END, *node.keys))
            self._groups = HotTable(context.db, self.name, table, context.directory)
            self.keyed = self._groups

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._keys]
        columns += [d for c in self._calls for d in c.definitions()]
        self.context.db.run(f"CREATE TABLE {self._open} ({', '.join(columns)})")
        for c in self._distinct():
            keys = ", ".join(f"{quote(k.name)} {k.type}" for k in self._keys)
            value = duckdb_type(c.call.args[0].type)
            self.context.db.run(f'CREATE TABLE {self._values(c)} ({keys}, "$v" {value})')

    def _distinct(self) -> list[AggregateColumns]:
        return [c for c in self._calls if c.distinct]

    def _values(self, c: AggregateColumns) -> str:
        return self.context.table(f"values{c.index}")

    def _take(self, batch: Batch) -> None:
        if self._take_few(batch):
            return
        rows, source = self._windowed(batch)
        if not rows.num_rows:
            return
        plain = [c for c in self._calls if not c.distinct]
        selected = listed(self._keys)
        for c in plain:
            selected += c.batch([a.text for a in c.call.args], c.call.filter)
        partial = f"SELECT {', '.join(selected)} FROM {source} {group_by(self._keys)}"
        updates = {k: v for c in plain for k, v in c.merged("s", "p").items()}
        columns = [n for c in plain for n in c.columns()]
        sql = merge_statement(self._open, self._keys, columns, updates, partial)
        self.context.db.run(sql, b=rows)
        for c in self._distinct():
            self._take_distinct(c, rows, source)

    def _take_few(self, batch: Batch) -> bool:
        """Take a few rows without a statement; False if that is not possible, and then nothing is
        taken."""
        if self._row_way is None or self._groups is None:
            return False
        if not are_few(batch.num_rows):
            self._groups.to_table()
            return False
        first, last = self._grid.ends(self._times(batch))
        if int((last - first).sum()) > PAIRS_MAX * self._grid.step:
            self._groups.to_table()
            return False
        hot = self._groups.for_few_rows()
        if hot is None:
            return False
        gaps = int(np.count_nonzero(first > last))
        if batch.watermarks is not None:
            first = self._grid.not_fired(first, batch.watermarks)
        self._count(first, last, gaps)
        self._row_way.take(batch, first, last, self._groups, hot)
        return True

    def _times(self, batch: Batch) -> Int64s:
        """The row times of a few rows."""
        column = self._node.time_column
        if batch.plain is None or None in batch.plain.columns[column]:
            return refuse_null_time(batch.rows, column)
        us = numbers_of(batch, column, np.int64)
        assert us is not None
        return us // 1000

    def _fire(self, watermark: int) -> Batch | None:
        hot = None if self._groups is None else self._groups.hot
        if hot is None or self._next is None or watermark < self._next - 1:
            return super()._fire(watermark)
        assert self._row_way is not None
        assert self._groups is not None
        fired = self._row_way.fire(min(watermark, FAR) + 1, self._groups, hot)
        self._next = min((key[0] for key in hot.rows), default=None)
        return fired

    def _windowed(self, batch: Batch) -> tuple[pa.Table, str]:
        """Rows that are not late, and the text that gives a row once per window."""
        times = refuse_null_time(batch.rows, self._node.time_column)
        first, last = self._grid.ends(times)
        gaps = int(np.count_nonzero(first > last))  # rows between two windows
        if batch.watermarks is not None:
            first = self._grid.not_fired(first, batch.watermarks)
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        if any(c.ordered for c in self._calls):
            rows = rows.append_column("$row", pa.array(np.arange(len(times))))
        if self._grid.single:
            rows = rows.append_column(END, pa.array(first))
            return self._on_time(rows, first, last, gaps), "b"
        rows = rows.append_column("$first", pa.array(first)).append_column("$last", pa.array(last))
        series = f'unnest(generate_series("$first", "$last", {self._grid.step}))'
        return self._on_time(
            rows, first, last, gaps
        ), f"(SELECT *, {series} AS {quote(END)} FROM b)"

    def _on_time(self, rows: pa.Table, first: Int64s, last: Int64s, gaps: int) -> pa.Table:
        late = self._count(first, last, gaps)
        return rows.filter(pa.array(~late)) if late.any() else rows

    def _count(self, first: Int64s, last: Int64s, gaps: int) -> npt.NDArray[np.bool_]:
        """Count the late rows, and see to ``_next``; (n,) which rows count for no window."""
        late: npt.NDArray[np.bool_] = first > last
        count = int(np.count_nonzero(late))
        if count:
            self.context.figures.late += count - gaps
            first = first[~late]
        if len(first):
            earliest = int(first.min())
            self._next = earliest if self._next is None else min(self._next, earliest)
        return late

    def _take_distinct(self, c: AggregateColumns, rows: pa.Table, source: str) -> None:
        """Values seen for the first time in their group are remembered and counted."""
        db, keys = self.context.db, ", ".join(listed(self._keys))
        arg = c.call.args[0].text
        condition = f"({arg}) IS NOT NULL" + (f" AND ({c.call.filter})" if c.call.filter else "")
        order = ', min("$row") AS "$row"' if c.ordered else ""
        seen = (
            f'SELECT {keys}, ({arg}) AS "$v"{order} FROM {source} WHERE {condition} '
            f"GROUP BY {keys}, ({arg})"
        )
        pairs = " AND ".join(
            [f"f.{quote(k.name)} IS NOT DISTINCT FROM v.{quote(k.name)}" for k in self._keys]
        )
        new = (
            f"SELECT * FROM ({seen}) f WHERE NOT EXISTS (SELECT 1 FROM {self._values(c)} v "
            f'WHERE {pairs} AND v."$v" = f."$v")'
        )
        fresh = db.query(new, b=rows)
        if not fresh.num_rows:
            return
        db.run(f'INSERT INTO {self._values(c)} SELECT {keys}, "$v" FROM f', f=fresh)
        accs = ", ".join([keys, *c.batch(['"$v"'], None)])
        partial = f"SELECT {accs} FROM f GROUP BY {keys}"
        updates = c.merged("s", "p")
        db.run(merge_statement(self._open, self._keys, c.columns(), updates, partial), f=fresh)

    def _start(self) -> str:
        return self._grid.start_text(quote(END))

    def _tables(self) -> list[str]:
        return [self._open, *(self._values(c) for c in self._distinct())]
