"""Statements of the Table API at work: what ``execute_sql`` gives, and the rows of a query."""

from __future__ import annotations

import datetime
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from eddyline.kernel import tableau
from eddyline.kernel.job_client import JobClient
from eddyline.kernel.named import MissingNames
from eddyline.kernel.running import RunningText
from eddyline.service import events as e
from eddyline.udf.data_types import DataType
from eddyline.udf.row import Row

_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_QUERIES = ("SELECT", "WITH", "VALUES", "(", "TABLE")
_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")


def show(text: str) -> None:
    """A line for the paragraph."""
    sys.stdout.write(text + "\n")


def value_of(kind: str, text: str | None) -> Any:
    """A printed value as Python's: numbers and truth values as such, everything else as text."""
    if text is None:
        return None
    base = kind.removesuffix(" NOT NULL")
    if base in _WHOLE:
        return int(text)
    if base in ("FLOAT", "DOUBLE"):
        return float(text)
    if base == "BOOLEAN":
        return text == "TRUE"
    convert = _CONVERSIONS.get(base.partition("(")[0])
    return text if convert is None else convert(text)


def _datetime(text: str) -> datetime.datetime | str:
    """A timestamp; text where Python's has too few digits or years."""
    try:
        return datetime.datetime.fromisoformat(text.rstrip("Z"))
    except ValueError:
        return text


_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "DECIMAL": Decimal,
    "DATE": datetime.date.fromisoformat,
    "TIME": datetime.time.fromisoformat,
    "TIMESTAMP": _datetime,
    "TIMESTAMP_LTZ": _datetime,
}


class ResolvedSchema(MissingNames):
    """The columns of a table and their types."""

    def __init__(self, names: list[str], types: list[str]) -> None:
        self._names = names
        self._types = types

    def get_field_names(self) -> list[str]:
        """The names."""
        return list(self._names)

    get_column_names = get_field_names

    def get_field_data_types(self) -> list[DataType]:
        """The types."""
        return [DataType(t) for t in self._types]

    get_column_data_types = get_field_data_types

    def get_field_count(self) -> int:
        """The number of columns."""
        return len(self._names)

    get_column_count = get_field_count

    def get_field_data_type(self, field: int | str) -> DataType:
        """The type of a column, by place or name."""
        place = field if isinstance(field, int) else self._names.index(field)
        return DataType(self._types[place])

    def __repr__(self) -> str:
        pairs = zip(self._names, self._types, strict=True)
        return "root\n" + "\n".join(f" |-- {n}: {t}" for n, t in pairs)


class RowIterator(Iterator[Row]):
    """Rows of a result; closing it ends the query."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows

    def __next__(self) -> Row:
        return next(self._rows)

    def next(self) -> Row:
        """The next row."""
        return next(self._rows)

    def close(self) -> None:
        """End the query."""
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> RowIterator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TableResult(MissingNames):
    """What ``execute_sql`` gives: rows of a query, a running INSERT, or a message."""

    def __init__(
        self,
        query: str | None = None,
        job: JobClient | None = None,
        rows: tuple[list[str], list[str], list[list[str | None]]] | None = None,
        running: RunningText | None = None,
        options: dict[str, str] | None = None,
        is_text: bool = False,
    ) -> None:
        self._options = options
        self._is_text = is_text
        self._query = query
        self._job = job
        self._rows = rows
        self._running = running

    def collect(self) -> RowIterator:
        """The rows as they arrive; over a stream this ends only when the paragraph is stopped."""
        return RowIterator(self._collected())

    def _collected(self) -> Iterator[Row]:
        for _, kinds, types, rows in self._changes():
            for kind, row in zip(kinds, rows, strict=True):
                values = (value_of(t, v) for t, v in zip(types, row, strict=True))
                yield Row(*values, kind=kind)

    def print(self) -> None:
        """Print the rows as Flink does; over a stream as they arrive, with the kind of change."""
        if self._rows is None and self._query is None:
            show("OK")
            return
        if self._is_text:
            show("\n".join(str(row[0]) for row in self.collect()))
            return
        changes = self._changes()
        first = next(changes, None)
        if first is None:
            show("Empty set")
            return
        columns, _, types, _ = first
        rows = (
            (kind, row)
            for _, kinds, _, batch in chain([first], changes)
            for kind, row in zip(kinds, batch, strict=True)
        )
        if self._query is None or _is_batch(self._options):
            without_kinds = (row for _, row in rows)
            inferred = self._query is None
            drawn = tableau.lines(columns, types, without_kinds, inferred=inferred)
        else:
            changed = ([kind, *row] for kind, row in rows)
            drawn = tableau.lines(["op", *columns], ["op", *types], changed)
        for line in drawn:
            show(line)

    def wait(self, timeout_ms: int | None = None) -> None:
        """Until the statement is over; an INSERT over a stream goes on until it is stopped."""
        if timeout_ms is not None:
            msg = "wait(timeout_ms) is not available here; wait() waits until the job is over"
            raise ValueError(msg)
        if self._running is not None:
            for _ in self._running.events():
                pass

    def get_table_schema(self) -> ResolvedSchema:
        """The columns of the rows and their types."""
        if self._rows is not None:
            return ResolvedSchema(self._rows[0], self._rows[1])
        if self._query is not None:
            return ResolvedSchema(*described(self._query))
        return ResolvedSchema(["result"], ["STRING"])

    get_resolved_schema = get_table_schema

    def get_result_kind(self) -> str:
        """SUCCESS_WITH_CONTENT for rows, else SUCCESS."""
        has_rows = self._rows is not None or self._query is not None
        return "SUCCESS_WITH_CONTENT" if has_rows else "SUCCESS"

    def get_job_client(self) -> JobClient | None:
        """The job of an INSERT."""
        return self._job

    def _changes(self) -> Iterator[tuple[list[str], list[str], list[str], list[list[str | None]]]]:
        if self._rows is not None:
            columns, types, rows = self._rows
            yield columns, ["+I"] * len(rows), types, rows
        elif self._query is not None:
            running = RunningText(self._query, changelog=True, options=self._options)
            for event in running.events():
                if isinstance(event, e.RowsAppended):
                    yield event.columns, event.kinds, event.types, event.rows
        else:
            yield ["result"], ["+I"], ["STRING"], [["OK"]]


def described(query: str) -> tuple[list[str], list[str]]:
    """The names and the types of a query's columns."""
    for event in RunningText(f"SELECT * FROM ({query}) LIMIT 0").events():
        if isinstance(event, e.TableSnapshot):
            return event.columns, event.types
    return [], []


def run(text: str, options: dict[str, str] | None = None) -> TableResult:
    """Run one statement. A query is checked now and runs when its rows are requested.

    options: session options for this statement alone.
    """
    text = text.strip().rstrip(";")
    first = _COMMENT.sub("", text).lstrip()
    if first.upper().startswith(_QUERIES):
        for _ in RunningText(f"EXPLAIN {text}", options=options).events():
            pass
        return TableResult(query=text, options=options)
    running = RunningText(text, options=options)
    rows: tuple[list[str], list[str], list[list[str | None]]] | None = None
    is_text = False
    for event in running.events():
        if isinstance(event, e.Warning_):
            show(f"warning: {event.text}")
        elif isinstance(event, e.Text):
            rows = (["result"], ["STRING"], [[line] for line in event.text.split("\n")])
            is_text = True
        elif isinstance(event, e.TableSnapshot):
            rows, is_text = (event.columns, event.types, event.rows), False
        elif isinstance(event, e.JobStarted):
            show(f"job {event.job_id} started")
            running.kept = True
            return TableResult(job=JobClient(running, event.job_id), running=running)
    return TableResult(rows=rows, is_text=is_text)


def _is_batch(options: dict[str, str] | None) -> bool:
    return (options or {}).get("execution.runtime-mode", "").upper() == "BATCH"


def rows_of(
    query: str, options: dict[str, str] | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and all rows of a query that ends by itself, after all of its changes."""
    columns, types, rows = described(query)[0], [], list[tuple[str | None, ...]]()
    for event in RunningText(query, changelog=True, options=options).events():
        if not isinstance(event, e.RowsAppended):
            continue
        types = event.types
        taken_back = Counter[tuple[str | None, ...]]()
        for kind, row in zip(event.kinds, map(tuple, event.rows), strict=True):
            if kind in ("+I", "+U"):
                rows.append(row)
            else:
                taken_back[row] += 1
        if taken_back:
            rows = _without(rows, taken_back)
    return columns, [tuple(map(value_of, types, row)) for row in rows]


def _without(
    rows: list[tuple[str | None, ...]], taken_back: Counter[tuple[str | None, ...]]
) -> list[tuple[str | None, ...]]:
    """The rows without those that were taken back, of equal ones the oldest."""
    kept = []
    for row in rows:
        if taken_back[row]:
            taken_back[row] -= 1
        else:
            kept.append(row)
    return kept
