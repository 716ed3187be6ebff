"""A connection to the database of a jdbc table: SQLite, or PostgreSQL through psycopg."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from eddyline.errors import EddylineError
from eddyline.options.connectors import jdbc as options
from eddyline.record.types import BYTES, DataType, Root

_SQLITE = "jdbc:sqlite:"
CONNECT_S = 30


class Relational:
    """One table of a database; ``mark`` stands for a parameter in its statements."""

    def __init__(self, table: str, table_options: Mapping[str, str]) -> None:
        self._table = table
        self._url = options.URL.read(table_options)
        self.is_sqlite = self._url.startswith(_SQLITE)
        self.mark = "?" if self.is_sqlite else "%s"
        self.name = ".".join(quoted(p) for p in options.TABLE_NAME.read(table_options).split("."))
        with self.errors():
            if self.is_sqlite:
                self.connection: Any = self._sqlite()
            else:
                self.connection = self._postgres(table_options)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors of the driver as ours."""
        try:
            yield
        except EddylineError:
            raise
        except Exception as error:
            if not isinstance(error, sqlite3.Error) and not self._is_psycopg(error):
                raise
            message = f"table {self._table}: {self._url}: {str(error).strip()}"
            hint = (
                "see that the database runs, and that 'table-name' is a table of it that has these "
                "columns"
            )
            raise EddylineError("endpoint_error", message, hint=hint) from error

    def _sqlite(self) -> Any:
        path = self._url.removeprefix(_SQLITE).removeprefix("file:").partition("?")[0]
        if not Path(path).exists():
            message = f"table {self._table}: there is no database file {path}"
            hint = "create it with its table first, for example with the program sqlite3"
            raise EddylineError("not_found", message, hint=hint)
        return sqlite3.connect(path, timeout=CONNECT_S, check_same_thread=False)

    def _postgres(self, table_options: Mapping[str, str]) -> Any:
        try:
            import psycopg
        except ImportError:
            hint = "install it with: pip install 'eddyline[postgres]'"
            message = f"table {self._table}: PostgreSQL needs psycopg"
            raise EddylineError("sql_unsupported", message, hint=hint) from None
        parts = urlsplit(self._url.removeprefix("jdbc:"))
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        return psycopg.connect(
            host=parts.hostname or "localhost",
            port=parts.port or 5432,
            dbname=parts.path.strip("/") or None,
            user=options.USERNAME.get(table_options) or query.get("user"),
            password=options.PASSWORD.get(table_options) or query.get("password"),
            sslmode=query.get("sslmode", "prefer"),
            connect_timeout=CONNECT_S,
        )

    @staticmethod
    def _is_psycopg(error: Exception) -> bool:
        return type(error).__module__.startswith("psycopg")


def quoted(name: str) -> str:
    """An identifier in both databases."""
    return '"' + name.replace('"', '""') + '"'


def from_database(value: Any, t: DataType) -> Any:
    """A driver's value as Arrow takes it for the type.

    Raises:
        ValueError, TypeError, ArithmeticError: for a value that does not fit.
    """
    if value is None:
        return None
    if t.is_timestamp:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
        return moment
    if t.root is Root.DATE:
        return dt.date.fromisoformat(value) if isinstance(value, str) else value
    if t.root is Root.TIME:
        return dt.time.fromisoformat(value) if isinstance(value, str) else value
    if t.root is Root.DECIMAL:
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-t.scale))
    if t.root is Root.BOOLEAN:
        return bool(value)
    if t.is_text:
        return str(value)
    if t.root in BYTES:
        return bytes(value)
    if t.root in (Root.FLOAT, Root.DOUBLE):
        return float(value)
    if t.is_integer:
        return int(value)
    return list(value)


def to_sqlite(value: Any) -> Any:
    """An Arrow value as SQLite stores it: times and decimals as texts, BOOLEAN as a number."""
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
