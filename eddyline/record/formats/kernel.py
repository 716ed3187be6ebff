"""The one DuckDB of a process in which formats read and write texts.

In memory and without tables; each format takes a connection of its own, which costs a tenth of a
database of its own.
"""

from __future__ import annotations

import threading
import warnings

import duckdb
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.record.vector import Vectors

FEW_ROWS = 4096
# Up to so many rows are plain Python values where all that is done with them can be.
PLAIN_ROWS = 256
# Rows that are read at a time where the size of a result is not known.
READ_ROWS = 4096
# Up to this size what was read in pieces is copied into one.
JOINED_BYTES_MAX = 64 << 20
NO_MEMORY = "more memory is needed than the worker may use"
# DuckDB says so for every such result; ``rows_of`` chooses it on purpose.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
# Records are parsed a batch at a time; this only bounds a mistake.
MEMORY_LIMIT = "1GiB"

_lock = threading.Lock()
_databases: dict[int, tuple[duckdb.DuckDBPyConnection, Vectors]] = {}


def are_few(num_rows: int) -> bool:
    """Whether so many rows are worked on as plain values."""
    return num_rows <= min(PLAIN_ROWS, FEW_ROWS)


class FormatConnection:
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
        """Rows of a SELECT over ``p``; raises what DuckDB raises.

        Raises:
            EddylineError: ``limit_exceeded`` if that takes more than ``MEMORY_LIMIT``.
        """
        self._db.register("p", p)
        self._vectors.prepare(sql)
        try:
            return rows_of(self._db, sql, p.num_rows)
        except duckdb.OutOfMemoryException as error:
            msg = f"{NO_MEMORY} for {p.num_rows:,} records at once ({MEMORY_LIMIT})"
            hint = "lower EDDYLINE_BATCH_ROWS_MAX"
            raise EddylineError("limit_exceeded", msg, hint=hint) from error
        finally:
            self._db.unregister("p")


class TooLarge(Exception):
    """A result has more bytes than its reader can take."""


def rows_of(
    db: duckdb.DuckDBPyConnection, sql: str, lent: int, *, bytes_max: int | None = None
) -> pa.Table:
    """Rows of a SELECT over ``lent`` rows of Python's.

    A relation binds its statement twice, a plain statement copies its result once more: for few
    rows the second costs half. With ``bytes_max`` the result is read as it is made, and no
    further.

    Raises:
        TooLarge: the result has more than ``bytes_max`` bytes.
    """
    if bytes_max is not None:
        return _within(db.sql(sql).to_arrow_reader(READ_ROWS), bytes_max)
    if lent <= FEW_ROWS:
        return db.execute(sql).to_arrow_table()
    return db.sql(sql).to_arrow_table()


def _within(reader: pa.RecordBatchReader, bytes_max: int) -> pa.Table:
    pieces, size = [], 0
    for piece in reader:
        size += piece.nbytes
        if size > bytes_max:
            reader.close()  # while it is open the connection takes no other statement
            raise TooLarge
        pieces.append(piece)
    table = pa.Table.from_batches(pieces, reader.schema)
    return table.combine_chunks() if 0 < size <= JOINED_BYTES_MAX else table
