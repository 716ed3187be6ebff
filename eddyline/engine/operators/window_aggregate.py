"""TUMBLE, HOP and CUMULATE aggregation: each window's groups once, when the watermark closes it.

State is one row a (window end, group). Rows are judged one by one against the watermark that was
in force before them: a row counts for every window of its time that had not fired by then, so
that results do not depend on how rows were cut into batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import (
    AggregateColumns,
    KeyColumn,
    compile_all,
    group_by,
    listed,
    merge_statement,
)
from eddyline.engine.operators.operator import Context, Int64s, Operator, Step, typed
from eddyline.engine.operators.windows import (
    END,
    WindowGrid,
    refuse_changes,
    refuse_null_time,
    stamp,
)
from eddyline.record.batch import Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan

_FAR = 2**62


class WindowAggregate(Operator):
    """Grouping by aligned windows and keys."""

    def __init__(
        self, context: Context, inputs: tuple[Operator, ...], node: plan.WindowAggregate
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._grid = WindowGrid(node.window)
        below = inputs[0].schema
        self._keys = [
            KeyColumn(END, "BIGINT"),
            *(KeyColumn(k, duckdb_type(below[k])) for k in node.keys),
        ]
        self._calls = compile_all(node.aggregates)
        self._groups = context.table("groups")
        self._next: int | None = None
        self._fired = -_FAR

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._keys]
        columns += [d for c in self._calls for d in c.definitions()]
        self.context.db.run(f"CREATE TABLE {self._groups} ({', '.join(columns)})")
        for c in self._distinct():
            keys = ", ".join(f"{quote(k.name)} {k.type}" for k in self._keys)
            value = duckdb_type(c.call.args[0].type)
            self.context.db.run(f'CREATE TABLE {self._values(c)} ({keys}, "$v" {value})')

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "a window aggregation")
            self._take(batch)
        return Step(self._fire(watermark), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._next is not None and inputs[0] >= self._next - 1

    def save(self) -> dict[str, Any]:
        return {"next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._next = saved["next"]

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next window closes when the watermark reaches {stamp(self._next - 1)}"]

    def _distinct(self) -> list[AggregateColumns]:
        return [c for c in self._calls if c.distinct]

    def _values(self, c: AggregateColumns) -> str:
        return self.context.table(f"values{c.index}")

    def _take(self, batch: Batch) -> None:
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
        sql = merge_statement(self._groups, self._keys, columns, updates, partial)
        self.context.db.run(sql, b=rows)
        for c in self._distinct():
            self._take_distinct(c, rows, source)

    def _windowed(self, batch: Batch) -> tuple[pa.Table, str]:
        """Rows that are not late, and the text that gives a row once per window."""
        times = refuse_null_time(batch.rows, self._node.time_column)
        first, last = self._grid.ends(times)
        if batch.watermarks is not None:
            first = self._grid.not_fired(first, batch.watermarks)
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        if any(c.ordered for c in self._calls):
            rows = rows.append_column("$row", pa.array(np.arange(len(times))))
        if self._grid.single:
            rows = rows.append_column(END, pa.array(first))
            return self._on_time(rows, first, last), "b"
        rows = rows.append_column("$first", pa.array(first)).append_column("$last", pa.array(last))
        series = f'unnest(generate_series("$first", "$last", {self._grid.step}))'
        return self._on_time(rows, first, last), f"(SELECT *, {series} AS {quote(END)} FROM b)"

    def _on_time(self, rows: pa.Table, first: Int64s, last: Int64s) -> pa.Table:
        late = first > last
        count = int(np.count_nonzero(late))
        if count:
            self.context.figures.late += count
            rows, first = rows.filter(pa.array(~late)), first[~late]
        if len(first):
            earliest = int(first.min())
            self._next = earliest if self._next is None else min(self._next, earliest)
        return rows

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
        db.run(merge_statement(self._groups, self._keys, c.columns(), updates, partial), f=fresh)

    def _fire(self, watermark: int) -> Batch | None:
        """Windows whose end - 1 the watermark has reached: given once, in order of their end."""
        if self._next is None or watermark < self._next - 1:
            return None
        bound, db = min(watermark, _FAR) + 1, self.context.db
        end = quote(END)
        start = self._grid.start_text(end)
        names = [quote(n) for n in self._node.names]
        columns = listed(self._keys[1:], "s")
        columns += [f"{c.finish('s')} AS {quote(c.call.name)}" for c in self._calls]
        columns += [
            f"make_timestamp(({start}) * 1000) AS {names[0]}",
            f"make_timestamp({end} * 1000) AS {names[1]}",
            f"make_timestamp({end} * 1000 - 1000) AS {names[2]}",
        ]
        order = ", ".join(listed(self._keys, "s"))
        rows = db.query(
            f"SELECT {', '.join(columns)} FROM {self._groups} s WHERE {end} <= {bound} "
            f"ORDER BY {order}"
        )
        for table in [self._groups, *(self._values(c) for c in self._distinct())]:
            db.run(f"DELETE FROM {table} WHERE {end} <= {bound}")
        self._next = db.one(f"SELECT min({end}) FROM {self._groups}")
        return Batch(typed(rows.select(list(self.schema.names)), self.schema))
