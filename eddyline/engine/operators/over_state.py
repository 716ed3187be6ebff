"""What an OVER aggregation by time remembers of the rows that it has given.

``take`` is given a table of rows that come next in time (``$t``) and arrival (``$seq``), and
gives them with their calls, in that order.
"""

from __future__ import annotations

import re

import pyarrow as pa

from eddyline.engine.operators.accumulate import (
    AggregateColumns,
    KeyColumn,
    listed,
    matching,
    merge_statement,
)
from eddyline.engine.operators.late_rows import SEQ, T
from eddyline.engine.operators.operator import OperatorContext
from eddyline.engine.operators.over_text import (
    NEIGHBOURS,
    NUMBERS,
    FrameWindow,
    finish,
    frame_text,
    result,
    split,
)
from eddyline.engine.operators.retention import AT, KeptTable, Retention, kept
from eddyline.record.schema import Schema
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical import Aggregate
from eddyline.sql.physical_ordered import Over

N, ROWS, PEERS = quote("$n"), quote("$rows"), quote("$peers")
NEW = quote("$new")


class OverState:
    """Base: the window's keys and calls."""

    def __init__(
        self,
        context: OperatorContext,
        node: Over,
        below: Schema,
        keys: list[KeyColumn],
        *,
        by_arrival: bool,
    ) -> None:
        self._db = context.db
        self._context = context
        self._node = node
        self._below = below
        self._keys = keys
        self._columns = [quote(n) for n in below.names]
        self._aggregates, self._others = split(node.calls)
        names = ", ".join(listed(keys))
        self._partition = f"PARTITION BY {names}" if names else ""
        # By arrival no two rows are peers: each is given before the next one comes.
        self._order = SEQ if by_arrival and node.frame.is_running else T
        self._frame = node.frame
        # A frame of time forgets by itself.
        self.retention = Retention(context, (), 0)

    def create(self) -> None:
        """Make the tables."""
        raise NotImplementedError

    def take(self, due: str) -> pa.Table:
        """Rows of table ``due`` with their calls."""
        raise NotImplementedError

    def trim(self, given: str | None) -> None:
        """Forget what no frame can reach; ``given``: the table of each key's newest time."""

    def _shown(self, alias: str) -> list[str]:
        return [f"{alias}.{c}" for c in self._columns]


class RunningState(OverState):
    """From the first row of the key to the current one: one row of accumulators per key.

    LAG also needs the last rows of each key; DISTINCT the values that have been seen.
    """

    def __init__(
        self,
        context: OperatorContext,
        node: Over,
        below: Schema,
        keys: list[KeyColumn],
        *,
        by_arrival: bool,
    ) -> None:
        super().__init__(context, node, below, keys, by_arrival=by_arrival)
        self._table = context.table("accumulators")
        self._last = context.table("last")
        distances = [_distance(c) for _, c in self._others if c.function in NEIGHBOURS]
        self._distance = max(distances, default=0)
        self._distinct = [c for c in self._aggregates if c.distinct]
        behind = [self._last] if self._distance else []
        behind += [self._values(c) for c in self._distinct]
        followers = (KeptTable(name, tuple(keys), self._table) for name in behind)
        self.retention = Retention(context, (*kept(self._table), *followers))

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._keys]
        columns += [f"{ROWS} BIGINT"]
        columns += [d for c in self._aggregates for d in c.definitions()]
        definition = ", ".join(columns) + self.retention.definition
        self._db.run(f"CREATE TABLE {self._table} ({definition})")
        if self._distance:
            own = self._below.duckdb_columns()
            self._db.run(f"CREATE TABLE {self._last} ({own}, {T} BIGINT, {SEQ} BIGINT)")
        for c in self._distinct:
            keys = "".join(f"{quote(k.name)} {k.type}, " for k in self._keys)
            value = duckdb_type(c.call.args[0].type)
            self._db.run(f'CREATE TABLE {self._values(c)} ({keys}"$v" {value})')

    def take(self, due: str) -> pa.Table:
        rows = self._context.table("numbered")
        self._db.run(
            f"CREATE OR REPLACE TEMP TABLE {rows} AS SELECT *, "
            f"row_number() OVER (ORDER BY {self._order}, {SEQ}) AS {N}{self._flags()} "
            f'FROM {due} "$due"'
        )
        every = f"{T}, {SEQ}"
        window = FrameWindow(self._partition, self._order, every, N, frame_text(self._frame))
        added = [text for c in self._aggregates for text in self._accumulators(c, window)]
        peers = f"OVER ({self._partition} ORDER BY {self._order} RANGE UNBOUNDED PRECEDING)"
        added.append(f"row_number() OVER ({self._partition} ORDER BY {N}) AS {ROWS}")
        added.append(f"count(*) {peers} AS {PEERS}")
        within = f"SELECT *, {', '.join(added)} FROM {rows}"
        merged = self._merged_columns()
        match = matching(self._keys, "s", "w")
        sql = (
            f"SELECT {', '.join([*self._shown('w'), f'w.{N}', *merged])} "
            f"FROM ({within}) w LEFT JOIN {self._table} s ON {match}"
        )
        whole = self._context.table("whole")
        self._db.run(f"CREATE OR REPLACE TEMP TABLE {whole} AS {sql}")
        self._remember(whole, rows)
        shown = self._shown("m")
        shown += [finish(c, "m") for c in self._aggregates]
        shown += [self._other(c) for _, c in self._others if c.function in NUMBERS]
        lags = [c for _, c in self._others if c.function in NEIGHBOURS]
        source = f"{whole} m"
        if lags:
            columns = ", ".join(f"z.{quote(c.name)}" for c in lags)
            joined = f"{whole} m JOIN ({self._lagged(rows, lags)}) z ON z.{N} = m.{N}"
            source = f"(SELECT m.*, {columns} FROM {joined}) m"
            shown += [f"m.{quote(c.name)}" for c in lags]
        out = self._db.query(f"SELECT {', '.join([*shown, N])} FROM {source} ORDER BY {N}")
        if lags:
            self._keep_last(rows)
        return out.select(list(self._node.schema.names))

    def _flags(self) -> str:
        """A column for each DISTINCT: whether the row brings a value for the first time."""
        texts = []
        for c in self._distinct:
            value = f"({c.call.args[0].text})"
            condition = f"{value} IS NOT NULL"
            condition += f" AND ({c.call.filter})" if c.call.filter else ""
            # No column of the user can be meant by these aliases.
            match = matching(self._keys, '"$known"', '"$due"')
            known = (
                f'SELECT 1 FROM {self._values(c)} "$known" WHERE {match} '
                f'AND "$known"."$v" = {value}'
            )
            part = ", ".join([*listed(self._keys), value, f"({condition})"])
            first = f"row_number() OVER (PARTITION BY {part} ORDER BY {self._order}, {SEQ}) = 1"
            new = f"coalesce({condition} AND NOT EXISTS ({known}), FALSE)"
            texts.append(f", {new} AND {first} AS {self._flag(c)}")
        return "".join(texts)

    def _flag(self, c: AggregateColumns) -> str:
        return quote(f"$first{c.index}")

    def _values(self, c: AggregateColumns) -> str:
        return self._context.table(f"values{c.index}")

    def _accumulators(self, c: AggregateColumns, window: FrameWindow) -> list[str]:
        if not c.distinct:
            return window.accumulators(c)
        condition = f" FILTER (WHERE {self._flag(c)})"
        over = f" OVER ({window.partition} ORDER BY {window.order} {window.frame})"
        args = [a.text for a in c.call.args]
        return [
            a.batch.format(*args, filter=condition + over, order=window.number)
            + f" AS {c.column(a.name)}"
            for a in c.compiled.accumulators
        ]

    def _merged_columns(self) -> list[str]:
        merged = [f"{text} AS {name}" for c in self._aggregates
                  for name, text in c.merged("s", "w").items()]  # fmt: skip
        merged.append(f"coalesce(s.{ROWS}, 0) + w.{ROWS} AS {ROWS}")
        merged.append(f"coalesce(s.{ROWS}, 0) + w.{PEERS} AS {PEERS}")
        return merged

    def _other(self, c: Aggregate) -> str:
        # By time Flink takes all peers in before it ranks them: RANK and DENSE_RANK are the number
        # of rows up to the last peer.
        return result(c, f"m.{ROWS if c.function == 'ROW_NUMBER' else PEERS}")

    def _remember(self, whole: str, rows: str) -> None:
        """The accumulators after the last row of each key."""
        columns = [ROWS, *(n for c in self._aggregates for n in c.columns())]
        last = f"QUALIFY row_number() OVER ({self._partition} ORDER BY {N} DESC) = 1"
        names = ", ".join([*listed(self._keys), *columns])
        # In a RANGE frame the last row of a key has all of its peers.
        source = f"SELECT {names} FROM {whole} {last}"
        if self.retention.on:
            columns.append(AT)
            source = f"SELECT *{self.retention.value} AS {AT} FROM ({source})"
        sets = {c: f"p.{c}" for c in columns}
        self._db.run(merge_statement(self._table, self._keys, columns, sets, source))
        for c in self._distinct:
            keys = "".join(f"{k}, " for k in listed(self._keys))
            self._db.run(
                f"INSERT INTO {self._values(c)} SELECT {keys}({c.call.args[0].text}) FROM {rows} "
                f"WHERE {self._flag(c)}"
            )

    def _lagged(self, rows: str, lags: list[Aggregate]) -> str:
        """LAG looks back from the last of a row's peers."""
        columns = ", ".join([*self._columns, T, SEQ])
        both = (
            f"SELECT {columns}, 0 AS {N} FROM {self._last} "
            f"UNION ALL SELECT {columns}, {N} FROM {rows}"
        )
        window = FrameWindow(self._partition, self._order, f"{T}, {SEQ}", N, "")
        values = [f"{window.other(c)} AS {quote(c.name)}" for c in lags]
        peers = ", ".join([*listed(self._keys), self._order])
        over = f"OVER (PARTITION BY {peers} ORDER BY {SEQ} ROWS BETWEEN UNBOUNDED PRECEDING "
        over += "AND UNBOUNDED FOLLOWING)"
        ends = [f"last_value({quote(c.name)}) {over} AS {quote(c.name)}" for c in lags]
        inner = f"SELECT *, {', '.join(values)} FROM ({both})"
        return f"SELECT {N}, {', '.join(ends)} FROM ({inner}) QUALIFY {N} > 0"

    def _keep_last(self, rows: str) -> None:
        columns = ", ".join([*self._columns, T, SEQ])
        self._db.run(f"INSERT INTO {self._last} SELECT {columns} FROM {rows}")
        part = f"{self._partition} ORDER BY {T} DESC, {SEQ} DESC"
        self._db.run(
            f"DELETE FROM {self._last} WHERE {SEQ} IN (SELECT {SEQ} FROM {self._last} "
            f"QUALIFY row_number() OVER ({part}) > {self._distance})"
        )


def _distance(c: Aggregate) -> int:
    """How many rows a LAG looks back, a constant."""
    number = re.search(r"\d+", c.args[1].text)
    return int(number[0]) if number else 1


class KeptRows(OverState):
    """Frames with a beginning: the rows of each key as far as a frame can reach back."""

    def __init__(
        self,
        context: OperatorContext,
        node: Over,
        below: Schema,
        keys: list[KeyColumn],
        *,
        by_arrival: bool,
    ) -> None:
        super().__init__(context, node, below, keys, by_arrival=by_arrival)
        self._table = context.table("kept")
        self._reach = -(node.frame.start or 0)
        if self._frame.rows:
            self.retention = Retention(context, (KeptTable(self._table, tuple(keys)),))

    def create(self) -> None:
        columns = f"{self._below.duckdb_columns()}, {T} BIGINT, {SEQ} BIGINT"
        self._db.run(f"CREATE TABLE {self._table} ({columns}{self.retention.definition})")

    def take(self, due: str) -> pa.Table:
        every = f"{T}, {SEQ}"
        columns = ", ".join([*self._columns, T, SEQ])
        keys = listed(self._keys)
        match = matching(self._keys, "k", "d")
        kept = f"SELECT {columns}, FALSE AS {NEW} FROM {self._table} k"
        if keys:
            kept += f" WHERE EXISTS (SELECT 1 FROM {due} d WHERE {match})"
        both = f"{kept} UNION ALL SELECT {columns}, TRUE FROM {due}"
        numbered = f"SELECT *, row_number() OVER (ORDER BY {every}) AS {N} FROM ({both})"
        order = every if self._frame.rows else T
        window = FrameWindow(self._partition, order, every, N, frame_text(self._frame))
        texts = [text for c in self._aggregates for text in window.accumulators(c)]
        whole = f"SELECT *{''.join(', ' + t for t in texts)} FROM ({numbered})"
        shown = self._shown("m")
        shown += [finish(c, "m") for c in self._aggregates]
        out = self._db.query(f"SELECT {', '.join(shown)} FROM ({whole}) m WHERE {NEW} ORDER BY {N}")
        now = self.retention.value
        self._db.run(f"INSERT INTO {self._table} SELECT {columns}{now} FROM {due}")
        return out.select(list(self._node.schema.names))

    def trim(self, given: str | None) -> None:
        if self._frame.rows:
            part = f"{self._partition} ORDER BY {T} DESC, {SEQ} DESC"
            self._db.run(
                f"DELETE FROM {self._table} WHERE {SEQ} IN (SELECT {SEQ} FROM {self._table} "
                f"QUALIFY row_number() OVER ({part}) > {self._reach})"
            )
            return
        if given is None:
            newest = f"(SELECT max({T}) FROM {self._table})"
            self._db.run(f"DELETE FROM {self._table} WHERE {T} < {newest} - {self._reach}")
            return
        match = matching(self._keys, "k", "g")
        self._db.run(
            f"DELETE FROM {self._table} AS k WHERE NOT EXISTS (SELECT 1 FROM {given} g "
            f"WHERE {match} AND k.{T} >= g.{T} - {self._reach})"
        )
