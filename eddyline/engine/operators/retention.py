"""State TTL: rows of an operator's tables that were not written for too long are forgotten.

Each row carries the processing time of its last write (``$at``). As in Flink, reading a row does
not prolong its life, what is forgotten is never taken back downstream, and state lives at least as
long as the TTL says. It lives a ``PASSES``-th of the TTL longer at most, because the tables are
searched no more often than that; so the cost of a micro-batch does not depend on the TTL.

Times and deletions are part of the micro-batch's transaction. A restart therefore finds what was
written when, and forgets what has become too old while the job was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from eddyline.engine.keyed.hashes import are_comparable
from eddyline.engine.keyed.keyed_state import KeyedState, KeyedTable
from eddyline.engine.operators.accumulate import KeyColumn, matching
from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK
from eddyline.record.schema import Schema
from eddyline.record.types import arrow_type

AT = '"$at"'
PASSES = 64


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table of the state.

    by_key: the rows of a key stay as long as the newest one of them; otherwise each has its own
    time. owner: the table whose keys decide instead; such a table has no times of its own.
    """

    name: str
    by_key: tuple[KeyColumn, ...] | None = None
    owner: str | None = None


class Retention:
    """The TTL of some tables of one operator; without one it changes nothing.

    ttl_ms: of this operator or side (a hint); None for the job's. Owners come before the tables
    that follow them.
    """

    def __init__(
        self, context: OperatorContext, tables: tuple[KeptTable, ...], ttl_ms: int | None = None
    ) -> None:
        self._db, self._clock = context.db, context.clock
        self._tables = tables
        self._ttl_ms = context.state_ttl_ms if ttl_ms is None else ttl_ms
        self.now_ms = 0
        # The time up to which what was not written is forgotten, and where else rows rest.
        self._bound_ms = MIN_WATERMARK
        self.keyed: KeyedState | None = None
        # Before this time nothing can be too old. After a start it is not known.
        self._next_ms = 0

    @property
    def on(self) -> bool:
        """Whether state is forgotten at all."""
        return self._ttl_ms > 0

    @property
    def definition(self) -> str:
        """What CREATE TABLE needs behind the other columns."""
        return f", {AT} BIGINT" if self.on else ""

    @property
    def column(self) -> str:
        """What a list of columns needs behind the others."""
        return f", {AT}" if self.on else ""

    @property
    def value(self) -> str:
        """What a list of values needs behind the others: the time of this micro-batch."""
        return f", {self.now_ms}" if self.on else ""

    @property
    def assignment(self) -> str:
        """What a list of assignments needs behind the others."""
        return f", {AT} = {self.now_ms}" if self.on else ""

    @property
    def is_due(self) -> bool:
        """Whether time alone would make some row too old."""
        return self.on and self._clock.now_ms() >= self._next_ms

    def begin(self) -> None:
        """Begin a micro-batch: take its time, and forget what is too old by then."""
        if not self.on:
            return
        self.now_ms = max(self.now_ms, self._clock.now_ms())
        if self.now_ms >= self._next_ms:
            self._forget()
        # What this micro-batch writes is too old then.
        self._next_ms = min(self._next_ms, self.now_ms + self._ttl_ms)

    def forget_called_back(self, names: set[str]) -> None:
        """Forget rows that came back into these tables and had been too old when others were
        forgotten."""
        if not self.on:
            return
        for table in self._tables:
            if table.name in names:
                condition = self._too_old(table, self._bound_ms)
                self._db.run(f"DELETE FROM {table.name} AS s WHERE {condition}")

    @property
    def is_new(self) -> bool:
        """Whether the tables of a saved state are those of a job with a TTL, and this has none,
        or the other way round."""
        own = (t for t in self._tables if t.owner is None)
        return any(self.has_column(t.name, AT) != self.on for t in own)

    def adapt(self) -> None:
        """Fit tables of a saved state to the present TTL: state of a job that had none counts as
        written now."""
        now = self._clock.now_ms()
        for table in self._tables:
            if table.owner is not None or self.has_column(table.name, AT) == self.on:
                continue
            change = f"ADD COLUMN {AT} BIGINT DEFAULT {now}" if self.on else f"DROP COLUMN {AT}"
            self._db.run(f"ALTER TABLE {table.name} {change}")

    def has_column(self, table: str, column: str) -> bool:
        """Whether a table of the saved state has a column; both names are quoted."""
        sql = (
            "SELECT count(*) FROM duckdb_columns() WHERE database_name = current_database() "
            "AND table_name = ? AND column_name = ?"
        )
        return bool(self._db.one(sql, [table.strip('"'), column.strip('"')]))

    def _forget(self) -> None:
        bound = self._bound_ms = self.now_ms - self._ttl_ms
        oldest: list[int] = []
        for table in self._tables:
            self._db.run(f"DELETE FROM {table.name} AS s WHERE {self._too_old(table, bound)}")
            if table.owner is None:
                first = self._db.one(f"SELECT min({AT}) FROM {table.name}")
                resting = None if self.keyed is None else self.keyed.forget(table.name, bound)
                oldest += [max(int(ms), bound) for ms in (first, resting) if ms is not None]
        pause = max(1, self._ttl_ms // PASSES)
        next_ms = min(oldest, default=MAX_WATERMARK - self._ttl_ms) + self._ttl_ms
        self._next_ms = max(next_ms, self.now_ms + pause)

    def _too_old(self, table: KeptTable, bound: int) -> str:
        """Text: the condition on a row ``s``."""
        if table.by_key is None:
            return f"s.{AT} <= {bound}"
        keys = list(table.by_key)
        match = matching(keys, "s", "o")
        if table.owner is not None:
            return f"NOT EXISTS (SELECT 1 FROM {table.owner} o WHERE {match})"
        return f"NOT EXISTS (SELECT 1 FROM {table.name} o WHERE {match} AND o.{AT} > {bound})"


def kept(*names: str) -> tuple[KeptTable, ...]:
    """Tables each row of which has its own time."""
    return tuple(KeptTable(name) for name in names)


class RetainingOperator(Operator):
    """An operator whose state has a TTL. ``step`` begins with ``begin_step``.

    If its tables have a key, it calls the rows of a batch's keys back before it looks at them, and
    ends its step with ``settle``.
    """

    retentions: tuple[Retention, ...] = ()
    keyed: KeyedState | None = None

    def keep_by_key(
        self, schemas: Sequence[Schema], tables: Sequence[KeyedTable], *, is_grouped: bool = False
    ) -> None:
        """Let rows of keys that are not in use leave the tables.

        schemas: one for each table, with the columns of its key. is_grouped: as in ``KeyedState``.
        Keys whose equality a hash does not follow keep all rows in the tables; so does no key.
        """
        types = [[arrow_type(s[k]) for k in t.keys] for s, t in zip(schemas, tables, strict=True)]
        first = types[0]
        if not first or not all(
            are_comparable(a, b) for others in types for a, b in zip(first, others, strict=True)
        ):
            return
        context = self.context
        self.keyed = KeyedState(
            context.db,
            self.name,
            tables,
            directory=context.directory,
            data_dir=context.settings.data_dir,
            is_grouped=is_grouped,
        )
        for retention in self.retentions:
            retention.keyed = self.keyed

    def call_back(self, *keys: tuple[pa.Table, Sequence[str]]) -> None:
        """Bring the rows with the keys of a batch into the tables."""
        if self.keyed is None:
            return
        names = self.keyed.call_back(*keys)
        if names:
            for retention in self.retentions:
                retention.forget_called_back(names)

    def settle(self) -> None:
        """The step is done, and nothing waits."""
        if self.keyed is not None:
            self.keyed.settle()

    def begin_step(self) -> None:
        """Take the time of this micro-batch, and forget what is too old."""
        for retention in self.retentions:
            retention.begin()

    def adapt(self) -> None:
        if self.keyed is not None and any(r.is_new for r in self.retentions):
            self.keyed.call_all_back()
        for retention in self.retentions:
            retention.adapt()

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return min(inputs), any(r.is_due for r in self.retentions)
