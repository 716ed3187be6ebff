"""The nodes of the physical plan that multiply rows, and the one that takes the clock's time.

Conventions as in ``physical``; the nodes belong to its ``Node``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eddyline.record.batch import ChangeKind
from eddyline.record.schema import Schema

if TYPE_CHECKING:
    from eddyline.sql.physical import Expr, Node, Projection

# What an element is called while its columns are made.
ELEMENT = '"$element"'


@dataclass(frozen=True, slots=True)
class Unnest:
    """Each row once per element of a collection.

    collection: text of a LIST or MAP over the input. parts: DuckDB text of each new column over
    ``ELEMENT`` (of a MAP a struct of key and value), ordinal: the name of the column
    that counts elements from 1, None for none. outer: a row without elements is kept, with NULL.
    schema: those of the input's columns that are read, then the parts, then the ordinal.
    """

    input: Node
    collection: Expr
    parts: tuple[Projection, ...]
    ordinal: str | None
    outer: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class SessionTable:
    """The window table function SESSION: each row with its session, given when that is over.

    A row that comes after its session was given is late. partition_by: the keys within which
    sessions are formed. names: the columns window_start, window_end and window_time, after the
    input's.
    """

    input: Node
    gap_ms: int
    time_column: str
    partition_by: tuple[str, ...]
    names: tuple[str, str, str]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Expand:
    """Each row once per set of projections."""

    input: Node
    sets: tuple[tuple[Projection, ...], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class ToChangelog:
    """Each change as a new row whose first column ``op`` holds the code of its kind.

    codes: by kind, in the order of ``Kind``; None: changes of this kind are dropped. schema: op,
    then the input's columns. shows_changes: the input takes rows back.
    """

    input: Node
    op: str
    codes: tuple[str | None, ...]
    schema: Schema
    shows_changes: bool = False


@dataclass(frozen=True, slots=True)
class FromChangelog:
    """Rows whose kind of change the text in the input's column ``op`` says; schema: the others."""

    input: Node
    op: str
    kinds: tuple[tuple[str, ChangeKind], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class CurrentWatermark:
    """The input's columns, then the watermark before each row: a timestamp, NULL for none yet."""

    input: Node
    column: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class ProcessingTime:
    """Gives the wall time of the batch as watermark; rows carry it in ``column``."""

    input: Node
    column: str
    schema: Schema
