"""The values of one aggregate, remembered one by one, with how many copies of each are there.

For DISTINCT: an accumulator is fed a value when its first copy comes and loses it when its last
copy goes. For an aggregate that cannot give a row back (MIN of a changelog): the accumulator is
computed again over the values that are left, for the touched groups only.
"""

from __future__ import annotations

import pyarrow as pa

from eddyline.engine.operators.accumulate import (
    AggregateColumns,
    KeyColumn,
    listed,
    matching,
)
from eddyline.engine.operators.operator import OperatorContext
from eddyline.engine.operators.retention import AT, Retention, kept
from eddyline.record.types import duckdb_type, quote

_COPIES = '"$n"'


class TrackedValues:
    """One table: keys, value, copies, and when the value was first seen."""

    def __init__(
        self,
        context: OperatorContext,
        keys: list[KeyColumn],
        call: AggregateColumns,
        ttl_ms: int | None,
    ) -> None:
        self._db = context.db
        self._call = call
        self._type = duckdb_type(call.call.args[0].type)
        self._keys = keys
        self._full = [*keys, KeyColumn("$v", self._type)]
        self.table = context.table(f"values{call.index}")
        self._fresh = context.table(f"fresh{call.index}")
        # As in Flink each value has its own time.
        self.retention = Retention(context, kept(self.table), ttl_ms)

    def create(self) -> None:
        columns = [f"{quote(k.name)} {k.type}" for k in self._full]
        columns += [f"{_COPIES} BIGINT", '"$row" BIGINT']
        definition = ", ".join(columns) + self.retention.definition
        self._db.run(f"CREATE TABLE {self.table} ({definition})")

    def take(self, rows: pa.Table, groups: str, touched: str, *, changing: bool) -> None:
        """Count the batch's values in and out, then bring the touched groups up to date.

        changing: whether rows may be taken back.
        """
        self._count(rows)
        if self._call.compiled.retractable:
            self._feed(groups, changing=changing)
        else:
            self._again(groups, touched)

    def _count(self, rows: pa.Table) -> None:
        """``fresh``: each value of the batch with its copies before and after."""
        arg = self._call.call.args[0].text
        names = ", ".join(listed(self._keys))
        keys = names + ", " if names else ""
        where = f"({arg}) IS NOT NULL"
        if self._call.call.filter:
            where += f" AND ({self._call.call.filter})"
        delta = (
            f'SELECT {keys}({arg})::{self._type} AS "$v", min("$row") AS "$row", '
            f'sum(CASE WHEN "$kind" IN (0, 2) THEN 1 ELSE -1 END) AS "$d" '
            f"FROM b WHERE {where} GROUP BY ALL"
        )
        match = matching(self._full, "v", "d")
        self._db.run(
            f"CREATE OR REPLACE TEMP TABLE {self._fresh} AS SELECT d.*, coalesce(v.{_COPIES}, 0) "
            f'AS "$old" FROM ({delta}) d LEFT JOIN {self.table} v ON {match}',
            b=rows,
        )
        columns = ", ".join(listed(self._full))
        values = ", ".join(listed(self._full, "d"))
        match = matching(self._full, "s", "d")
        self._db.run(
            f"MERGE INTO {self.table} AS s USING {self._fresh} AS d ON {match} "
            f'WHEN MATCHED AND s.{_COPIES} + d."$d" <= 0 THEN DELETE '
            f'WHEN MATCHED THEN UPDATE SET {_COPIES} = s.{_COPIES} + d."$d"'
            f"{self.retention.assignment} "
            f'WHEN NOT MATCHED AND d."$d" > 0 THEN INSERT '
            f'({columns}, {_COPIES}, "$row"{self.retention.column}) '
            f'VALUES ({values}, d."$d", d."$row"{self.retention.value})'
        )

    def _feed(self, groups: str, *, changing: bool) -> None:
        """First copies come, last copies go."""
        came = '"$old" <= 0 AND "$old" + "$d" > 0'
        went = '"$old" > 0 AND "$old" + "$d" <= 0'
        for condition, retract in ((came, False), (went, True))[: 2 if changing else 1]:
            sets = self._call.merged("s", "p", retract=retract)
            self._update(groups, self._accumulated(self._fresh, f"WHERE {condition}"), sets)

    def _again(self, groups: str, touched: str) -> None:
        """The accumulators of the touched groups, from the values that are left."""
        copies = "" if self._call.distinct else f', unnest(generate_series(1, {_COPIES})) AS "$c"'
        match = matching(self._keys, "v", "t")
        if self.retention.on:  # the accumulator holds them all, so they live as long as it does
            self._db.run(
                f"UPDATE {self.table} AS v SET {AT} = {self.retention.now_ms} "
                f"FROM {touched} t WHERE {match}"
            )
        left = (
            f"(SELECT v.*{copies} FROM {self.table} v WHERE EXISTS "
            f"(SELECT 1 FROM {touched} t WHERE {match}))"
        )
        empty = ", ".join(f"{c} = NULL" for c in self._call.columns())
        match = matching(self._keys, "s", "t")
        self._db.run(f"UPDATE {groups} AS s SET {empty} FROM {touched} t WHERE {match}")
        sets = {c: f"p.{c}" for c in self._call.columns()}
        self._update(groups, self._accumulated(left, ""), sets)

    def _accumulated(self, source: str, where: str) -> str:
        selected = ", ".join([*listed(self._keys), *self._call.batch(['"$v"'], None)])
        names = ", ".join(listed(self._keys))
        grouped = f"GROUP BY {names}" if names else "HAVING count(*) > 0"
        return f"SELECT {selected} FROM {source} {where} {grouped}"

    def _update(self, groups: str, source: str, sets: dict[str, str]) -> None:
        assigned = ", ".join(f"{c} = {text}" for c, text in sets.items())
        match = matching(self._keys, "s", "p")
        self._db.run(f"UPDATE {groups} AS s SET {assigned} FROM ({source}) p WHERE {match}")
