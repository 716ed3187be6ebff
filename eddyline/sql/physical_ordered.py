"""The nodes of the physical plan that order rows, number them or look at their neighbours.

Conventions as in ``physical``; the nodes belong to its ``Node``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from eddyline.record.schema import Schema
from eddyline.sql.sorting import Frame, SortKey

if TYPE_CHECKING:
    from eddyline.sql.physical import Aggregate, Node


@dataclass(frozen=True, slots=True)
class Sort:
    """Rows in order of ``keys``.

    time_column: the row time that the first key is; rows are given as the watermark passes them,
    and a row that comes behind one already given is dropped. None: all rows at the input's end.
    """

    input: Node
    keys: tuple[SortKey, ...]
    time_column: str | None
    schema: Schema


@dataclass(frozen=True, slots=True)
class Final:
    """The rows that are left when the input has ended, each given once (batch mode)."""

    input: Node
    schema: Schema


@dataclass(frozen=True, slots=True)
class Rank:
    """The rows of each partition whose rank is in first..last, as a changelog.

    order: may be empty (order of arrival); rows that are equal in it come in order of arrival.
    function: ROW_NUMBER, RANK or DENSE_RANK. last: a number, an input column that holds it, or
    None for no end. rank: the output column of the rank, None if it is not given.
    """

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    function: str
    first: int
    last: int | str | None
    rank: str | None
    schema: Schema


@dataclass(frozen=True, slots=True)
class WindowRank:
    """The best rows of each window, given once, when the window closes. Insert-only.

    window: its start and end columns. partition_by: the partition beside them. newest_first: of
    rows that are equal in ``order`` the later one is the better one. Other fields as in Rank.
    """

    input: Node
    window: tuple[str, str]
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    function: str
    first: int
    last: int
    rank: str | None
    newest_first: bool
    schema: Schema


class Keep(StrEnum):
    """Which row of its key a deduplication keeps."""

    FIRST = "FIRST"
    LAST = "LAST"


@dataclass(frozen=True, slots=True)
class Deduplicate:
    """One row per key.

    FIRST is insert-only: at once in order of arrival (time_column None), or the row with the
    least row time once the watermark has passed it. LAST is a changelog: the newest arrival, or
    the row with the greatest row time; of equal times the later arrival.
    """

    input: Node
    keys: tuple[str, ...]
    keep: Keep
    time_column: str | None
    schema: Schema


class OverTime(StrEnum):
    """What drives an OVER aggregation."""

    ROWTIME = "ROWTIME"
    PROCTIME = "PROCTIME"
    NONE = "NONE"
    BATCH = "BATCH"


@dataclass(frozen=True, slots=True)
class Over:
    """Aggregates over each row's neighbours in its partition.

    time ROWTIME: rows are given in order of time as the watermark passes them, each once. PROCTIME:
    at once. NONE: ordered by other columns, as a changelog. BATCH: all at the input's end, any
    frame. function of a call: an aggregate, ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, NTILE,
    CUME_DIST or PERCENT_RANK. schema: the input's columns, then the calls.
    """

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    frame: Frame
    calls: tuple[Aggregate, ...]
    time: OverTime
    schema: Schema
