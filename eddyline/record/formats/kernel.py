"""The one DuckDB of a process in which formats read and write texts.

In memory and without tables; each format takes a connection of its own, which costs a tenth of a
database of its own.
"""

from __future__ import annotations

import threading
import warnings

import duckdb
import pyarrow as pa

from eddyline.record.vector import Vectors

FEW_ROWS = 4096
# DuckDB says so for every such result; ``rows_of`` chooses it on purpose.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
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
            return rows_of(self._db, sql, p.num_rows)
        finally:
            self._db.unregister("p")


def rows_of(db: duckdb.DuckDBPyConnection, sql: str, lent: int) -> pa.Table:
    """Rows of a SELECT over ``lent`` rows of Python's.

    A relation binds its statement twice, a plain statement copies its result once more: for few
    rows the second costs half.
    """
    if lent <= FEW_ROWS:
        return db.execute(sql).to_arrow_table()
    return db.sql(sql).to_arrow_table()
