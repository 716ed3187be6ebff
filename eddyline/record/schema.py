"""A schema: named, typed columns in order. Names are unique within one schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from eddyline.record.types import DataType, arrow_type, duckdb_type, quote


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class Schema:
    """Columns in order; looked up by exact name (Flink's identifiers are case-sensitive)."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = self.names
        assert len(set(names)) == len(names), f"duplicate column in {names}"

    @staticmethod
    def of(**columns: DataType) -> Schema:
        """``Schema.of(a=INT, b=STRING)``."""
        return Schema(tuple(Column(n, t) for n, t in columns.items()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def types(self) -> tuple[DataType, ...]:
        return tuple(c.type for c in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: str) -> bool:
        return any(c.name == name for c in self.columns)

    def __getitem__(self, name: str) -> DataType:
        for c in self.columns:
            if c.name == name:
                return c.type
        raise KeyError(name)

    def arrow(self) -> pa.Schema:
        """The Arrow schema; nullability is not enforced there."""
        return pa.schema([(c.name, arrow_type(c.type)) for c in self.columns])

    def duckdb_columns(self) -> str:
        """``"a" INTEGER, "b" VARCHAR`` for a CREATE TABLE."""
        return ", ".join(f"{quote(c.name)} {duckdb_type(c.type)}" for c in self.columns)

    def __str__(self) -> str:
        return "(" + ", ".join(f"`{c.name}` {c.type}" for c in self.columns) + ")"
