"""A catalog table: its columns, watermark, options; the DDL as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType


class ColumnKind(StrEnum):
    """Where a column's value comes from."""

    PHYSICAL = "physical"
    METADATA = "metadata"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """catalog.database.name"""

    catalog: str
    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.database}.{self.name}"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table.

    metadata_key: for METADATA, the connector's key ('timestamp', 'shard-id', 'sequence-number').
    virtual: a metadata column that is not written. expression: for COMPUTED, Flink SQL text.
    """

    name: str
    type: DataType
    kind: ColumnKind = ColumnKind.PHYSICAL
    metadata_key: str | None = None
    virtual: bool = False
    expression: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class WatermarkSpec:
    """WATERMARK FOR column AS expression (Flink SQL text)."""

    column: str
    expression: str


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table. ``options`` are the WITH options as written; ``distribution`` is the text behind
    DISTRIBUTED, which changes nothing on one machine."""

    path: ObjectPath
    columns: tuple[TableColumn, ...]
    watermark: WatermarkSpec | None = None
    primary_key: tuple[str, ...] = ()
    partitioned_by: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    comment: str | None = None
    temporary: bool = False
    distribution: str | None = None

    @property
    def schema(self) -> Schema:
        """All columns, as a query sees them."""
        return Schema(tuple(Column(c.name, c.type) for c in self.columns))

    @property
    def is_unbounded(self) -> bool:
        """Whether its rows never end."""
        connector = self.options.get("connector", "")
        if connector in ("datagen", "faker"):
            kinds = (v for k, v in self.options.items() if k.endswith(".kind"))
            return not self.options.get("number-of-rows") and "sequence" not in kinds
        if connector == "nexmark":
            return self.options.get("events.num", "0").strip() == "0"
        if connector == "filesystem":
            return "source.monitor-interval" in self.options
        if connector in ("kafka", "upsert-kafka"):
            return self.options.get("scan.bounded.mode", "unbounded") == "unbounded"
        return connector.startswith("kinesis")

    def physical(self) -> Schema:
        """The columns that are in the payload."""
        kept = [c for c in self.columns if c.kind is ColumnKind.PHYSICAL]
        return Schema(tuple(Column(c.name, c.type) for c in kept))


@dataclass(frozen=True, slots=True)
class CatalogView:
    """A view: its text, and the columns it was found to have."""

    path: ObjectPath
    query: str
    schema: Schema
    comment: str | None = None
    temporary: bool = False
