"""One DuckDB database behind a job: its kernels and its state, spoken to by one thread.

A thin wrapper, for three reasons: a batch is lent to a statement as a view, every DuckDB failure
becomes an ``EddylineError`` that says what happened to the user's rows, and limits are set in one
place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.settings import Settings

_PREFIX = re.compile(r"^[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Error: ")


class Database:
    """A connection with limits. ``path`` None keeps everything in memory."""

    def __init__(self, path: Path | None, settings: Settings) -> None:
        config: dict[str, Any] = {
            "threads": settings.worker_threads,
            "memory_limit": f"{settings.worker_memory_mib}MiB",
            # Statements are generated; none has reason to open a file or an address.
            "enable_external_access": "false",
        }
        home = path.parent if path is not None else settings.data_dir
        config["temp_directory"] = str(home / "spill")
        try:
            self._db = duckdb.connect(str(path) if path else ":memory:", config=config)
        except duckdb.Error as e:
            raise _opening(e, path) from e
        self._db.execute("SET TimeZone = 'UTC'")

    def query(self, sql: str, **views: pa.Table) -> pa.Table:
        """Rows of a SELECT over the state and the lent ``views``."""
        self._lend(views)
        try:
            return self._db.sql(sql).to_arrow_table()
        except duckdb.Error as e:
            raise translated(e) from e

    def run(self, sql: str, values: Sequence[object] = (), **views: pa.Table) -> None:
        """A statement whose rows do not matter."""
        self._lend(views)
        try:
            self._db.execute(sql, list(values)).fetchall()
        except duckdb.Error as e:
            raise translated(e) from e

    def one(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, None if there is no row."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows, as tuples; for small results."""
        try:
            found: list[tuple[Any, ...]] = self._db.execute(sql, list(values)).fetchall()
        except duckdb.Error as e:
            raise translated(e) from e
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a failure inside rolls back."""
        self.run("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # what failed may have ended the transaction already
                self._db.execute("ROLLBACK")
            raise
        self.run("COMMIT")

    def close(self) -> None:
        self._db.close()

    def _lend(self, views: dict[str, pa.Table]) -> None:
        """A view stays until the next of its name: taking it back would cost a statement."""
        for name, table in views.items():
            self._db.register(name, table)


def translated(e: duckdb.Error) -> EddylineError:
    """A DuckDB failure in the product's words."""
    text = _PREFIX.sub("", str(e)).strip()
    first = text.split("\n")[0]
    if isinstance(e, duckdb.OutOfMemoryException):
        hint = "raise EDDYLINE_WORKER_MEMORY_MIB, or group by fewer values"
        return EddylineError("limit_exceeded", "the job needs more memory than it may", hint=hint)
    if _is_full(text):  # a failed commit is a transaction's error, not one of reading and writing
        return _no_room(first)
    if isinstance(e, duckdb.IOException):
        return EddylineError("corrupt_data", f"the job's state cannot be used: {first}")
    if isinstance(e, _OURS):
        return EddylineError("internal", f"the engine made a wrong statement: {first}", detail=text)
    return EddylineError("sql_runtime", first[:1].lower() + first[1:])


def _is_full(text: str) -> bool:
    return any(words in text.lower() for words in ("no space left", "file too large", "disk full"))


def _no_room(text: str) -> EddylineError:
    hint = "make room; the job then goes on by itself, and nothing is lost"
    return EddylineError("disk_full", f"the job's state cannot be written: {text}", hint=hint)


_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


def _opening(e: duckdb.Error, path: Path | None) -> EddylineError:
    text = str(e)
    if _is_full(text):
        return _no_room(text.split("\n")[0])
    if "lock" in text.lower():
        hint = "another worker still runs this job; stop it first"
        return EddylineError("conflict", f"the job's state {path} is in use", hint=hint)
    if "version" in text.lower():
        msg = f"the job's state {path} was written by a newer Eddyline"
        return EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
    hint = "start the job afresh; its streams are not touched"
    return EddylineError("corrupt_data", f"the job's state {path} cannot be opened", hint=hint)
