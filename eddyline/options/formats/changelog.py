"""Formats of change data capture: a record says which change of a row it is."""

from __future__ import annotations

from eddyline.options.connector import Format, Metadata
from eddyline.options.formats.json import ENCODING, IGNORE_PARSE_ERRORS
from eddyline.options.option import BOOLEAN, PATTERN, Option

SCHEMA_INCLUDE = Option(
    "schema-include",
    BOOLEAN,
    "false",
    'Whether a record has its schema beside it: {"schema": …, "payload": …}.',
)
DATABASE_INCLUDE = Option(
    "database.include", PATTERN, None, "Only changes of databases that match are read."
)
TABLE_INCLUDE = Option(
    "table.include", PATTERN, None, "Only changes of tables that match are read."
)
_SHARED = (IGNORE_PARSE_ERRORS, *ENCODING)
_DATABASE = Metadata("database", "STRING", "The database of the change.")
_TABLE = Metadata("table", "STRING", "The table of the change.")
_INGESTED = Metadata("ingestion-timestamp", "TIMESTAMP_LTZ(3)", "When the change was captured.")

DEBEZIUM_JSON = Format(
    "debezium-json",
    "Changes as Debezium writes them: rows before and after, and the operation.",
    (SCHEMA_INCLUDE, *_SHARED),
    changelog=True,
    metadata=(
        Metadata("schema", "STRING", "The record's schema, as JSON."),
        _INGESTED,
        Metadata("source.timestamp", "TIMESTAMP_LTZ(3)", "When the database made the change."),
        Metadata("source.database", "STRING", "The database of the change."),
        Metadata("source.schema", "STRING", "The schema of the changed table."),
        Metadata("source.table", "STRING", "The table of the change."),
        Metadata("source.properties", "MAP<STRING, STRING>", "All that is said of the source."),
    ),
)
CANAL_JSON = Format(
    "canal-json",
    "Changes as Canal writes them: several rows per record, old values of an update beside them.",
    (DATABASE_INCLUDE, TABLE_INCLUDE, *_SHARED),
    changelog=True,
    metadata=(
        _DATABASE, _TABLE, _INGESTED,
        Metadata("event-timestamp", "TIMESTAMP_LTZ(3)", "When the database made the change."),
        Metadata("sql-type", "MAP<STRING, INT>", "The JDBC type of each column."),
        Metadata("pk-names", "ARRAY<STRING>", "The columns of the primary key."),
    ),
)  # fmt: skip
MAXWELL_JSON = Format(
    "maxwell-json",
    "Changes as Maxwell writes them: the row, and the old values of an update.",
    _SHARED,
    changelog=True,
    metadata=(
        _DATABASE, _TABLE, _INGESTED,
        Metadata("primary-key-columns", "ARRAY<STRING>", "The columns of the primary key."),
    ),
)  # fmt: skip
OGG_JSON = Format(
    "ogg-json",
    "Changes as Oracle GoldenGate writes them: rows before and after, and the operation.",
    _SHARED,
    changelog=True,
    metadata=(
        _TABLE,
        Metadata("primary-keys", "ARRAY<STRING>", "The columns of the primary key."),
        Metadata("ingestion-timestamp", "TIMESTAMP_LTZ(6)", "When the change was captured."),
        Metadata("event-timestamp", "TIMESTAMP_LTZ(6)", "When the database made the change."),
    ),
)
