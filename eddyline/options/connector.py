"""A connector and a format as rows: what a table of theirs may say, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eddyline.options.option import Option

Options = tuple[Option[Any], ...]
Check = Callable[[Mapping[str, str]], None]


class Changes(StrEnum):
    """Which changes of rows a sink takes."""

    NONE = "none"  # it cannot be written
    INSERTS = "inserts"
    UPSERTS = "upserts"  # by the primary key
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A metadata column: its key and the SQL type of its value."""

    key: str
    type: str
    meaning: str
    written: bool = False  # a sink takes it


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector.

    formatted: whether it has a ``format``. needs_key: whether a table needs a PRIMARY KEY.
    column_settings: options of single columns, ``fields.<column>.<setting>``. check: of options
    that depend on one another. guarantee: how often a row arrives in the sink when a job fails.
    extra: what has to be installed beside the product.
    """

    name: str
    meaning: str
    options: Options
    source: bool
    sink: Changes
    formatted: bool
    metadata: tuple[Metadata, ...] = ()
    column_settings: Options = ()
    needs_key: bool = False
    check: Check | None = None
    guarantee: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A format. changelog: whether a record says which change its row is."""

    name: str
    meaning: str
    options: Options
    changelog: bool = False
    metadata: tuple[Metadata, ...] = ()
    # Whether it also exists for single records; a bulk format is for files alone.
    records: bool = True
    writes: bool = True
    extra: str = ""
