"""A table of a database as a source: all rows as they are when the job starts, then its end.

Rows are read in the order of the primary key where the table has one, so that a job that is
restarted continues with the row after those that it has processed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.relational import Relational, from_database, quoted
from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.errors import EddylineError
from eddyline.options.connectors import jdbc as options
from eddyline.record.types import arrow_type
from eddyline.sql import physical as plan


class JdbcSource(Source):
    """Rows of one SELECT."""

    bounded = True
    gives_rows = True

    def __init__(self, context: SourceContext, node: plan.Scan) -> None:
        super().__init__(context)
        self._schema = node.columns
        self._fetch = options.FETCH_SIZE.read(context.options)
        self._database = Relational(context.name, context.options)
        # Behind a table's name, SQLite does not take an unknown column for a text.
        names = ", ".join(f"t.{quoted(c.name)}" for c in node.columns)
        self._sql = f"SELECT {names} FROM {self._database.name} AS t{self._where()}"
        if node.table.primary_key:
            self._sql += " ORDER BY " + ", ".join(map(quoted, node.table.primary_key))
        self._cursor: Any = None
        self.shards = {0: ShardProgress(0, self._database.name)}

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        self.shards[0].position = (saved or {}).get("0", 0)

    def poll(self, rows_max: int) -> Records | None:
        shard = self.shards[0]
        with self._database.errors():
            if self._cursor is None:
                self._cursor = self._database.connection.cursor()
                self._cursor.execute(self._sql)
                left = shard.position
                while left and (passed := self._cursor.fetchmany(min(left, self._fetch))):
                    left -= len(passed)
            rows = self._cursor.fetchmany(min(rows_max, self._fetch))
        if not rows:
            self.ended = True
            return None
        n = len(rows)
        offset = np.arange(shard.position, shard.position + n, dtype=np.int64)
        shard.position += n
        shard.tip = shard.position
        arrival = np.full(n, self.context.clock.now_ms(), np.int64)
        return Records(None, self._table(rows, int(offset[0])), None, arrival, offset)

    def place(self, shard: int, offset: int) -> str:
        return f"{self._database.name}, row {offset + 1}"

    def close(self) -> None:
        self._database.close()

    def _where(self) -> str:
        column = options.PARTITION_COLUMN.get(self.context.options)
        if column is None:
            return ""
        low = options.LOWER_BOUND.read(self.context.options)
        high = options.UPPER_BOUND.read(self.context.options)
        return f" WHERE {quoted(column)} BETWEEN {low} AND {high}"

    def _table(self, rows: list[Any], first: int) -> pa.Table:
        arrays = []
        for i, c in enumerate(self._schema):
            try:
                values = [from_database(row[i], c.type) for row in rows]
                arrays.append(pa.array(values, arrow_type(c.type)))
            except (ValueError, TypeError, ArithmeticError, pa.ArrowInvalid) as error:
                message = (
                    f"{self._database.name}, rows from {first + 1}: column {c.name} does not fit "
                    f"{c.type.null()}: {error}"
                )
                hint = "declare the column with the type that the database gives"
                raise EddylineError("bad_record", message, hint=hint) from error
        return pa.table(arrays, names=list(self._schema.names))
