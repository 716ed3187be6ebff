"""Functions over Arrow arrays that DuckDB statements call by name.

Where DuckDB has no function that means what Flink means, a function of our own computes whole
columns. Its name starts with ``eddyline_``; ``Vectors`` looks for such names in each statement and
registers what a connection does not know yet, so that a statement is plain text for everybody who
passes it on.

DuckDB calls a function with at most 2,048 rows. ``by_distinct_row`` makes one of a Python function
of single values, which then runs once per distinct row of its arguments.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError
from eddyline.record.types import DataType, arrow_type, duckdb_type

PREFIX = "eddyline_"
_NAMES = re.compile(rf"\b{PREFIX}[a-z0-9_]+")
_TOKEN = re.compile(r"<eddyline error (\d+)>")
_KEPT_ERRORS = 64

Columns = tuple[pa.Array, ...]
Compute = Callable[..., pa.Array]


@dataclass(frozen=True, slots=True)
class VectorFunction:
    """A function: its name in SQL, its result type, and what computes n values from n rows.

    ``volatile``: two calls with the same arguments may differ (a counter, a random number).
    """

    name: str
    type: DataType
    compute: Compute
    volatile: bool = False


VECTOR_FUNCTIONS: dict[str, VectorFunction] = {}
# Names that statements of this process have been seen to need.
_expected: dict[str, None] = {}
_lock = threading.Lock()
_errors: dict[int, EddylineError] = {}
_numbers = count()


def define(name: str, kind: DataType, compute: Compute, *, volatile: bool = False) -> str:
    """Make ``compute`` callable as the name returned; defining it again changes nothing."""
    full = PREFIX + name
    with _lock:
        if full not in VECTOR_FUNCTIONS:
            VECTOR_FUNCTIONS[full] = VectorFunction(full, kind, compute, volatile)
    return full


def define_for(name: str, kind: DataType, compute: Compute, *, volatile: bool = False) -> str:
    """As ``define``, one function for each result type: the name gets a suffix of its own."""
    import zlib

    suffix = zlib.crc32(duckdb_type(kind).encode()) & 0xFFFFFFFF
    return define(f"{name}_{suffix:08x}", kind, compute, volatile=volatile)


def expect(text: str) -> None:
    """Say that ``text`` will become a part of statements: see ``Vectors.prepare_expected``."""
    for name in _names_in(text):
        _expected[name] = None


def undefine(name: str) -> None:
    """Forget a function; connections that know it keep it."""
    with _lock:
        VECTOR_FUNCTIONS.pop(name, None)
        _expected.pop(name, None)


class Vectors:
    """What one database knows of the functions."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        # A connection of its own, because a rollback would take a function away again. It stays
        # open, because it holds the Python objects that DuckDB calls.
        self._db = db.cursor()
        self._known: dict[str, VectorFunction] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def prepare(self, sql: str) -> None:
        """Register the functions that ``sql`` names; not within a transaction."""
        self._prepare(_names_in(sql))

    def prepare_expected(self) -> None:
        """Register what statements may name: a transaction sees none made after its start."""
        self._prepare(tuple(_expected))

    def _prepare(self, names: tuple[str, ...]) -> None:
        for name in names:
            function = VECTOR_FUNCTIONS.get(name)
            if function is not None and self._known.get(name) is not function:
                self._register(function)

    def _register(self, function: VectorFunction) -> None:
        with self._lock:
            if self._known.get(function.name) is function:
                return
            if function.name in self._known:
                self._db.remove_function(function.name)
            self._db.create_function(  # type: ignore[call-overload]
                function.name,
                _guarded(function),
                None,
                duckdb_type(function.type),
                type="arrow",
                null_handling="special",
                side_effects=function.volatile,
            )
            self._known[function.name] = function


@lru_cache(maxsize=2048)
def _names_in(sql: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NAMES.findall(sql))) if PREFIX in sql else ()


def _guarded(function: VectorFunction) -> Compute:
    """``compute`` over plain arrays; its errors are kept, because DuckDB keeps only their text."""
    kind = arrow_type(function.type)

    def call(*columns: pa.ChunkedArray) -> pa.Array:
        try:
            values = function.compute(*(c.combine_chunks() for c in columns))
            return values if values.type == kind else values.cast(kind)
        except EddylineError as e:
            raise ValueError(_kept(e)) from e

    return call


def _kept(error: EddylineError) -> str:
    with _lock:
        number = next(_numbers)
        _errors[number] = error
        while len(_errors) > _KEPT_ERRORS:
            del _errors[next(iter(_errors))]
    return f"<eddyline error {number}> {error}"


def original(error: duckdb.Error) -> EddylineError | None:
    """The error that a function raised within a statement, None if it was DuckDB's own."""
    token = _TOKEN.search(str(error))
    return _errors.get(int(token[1])) if token else None


def by_distinct_row(
    function: Callable[..., Any], kind: DataType, *, strict: bool = True
) -> Compute:
    """``function`` of single Python values over whole columns, once per distinct row.

    ``strict``: a row with a NULL gives NULL without a call.
    """
    arrow = arrow_type(kind)

    def compute(*columns: pa.Array) -> pa.Array:
        first, inverse = distinct_rows(columns)
        rows = zip(*(c.take(first).to_pylist() for c in columns), strict=True)
        if strict:
            values = [None if any(v is None for v in row) else function(*row) for row in rows]
        else:
            values = [function(*row) for row in rows]
        return pa.array(values, arrow).take(inverse)

    return compute


def distinct_rows(columns: Iterable[pa.Array]) -> tuple[pa.Array, pa.Array]:
    """Places of the first of each distinct row, and for each row which of them is its equal."""
    columns = list(columns)
    rows = len(columns[0])
    if any(pa.types.is_nested(c.type) for c in columns):
        every = pa.array(np.arange(rows))
        return every, every
    codes = np.zeros(rows, np.int64)
    first = np.zeros(min(1, rows), np.int64)
    for column in columns:
        if pa.types.is_null(column.type):
            continue
        encoded = pc.dictionary_encode(column, null_encoding="encode")
        own = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = codes * len(encoded.dictionary) + own
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    return pa.array(first), pa.array(codes)
