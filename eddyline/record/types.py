"""Flink's SQL types, and what each is in Arrow and in DuckDB.

One frozen value a type, spelt as Flink spells it. A time attribute (row time, processing time)
is a mark on the type, as in Flink: it says that a watermark belongs to the column.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

import pyarrow as pa

VARCHAR_MAX = 2_147_483_647
MULTISET, VARIANT = "MULTISET", "VARIANT"


class Root(StrEnum):
    """The families of types."""

    BOOLEAN = "BOOLEAN"
    TINYINT = "TINYINT"
    SMALLINT = "SMALLINT"
    INT = "INT"
    BIGINT = "BIGINT"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    CHAR = "CHAR"
    VARCHAR = "VARCHAR"
    BINARY = "BINARY"
    VARBINARY = "VARBINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    TIMESTAMP_LTZ = "TIMESTAMP_LTZ"
    INTERVAL_MONTH = "INTERVAL YEAR TO MONTH"
    INTERVAL_SECOND = "INTERVAL DAY TO SECOND"
    ARRAY = "ARRAY"
    MAP = "MAP"
    ROW = "ROW"
    NULL = "NULL"


class TimeAttribute(StrEnum):
    """Why a timestamp column can drive windows."""

    ROWTIME = "ROWTIME"
    PROCTIME = "PROCTIME"


INTEGERS = (Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT)
BITS = {Root.TINYINT: 8, Root.SMALLINT: 16, Root.INT: 32, Root.BIGINT: 64}
APPROXIMATE = (Root.FLOAT, Root.DOUBLE)
NUMERIC = (*INTEGERS, Root.DECIMAL, *APPROXIMATE)
TEXT = (Root.CHAR, Root.VARCHAR)
BYTES = (Root.BINARY, Root.VARBINARY)


@dataclass(frozen=True, slots=True)
class DataType:
    """A SQL type.

    ``precision`` is the length of CHAR/VARCHAR/BINARY/VARBINARY, the precision of DECIMAL, and
    the digits of a second's fraction of TIME and TIMESTAMP. ``children`` are the element of an
    ARRAY, key and value of a MAP, the fields of a ROW (named by ``names``).

    ``alias`` marks a type that is held as another one is: MULTISET is a MAP from an element to
    its number, VARIANT the text of a JSON value, STRUCTURED<'class', …> a ROW (alias: the class).
    """

    root: Root
    precision: int = 0
    scale: int = 0
    nullable: bool = True
    children: tuple[DataType, ...] = ()
    names: tuple[str, ...] = ()
    time_attribute: TimeAttribute | None = None
    # Digests of kept jobs are made of the representation, which this must not change.
    alias: str = field(default="", repr=False)

    def not_null(self) -> DataType:
        """The same type without NULL."""
        return replace(self, nullable=False)

    def null(self) -> DataType:
        """The same type with NULL."""
        return replace(self, nullable=True)

    def plain(self) -> DataType:
        """The same type without a time attribute (Flink's "materialised" time)."""
        return replace(self, time_attribute=None)

    @property
    def is_numeric(self) -> bool:
        return self.root in NUMERIC

    @property
    def is_integer(self) -> bool:
        return self.root in INTEGERS

    @property
    def is_text(self) -> bool:
        return self.root in TEXT

    @property
    def is_structured(self) -> bool:
        """Whether it is a ROW with the name of a class, whose fields are shown by name."""
        return self.root is Root.ROW and bool(self.alias)

    @property
    def is_rowtime(self) -> bool:
        return self.time_attribute is TimeAttribute.ROWTIME

    @property
    def is_timestamp(self) -> bool:
        return self.root in (Root.TIMESTAMP, Root.TIMESTAMP_LTZ)

    def __str__(self) -> str:
        text = _spelling(self) + ("" if self.nullable else " NOT NULL")
        return f"{text} *{self.time_attribute}*" if self.time_attribute else text

    def same_as(self, other: DataType) -> bool:
        """Equal but for nullability and time attribute."""
        return self.plain().null() == other.plain().null()


def _spelling(t: DataType) -> str:
    if t.alias == VARIANT:
        return VARIANT
    if t.alias == MULTISET:
        return f"MULTISET<{t.children[0]}>"
    if t.root is Root.VARCHAR and t.precision == VARCHAR_MAX:
        return "STRING"
    if t.root is Root.VARBINARY and t.precision == VARCHAR_MAX:
        return "BYTES"
    if t.root is Root.DECIMAL:
        return f"DECIMAL({t.precision}, {t.scale})"
    if t.root in (*TEXT, *BYTES, Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ):
        return f"{t.root}({t.precision})"
    if t.root is Root.INTERVAL_SECOND:
        return "INTERVAL SECOND(3)"
    if t.root is Root.INTERVAL_MONTH:
        return "INTERVAL MONTH"
    if t.root in (Root.ARRAY, Root.MAP):
        return f"{t.root}<{', '.join(map(str, t.children))}>"
    if t.root is Root.ROW:
        fields = zip(t.names, t.children, strict=True)
        text = ", ".join(f"`{n}` {c}" for n, c in fields)
        if t.is_structured:
            name = t.alias.replace("'", "''")
            return f"STRUCTURED<'{name}'" + (f", {text}>" if text else ">")
        return f"ROW<{text}>"
    return str(t.root)


BOOLEAN = DataType(Root.BOOLEAN)
TINYINT = DataType(Root.TINYINT)
SMALLINT = DataType(Root.SMALLINT)
INT = DataType(Root.INT)
BIGINT = DataType(Root.BIGINT)
FLOAT = DataType(Root.FLOAT)
DOUBLE = DataType(Root.DOUBLE)
STRING = DataType(Root.VARCHAR, VARCHAR_MAX)
BYTES_TYPE = DataType(Root.VARBINARY, VARCHAR_MAX)
DATE = DataType(Root.DATE)
TIME = DataType(Root.TIME)
NULL = DataType(Root.NULL)
INTERVAL_SECOND = DataType(Root.INTERVAL_SECOND)
INTERVAL_MONTH = DataType(Root.INTERVAL_MONTH)


def decimal(precision: int, scale: int = 0) -> DataType:
    """DECIMAL(precision, scale), at most 38 digits."""
    return DataType(Root.DECIMAL, precision, scale)


def timestamp(precision: int = 6) -> DataType:
    """TIMESTAMP(precision): a date and time without zone."""
    return DataType(Root.TIMESTAMP, precision)


def timestamp_ltz(precision: int = 6) -> DataType:
    """TIMESTAMP_LTZ(precision): an instant, shown in the session's zone."""
    return DataType(Root.TIMESTAMP_LTZ, precision)


def varchar(length: int) -> DataType:
    """VARCHAR(length)."""
    return DataType(Root.VARCHAR, length)


def char(length: int) -> DataType:
    """CHAR(length)."""
    return DataType(Root.CHAR, length)


def array(element: DataType) -> DataType:
    """ARRAY<element>."""
    return DataType(Root.ARRAY, children=(element,))


def map_of(key: DataType, value: DataType) -> DataType:
    """MAP<key, value>."""
    return DataType(Root.MAP, children=(key, value))


def multiset(element: DataType) -> DataType:
    """MULTISET<element>: elements with their numbers."""
    return DataType(Root.MAP, children=(element, INT), alias=MULTISET)


def variant() -> DataType:
    """VARIANT: a JSON value."""
    return DataType(Root.VARCHAR, VARCHAR_MAX, alias=VARIANT)


def structured(name: str, names: tuple[str, ...], children: tuple[DataType, ...]) -> DataType:
    """STRUCTURED<'name', field type, …>."""
    return DataType(Root.ROW, children=children, names=names, alias=name)


def row(names: tuple[str, ...], children: tuple[DataType, ...]) -> DataType:
    """ROW<name type, …>."""
    return DataType(Root.ROW, children=children, names=names)


_DUCKDB = {
    Root.BOOLEAN: "BOOLEAN",
    Root.TINYINT: "TINYINT",
    Root.SMALLINT: "SMALLINT",
    Root.INT: "INTEGER",
    Root.BIGINT: "BIGINT",
    Root.FLOAT: "FLOAT",
    Root.DOUBLE: "DOUBLE",
    Root.CHAR: "VARCHAR",
    Root.VARCHAR: "VARCHAR",
    Root.BINARY: "BLOB",
    Root.VARBINARY: "BLOB",
    Root.DATE: "DATE",
    Root.TIME: "TIME",
    # Both are held as microseconds of UTC; a zone is applied only where text is made or read.
    Root.TIMESTAMP: "TIMESTAMP",
    Root.TIMESTAMP_LTZ: "TIMESTAMP",
    Root.INTERVAL_MONTH: "BIGINT",  # months
    Root.INTERVAL_SECOND: "BIGINT",  # milliseconds
    Root.NULL: "INTEGER",
}

_ARROW: dict[Root, pa.DataType] = {
    Root.BOOLEAN: pa.bool_(),
    Root.TINYINT: pa.int8(),
    Root.SMALLINT: pa.int16(),
    Root.INT: pa.int32(),
    Root.BIGINT: pa.int64(),
    Root.FLOAT: pa.float32(),
    Root.DOUBLE: pa.float64(),
    Root.CHAR: pa.string(),
    Root.VARCHAR: pa.string(),
    Root.BINARY: pa.binary(),
    Root.VARBINARY: pa.binary(),
    Root.DATE: pa.date32(),
    Root.TIME: pa.time64("us"),
    Root.TIMESTAMP: pa.timestamp("us"),
    Root.TIMESTAMP_LTZ: pa.timestamp("us"),
    Root.INTERVAL_MONTH: pa.int64(),
    Root.INTERVAL_SECOND: pa.int64(),
    Root.NULL: pa.int32(),
}


@lru_cache(maxsize=4096)
def duckdb_type(t: DataType) -> str:
    """The DuckDB column type that holds ``t``."""
    if t.root is Root.DECIMAL:
        return f"DECIMAL({t.precision},{t.scale})"
    if t.root is Root.ARRAY:
        return duckdb_type(t.children[0]) + "[]"
    if t.root is Root.MAP:
        return f"MAP({duckdb_type(t.children[0])}, {duckdb_type(t.children[1])})"
    if t.root is Root.ROW:
        fields = zip(t.names, t.children, strict=True)
        return "STRUCT(" + ", ".join(f"{quote(n)} {duckdb_type(c)}" for n, c in fields) + ")"
    return _DUCKDB[t.root]


@lru_cache(maxsize=4096)
def arrow_type(t: DataType) -> pa.DataType:
    """The Arrow type that holds ``t``."""
    if t.root is Root.DECIMAL:
        return pa.decimal128(t.precision, t.scale)
    if t.root is Root.ARRAY:
        return pa.list_(arrow_type(t.children[0]))
    if t.root is Root.MAP:
        return pa.map_(arrow_type(t.children[0]), arrow_type(t.children[1]))
    if t.root is Root.ROW:
        pairs = zip(t.names, t.children, strict=True)
        return pa.struct([(n, arrow_type(c)) for n, c in pairs])
    return _ARROW[t.root]


def quote(name: str) -> str:
    """An identifier as DuckDB text."""
    return '"' + name.replace('"', '""') + '"'
