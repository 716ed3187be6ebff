"""The nodes of the physical plan that multiply rows, and the one that takes the clock's time.

Conventions as in ``physical``; the nodes belong to its ``Node``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    schema: the input's columns, then the parts, then the ordinal.
    """

    input: Node
    collection: Expr
    parts: tuple[Projection, ...]
    ordinal: str | None
    outer: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Expand:
    """Each row once per set of projections."""

    input: Node
    sets: tuple[tuple[Projection, ...], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class ProcessingTime:
    """Gives the wall time of the batch as watermark; rows carry it in ``column``."""

    input: Node
    column: str
    schema: Schema
