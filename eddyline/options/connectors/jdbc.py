"""The jdbc connector: tables of SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from eddyline.errors import EddylineError
from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector
from eddyline.options.option import COUNT, INTEGER, NAME, STRING, Option, integer, without_effect

SCHEMES = ("jdbc:sqlite:", "jdbc:postgresql:")
URL = Option(
    "url",
    STRING,
    None,
    "The database: 'jdbc:sqlite:/path/file.db' or 'jdbc:postgresql://host:5432/database'.",
    required=True,
)
TABLE_NAME = Option("table-name", NAME, None, "The table, as schema.table.", required=True)
USERNAME = Option("username", STRING, None, "The user of PostgreSQL.")
PASSWORD = Option("password", STRING, None, "The user's password.")
FETCH_SIZE = Option(
    "scan.fetch-size", integer(1), "10000", "Rows that are fetched from the database at a time."
)
PARTITION_COLUMN = Option(
    "scan.partition.column", STRING, None, "Only rows between the two bounds of it are read."
)
LOWER_BOUND = Option("scan.partition.lower-bound", INTEGER, None, "The least value that is read.")
UPPER_BOUND = Option("scan.partition.upper-bound", INTEGER, None, "The greatest value read.")
FLUSH_ROWS = Option(
    "sink.buffer-flush.max-rows", COUNT, "1000", "Rows that are written by one statement."
)
MAX_RETRIES = Option(
    "sink.max-retries", integer(0), "3", "How often a write is tried again before the job fails."
)
_READ_ONCE = "a table that is looked up is read once, before the first row"


def _check(options: Mapping[str, str]) -> None:
    url = URL.read(options)
    if not url.startswith(SCHEMES):
        hint = "it must begin with " + " or ".join(f"'{s}'" for s in SCHEMES)
        raise EddylineError("sql_unsupported", f"option 'url' is '{url}'", hint=hint)
    bounds = [o for o in (PARTITION_COLUMN, LOWER_BOUND, UPPER_BOUND) if o.given(options)]
    if bounds and len(bounds) < 3:
        names = ", ".join(o.name for o in (PARTITION_COLUMN, LOWER_BOUND, UPPER_BOUND))
        message = f"'{bounds[0].name}' is given without the others of {names}"
        raise EddylineError("sql_semantic", message, hint="give all three or none")


JDBC = Connector(
    "jdbc",
    "A table of SQLite or PostgreSQL: read as it is when the job starts, looked up, or written by "
    "its primary key.",
    (
        URL, TABLE_NAME, USERNAME, PASSWORD, FETCH_SIZE, PARTITION_COLUMN, LOWER_BOUND,
        UPPER_BOUND, FLUSH_ROWS, MAX_RETRIES,
        *without_effect("the driver follows from the url", "driver"),
        *without_effect(_READ_ONCE, "lookup.cache", "lookup.cache.*", "lookup.partial-cache.*",
                        "lookup.full-cache.*", "lookup.max-retries"),
        *without_effect("each micro-batch is written at once", "sink.buffer-flush.interval"),
        *without_effect("one worker runs a job here", "scan.partition.num", "scan.auto-commit"),
        *without_effect("a connection is tried for 30 s", "connection.max-retry-timeout"),
        any_table.SCAN_PARALLELISM, any_table.SINK_PARALLELISM,
    ),
    source=True,
    sink=Changes.UPSERTS,
    formatted=False,
    check=_check,
    guarantee="exactly once with a primary key, else at least once",
)  # fmt: skip
