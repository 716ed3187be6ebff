"""A table's WITH options against the rows of its connector and formats (``eddyline.options``).

Options are checked when a table is first used, as in Flink; CREATE TABLE warns about what a later
use would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eddyline.catalog.fields import check_fields
from eddyline.catalog.table import CatalogTable
from eddyline.errors import EddylineError, nearest
from eddyline.options.connector import Connector, Format
from eddyline.options.connectors import connector_of
from eddyline.options.formats import format_of
from eddyline.options.option import Option

# Where a format may be named, and the prefix of that format's options.
FORMAT_KEYS = (("format", ""), ("value.format", "value."), ("key.format", "key."))
# Options of Flink before 1.11, which named a connector in another way.
_OLD_PREFIXES = ("connector.", "format.", "schema.", "update-mode")

Known = dict[str, Option[Any]]


def check_options(table: CatalogTable) -> Connector:
    """The table's connector, if the options are known, complete and of their kinds.

    Raises:
        EddylineError: ``sql_semantic``, naming the table, the option and what is possible.
    """
    try:
        return _checked(table)
    except EddylineError as error:
        start = f"table {table.path}"
        if start not in error.message:
            error.message = f"{start}: {error.message}"
        raise


def _checked(table: CatalogTable) -> Connector:
    row = _connector(table)
    known = dict(_known(table, row))
    for key in table.options:
        if key != "connector" and _row(known, key) is None and not _is_of_column(row, key):
            raise _unknown(row, key, sorted(known))
    for option in row.options:
        _required(table, row, option)
        if len(spelt := [n for n in option.spellings if n in table.options]) > 1:
            names = " and ".join(f"'{n}'" for n in spelt)
            hint = "they are two spellings of one option: leave one out"
            raise EddylineError("sql_semantic", f"both {names} are given", hint=hint)
    for key, value in table.options.items():
        if (known_row := _row(known, key)) is not None:
            known_row.parse(key, value)
    check_fields(table, row)
    if row.needs_key and not table.primary_key:
        hint = "add PRIMARY KEY (column) NOT ENFORCED to the table"
        raise EddylineError("sql_semantic", f"connector '{row.name}' needs a key", hint=hint)
    for _, form in formats_of(table):
        if not form.records and row.name != "filesystem":
            hint = "files of the filesystem connector can have it; a record can be avro"
            message = f"format '{form.name}' is of whole files, not of records"
            raise EddylineError("sql_semantic", message, hint=hint)
    if row.check is not None:
        row.check(table.options)
    columns = table.physical().names
    for field in table.options.get("key.fields", "").split(";"):
        if field.strip() and field.strip() not in columns:
            message = f"option 'key.fields' names {field.strip()}, which is no column"
            raise EddylineError("sql_semantic", message, hint=f"columns: {', '.join(columns)}")
    return row


def option_warnings(table: CatalogTable) -> list[str]:
    """A sentence for each option that is accepted although it changes nothing here."""
    known = dict(_known(table, _connector(table)))
    rows = [(key, _row(known, key)) for key in table.options]
    return [
        f"table {table.path.name}: option '{key}' has no effect: {row.no_effect}"
        for key, row in rows
        if row is not None and row.no_effect is not None
    ]


def formats_of(table: CatalogTable) -> list[tuple[str, Format]]:
    """(prefix of its options, format) of each format that the table names."""
    options = table.options
    return [(prefix, _format(options, key)) for key, prefix in FORMAT_KEYS if key in options]


def _format(options: Mapping[str, str], key: str) -> Format:
    try:
        return format_of(options[key])
    except EddylineError as error:
        if key != "format":
            error.message = f"option '{key}': {error.message}"
        raise


def has_changelog(table: CatalogTable) -> bool:
    """Whether the table's records say which change of a row they are."""
    if connector_of(table.options.get("connector", "")).name == "upsert-kafka":
        return True
    return gives_changes(table)


def gives_changes(table: CatalogTable) -> bool:
    """Whether a record that is read says which change of a row it is."""
    return any(form.changelog for prefix, form in formats_of(table) if prefix != "key.")


def is_partitioned(table: CatalogTable) -> bool:
    """Whether the PARTITIONED BY columns are folders, not fields of a record."""
    return bool(table.partitioned_by) and table.options.get("connector") == "filesystem"


def metadata_of(table: CatalogTable) -> tuple[str, ...]:
    """The keys of the table's metadata; those of a format may have ``value.`` before them."""
    own = [m.key for m in _connector(table).metadata]
    formats = [
        m.key for prefix, form in formats_of(table) if prefix != "key." for m in form.metadata
    ]
    return (*own, *(k for k in formats if k not in own), *(f"value.{k}" for k in formats))


def _connector(table: CatalogTable) -> Connector:
    name = table.options.get("connector")
    if name is not None:
        return connector_of(name)
    if any(key.startswith(_OLD_PREFIXES) for key in table.options):
        old = table.options.get("connector.type", "kinesis")
        message = "these options are those of Flink before 1.11"
        hint = f"write 'connector' = '{old}' and its options: docs/reference/connectors.md"
        raise EddylineError("sql_semantic", message, hint=hint)
    hint = "add WITH ('connector' = 'kinesis', …)"
    raise EddylineError("sql_semantic", "it has no 'connector' option", hint=hint)


def _known(table: CatalogTable, row: Connector) -> Iterator[tuple[str, Option[Any]]]:
    """Every spelling of an option of the connector and its formats."""
    for option in row.options:
        for name in option.spellings:
            yield name, option
    if not row.formatted:
        return
    for prefix, form in formats_of(table):
        for option in form.options:
            yield f"{prefix}{form.name}.{option.name}", option


def is_option(table: CatalogTable, key: str) -> bool:
    """Whether a key is an option of the table's connector, or of a format that it names."""
    row = _connector(table)
    return _row(dict(_known(table, row)), key) is not None or _is_of_column(row, key)


def _row(known: Known, key: str) -> Option[Any] | None:
    if key in known:
        return known[key]
    return next((o for n, o in known.items() if n.endswith("*") and key.startswith(n[:-1])), None)


def _is_of_column(row: Connector, key: str) -> bool:
    return bool(row.column_settings) and key.startswith("fields.")


def _required(table: CatalogTable, row: Connector, option: Option[Any]) -> None:
    if option.required and option.given(table.options) is None:
        message = f"connector '{row.name}' needs the option '{option.name}'"
        hint = f"add '{option.name}' = '…' to WITH (…). {option.meaning}"
        raise EddylineError("sql_semantic", message, hint=hint)


def _unknown(row: Connector, key: str, known: list[str]) -> EddylineError:
    near = nearest(key, known)
    return EddylineError(
        "sql_semantic",
        f"unsupported options found for '{row.name}': '{key}'",
        detail="supported options: " + ", ".join(["connector", *known]),
        hint=f"did you mean '{near[0]}'?" if near else None,
    )
