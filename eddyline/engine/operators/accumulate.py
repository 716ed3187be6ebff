"""Groups and their accumulators: the DuckDB text that both kinds of aggregation share.

A state table holds, for each group (its key columns), one column for each accumulator of each
aggregate. A batch becomes one row per group (``batch`` texts), merged into the table by a MERGE.
DISTINCT aggregates see each value once per group: an auxiliary table remembers values and copies.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.functions.aggregates import CompiledAggregate, aggregate, aggregate_row
from eddyline.record.types import duckdb_type, quote
from eddyline.sql.physical import Aggregate


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that tells groups apart: name and DuckDB type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class AggregateColumns:
    """One aggregate call: compiled, and what its state columns are called."""

    index: int
    call: Aggregate
    compiled: CompiledAggregate

    @property
    def distinct(self) -> bool:
        """Whether DISTINCT must be honoured (it changes nothing for MIN and MAX)."""
        return self.call.distinct and aggregate_row(self.call.function).distinct_matters

    @property
    def ordered(self) -> bool:
        return aggregate_row(self.call.function).ordered

    def column(self, accumulator: str) -> str:
        return quote(f"$a{self.index}_{accumulator}")

    def columns(self) -> list[str]:
        return [self.column(a.name) for a in self.compiled.accumulators]

    def definitions(self) -> list[str]:
        return [f"{self.column(a.name)} {a.type}" for a in self.compiled.accumulators]

    def batch(self, args: list[str], condition: str | None) -> list[str]:
        """``text AS column`` of each accumulator over the rows of a batch."""
        clause = f" FILTER (WHERE {condition})" if condition else ""
        # Tracked values give the first argument only; what follows it is constant.
        args = [*args, *(a.text for a in self.call.args[len(args) :])]
        return [
            a.batch.format(*args, filter=clause, order='"$row"') + f" AS {self.column(a.name)}"
            for a in self.compiled.accumulators
        ]

    def merged(self, old: str, new: str, *, retract: bool = False) -> dict[str, str]:
        """Column to text: the accumulator after ``new`` (an alias) has come to ``old``."""
        out = {}
        for a in self.compiled.accumulators:
            name = self.column(a.name)
            text = a.retract if retract else a.merge
            assert text is not None
            args = [argument.text for argument in self.call.args]
            out[name] = text.format(*args, a=f"{old}.{name}", b=f"{new}.{name}")
        return out

    def finish(self, alias: str) -> str:
        """The result's text over the state columns of ``alias``."""
        names = {a.name: f"{alias}.{self.column(a.name)}" for a in self.compiled.accumulators}
        return f"({self.compiled.finish.format(**names)})::{duckdb_type(self.call.type)}"


def compile_all(calls: tuple[Aggregate, ...]) -> list[AggregateColumns]:
    """Every call with its accumulators."""
    return [
        AggregateColumns(i, c, aggregate(c.function, tuple(a.type for a in c.args)))
        for i, c in enumerate(calls)
    ]


def matching(keys: list[KeyColumn], left: str, right: str) -> str:
    """The condition that two rows are of one group (NULL is a group of its own)."""
    parts = [f"{left}.{quote(k.name)} IS NOT DISTINCT FROM {right}.{quote(k.name)}" for k in keys]
    return " AND ".join(parts) or "TRUE"


def listed(keys: list[KeyColumn], alias: str = "") -> list[str]:
    """Quoted key columns."""
    dot = alias + "." if alias else ""
    return [dot + quote(k.name) for k in keys]


def group_by(keys: list[KeyColumn]) -> str:
    """``GROUP BY …``, or for no key a condition that gives no group for no rows."""
    names = listed(keys)
    return f"GROUP BY {', '.join(names)}" if names else "HAVING count(*) > 0"


def merge_statement(
    table: str,
    keys: list[KeyColumn],
    columns: list[str],
    updates: dict[str, str],
    source: str,
    fresh: dict[str, str] | None = None,
) -> str:
    """MERGE of one row per group (``source``, a subquery) into ``table``.

    ``fresh``: columns whose first value is not simply the source's.
    """
    names = [*listed(keys), *columns]
    sets = ", ".join(f"{c} = {text}" for c, text in updates.items())
    matched = f"WHEN MATCHED THEN UPDATE SET {sets} " if sets else "WHEN MATCHED THEN DO NOTHING "
    values = ", ".join((fresh or {}).get(n, "p." + n) for n in names)
    return (
        f"MERGE INTO {table} AS s USING ({source}) AS p ON {matching(keys, 's', 'p')} "
        f"{matched}WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({values})"
    )
