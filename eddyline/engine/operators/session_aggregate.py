"""SESSION aggregation: windows that grow and merge while rows of a key are close.

State is one row per session. Within a micro-batch rows and live sessions of a key, ordered by
time, fall into islands: whatever touches is one session. That is right as long as no session
fired between the arrival of two rows of its island; a key for which it may have (its rows came
late, behind the watermark) is followed row by row instead, so that results never depend on how
rows were cut into batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.accumulate import listed, matching
from eddyline.engine.operators.closing import ClosingAggregate
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.operators.session_walk import Item, walk
from eddyline.engine.operators.windows import END, refuse_null_time
from eddyline.errors import EddylineError
from eddyline.record.batch import MIN_WATERMARK, Batch
from eddyline.record.types import quote
from eddyline.sql import physical as plan

START = "$start"
_S, _E = quote(START), quote(END)


class SessionAggregate(ClosingAggregate):
    """Grouping by sessions within keys."""

    word, table = "session", "sessions"

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.WindowAggregate
    ) -> None:
        super().__init__(context, inputs, node)
        self._gap = node.window.size_ms
        if any(c.distinct for c in self._calls):
            hint = "count in an inner query: SELECT DISTINCT first, then aggregate"
            msg = "DISTINCT aggregates over SESSION windows are not supported yet"
            raise EddylineError("sql_unsupported", msg, hint=hint)
        self._accumulators = [n for c in self._calls for n in c.columns()]

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._by]
        columns += [f"{_S} BIGINT", f"{_E} BIGINT"]
        columns += [d for c in self._calls for d in c.definitions()]
        self.context.db.run(f"CREATE TABLE {self._open} ({', '.join(columns)})")

    def _take(self, batch: Batch) -> None:
        times = refuse_null_time(batch.rows, self._node.time_column)
        marks = batch.watermarks
        if marks is None:
            marks = np.full(len(times), MIN_WATERMARK)
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        rows = rows.append_column("$t", pa.array(times)).append_column("$wm", pa.array(marks))
        rows = rows.append_column("$row", pa.array(np.arange(len(times))))
        items = self._islands(rows)
        items = self._followed(items)
        self._merge(rows, items)
        self._next = self.context.db.one(f"SELECT min({_E}) FROM {self._open}")

    def _islands(self, rows: pa.Table) -> pa.Table:
        """Rows and live sessions of their keys, each with its island.

        Columns: keys, $s, $e, $r (-1 for a live session), $w, $i (island), $x (the island may
        hide a firing), $late.
        """
        lead = "".join(k + ", " for k in listed(self._by))
        part = f"PARTITION BY {lead[:-2]} " if lead else ""
        match = matching(self._by, "z", "b")
        items = (
            f'SELECT {lead}"$t" AS "$s", "$t" + {self._gap} AS "$e", "$row" AS "$r", "$wm" AS "$w" '
            f"FROM b UNION ALL SELECT {lead}{_S}, {_E}, -1, {MIN_WATERMARK + 1} "
            f"FROM {self._open} z WHERE EXISTS (SELECT 1 FROM b WHERE {match})"
        )
        over = f'OVER ({part}ORDER BY "$s", "$r"'
        before = f"{over} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        cut = (
            f'SELECT *, coalesce("$s" > max("$e") {before}, TRUE) AS "$cut", '
            f'lag("$r") {over}) AS "$pr", lag("$w") {over}) AS "$pw", greatest(lag("$e") {over}), '
            f'max(CASE WHEN "$r" < 0 THEN "$e" END) {before}) AS "$pe" FROM ({items})'
        )
        numbered = (
            f'SELECT *, sum("$cut"::INT) {over} ROWS UNBOUNDED PRECEDING)::BIGINT AS "$i", '
            'NOT "$cut" AND CASE WHEN "$r" > "$pr" THEN "$w" ELSE "$pw" END >= "$pe" - 1 '
            f'AS "$crossed" FROM ({cut})'
        )
        island = f'OVER (PARTITION BY {lead}"$i")'
        sql = (
            f'SELECT {lead}"$s", "$e", "$r", "$w", "$i", bool_or("$crossed") {island} AS "$x", '
            f'(count(*) {island} = 1 AND "$r" >= 0 AND "$w" >= "$e" - 1) AS "$late" '
            f"FROM ({numbered})"
        )
        return self.context.db.query(sql, b=rows)

    def _followed(self, items: pa.Table) -> pa.Table:
        """Keys in which a firing may lie between two rows: their islands row by row."""
        crossings = items["$x"].to_pylist()
        if not any(crossings):
            return items
        keys: list[tuple[Any, ...]] = [()] * items.num_rows
        if self._by:
            keys = list(zip(*(items[k.name].to_pylist() for k in self._by), strict=True))
        crossed = {k for k, x in zip(keys, crossings, strict=True) if x}
        island, late = items["$i"].to_pylist(), items["$late"].to_pylist()
        columns = [items[c].to_pylist() for c in ("$s", "$e", "$r", "$w")]
        for key in crossed:
            at = [n for n, k in enumerate(keys) if k == key]
            sessions = walk([Item(n, *(c[n] for c in columns)) for n in at])
            for n, number in sessions.items():
                island[n], late[n] = (-1, True) if number is None else (number, False)
        items = items.drop_columns(["$i", "$late"])
        items = items.append_column("$i", pa.array(island, pa.int64()))
        return items.append_column("$late", pa.array(late, pa.bool_()))

    def _merge(self, rows: pa.Table, items: pa.Table) -> None:
        """Rows into their islands, live sessions into the islands they touch."""
        self.context.figures.late += items["$late"].to_pylist().count(True)
        db, new = self.context.db, self.context.table("new")
        lead = "".join(k + ", " for k in listed(self._by))
        bounds = (
            f'SELECT {lead}"$i", min("$s") AS {_S}, max("$e") AS {_E} FROM items '
            f'WHERE NOT "$late" GROUP BY {lead}"$i" HAVING max("$r") >= 0'
        )
        match = matching(self._by, "k", "j")
        placed = (
            f'SELECT j."$r", j."$i", k.{_S}, k.{_E} FROM items j JOIN ({bounds}) k '
            f'ON k."$i" = j."$i" AND {match} WHERE j."$r" >= 0 AND NOT j."$late"'
        )
        selected = ['k."$i"', f"k.{_S}", f"k.{_E}", *listed(self._by, "b")]
        for c in self._calls:
            selected += c.batch([a.text for a in c.call.args], c.call.filter)
        db.run(
            f"CREATE OR REPLACE TEMP TABLE {new} AS SELECT {', '.join(selected)} "
            f'FROM b JOIN ({placed}) k ON k."$r" = b."$row" GROUP BY ALL',
            b=rows,
            items=items,
        )
        self._take_in(new, items)

    def _take_in(self, new: str, items: pa.Table) -> None:
        """Live sessions whose island got rows give their accumulators to it."""
        db, old = self.context.db, self.context.table("old")
        part = ", ".join([*listed(self._by, "i"), 'i."$i"'])
        match, same = matching(self._by, "z", "i"), matching(self._by, "n", "i")
        db.run(
            f'CREATE OR REPLACE TEMP TABLE {old} AS SELECT z.*, i."$i", '
            f'row_number() OVER (PARTITION BY {part} ORDER BY z.{_S} DESC) AS "$nth" '
            f'FROM {self._open} z JOIN items i ON i."$r" < 0 AND i."$s" = z.{_S} '
            f'AND i."$e" = z.{_E} AND {match} '
            f'WHERE EXISTS (SELECT 1 FROM {new} n WHERE n."$i" = i."$i" AND {same})',
            items=items,
        )
        deepest = db.one(f'SELECT max("$nth") FROM {old}') or 0
        sets = {k: v for c in self._calls for k, v in c.merged("o", "n").items()}
        assigned = ", ".join(f"{c} = {text}" for c, text in sets.items())
        same = matching(self._by, "n", "o")
        for nth in range(1, deepest + 1 if assigned else 1):
            db.run(
                f"UPDATE {new} AS n SET {assigned} FROM {old} o "
                f'WHERE o."$nth" = {nth} AND o."$i" = n."$i" AND {same}'
            )
        gone = matching(self._by, "z", "o")
        db.run(
            f"DELETE FROM {self._open} AS z USING {old} o "
            f"WHERE o.{_S} = z.{_S} AND o.{_E} = z.{_E} AND {gone}"
        )
        columns = ", ".join([*listed(self._by), _S, _E, *self._accumulators])
        db.run(f"INSERT INTO {self._open} ({columns}) SELECT {columns} FROM {new}")

    def _start(self) -> str:
        return _S

    def _order(self) -> list[str]:
        return [*super()._order(), _S]
