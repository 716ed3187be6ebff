"""MATCH_RECOGNIZE: rows wait until the watermark passes them, then go through automata, one per
partition.

Conditions on a row alone are computed for a whole batch in the kernel; only those that look back
at the match are evaluated row by row. Attempts and the rows that they hold are kept in tables, of
which a batch rewrites what its partitions changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.operators.match_automaton import (
    Attempt,
    Automaton,
    MatchedRow,
    MatchRow,
    Partition,
)
from eddyline.engine.operators.match_values import ValueReader
from eddyline.engine.operators.operator import (
    Operator,
    OperatorContext,
    Step,
    millis,
    typed,
    with_columns,
)
from eddyline.engine.operators.windows import refuse_changes, refuse_null_time, stamp
from eddyline.engine.row_expression import NotANumberError, compiled
from eddyline.record.batch import MAX_WATERMARK, Batch
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical_matching import Match as MatchNode

KEY, TIME, SEQ = quote("$key"), quote("$t"), quote("$seq")


class Match(Operator):
    """Gives each match as the row that completes it is passed by the watermark."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: MatchNode
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        below = inputs[0].schema
        self._below = below
        self._names = below.names
        self._columns = ", ".join(quote(n) for n in self._names)
        self._pending = context.table("pending")
        self._held = context.table("rows")
        self._states = context.table("attempts")
        self._reader = ValueReader(
            node.steps, node.collected, {n: i for i, n in enumerate(self._names)}
        )
        self._alone = {
            i: place
            for place, i in enumerate(
                i for i, s in enumerate(node.steps) if s.alone and s.condition is not None
            )
        }
        self._compiled = [
            None if s.condition is None or s.alone else compiled(s.condition) for s in node.steps
        ]
        self._automaton = Automaton(
            node.steps, self._fits, node.skip, node.skip_variable, node.within_ms
        )
        self._partitions: dict[str, Partition] = {}
        self._stored: dict[str, set[int]] = {}
        self._seen = 0  # rows that arrived
        self._looked = 0  # rows that went through the automata
        self._next: int | None = None

    def create(self) -> None:
        columns = self._below.duckdb_columns()
        hidden = f"{KEY} VARCHAR, {TIME} BIGINT, {SEQ} BIGINT"
        self.context.db.run(f"CREATE TABLE {self._pending} ({columns}, {hidden})")
        self.context.db.run(f"CREATE TABLE {self._held} ({columns}, {hidden})")
        self.context.db.run(f'CREATE TABLE {self._states} ({KEY} VARCHAR, "$state" VARCHAR)')

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "MATCH_RECOGNIZE")
            self._take(batch)
        rows = self._due(watermark)
        matches = [] if rows is None else self._run(rows)
        if watermark == MAX_WATERMARK:
            for partition in self._partitions.values():
                matches += partition.pass_time(MAX_WATERMARK)
        return Step(self._output(matches), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._next is not None and inputs[0] >= self._next

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen, "looked": self._looked, "next": self._next}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen, self._looked = saved["seen"], saved["looked"]
        self._next = saved["next"]
        db = self.context.db
        held = db.query(f"SELECT * FROM {self._held}")
        rows = {r.place: r for r in self._rows_of(held)}
        states = db.query(f"SELECT * FROM {self._states}")
        for key, text in zip(*(c.to_pylist() for c in states.columns), strict=True):
            self._partitions[key] = self._decoded(json.loads(text), rows)
            self._stored[key] = set(self._live(self._partitions[key]))

    def why_silent(self) -> list[str]:
        if self._next is None:
            return []
        return [f"the next row is looked at when the watermark reaches {stamp(self._next)}"]

    # rows in

    def _take(self, batch: Batch) -> None:
        """Put rows aside until they are due; those behind the watermark are late."""
        n = batch.num_rows
        time = self._node.order[0].column
        rows = batch.rows.select(list(self._names))
        if self._node.event_time:
            times = refuse_null_time(batch.rows, time)
            if batch.watermarks is not None:
                late = times <= batch.watermarks
                if late.any():
                    self.context.figures.late += int(np.count_nonzero(late))
                    rows, times = rows.filter(pa.array(~late)), times[~late]
        else:
            times = millis(rows[time])
        places = np.arange(self._seen, self._seen + len(times))
        self._seen += n
        if not len(times):
            return
        rows = with_columns(rows, t=times, seq=places)
        keys = ", ".join(f"{quote(k)} := {quote(k)}" for k in self._node.partition_by)
        key = f"to_json(struct_pack({keys}))::VARCHAR" if keys else "''"
        self.context.db.run(
            f"INSERT INTO {self._pending} SELECT {self._columns}, {key}, {TIME}, {SEQ} FROM rows",
            rows=rows,
        )
        self._next = self.context.db.one(f"SELECT min({TIME}) FROM {self._pending}")

    def _due(self, watermark: int) -> pa.Table | None:
        """The rows that the watermark has passed, in order, with the conditions on them alone."""
        if self._next is None or (self._node.event_time and watermark < self._next):
            return None
        db = self.context.db
        bound = f"{TIME} <= {min(watermark, 2**62)}" if self._node.event_time else "TRUE"
        alone = "".join(
            f', coalesce({self._node.conditions[i]}, FALSE) AS "$fits{place}"'
            for i, place in self._alone.items()
        )
        keys = [k.text() for k in self._node.order] if self._node.event_time else []
        order = ", ".join([*keys, SEQ])
        rows = db.query(f"SELECT *{alone} FROM {self._pending} WHERE {bound} ORDER BY {order}")
        db.run(f"DELETE FROM {self._pending} WHERE {bound}")
        self._next = db.one(f"SELECT min({TIME}) FROM {self._pending}")
        # From here on a row's place is that in the order of time.
        places = np.arange(self._looked, self._looked + rows.num_rows)
        self._looked += rows.num_rows
        at = rows.column_names.index("$seq")
        return rows.set_column(at, "$seq", pa.array(places, pa.int64()))

    def _rows_of(self, rows: pa.Table) -> Iterable[MatchRow]:
        values = zip(*(rows[n].to_pylist() for n in self._names), strict=True)
        places, times = rows["$seq"].to_pylist(), rows["$t"].to_pylist()
        for place, ms, of_row in zip(places, times, values, strict=True):
            yield MatchRow(place, ms, of_row)

    # through the automata

    def _run(self, rows: pa.Table) -> list[Attempt]:
        matches: list[Attempt] = []
        keys = rows["$key"].to_pylist()
        flags = [rows[f"$fits{p}"].to_pylist() for p in range(len(self._alone))]
        arrived: dict[int, int] = {}
        for at, (key, row) in enumerate(zip(keys, self._rows_of(rows), strict=True)):
            self._flags = {i: flags[p][at] for i, p in self._alone.items()}
            arrived[row.place] = at
            partition = self._partitions.get(key)
            if partition is None:
                partition = self._partitions[key] = Partition(self._automaton)
            matches += partition.take(row)
        self._keep(set(keys), rows, arrived)
        return matches

    def _fits(self, step: int, row: MatchRow, before: MatchedRow | None) -> bool:
        s = self._node.steps[step]
        if s.condition is None:
            return True
        if s.alone:
            return bool(self._flags[step])
        values = self._reader.condition_values(step, row, before)
        function = self._compiled[step]
        if function is not None:
            try:
                return function(values) is True
            except NotANumberError:
                pass
        return self._evaluated(step, values)

    def _evaluated(self, step: int, values: dict[str, Any]) -> bool:
        """A condition that only the kernel can evaluate."""
        types = {c.name: c.type for c in self._below}
        types |= {c.name: c.type for c in self._node.steps[step].collected}
        source = ", ".join(f"?::{duckdb_type(types[n])} AS {quote(n)}" for n in values)
        text = f"SELECT coalesce({self._node.conditions[step]}, FALSE) FROM (SELECT {source})"
        return bool(self.context.db.one(text, list(values.values())))

    # matches out

    def _output(self, matches: list[Attempt]) -> Batch | None:
        if not matches:
            return None
        keys = [self._names.index(k) for k in self._node.partition_by]
        given = [
            [m.last.row.values[k] for k in keys] + self._reader.measures(m.last) for m in matches
        ]
        columns = [
            pa.array([row[i] for row in given], type=f.type)
            for i, f in enumerate(self.schema.arrow())
        ]
        rows = pa.Table.from_arrays(columns, schema=self.schema.arrow())
        return Batch(typed(rows, self.schema))

    # state

    def _keep(self, keys: set[str], rows: pa.Table, arrived: dict[int, int]) -> None:
        """Write what the partitions of ``keys`` hold now, and forget what they have let go."""
        db = self.context.db
        fresh: list[int] = []
        gone: list[int] = []
        states: list[tuple[str, str]] = []
        for key in keys:
            partition = self._partitions[key]
            live = set(self._live(partition))
            stored = self._stored.get(key, set())
            fresh += [arrived[place] for place in live - stored]
            gone += stored - live
            self._stored[key] = live
            if partition.is_empty:
                del self._partitions[key], self._stored[key]
            else:
                states.append((key, json.dumps(_encoded(partition))))
        touched = pa.table({"k": sorted(keys)})
        db.run(
            f"DELETE FROM {self._states} WHERE {KEY} IN (SELECT k FROM touched)", touched=touched
        )
        if states:
            table = pa.table({"k": [k for k, _ in states], "s": [s for _, s in states]})
            db.run(f"INSERT INTO {self._states} SELECT k, s FROM states", states=table)
        if gone:
            table = pa.table({"place": pa.array(gone, pa.int64())})
            db.run(f"DELETE FROM {self._held} WHERE {SEQ} IN (SELECT place FROM gone)", gone=table)
        if fresh:
            held = rows.take(pa.array(fresh, pa.int64()))
            columns = f"{self._columns}, {KEY}, {TIME}, {SEQ}"
            db.run(f"INSERT INTO {self._held} SELECT {columns} FROM held", held=held)

    def _live(self, partition: Partition) -> Iterable[int]:
        """Places of the rows that a partition's attempts hold."""
        return {t.row.place for t in _chain(partition).values()}

    def _decoded(self, data: dict[str, Any], rows: dict[int, MatchRow]) -> Partition:
        taken: list[MatchedRow] = []
        for step, place, before in data["taken"]:
            taken.append(MatchedRow(step, rows[place], None if before is None else taken[before]))

        def attempts(entries: list[list[int]]) -> list[Attempt]:
            return [Attempt(s, n, rows[start], taken[last]) for s, n, start, last in entries]

        return Partition(self._automaton, attempts(data["attempts"]), attempts(data["complete"]))


def _chain(partition: Partition) -> dict[int, MatchedRow]:
    """All taken rows of a partition by identity, each after the one before it."""
    chain: dict[int, MatchedRow] = {}
    for attempt in (*partition.attempts, *partition.complete):
        fresh: list[MatchedRow] = []
        taken: MatchedRow | None = attempt.last
        while taken is not None and id(taken) not in chain:
            fresh.append(taken)
            taken = taken.before
        chain |= {id(t): t for t in reversed(fresh)}
    return chain


def _encoded(partition: Partition) -> dict[str, Any]:
    """The attempts as JSON values; ``taken`` is a list in which each row names the one before."""
    chain = _chain(partition)
    index = {key: i for i, key in enumerate(chain)}
    taken = [
        [t.step, t.row.place, None if t.before is None else index[id(t.before)]]
        for t in chain.values()
    ]

    def attempts(entries: list[Attempt]) -> list[list[int]]:
        return [[a.step, a.count, a.start.place, index[id(a.last)]] for a in entries]

    return {
        "taken": taken,
        "attempts": attempts(partition.attempts),
        "complete": attempts(partition.complete),
    }
