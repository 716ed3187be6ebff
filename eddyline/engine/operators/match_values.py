"""What conditions and measures read from the rows of a match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from typing import Any

from eddyline.engine.operators.match_automaton import MatchedRow, MatchRow, rows_of
from eddyline.record.types import DataType, Root
from eddyline.sql.matching import Collected, Step

# How many bits a sum of whole numbers has; it wraps as in Flink.
_BITS = {Root.TINYINT: 8, Root.SMALLINT: 16, Root.INT: 32, Root.BIGINT: 64}


class ValueReader:
    """Reads collected values; ``places`` are the columns' places in a row's values."""

    def __init__(
        self, steps: Sequence[Step], collected: Sequence[Collected], places: Mapping[str, int]
    ) -> None:
        self._steps = steps
        self._collected = collected
        self._places = places

    def measures(self, last: MatchedRow) -> list[Any]:
        """The values that a match gives."""
        return [self._read(c, last) for c in self._collected]

    def condition_values(
        self, step: int, row: MatchRow, before: MatchedRow | None
    ) -> dict[str, Any]:
        """The columns of a row that is looked at for ``step``, and what its condition collects;
        the row counts as one of the step's variable already."""
        values = {name: row.values[place] for name, place in self._places.items()}
        taken = MatchedRow(step, row, before)
        for c in self._steps[step].collected:
            values[c.name] = self._read(c, taken)
        return values

    def _read(self, c: Collected, last: MatchedRow | None) -> Any:
        rows = rows_of(last, self._steps, c.variable)
        if c.function == "LAST":
            row = next(islice(rows, c.offset, None), None)
            return None if row is None else self._value(c, row)
        if c.function == "FIRST":
            all_rows = list(rows)
            return self._value(c, all_rows[-1 - c.offset]) if len(all_rows) > c.offset else None
        if c.column is None:
            return sum(1 for _ in rows)
        values = [v for v in (self._value(c, row) for row in rows) if v is not None]
        return aggregated(c.function, values, c.type)

    def _value(self, c: Collected, row: MatchRow) -> Any:
        assert c.column is not None
        return row.values[self._places[c.column]]


def aggregated(function: str, values: Sequence[Any], kind: DataType) -> Any:
    """COUNT, SUM, MIN, MAX or AVG of values that are not NULL, with a result of type ``kind``."""
    if function == "COUNT":
        return len(values)
    if not values:
        return None
    if function in ("MIN", "MAX"):
        return min(values) if function == "MIN" else max(values)
    total = _sum(values, kind)
    if function == "SUM":
        return total
    if kind.root in _BITS:
        quotient = abs(total) // len(values)
        return quotient if total >= 0 else -quotient
    if kind.root is Root.DECIMAL:
        return (Decimal(total) / len(values)).quantize(
            Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP
        )
    return total / len(values)


def _sum(values: Iterable[Any], kind: DataType) -> Any:
    if kind.root in _BITS:
        half = 1 << (_BITS[kind.root] - 1)
        return (sum(values) + half) % (2 * half) - half
    if kind.root is Root.DECIMAL:
        return sum(values, Decimal(0))
    return float(sum(values))
