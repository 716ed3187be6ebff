"""The one DuckDB of a process in which formats read and write texts.

In memory and without tables; each format takes a connection of its own, which costs a tenth of a
database of its own.
"""

from __future__ import annotations

import threading

import duckdb
import pyarrow as pa

from eddyline.record.vector import Vectors

# Records are parsed a batch at a time; this only bounds a mistake.
MEMORY_LIMIT = "1GiB"

_lock = threading.Lock()
_databases: dict[int, tuple[duckdb.DuckDBPyConnection, Vectors]] = {}


class Kernel:
    """A connection; belongs to one thread."""

    def __init__(self, threads: int) -> None:
        with _lock:
            if threads not in _databases:
                config: dict[str, str | bool | int | float | list[str]]
                config = {
                    "threads": threads,
                    "memory_limit": MEMORY_LIMIT,
                    "enable_external_access": "false",
                }
                db = duckdb.connect(":memory:", config=config)
                _databases[threads] = (db, Vectors(db))
            db, self._vectors = _databases[threads]
            self._db = db.cursor()

    def query(self, sql: str, p: pa.Table) -> pa.Table:
        """Rows of a SELECT over ``p``; raises what DuckDB raises."""
        self._db.register("p", p)
        self._vectors.prepare(sql)
        try:
            return self._db.sql(sql).to_arrow_table()
        finally:
            self._db.unregister("p")
