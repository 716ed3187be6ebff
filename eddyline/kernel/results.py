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
from eddyline.kernel.job_client import JobClient, QueryClient
from eddyline.kernel.named import MissingNames
from eddyline.kernel.running import RunningText
from eddyline.service import events as e
from eddyline.service.nested import nested_values
from eddyline.udf.data_types import DataType
from eddyline.udf.row import Row

_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_QUERIES = ("SELECT", "WITH", "VALUES", "(", "TABLE")
Rows = tuple[list[str], list[str], list[list[str | None]]]
OK: Rows = (["result"], ["STRING"], [["OK"]])
# Statements whose text is what was asked for; that of all others only says that they are done.
_TEXTS = ("EXPLAIN", "SHOW CREATE", "HELP")
_CURRENT = re.compile(r"(current (?:catalog|database)): (.*)")
_DESCRIBE = re.compile(
    r"(?:DESCRIBE|DESC)\s+(?!EXTENDED\b|CATALOG\b|DATABASE\b|FUNCTION\b|JOB\b)", re.I
)
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


def values_of(changes: e.RowsAppended) -> list[tuple[Any, ...]]:
    """The rows of changes as Python's values."""
    nested = nested_values(changes.nested, changes.types)
    columns = [
        nested.get(place) or [value_of(kind, row[place]) for row in changes.rows]
        for place, kind in enumerate(changes.types)
    ]
    return list(zip(*columns, strict=True))


def _without_names(value: Any) -> Any:
    """A value as ``collect`` gives it: rows without names, bytes that can be changed."""
    if isinstance(value, bytes):
        return bytearray(value)
    if isinstance(value, Row):
        return Row(*map(_without_names, value))
    if isinstance(value, list):
        return [_without_names(v) for v in value]
    if isinstance(value, dict):
        return {_without_names(k): _without_names(v) for k, v in value.items()}
    return value


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


class ResultKind:
    """Whether a statement gives rows, as PyFlink's numbers."""

    SUCCESS = 0
    SUCCESS_WITH_CONTENT = 1


class TableResult(MissingNames):
    """What ``execute_sql`` gives: rows of a query, a running INSERT, or a message.

    message: what the studio says of a statement; PyFlink's answer to it is "OK".
    """

    def __init__(
        self,
        query: str | None = None,
        job: JobClient | None = None,
        rows: Rows | None = None,
        running: RunningText | None = None,
        options: dict[str, str] | None = None,
        is_text: bool = False,
        message: str = "",
    ) -> None:
        self.message = message
        self._options = options
        self._is_text = is_text
        self._query = query
        self._job = job
        self._rows = rows
        self._running = running
        self._is_cancelled = False

    def collect(self) -> RowIterator:
        """The rows as they arrive; over a stream this ends only when the paragraph is stopped."""
        return RowIterator(self._collected())

    def _collected(self) -> Iterator[Row]:
        for changes in self._changes():
            for kind, values in zip(changes.kinds, values_of(changes), strict=True):
                yield Row(*map(_without_names, values), kind=kind)

    def print(self) -> None:
        """Print the rows as Flink does; over a stream as they arrive, with the kind of change."""
        if self._rows is None and self._query is None and self._job is None:
            show("OK")
            return
        if self._is_text:
            show(str(next(self.collect())[0]))
            return
        changes = self._changes()
        first = next(changes, None)
        if first is None:
            show("Empty set")
            return
        columns, types = first.columns, first.types
        rows = (
            (kind, row)
            for batch in chain([first], changes)
            for kind, row in zip(batch.kinds, batch.rows, strict=True)
        )
        if self._query is None or is_batch(self._options):
            inferred = self._query is None
            null = "" if inferred else None
            without_kinds = ([null if v is None else v for v in row] for _, row in rows)
            drawn = tableau.lines(columns, types, without_kinds, inferred=inferred)
        else:
            changed = ([kind, *row] for kind, row in rows)
            drawn = tableau.lines(["op", *columns], ["op", *types], changed)
        for line in drawn:
            show(line)

    def wait(self, timeout_ms: int | None = None) -> None:
        """Until the statement is over; an INSERT over a stream goes on until it is stopped.

        Raises:
            TimeoutError: it is not over after ``timeout_ms``; it goes on.
        """
        if self._running is not None:
            self._running.wait(timeout_ms)

    def get_table_schema(self) -> ResolvedSchema:
        """The columns of the rows and their types."""
        if self._rows is not None:
            return ResolvedSchema(self._rows[0], self._rows[1])
        if self._query is not None:
            return ResolvedSchema(*described(self._query))
        return ResolvedSchema(["result"], ["STRING"])

    get_resolved_schema = get_table_schema

    def get_result_kind(self) -> int:
        """``ResultKind.SUCCESS_WITH_CONTENT`` for rows, else ``SUCCESS``."""
        has_rows = self._rows is not None or self._query is not None or self._job is not None
        return ResultKind.SUCCESS_WITH_CONTENT if has_rows else ResultKind.SUCCESS

    def get_job_client(self) -> JobClient | QueryClient | None:
        """The job of an INSERT, or a client that ends a query."""
        return QueryClient(self._cancel) if self._query is not None else self._job

    def _cancel(self) -> None:
        self._is_cancelled = True
        if self._running is not None:
            self._running.cancel()

    def _changes(self) -> Iterator[e.RowsAppended]:
        if self._query is None:
            columns, types, rows = self._rows or OK
            yield e.RowsAppended("", 0, columns, types, ["+I"] * len(rows), rows)
            return
        if self._is_cancelled:
            return
        self._running = RunningText(self._query, changelog=True, options=self._options)
        for event in self._running.events():
            if isinstance(event, e.RowsAppended):
                yield event


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
    running = RunningText(_DESCRIBE.sub("DESCRIBE EXTENDED ", text, count=1), options=options)
    rows: Rows | None = None
    is_text, message = False, ""
    for event in running.events():
        if isinstance(event, e.Warning_):
            show(f"warning: {event.text}")
        elif isinstance(event, e.Text):
            message = event.text
            rows, is_text = _text_result(_COMMENT.sub("", text).lstrip(), event.text)
        elif isinstance(event, e.TableSnapshot):
            rows, is_text = (event.columns, _types(event), event.rows), False
        elif isinstance(event, e.JobStarted):
            show(f"job {event.job_id} started")
            running.kept = True
            client = JobClient(running, event.job_id)
            return TableResult(job=client, running=running, rows=_of_insert(text), is_text=True)
    return TableResult(rows=rows, is_text=is_text, message=message)


_TARGET = re.compile(r"INSERT\s+(?:INTO|OVERWRITE)\s+(?:TABLE\s+)?([\w`.$]+)", re.IGNORECASE)


def _of_insert(text: str) -> Rows:
    """What the result of INSERTs has as PyFlink's: -1 for each table, whose rows nobody counts."""
    targets = [name.replace("`", "") for name in _TARGET.findall(text)]
    return targets, ["BIGINT"] * len(targets), [["-1"] * len(targets)]


def _text_result(statement: str, answer: str) -> tuple[Rows | None, bool]:
    """What a statement's text is in PyFlink, and whether it is printed as it is."""
    current = _CURRENT.fullmatch(answer)
    if current:
        return ([f"{current[1]} name"], ["STRING"], [[current[2]]]), False
    if " ".join(statement.upper().split()).startswith(_TEXTS):
        return (["result"], ["STRING"], [[answer]]), True
    return None, False


def _types(event: e.TableSnapshot) -> list[str]:
    """The types of a small table's columns; DESCRIBE has one that is no text."""
    is_described = event.columns[:3] == ["name", "type", "null"]
    return ["STRING", "STRING", "BOOLEAN", *event.types[3:]] if is_described else event.types


def is_batch(options: dict[str, str] | None) -> bool:
    return (options or {}).get("execution.runtime-mode", "").upper() == "BATCH"


def rows_of(query: str, options: dict[str, str] | None = None) -> RowsOfQuery:
    """All rows of a query that ends by itself, after all of its changes."""
    result = RowsOfQuery(*described(query))
    for event in RunningText(query, changelog=True, options=options).events():
        if not isinstance(event, e.RowsAppended):
            continue
        taken_back = Counter[tuple[str | None, ...]]()
        texts = map(tuple, event.rows)
        for kind, text, values in zip(event.kinds, texts, values_of(event), strict=True):
            if kind in ("+I", "+U"):
                result.rows.append((text, values))
            else:
                taken_back[text] += 1
        if taken_back:
            result.rows = _without(result.rows, taken_back)
    return result


class RowsOfQuery:
    """A query's columns, their types, and its rows, each printed and as Python's values."""

    def __init__(self, columns: list[str], types: list[str]) -> None:
        self.columns = columns
        self.types = types
        self.rows: list[tuple[tuple[str | None, ...], tuple[Any, ...]]] = []

    def column(self, place: int) -> list[Any]:
        """The values of a column."""
        return [values[place] for _, values in self.rows]


def _without(
    rows: list[tuple[tuple[str | None, ...], tuple[Any, ...]]],
    taken_back: Counter[tuple[str | None, ...]],
) -> list[tuple[tuple[str | None, ...], tuple[Any, ...]]]:
    """The rows without those that were taken back, of equal ones the oldest."""
    kept = []
    for row in rows:
        if taken_back[row[0]]:
            taken_back[row[0]] -= 1
        else:
            kept.append(row)
    return kept
