"""The node of the physical plan for MATCH_RECOGNIZE.

Conventions as in ``physical``; the node belongs to its ``Node``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eddyline.record.schema import Schema
from eddyline.sql.matching import Collected, Step
from eddyline.sql.sorting import SortKey

if TYPE_CHECKING:
    from eddyline.sql.physical import Node


@dataclass(frozen=True, slots=True)
class Match:
    """The matches of a pattern, each given once. Insert-only.

    partition_by: input columns. order: its first key is the time; event_time: it is a row time,
    so that rows wait for the watermark. conditions: DuckDB text of each step's condition over the
    input's columns and the names of its ``collected``, None where every row fits. skip: PAST LAST
    ROW, TO NEXT ROW, TO FIRST or TO LAST. within_ms: a match lasts less than this. schema: the
    partition columns, then one column per ``collected``.
    """

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    event_time: bool
    steps: tuple[Step, ...]
    conditions: tuple[str | None, ...]
    collected: tuple[Collected, ...]
    skip: str
    skip_variable: str | None
    within_ms: int | None
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
