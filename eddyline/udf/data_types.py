"""PyFlink's ``DataTypes``: types of SQL as Python objects whose text is the SQL type."""

from __future__ import annotations

from typing import Any

STRING_LENGTH = 2_147_483_647


class DataType:
    """A SQL type. ``str()`` gives its SQL text."""

    def __init__(self, text: str, nullable: bool = True, fields: tuple[Any, ...] = ()) -> None:
        self.text = text
        self.nullable = nullable
        self.fields = fields

    def not_null(self) -> DataType:
        """The same type without NULL."""
        return DataType(self.text, False, self.fields)

    def nullable_type(self) -> DataType:
        """The same type with NULL."""
        return DataType(self.text, True, self.fields)

    def field_names(self) -> list[str]:
        """The names of a ROW's fields."""
        return [f.name for f in self.fields]

    def field_types(self) -> list[DataType]:
        """The types of a ROW's fields."""
        return [f.data_type for f in self.fields]

    def __str__(self) -> str:
        return self.text if self.nullable else f"{self.text} NOT NULL"

    def __repr__(self) -> str:
        return f"DataTypes({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class Field:
    """A named field of a ROW."""

    def __init__(self, name: str, data_type: Any, description: str | None = None) -> None:
        self.name = name
        self.data_type = as_type(data_type)
        self.description = description


class Resolution:
    """A unit of an INTERVAL."""

    def __init__(self, unit: str, precision: int = 0) -> None:
        self.unit = unit
        self.precision = precision


def as_type(value: Any) -> DataType:
    """A type given as an object or as SQL text.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(value, DataType):
        return value
    if isinstance(value, str):
        return DataType(value)
    msg = f"a type is DataTypes.X() or its SQL text, not {type(value).__name__} {value!r}"
    raise TypeError(msg)


def _list(types: Any) -> str:
    return ", ".join(str(as_type(t)) for t in types)


class DataTypes:
    """The types, by PyFlink's names."""

    @staticmethod
    def NULL() -> DataType:
        """The type of NULL alone."""
        return DataType("NULL")

    @staticmethod
    def CHAR(length: int, nullable: bool = True) -> DataType:
        """Text of a fixed length."""
        return DataType(f"CHAR({length})", nullable)

    @staticmethod
    def VARCHAR(length: int, nullable: bool = True) -> DataType:
        """Text of at most ``length`` characters."""
        return DataType(f"VARCHAR({length})", nullable)

    @staticmethod
    def STRING(nullable: bool = True) -> DataType:
        """Text of any length."""
        return DataType("STRING", nullable)

    @staticmethod
    def BOOLEAN(nullable: bool = True) -> DataType:
        """True or False."""
        return DataType("BOOLEAN", nullable)

    @staticmethod
    def BINARY(length: int, nullable: bool = True) -> DataType:
        """Bytes of a fixed length."""
        return DataType(f"BINARY({length})", nullable)

    @staticmethod
    def VARBINARY(length: int, nullable: bool = True) -> DataType:
        """At most ``length`` bytes."""
        return DataType(f"VARBINARY({length})", nullable)

    @staticmethod
    def BYTES(nullable: bool = True) -> DataType:
        """Bytes of any number."""
        return DataType("BYTES", nullable)

    @staticmethod
    def DECIMAL(precision: int, scale: int, nullable: bool = True) -> DataType:
        """An exact number."""
        return DataType(f"DECIMAL({precision}, {scale})", nullable)

    @staticmethod
    def TINYINT(nullable: bool = True) -> DataType:
        """An integer of 8 bits."""
        return DataType("TINYINT", nullable)

    @staticmethod
    def SMALLINT(nullable: bool = True) -> DataType:
        """An integer of 16 bits."""
        return DataType("SMALLINT", nullable)

    @staticmethod
    def INT(nullable: bool = True) -> DataType:
        """An integer of 32 bits."""
        return DataType("INT", nullable)

    @staticmethod
    def BIGINT(nullable: bool = True) -> DataType:
        """An integer of 64 bits."""
        return DataType("BIGINT", nullable)

    @staticmethod
    def FLOAT(nullable: bool = True) -> DataType:
        """A number of 32 bits."""
        return DataType("FLOAT", nullable)

    @staticmethod
    def DOUBLE(nullable: bool = True) -> DataType:
        """A number of 64 bits."""
        return DataType("DOUBLE", nullable)

    @staticmethod
    def DATE(nullable: bool = True) -> DataType:
        """A day."""
        return DataType("DATE", nullable)

    @staticmethod
    def TIME(precision: int = 0, nullable: bool = True) -> DataType:
        """A time of day."""
        return DataType(f"TIME({precision})", nullable)

    @staticmethod
    def TIMESTAMP(precision: int = 6, nullable: bool = True) -> DataType:
        """A date and time without a zone."""
        return DataType(f"TIMESTAMP({precision})", nullable)

    @staticmethod
    def TIMESTAMP_LTZ(precision: int = 6, nullable: bool = True) -> DataType:
        """An instant."""
        return DataType(f"TIMESTAMP_LTZ({precision})", nullable)

    TIMESTAMP_WITH_LOCAL_TIME_ZONE = TIMESTAMP_LTZ

    @staticmethod
    def ARRAY(element_type: Any, nullable: bool = True) -> DataType:
        """A list."""
        return DataType(f"ARRAY<{as_type(element_type)}>", nullable)

    LIST_VIEW = ARRAY

    @staticmethod
    def MAP(key_type: Any, value_type: Any, nullable: bool = True) -> DataType:
        """A dictionary."""
        return DataType(f"MAP<{_list((key_type, value_type))}>", nullable)

    MAP_VIEW = MAP

    @staticmethod
    def MULTISET(element_type: Any, nullable: bool = True) -> DataType:
        """Elements with their number."""
        return DataType(f"MULTISET<{as_type(element_type)}>", nullable)

    @staticmethod
    def ROW(row_fields: Any = (), nullable: bool = True) -> DataType:
        """Named fields, or types alone, whose fields are f0, f1, …"""
        fields = [
            f if isinstance(f, Field) else Field(f"f{i}", f) for i, f in enumerate(row_fields)
        ]
        texts = [f"`{f.name.replace('`', '``')}` {f.data_type}" for f in fields]
        return DataType(f"ROW<{', '.join(texts)}>", nullable, tuple(fields))

    @staticmethod
    def FIELD(name: str, data_type: Any, description: str | None = None) -> Field:
        """A named field."""
        return Field(name, data_type, description)

    @staticmethod
    def SECOND(precision: int = 6) -> Resolution:
        """The unit second."""
        return Resolution("SECOND", precision)

    @staticmethod
    def MINUTE() -> Resolution:
        """The unit minute."""
        return Resolution("MINUTE")

    @staticmethod
    def HOUR() -> Resolution:
        """The unit hour."""
        return Resolution("HOUR")

    @staticmethod
    def DAY(precision: int = 2) -> Resolution:
        """The unit day."""
        return Resolution("DAY", precision)

    @staticmethod
    def MONTH() -> Resolution:
        """The unit month."""
        return Resolution("MONTH")

    @staticmethod
    def YEAR(precision: int = 4) -> Resolution:
        """The unit year."""
        return Resolution("YEAR", precision)

    @staticmethod
    def INTERVAL(upper: Resolution, lower: Resolution | None = None) -> DataType:
        """A length of time, in months or in milliseconds."""
        months = upper.unit in ("YEAR", "MONTH")
        return DataType("INTERVAL MONTH" if months else "INTERVAL SECOND(3)")

    def __getattr__(self, name: str) -> Any:
        msg = f"DataTypes.{name} is not available here"
        raise AttributeError(msg)
