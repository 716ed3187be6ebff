"""How rows are ordered, and which of their neighbours an OVER aggregate sees.

Used by the logical and the physical plan alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.errors import EddylineError, Span
from eddyline.record.types import quote


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column to order by. NULL is the least value in Flink, unless the statement says more."""

    column: str
    descending: bool = False
    nulls_first: bool = True

    def text(self, alias: str = "") -> str:
        """DuckDB text of the key, over the columns of ``alias``."""
        dot = f"{alias}." if alias else ""
        direction = "DESC" if self.descending else "ASC"
        nulls = "FIRST" if self.nulls_first else "LAST"
        return f"{dot}{quote(self.column)} {direction} NULLS {nulls}"

    def __str__(self) -> str:
        return f"{self.column} {'DESC' if self.descending else 'ASC'}"


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows around the current one that an OVER aggregate is computed over.

    rows: counted in rows, else by the distance of the order column (milliseconds of a time).
    start and end: distance from the current row, negative for rows before it; None: unbounded.
    """

    rows: bool
    start: int | None
    end: int | None

    @property
    def is_running(self) -> bool:
        """From the first row of the partition to the current one."""
        return self.start is None and self.end == 0

    def __str__(self) -> str:
        unit = "ROWS" if self.rows else "RANGE"
        return (
            f"{unit} BETWEEN {_bound(self.start, 'PRECEDING')} AND {_bound(self.end, 'FOLLOWING')}"
        )


def _bound(distance: int | None, side: str) -> str:
    if distance is None:
        return f"UNBOUNDED {side}"
    if distance == 0:
        return "CURRENT ROW"
    return f"{abs(distance)} {'PRECEDING' if distance < 0 else 'FOLLOWING'}"


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where in which text a plan node was written, for errors that only planning finds."""

    span: Span
    source: str

    def error(
        self, message: str, hint: str | None = None, code: str = "sql_semantic"
    ) -> EddylineError:
        """An error at this place."""
        return EddylineError(code, message, hint=hint, span=self.span, source=self.source)

    def unsupported(self, what: str, hint: str | None = None) -> EddylineError:
        """SQL that Flink refuses as well, or that is not supported here."""
        return self.error(f"{what} is not supported", hint, "sql_unsupported")
