"""A table of a database as a sink: rows are upserted and deleted by the primary key.

A micro-batch is one transaction of the database, written after the job's own commit; a job that
fails between the two writes its last micro-batch again, which changes nothing where there is a
primary key. Without one, rows are inserted, at least once.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pyarrow as pa

from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.relational import Relational, quoted, to_sqlite
from eddyline.engine.sinks.outbox import OutboxSink, Piece
from eddyline.errors import EddylineError
from eddyline.options.connectors import jdbc as options
from eddyline.record.batch import ChangeKind
from eddyline.record.formats.files import from_bytes, to_bytes
from eddyline.record.formats.format import Kinds
from eddyline.record.types import Root
from eddyline.sql import physical as plan

BACKOFF_S = 0.5
_KIND = "$kind"


class JdbcSink(OutboxSink):
    """Rows as Arrow streams in the outbox, then as statements of the database."""

    def __init__(
        self, context: OperatorContext, inputs: tuple[Operator, ...], node: plan.Sink, job: str
    ) -> None:
        super().__init__(context, inputs, node, job)
        table_options = node.table.options
        self._takes_changes = bool(node.table.primary_key)
        self._database = Relational(node.table.path.name, table_options)
        self._rows_max = options.FLUSH_ROWS.read(table_options)
        self._attempts = options.MAX_RETRIES.read(table_options) + 1
        self._primary_key = node.table.primary_key
        for c in node.columns:
            if c.type.root in (Root.MAP, Root.ROW) or (
                c.type.root is Root.ARRAY and self._database.is_sqlite
            ):
                message = f"table {node.table.path.name}: column {c.name}: jdbc has no {c.type}"
                hint = "write it as a text, for example with CAST(… AS STRING)"
                raise EddylineError("sql_unsupported", message, hint=hint)

    def _encoded(self, rows: pa.Table, stored: pa.Table, kinds: Kinds | None) -> pa.Table:
        values = kinds if kinds is not None else [int(ChangeKind.INSERT)] * stored.num_rows
        data = to_bytes(stored.append_column(_KIND, pa.array(values, pa.int8())))
        return pa.table({"key": pa.array([""]), "data": pa.array([data], pa.binary())})

    def _give(self, pieces: Iterator[Piece], epoch: int) -> None:
        tables = [from_bytes(d) for p in pieces for d in p.rows["data"].to_pylist()]
        if not tables:
            return
        for attempt in range(self._attempts):
            try:
                self._write(pa.concat_tables(tables))
                return
            except EddylineError:
                if attempt + 1 == self._attempts:
                    raise
                self.context.clock.wait(Event(), BACKOFF_S * (attempt + 1))

    def _write(self, rows: pa.Table) -> None:
        connection = self._database.connection
        with self._database.errors():
            try:
                cursor = connection.cursor()
                for is_delete, values in self._runs(rows):
                    sql = self._delete() if is_delete else self._upsert()
                    for first in range(0, len(values), self._rows_max):
                        cursor.executemany(sql, values[first : first + self._rows_max])
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def _runs(self, rows: pa.Table) -> Iterator[tuple[bool, list[tuple[Any, ...]]]]:
        """Neighbouring rows of one statement; the old row of an update is not written."""
        run: list[tuple[Any, ...]] = []
        was_delete = False
        keys = [self._columns.index(k) for k in self._primary_key]
        columns = [c.to_pylist() for c in rows.columns]
        convert = to_sqlite if self._database.is_sqlite else lambda v: v
        for *values, kind in zip(*columns, strict=True):
            if kind == ChangeKind.UPDATE_BEFORE:
                continue
            is_delete = kind == ChangeKind.DELETE
            if run and is_delete != was_delete:
                yield was_delete, run
                run = []
            was_delete = is_delete
            row = [values[i] for i in keys] if is_delete else values
            run.append(tuple(convert(v) for v in row))
        if run:
            yield was_delete, run

    def _upsert(self) -> str:
        names = ", ".join(map(quoted, self._columns))
        marks = ", ".join([self._database.mark] * len(self._columns))
        sql = f"INSERT INTO {self._database.name} ({names}) VALUES ({marks})"
        if not self._primary_key:
            return sql
        keys = ", ".join(map(quoted, self._primary_key))
        others = [quoted(c) for c in self._columns if c not in self._primary_key]
        change = ", ".join(f"{c} = excluded.{c}" for c in others)
        return f"{sql} ON CONFLICT ({keys}) DO " + (f"UPDATE SET {change}" if change else "NOTHING")

    def _delete(self) -> str:
        keys = " AND ".join(f"{quoted(k)} = {self._database.mark}" for k in self._primary_key)
        return f"DELETE FROM {self._database.name} WHERE {keys}"

    def close(self) -> None:
        self._database.close()
