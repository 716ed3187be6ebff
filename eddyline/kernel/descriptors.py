"""``Schema`` and ``TableDescriptor``: a table's definition in Python, as CREATE TABLE."""

from __future__ import annotations

from itertools import count
from typing import Any

from eddyline.kernel.expressions import Expression, quoted
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import run
from eddyline.udf.data_types import as_type


def _text(expression: Any) -> str:
    return expression.text if isinstance(expression, Expression) else str(expression)


class Schema(MissingNames):
    """Columns, watermark and key: ``Schema.new_builder().column('a', 'INT').build()``."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    @staticmethod
    def new_builder() -> Schema:
        """An empty schema; each method gives the schema itself."""
        return Schema()

    def from_fields(self, field_names: list[str], field_data_types: list[Any]) -> Schema:
        """Several columns."""
        for name, data_type in zip(field_names, field_data_types, strict=True):
            self.column(name, data_type)
        return self

    def from_schema(self, schema: Any) -> Schema:
        """The parts of another schema, or of a table's ``get_schema()``."""
        if isinstance(schema, Schema):
            self.parts += schema.parts
            return self
        return self.from_fields(schema.get_field_names(), schema.get_field_data_types())

    def column(self, column_name: str, data_type: Any) -> Schema:
        """A column of the data."""
        self.parts.append(f"{quoted(column_name)} {as_type(data_type)}")
        return self

    def column_by_expression(self, column_name: str, expression: Any) -> Schema:
        """A computed column."""
        self.parts.append(f"{quoted(column_name)} AS {_text(expression)}")
        return self

    def column_by_metadata(
        self, column_name: str, data_type: Any, metadata_key: str | None = None,
        is_virtual: bool = False,
    ) -> Schema:  # fmt: skip
        """A column that the connector fills."""
        key = f" FROM '{metadata_key}'" if metadata_key else ""
        virtual = " VIRTUAL" if is_virtual else ""
        self.parts.append(f"{quoted(column_name)} {as_type(data_type)} METADATA{key}{virtual}")
        return self

    def watermark(self, column_name: str, expression: Any) -> Schema:
        """The watermark of a time column."""
        self.parts.append(f"WATERMARK FOR {quoted(column_name)} AS {_text(expression)}")
        return self

    def primary_key(self, *column_names: str) -> Schema:
        """The key."""
        name = quoted(f"PK_{'_'.join(column_names)}")
        self.parts.append(
            f"CONSTRAINT {name} PRIMARY KEY ({', '.join(map(quoted, column_names))}) NOT ENFORCED"
        )
        return self

    def build(self) -> Schema:
        """The schema."""
        return self

    def __str__(self) -> str:
        return "(\n" + ",\n".join(f"  {part}" for part in self.parts) + "\n)"


class TableDescriptor(MissingNames):
    """A table: ``TableDescriptor.for_connector('datagen').schema(…).option(…).build()``."""

    def __init__(self, connector: str) -> None:
        self._schema: Schema | None = None
        self._options = {"connector": connector}
        self._partitions: tuple[str, ...] = ()
        self._comment = ""

    @staticmethod
    def for_connector(connector: str) -> TableDescriptor:
        """A table of this connector; each method gives the descriptor itself."""
        return TableDescriptor(connector)

    def schema(self, schema: Schema) -> TableDescriptor:
        """Its columns."""
        self._schema = schema
        return self

    def option(self, key: Any, value: Any) -> TableDescriptor:
        """An option of WITH."""
        self._options[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        return self

    def format(self, format: Any) -> TableDescriptor:
        """The format of the records."""
        if isinstance(format, FormatDescriptor):
            self._options["format"] = format.name
            self._options |= {f"{format.name}.{k}": v for k, v in format.options.items()}
            return self
        return self.option("format", format)

    def partitioned_by(self, *partition_keys: str) -> TableDescriptor:
        """The columns that part the records."""
        self._partitions = partition_keys
        return self

    def comment(self, comment: str) -> TableDescriptor:
        """What the table is."""
        self._comment = comment
        return self

    def build(self) -> TableDescriptor:
        """The descriptor."""
        return self

    def get_schema(self) -> Schema | None:
        """Its columns."""
        return self._schema

    def get_options(self) -> dict[str, str]:
        """The options of WITH."""
        return dict(self._options)

    def get_partition_keys(self) -> list[str]:
        """The columns that part the records."""
        return list(self._partitions)

    def get_comment(self) -> str | None:
        """What the table is."""
        return self._comment or None

    def statement(self, name: str, temporary: bool) -> str:
        """CREATE TABLE of that name."""
        return f"CREATE {'TEMPORARY TABLE' if temporary else 'TABLE'} {name} {self}"

    def __str__(self) -> str:
        parts = [str(self._schema)] if self._schema else []
        if self._comment:
            parts.append(f"COMMENT {_quoted(self._comment)}")
        if self._partitions:
            parts.append(f"PARTITIONED BY ({', '.join(map(quoted, self._partitions))})")
        options = (f"  {_quoted(k)} = {_quoted(v)}" for k, v in self._options.items())
        return "\n".join([*parts, "WITH (", ",\n".join(options), ")"])


class FormatDescriptor(MissingNames):
    """A format with its options."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.options: dict[str, str] = {}

    @staticmethod
    def for_format(format: str) -> FormatDescriptor:
        """A format of this name; each method gives the descriptor itself."""
        return FormatDescriptor(format)

    def option(self, key: Any, value: Any) -> FormatDescriptor:
        """An option of the format."""
        self.options[str(key)] = str(value).lower() if isinstance(value, bool) else str(value)
        return self

    def build(self) -> FormatDescriptor:
        """The descriptor."""
        return self


# Of tables that have no name of their own.
_numbers = count(1)


def anonymous_table(descriptor: TableDescriptor) -> str:
    """Create a temporary table without a name of its own; the name that SQL knows it by."""
    name = f"`table_{next(_numbers)}_{id(descriptor):x}`"
    run(descriptor.statement(name, temporary=True))
    return name


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
