"""Values from a file: a column of a CSV file, or the lines of a text file.

All tags of a template that name the same file read the same row of it in one record, so that
columns that belong together stay together. Rows come by chance, by weight, or one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.errors import EddylineError, nearest
from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import At, GeneratedColumn, Integers, Texts, Uniforms
from eddyline.generator.methods.method import Method

FILE_BYTES_MAX = 256 * 1024 * 1024
ORDERS = ("random", "next")
# Names of files whose lines are the values.
PLAIN = (".txt", ".list")
LINE = "line"


class FileRows:
    """The row of a file that each turn reads; built before the tags that write its columns."""

    width = 0

    def __init__(self, rows: int, order: str, weights: Uniforms | None) -> None:
        self._rows = rows
        self._order = order
        self._edges = None if weights is None else np.cumsum(weights) / weights.sum()
        self.slots = 0 if order == "next" else 1

    def build(self, u: Uniforms, at: At) -> Integers:
        if self._order == "next":
            return np.arange(at.first, at.first + at.n, dtype=np.int64) % self._rows
        if self._edges is None:
            return (u[:, 0] * self._rows).astype(np.int64)
        rows = np.searchsorted(self._edges, u[:, 0], side="right")
        return np.minimum(rows, self._rows - 1)


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column of a file, at the rows that were drawn."""

    rows: str
    texts: Any
    width: int
    slots: int = 0

    def build(self, u: Uniforms, at: At) -> Texts:
        return self.texts.take(pa.array(at.values[self.rows]))


def value(args: Arguments) -> GeneratedColumn:
    given = args.named("file", "column", "order", "weight")
    name = text_of(given.get("file", ""))
    if not name or args.scope is None:
        args.fail("a file is needed", 'as in {{file.value("cities.csv","city")}}')
    table = _read(args, name)
    names = list(table.schema.names)
    column = text_of(given.get("column", names[0] if len(names) == 1 else ""))
    if not column:
        args.fail(f"{name} has several columns: say which", f"there is {', '.join(names[:20])}")
    texts = _column(args, table, column, name)
    rows = f"rows of {name}"
    made = False

    def make() -> FileRows:
        nonlocal made
        made = True
        return _rows(args, given, table, name)

    args.scope.shared(rows, make)
    if not made and ("order" in given or "weight" in given):
        args.fail(f"how the rows of {name} are drawn belongs to its first tag")
    return FileColumn(rows, texts, pc.max(pc.binary_length(texts)).as_py())


def _rows(args: Arguments, given: dict[str, Any], table: Any, name: str) -> FileRows:
    order = text_of(given.get("order", "random"))
    if order not in ORDERS:
        args.fail(f"order is {order[:20]!r}", f"it is one of {', '.join(ORDERS)}")
    if "weight" not in given:
        return FileRows(len(table), order, None)
    if order == "next":
        args.fail("rows that come one after the other have no weight")
    texts = _column(args, table, text_of(given["weight"]), name)
    try:
        weights = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        args.fail(f"the column {text_of(given['weight'])} of {name} is not all numbers")
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        args.fail("weights are 0 or more, and not all 0")
    return FileRows(len(table), order, weights)


def _column(args: Arguments, table: Any, name: str, file: str) -> Any:
    names = list(table.schema.names)
    if name not in names:
        args.fail(f"{file} has no column {name[:40]}",
                  f"there is {', '.join(nearest(name, names) or names[:20])}")  # fmt: skip
    return table.column(name)


def _read(args: Arguments, name: str) -> Any:
    assert args.scope is not None
    try:
        path = args.scope.files.find(name)
        state = path.stat()
        if state.st_size > FILE_BYTES_MAX:
            args.fail(f"{name} has more than {FILE_BYTES_MAX:,} bytes")
        return _table(path.resolve(), state.st_mtime_ns, state.st_size)
    except EddylineError as error:
        args.fail(error.message, error.hint)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        args.fail(f"{name} cannot be read: {error}")


@lru_cache(maxsize=16)
def _table(path: Path, changed_ns: int, size: int) -> Any:
    """A file's columns as texts (RecordBatch); the state of the file is part of the key."""
    if path.suffix.lower() in PLAIN:
        lines = [line for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
        if not lines:
            raise EddylineError("bad_file", f"{path.name} is empty")
        return pa.RecordBatch.from_arrays([pa.array(lines, pa.string())], [LINE])
    from pyarrow import csv

    delimiter = _delimiter(path)
    with path.open("rb") as source:
        names = csv.open_csv(
            source, parse_options=csv.ParseOptions(delimiter=delimiter)
        ).schema.names
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    table = csv.read_csv(
        path, parse_options=csv.ParseOptions(delimiter=delimiter), convert_options=options
    )
    if not len(table) or len(set(names)) != len(names):
        raise EddylineError("bad_file", f"{path.name} has no rows, or names a column twice")
    return table.combine_chunks().to_batches()[0]


def _delimiter(path: Path) -> str:
    with path.open("rb") as source:
        header = source.readline().decode("utf-8", "replace")
    return max(",;\t|", key=header.count)


METHODS = (
    Method("file.value", "(file, column) or ({file,column,order,weight})",
           "A column of a CSV file, or a line of a .txt file; all tags of one file read one row.",
           value, 'file.value("cities.csv","city")', r".+"),
)  # fmt: skip
