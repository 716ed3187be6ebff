"""Values as text, the way Flink prints them: it is Flink's cast to STRING, run in DuckDB.

So a result on screen, ``CAST(x AS STRING)`` and a row of the command line never differ:
``2023-08-29 12:55:29.999``, ``120.0``, ``TRUE``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from eddyline.functions.casts import cast, castable
from eddyline.functions.registry import CallContext
from eddyline.record.schema import Schema
from eddyline.record.types import STRING, DataType, quote
from eddyline.record.vector import Vectors

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Row = tuple[str | None, ...]

_lock = threading.Lock()
_connection: tuple[duckdb.DuckDBPyConnection, Vectors] | None = None


class Printer:
    """Prints rows of one schema; instants are shown in ``zone``."""

    def __init__(self, schema: Schema, zone: str = "UTC") -> None:
        context = CallContext(zone, printing=True)
        shown = [
            f"{_shown(quote(c.name), c.type, context)} AS {quote(c.name)}" for c in schema.columns
        ]
        self._select = f"SELECT {', '.join(shown)} FROM printed"
        self.columns = list(schema.names)
        self.types = [str(t.plain()) for t in schema.types]

    def rows(self, table: pa.Table) -> list[Row]:
        """Each row as a tuple of texts, None for NULL."""
        if table.num_rows == 0:
            return []
        db, vectors = _shared()
        with db:
            db.register("printed", table)
            vectors.prepare(self._select)
            try:
                rows: list[Row] = db.execute(self._select).fetchall()
            finally:
                db.unregister("printed")
        return rows


def _shared() -> tuple[duckdb.DuckDBPyConnection, Vectors]:
    """A cursor of the process's one connection for printing, and the functions it knows."""
    global _connection
    import duckdb

    with _lock:
        if _connection is None:
            db = duckdb.connect(
                ":memory:",
                config={
                    "threads": 1,
                    "memory_limit": "128MB",
                    "enable_external_access": "false",
                },
            )
            _connection = (db, Vectors(db))
        return _connection[0].cursor(), _connection[1]


def _shown(text: str, kind: DataType, context: CallContext) -> str:
    if castable(kind, STRING):
        return cast("{0}", kind, STRING, context, False).format(text)
    return f"CAST({text} AS VARCHAR)"
