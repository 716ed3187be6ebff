"""Unbounded grouping: a changelog of groups, net per micro-batch.

State is one row per group: how many rows it holds, and its accumulators. What a batch changes is
found by looking at the touched groups before and after. Where values must be remembered one by
one (DISTINCT, or an aggregate that cannot give a row back) they rest in tables beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.keyed.hot_rows import HotRows
from eddyline.engine.keyed.keyed_state import KeyedTable
from eddyline.engine.operators.accumulate import (
    AggregateColumns,
    KeyColumn,
    compile_all,
    group_by,
    listed,
    matching,
    merge_statement,
)
from eddyline.engine.operators.group_rows import ROWS_MAX, group_rows
from eddyline.engine.operators.operator import (
    KIND,
    Operator,
    OperatorContext,
    Step,
    split_hidden,
    with_columns,
)
from eddyline.engine.operators.retention import AT, RetainingOperator, Retention, kept
from eddyline.engine.operators.tracked_values import TrackedValues
from eddyline.record.batch import Batch
from eddyline.record.formats import kernel
from eddyline.record.types import duckdb_type, quote
from eddyline.sql import physical as plan

COMES = f"{quote(KIND)} IN (0, 2)"
GOES = f"{quote(KIND)} IN (1, 3)"
ROWS = quote("$rows")


class GroupAggregate(RetainingOperator):
    """Emits +I for a new group, -U/+U for a changed one, -D for one that emptied."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.GroupAggregate
    ) -> None:
        super().__init__(context, inputs, node.schema)
        below = inputs[0].schema
        self._key_names = node.keys
        self._keys = [KeyColumn(k, duckdb_type(below[k])) for k in node.keys]
        self._calls = compile_all(node.aggregates)
        self._groups = context.table("groups")
        self._changing = changing = not inputs[0].insert_only
        self.insert_only = not changing and not self._calls
        tracked = [c for c in self._calls if c.distinct or (changing and not _gives_back(c))]
        self._retention = Retention(context, kept(self._groups), node.state_ttl_ms)
        self._tracked = [TrackedValues(context, self._keys, c, node.state_ttl_ms) for c in tracked]
        self.retentions = (self._retention, *(t.retention for t in self._tracked))
        groups = KeyedTable(self._groups, node.keys)
        values = [KeyedTable(t.table, node.keys) for t in self._tracked]
        self.keep_by_key([below] * (1 + len(values)), [groups, *values])
        self._plain = [c for c in self._calls if c not in tracked]
        self._row_way = None
        if not changing and not tracked and not self._retention.on:
            self._row_way = group_rows(self.keyed, node.keys, self._calls, below, self.schema)
        self._results = ", ".join(
            [f"s.{ROWS}"] + [f"{c.finish('s')} AS {quote(c.call.name)}" for c in self._calls]
        )
        self._seen = 0

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._keys] + [f"{ROWS} BIGINT"]
        columns += [d for c in self._calls for d in c.definitions()]
        definition = ", ".join(columns) + self._retention.definition
        self.context.db.run(f"CREATE TABLE {self._groups} ({definition})")
        for t in self._tracked:
            t.create()

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.begin_step()
        batch = inputs[0].batch
        if batch is None or batch.num_rows == 0:
            return Step(None, inputs[0].watermark_ms)
        changes = self._take(batch)
        self.settle()
        return Step(changes, inputs[0].watermark_ms)

    def save(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def restore(self, saved: dict[str, Any]) -> None:
        self._seen = saved["seen"]

    def adapt(self) -> None:
        if self._row_way is None and self.keyed is not None:
            self.keyed.rows_to_table()
        super().adapt()

    def _take(self, batch: Batch) -> Batch | None:
        if self._row_way is not None and self.keyed is not None:
            hot = None
            if batch.kinds is None and batch.num_rows <= min(kernel.FEW_ROWS, ROWS_MAX):
                hot = self.keyed.hot()
            else:
                self.keyed.rows_to_table()
            if isinstance(hot, HotRows):
                return self._row_way.take(batch, hot)
        db, touched = self.context.db, self.context.table("touched")
        n = batch.num_rows
        kinds = batch.kinds if batch.kinds is not None else np.zeros(n, np.int8)
        order = np.arange(self._seen, self._seen + n)
        self._seen += n
        rows = batch.rows.select(list(self.inputs[0].schema.names))
        self.call_back((rows, self._key_names))
        rows = with_columns(rows, kind=kinds, row=order)
        if self._retention.on and self._changing:
            rows = self._without_forgotten(rows)
        db.run(f"CREATE OR REPLACE TEMP TABLE {touched} AS {self._partial('b')}", b=rows)
        old = db.query(self._look(touched))
        merged = self._merge(touched)
        for t in self._tracked:
            t.take(rows, self._groups, touched, changing=self._changing)
        if self._tracked:
            merged = db.query(self._look(touched))
        if self._changing:
            db.run(f"DELETE FROM {self._groups} WHERE {ROWS} <= 0")
        return self._changes(old, merged)

    def _without_forgotten(self, rows: pa.Table) -> pa.Table:
        """The rows less those that are taken from a group that is not there: it was forgotten.

        As in Flink they are left out until the group's next row comes.
        """
        known = f"SELECT 1 FROM {self._groups} s WHERE {matching(self._keys, 's', 'b')}"
        same = matching(self._keys, "c", "b")
        come = f"SELECT 1 FROM b c WHERE {same} AND c.{quote(KIND)} IN (0, 2)"
        sql = (
            f"SELECT * FROM b WHERE {COMES} OR EXISTS ({known}) "
            f'OR EXISTS ({come} AND c."$row" < b."$row") ORDER BY "$row"'
        )
        return self.context.db.query(sql, b=rows)

    def _partial(self, source: str) -> str:
        """One row a touched group: rows that came and went, and the batch's accumulators."""
        selected = listed(self._keys)
        selected += [f'count(*) FILTER ({_where(COMES)}) AS "$in"']
        selected += [f'count(*) FILTER ({_where(GOES)}) AS "$out"']
        for c in self._plain:
            args = [a.text for a in c.call.args]
            selected += c.batch(args, _both(c.call.filter, COMES))
            if self._changing:
                gone = c.batch(args, _both(c.call.filter, GOES))
                selected += [_renamed(text, c) for text in gone]
        return f"SELECT {', '.join(selected)} FROM {source} {group_by(self._keys)}"

    def _merge(self, touched: str) -> pa.Table:
        """The touched groups' rows and plain accumulators move on; gives what ``_look`` would
        then, without searching the whole table once more. Tracked values come after that."""
        columns = [ROWS, *(n for c in self._plain for n in c.columns())]
        updates = {ROWS: f"s.{ROWS} + p.{ROWS}"}
        source = [*listed(self._keys), f'"$in" - "$out" AS {ROWS}']
        if self._retention.on:
            columns.append(AT)
            updates[AT] = f"p.{AT}"
            source.append(f"{self._retention.now_ms} AS {AT}")
        for c in self._plain:
            merged = c.merged("s", "p")
            back = _back(c) if self._changing else {}
            for name in c.columns():
                source.append(name)
                updates[name] = merged[name]
            for name, text in back.items():
                source.append(_out(name))
                updates[name] = text.replace(f"s.{name}", f"({merged[name]})")
        statement = merge_statement(
            self._groups,
            self._keys,
            columns,
            updates,
            f"SELECT {', '.join(source)} FROM {touched}",
            fresh=self._fresh(),
        )
        returned = ", ".join([*listed(self._keys, "s"), self._results])
        groups = self.context.db.changed(f"{statement} RETURNING {returned}")
        return groups.filter(pc.field("$rows") > 0) if self._changing else groups

    def _fresh(self) -> dict[str, str]:
        """What a group starts with: the rows that came, less those that went at once."""
        out = {}
        for c in self._plain if self._changing else ():
            for name, text in _back(c).items():
                out[name] = text.replace(f"s.{name}", f"p.{name}")
        return out

    def _look(self, touched: str) -> str:
        """Text: keys and results of the touched groups."""
        keys = listed(self._keys, "s")
        selected = ", ".join([*keys, self._results])
        match = matching(self._keys, "s", "t")
        return (
            f"SELECT {selected} FROM {self._groups} s WHERE s.{ROWS} > 0 AND EXISTS "
            f"(SELECT 1 FROM {touched} t WHERE {match})"
        )

    def _changes(self, old: pa.Table, new: pa.Table) -> Batch | None:
        """The difference of two looks at the same groups."""
        values = [quote(c.call.name) for c in self._calls]
        match = matching(self._keys, "o", "n")
        differ = " OR ".join(f"o.{v} IS DISTINCT FROM n.{v}" for v in values) or "FALSE"
        if self._retention.on and values:
            # As in Flink an unchanged group is given as well, which prolongs its life downstream.
            differ = "TRUE"
        names = [quote(n) for n in self.schema.names]

        def side(alias: str, kind: str, place: int, source: str) -> str:
            columns = ", ".join(f"{alias}.{n}" for n in names)
            return f'SELECT {columns}, {kind}::TINYINT AS "$kind", {place} AS "$p" FROM {source}'

        both = f"old o JOIN new n ON {match} WHERE {differ}"
        parts = [
            side("o", "1", 0, both),
            side("n", "2", 1, both),
            side("n", "0", 2, f"new n WHERE NOT EXISTS (SELECT 1 FROM old o WHERE {match})"),
            side("o", "3", 3, f"old o WHERE NOT EXISTS (SELECT 1 FROM new n WHERE {match})"),
        ]
        keys = listed(self._keys)
        order = ", ".join([*keys, '"$p"'])
        sql = f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {order}"
        if old.num_rows == 0:
            sql = side("n", "0", 2, "new n")
            sql += f" ORDER BY {', '.join(keys)}" if keys else ""
        changes = self.context.db.query(sql, old=old, new=new)
        if not changes.num_rows:
            return None
        rows, hidden = split_hidden(changes, self.schema)
        kinds = hidden[KIND]
        return Batch(rows, kinds if kinds.any() else None)


def _gives_back(c: AggregateColumns) -> bool:
    return c.compiled.retractable and not c.distinct


def _back(c: AggregateColumns) -> dict[str, str]:
    """Column to text: the accumulator without the rows that went (``p``'s second columns)."""
    texts = c.merged("s", "p", retract=True)
    return {n: t.replace(f"p.{n}", f"p.{_out(n)}") for n, t in texts.items()}


def _out(name: str) -> str:
    return quote("-" + name.strip('"'))


def _renamed(text: str, c: AggregateColumns) -> str:
    """``… AS "$a0_s"`` as ``… AS "-$a0_s"``."""
    body, _, name = text.rpartition(" AS ")
    assert name in c.columns()
    return f"{body} AS {_out(name)}"


def _where(condition: str) -> str:
    return f"WHERE {condition}"


def _both(first: str | None, second: str) -> str:
    return f"({first}) AND {second}" if first else second
