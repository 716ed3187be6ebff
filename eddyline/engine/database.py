"""One DuckDB database behind a job: its kernels and its state, spoken to by one thread.

A thin wrapper, for three reasons: a batch is lent to a statement as a view, every DuckDB failure
becomes an ``EddylineError`` that says what happened to the user's rows, and limits are set in one
place.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from eddyline.engine.duckdb_words import in_words
from eddyline.errors import EddylineError
from eddyline.record.formats.kernel import FEW_ROWS, NO_MEMORY, TooLarge, rows_of
from eddyline.record.vector import Vectors, original
from eddyline.settings import Settings

MORE_MEMORY = (
    "raise EDDYLINE_WORKER_MEMORY_MIB, which is for all jobs of a worker, or lower "
    "EDDYLINE_BATCH_ROWS_MAX; or group by fewer values, or join on keys with fewer rows each"
)
# The part of the worker's memory that one result may take outside DuckDB, as Arrow arrays.
RESULT_SHARE = 4
# A database is compacted when its write-ahead log has this many bytes, and half of its own.
LOG_BYTES_MIN = 16 << 20
LOG_SHARE = 2
# DuckDB itself would compact with a commit that touches many places, however few rows it changes.
_NEVER = "1TiB"
# What makes many or large values of a few: only then is the size of a result watched for few rows,
# because that takes longer.
_MULTIPLIES = re.compile(r"\b(?:join|unnest|repeat|[lr]pad|(?:regexp_)?replace)\b", re.IGNORECASE)
_PREFIX = re.compile(r"^[A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Error: ")


@dataclass(eq=False, slots=True)
class _Instance:
    """A DuckDB in which the databases of several jobs are attached."""

    root: duckdb.DuckDBPyConnection
    vectors: Vectors
    users: int = 0


class _Worker:
    """The DuckDB of this process: one for all its jobs, so that its memory limit and its threads
    are those of the worker, however many jobs there are. It is closed with its last job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._instances: dict[tuple[int, int, str], _Instance] = {}
        self._numbers = count()

    def attach(
        self, path: Path | None, settings: Settings
    ) -> tuple[_Instance, duckdb.DuckDBPyConnection, str]:
        """An instance, a connection of its own for a job, and what its database is called."""
        folder = settings.data_dir.resolve()
        if path is not None and not path.resolve().is_relative_to(folder):
            folder = path.resolve().parent
        key = (settings.worker_threads, settings.worker_memory_mib, str(folder))
        where = "':memory:'" if path is None else "'" + str(path).replace("'", "''") + "'"
        with self._lock:
            instance = self._instances.get(key)
            if instance is None:
                root = _connected(settings, folder)
                instance = self._instances[key] = _Instance(root, Vectors(root))
            connection, name = instance.root.cursor(), f"job{next(self._numbers)}"
            instance.users += 1
        try:
            connection.execute(f"ATTACH {where} AS {name}")
            connection.execute(f"USE {name}")
        except duckdb.Error as e:
            if isinstance(e, duckdb.FatalException):  # whoever comes next gets a new instance
                self._forget(instance)
            self.detach(instance, connection, name)
            raise
        return instance, connection, name

    def detach(self, instance: _Instance, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Let go of a job's database; the last job closes the instance."""
        connection.close()
        with suppress(duckdb.Error):  # it was never attached, or the instance failed
            instance.root.execute(f"DETACH {name}")
        with self._lock:
            instance.users -= 1
            if instance.users:
                return
            self._forget(instance)
        instance.vectors.close()
        instance.root.close()

    def _forget(self, instance: _Instance) -> None:
        self._instances = {k: i for k, i in self._instances.items() if i is not instance}


def _connected(settings: Settings, folder: Path) -> duckdb.DuckDBPyConnection:
    """An instance whose statements, which are generated, reach files below ``folder`` alone."""
    _remove_old_spills(settings.data_dir)
    config: dict[str, Any] = {
        "threads": settings.worker_threads,
        "memory_limit": f"{settings.worker_memory_mib}MiB",
        "temp_directory": str(settings.data_dir / f"spill-{os.getpid()}"),
        "checkpoint_threshold": _NEVER,
    }
    root = duckdb.connect(":memory:", config=config)
    root.execute("SET allowed_directories = ['" + str(folder).replace("'", "''") + "/']")
    root.execute("SET enable_external_access = false")
    return root


def _remove_old_spills(data_dir: Path) -> None:
    """What a killed worker had moved to disk for want of memory."""
    for folder in data_dir.glob("spill-*"):
        number = folder.name.split("-")[1]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_WORKER = _Worker()


class Database:
    """A connection with limits, which are those of all databases of the process together.

    ``path`` None keeps everything in memory.
    """

    def __init__(self, path: Path | None, settings: Settings) -> None:
        try:
            self._instance, self._db, self._name = _WORKER.attach(path, settings)
        except duckdb.Error as e:
            raise _opening(e, path) from e
        self._path = path
        self._settings = settings
        self._scratch: Database | None = None
        self._variables: dict[str, str] = {}
        self._closed = False
        self._in_transaction = False
        # Whether the transaction has begun, which it does with the first change.
        self.has_changes = False
        self.result_bytes_max = (settings.worker_memory_mib << 20) // RESULT_SHARE
        self._db.execute("SET TimeZone = 'UTC'")

    def query(self, sql: str, **views: pa.Table) -> pa.Table:
        """Rows of a SELECT over the state and the lent ``views``.

        Raises:
            EddylineError: ``limit_exceeded`` for a result above ``result_bytes_max``, beside what
                fails in any statement.
        """
        lent = sum(v.num_rows for v in views.values()) if views else FEW_ROWS + 1
        bounded = lent > FEW_ROWS or _may_multiply(sql)
        try:
            return self._rows(sql, lent, self.result_bytes_max if bounded else None, views)
        except TooLarge:
            msg = f"{NO_MEMORY} for one result ({self.result_bytes_max >> 20} MiB)"
            raise EddylineError("limit_exceeded", msg, hint=MORE_MEMORY) from None

    def compute(self, sql: str, **views: pa.Table) -> pa.Table:
        """As ``query``, over the lent ``views`` alone: beside the transaction, so that a statement
        that fails does not end it."""
        if not self.has_changes:
            return self.query(sql, **views)
        return self._beside().query(sql, **views)

    def _beside(self) -> Database:
        """A database in memory, for what needs no state."""
        if self._scratch is None:
            self._scratch = Database(None, self._settings)
        if self._variables != self._scratch._variables:
            for name, value in self._variables.items():
                self._scratch.set_variable(name, value)
        return self._scratch

    def query_within(self, sql: str, bytes_max: int, **views: pa.Table) -> pa.Table | None:
        """Rows of a SELECT over the state and the lent ``views``; None if they have more than
        ``bytes_max`` bytes."""
        try:
            return self._rows(sql, 0, bytes_max, views)
        except TooLarge:
            return None

    def _rows(
        self, sql: str, lent: int, bytes_max: int | None, views: dict[str, pa.Table]
    ) -> pa.Table:
        self._lend(views)
        self._instance.vectors.prepare(sql)
        try:
            return rows_of(self._db, sql, lent, bytes_max=bytes_max)
        except duckdb.Error as e:
            raise translated(e) from e

    def run(self, sql: str, values: Sequence[object] = (), **views: pa.Table) -> None:
        """A statement whose rows do not matter: one that changes the database."""
        if self._in_transaction and not self.has_changes:
            self._begin()
        self._lend(views)
        self._instance.vectors.prepare(sql)
        try:
            self._db.execute(sql, list(values)).fetchall()
        except duckdb.Error as e:
            raise translated(e) from e

    def changed(self, sql: str) -> pa.Table:
        """The rows that a statement with RETURNING gives; as ``run`` otherwise."""
        if self._in_transaction and not self.has_changes:
            self._begin()
        self._instance.vectors.prepare(sql)
        try:
            return self._db.execute(sql).to_arrow_table()
        except duckdb.Error as e:
            raise translated(e) from e

    def one(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, None if there is no row."""
        rows = self.rows(sql, values)
        return rows[0][0] if rows else None

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows, as tuples; for small results."""
        self._instance.vectors.prepare(sql)
        try:
            rows: list[tuple[Any, ...]] = self._db.execute(sql, list(values)).fetchall()
        except duckdb.Error as e:
            raise translated(e) from e
        return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a failure inside rolls back.

        This connection alone writes to its database, so the transaction can begin with the first
        change (``run``): queries before it see the same rows. Without a change it costs nothing.
        """
        self._in_transaction = True
        try:
            yield
            if self.has_changes:
                self.run("COMMIT")
                self._compact()
        except BaseException:
            if self.has_changes:
                with suppress(duckdb.Error):  # what failed may have ended it already
                    self._db.execute("ROLLBACK")
            raise
        finally:
            self._in_transaction = self.has_changes = False

    def _compact(self) -> None:
        """Move the write-ahead log into the database when it is large beside it.

        That rewrites what the log's rows touch, often the whole database; done in proportion to
        what was written, it adds the same to each commit, however large the state is.
        """
        if self._path is None:
            return
        with suppress(FileNotFoundError):
            log_bytes = self._path.with_name(f"{self._path.name}.wal").stat().st_size
            if log_bytes > max(LOG_BYTES_MIN, self._path.stat().st_size // LOG_SHARE):
                self.run(f"CHECKPOINT {self._name}")

    def set_variable(self, name: str, value: str) -> None:
        """Give a variable of the session a value (DuckDB text); no part of a transaction."""
        self._variables[name] = value
        try:
            self._db.execute(f"SET VARIABLE {name} = {value}")
        except duckdb.Error as e:
            raise translated(e) from e

    def _begin(self) -> None:
        self._instance.vectors.prepare_expected()
        self.has_changes = True
        try:
            self._db.execute("BEGIN")
        except duckdb.Error as e:
            raise translated(e) from e

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._scratch is not None:
                self._scratch.close()
            _WORKER.detach(self._instance, self._db, self._name)

    def _lend(self, views: dict[str, pa.Table]) -> None:
        """A view stays until the next of its name: taking it back would cost a statement."""
        for name, table in views.items():
            self._db.register(name, table)


@lru_cache(maxsize=2048)
def _may_multiply(sql: str) -> bool:
    return _MULTIPLIES.search(sql) is not None


def translated(e: duckdb.Error) -> EddylineError:
    """A DuckDB failure in the product's words."""
    own = original(e)
    if own is not None:
        return own
    text = _PREFIX.sub("", str(e)).strip()
    first = text.split("\n")[0]
    if isinstance(e, duckdb.OutOfMemoryException):
        return EddylineError("limit_exceeded", NO_MEMORY, hint=MORE_MEMORY)
    if _is_full(text):  # a failed commit is a transaction's error, not one of reading and writing
        return _no_room(first)
    if isinstance(e, duckdb.IOException):
        message = "the job's state cannot be read or written"
        return EddylineError("corrupt_data", message, detail=first)
    if isinstance(e, _OURS):
        return EddylineError("internal", "the engine made a wrong statement", detail=text)
    return EddylineError("sql_runtime", in_words(first))


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
    if any(words in text.lower() for words in ("lock", "already attached", "unique file handle")):
        hint = "another worker still runs this job; stop it first"
        return EddylineError("conflict", f"the job's state {path} is in use", hint=hint)
    if "version" in text.lower():
        msg = f"the job's state {path} was written by a newer Eddyline"
        return EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
    hint = "start the job afresh; its streams are not touched"
    return EddylineError("corrupt_data", f"the job's state {path} cannot be opened", hint=hint)
