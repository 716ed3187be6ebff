"""OVER calls as DuckDB text over rows that are there as a whole.

An aggregate becomes its accumulators, each computed over the frame, and its result over these, so
that it means here what it means in a grouping.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.engine.operators.accumulate import AggregateColumns
from eddyline.functions.aggregates import aggregate
from eddyline.record.types import APPROXIMATE, INTEGERS, DataType, duckdb_type, quote
from eddyline.sql.physical import Aggregate
from eddyline.sql.sorting import Frame

# Functions that number rows, and what makes one of the number so far and one within the rows.
NUMBERS = ("ROW_NUMBER", "RANK", "DENSE_RANK")
NEIGHBOURS = ("LAG", "LEAD")
PLAIN = (*NUMBERS, "CUME_DIST", "PERCENT_RANK", "NTILE")


def is_aggregate(call: Aggregate) -> bool:
    """Whether a call is an aggregate, not a function of the window alone."""
    return call.function not in (*PLAIN, *NEIGHBOURS)


def split(
    calls: tuple[Aggregate, ...],
) -> tuple[list[AggregateColumns], list[tuple[int, Aggregate]]]:
    """The aggregates with their accumulators, and all other calls with their places."""
    aggregates, others = [], []
    for i, c in enumerate(calls):
        if is_aggregate(c):
            compiled = aggregate(c.function, tuple(a.type for a in c.args))
            aggregates.append(AggregateColumns(i, c, compiled))
        else:
            others.append((i, c))
    return aggregates, others


def frame_text(frame: Frame) -> str:
    """The frame, in rows or in the unit of the order column."""
    unit = "ROWS" if frame.rows else "RANGE"
    return f"{unit} BETWEEN {_bound(frame.start, 'PRECEDING')} AND {_bound(frame.end, 'FOLLOWING')}"


def _bound(distance: int | None, side: str) -> str:
    if distance is None:
        return f"UNBOUNDED {side}"
    if distance == 0:
        return "CURRENT ROW"
    return f"{abs(distance)} {'PRECEDING' if distance < 0 else 'FOLLOWING'}"


@dataclass(frozen=True, slots=True)
class FrameWindow:
    """A window's text. order: what rows are ordered by; every: an order in which none are equal
    (for ROW_NUMBER); number: a column that numbers rows in that order (for what depends on the
    order within a frame)."""

    partition: str
    order: str
    every: str
    number: str
    frame: str

    def accumulators(self, c: AggregateColumns) -> list[str]:
        """``text AS column`` of each accumulator over the frame."""
        condition = f" FILTER (WHERE {c.call.filter})" if c.call.filter else ""
        over = f" OVER ({self.partition} ORDER BY {self.order} {self.frame})"
        args = [a.text for a in c.call.args]
        if c.distinct:
            args[0] = f"DISTINCT {args[0]}"
        return [
            a.batch.format(*args, filter=condition + over, order=self.number)
            + f" AS {c.column(a.name)}"
            for a in c.compiled.accumulators
        ]

    def other(self, c: Aggregate) -> str:
        """A call that is no aggregate."""
        order = self.every if c.function == "ROW_NUMBER" else self.order
        over = f"OVER ({self.partition} ORDER BY {order})"
        if c.function in NEIGHBOURS:
            over = f"OVER ({self.partition} ORDER BY {self.every})"
            value, distance, *default = [a.text for a in c.args]
            text = f"{c.function.lower()}({', '.join([value, distance, *default])}) {over}"
            return absent(text, c.type)
        args = ", ".join(f"({a.text})::BIGINT" for a in c.args)
        return f"{c.function.lower()}({args}) {over}"


def absent(text: str, kind: DataType) -> str:
    """A value of a type that is NOT NULL where there is NULL: Flink reads its own mark, -1."""
    if kind.nullable or kind.root not in (*INTEGERS, *APPROXIMATE):
        return text
    return f"coalesce({text}, (-1)::{duckdb_type(kind)})"


def result(call: Aggregate, text: str) -> str:
    """``text AS name`` in the call's type."""
    return f"({text})::{duckdb_type(call.type)} AS {quote(call.name)}"


def finish(c: AggregateColumns, alias: str) -> str:
    """``text AS name`` of an aggregate over its accumulators."""
    return f"{c.finish(alias)} AS {quote(c.call.name)}"
