"""The syntax of MATCH_RECOGNIZE.

Conventions as in ``syntax``; the class belongs to its ``Relation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eddyline.errors import Span

if TYPE_CHECKING:
    from eddyline.sql.syntax import Expression, OrderItem, Relation


@dataclass(frozen=True, slots=True)
class PatternVariable:
    """``A{least,most}``; most None: without end. greedy: as many rows as possible, else as few."""

    name: str
    least: int
    most: int | None
    greedy: bool
    span: Span


@dataclass(frozen=True, slots=True)
class MatchRecognize:
    """``source MATCH_RECOGNIZE (…) [AS alias]``.

    measures: (expression, name). skip: PAST LAST ROW, TO NEXT ROW, TO FIRST or TO LAST, the last
    two with ``skip_variable``. within: the longest time from the first to the last row.
    """

    source: Relation
    partition_by: tuple[Expression, ...]
    order_by: tuple[OrderItem, ...]
    measures: tuple[tuple[Expression, str], ...]
    skip: str
    skip_variable: str | None
    pattern: tuple[PatternVariable, ...]
    within: Expression | None
    defines: tuple[tuple[str, Expression], ...]
    alias: str | None
    columns: tuple[str, ...]
    span: Span
