"""What MATCH_RECOGNIZE looks for and reads, used by the logical and the physical plan alike."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.record.types import DataType
from eddyline.sql.typed import Typed

# The variable of a column without one: any row of the match.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Collected:
    """A value that is read from the rows of a match so far.

    function: LAST or FIRST (of the variable's rows, ``offset`` rows from there), COUNT, SUM, MIN,
    MAX or AVG. variable: a pattern variable, or ANY. column: the input column, None for COUNT(*).
    name: what it is called in expressions.
    """

    function: str
    variable: str
    offset: int
    column: str | None
    type: DataType
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One variable of the pattern.

    least, most: how many rows (most None: without end). greedy: a row that fits the variable is
    never taken by a later one. condition: over the input's columns and the names of ``collected``;
    None: every row fits. alone: the condition reads nothing but the row itself.
    """

    variable: str
    least: int
    most: int | None
    greedy: bool
    condition: Typed | None
    collected: tuple[Collected, ...]

    @property
    def alone(self) -> bool:
        return not self.collected

    def __str__(self) -> str:
        most = "" if self.most is None else str(self.most)
        return f"{self.variable}{{{self.least},{most}}}{'' if self.greedy else '?'}"
