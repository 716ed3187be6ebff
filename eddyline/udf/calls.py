"""How each kind of function is called with whole columns, in the functions' own process."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pyarrow as pa

from eddyline.catalog.codec import decode_type
from eddyline.record.types import DataType, Root, arrow_type
from eddyline.udf.classes import UserDefinedFunction
from eddyline.udf.context import FunctionContext
from eddyline.udf.row import Row
from eddyline.udf.values import to_arrow, to_python

SHOWN_CHARACTERS = 200


class CallError(Exception):
    """What a function met: a message, and the place in its source."""

    def __init__(self, message: str, detail: str = "", *, memory: bool = False) -> None:
        super().__init__(message)
        self.detail = detail
        # There was not enough memory; the message is then the place alone.
        self.memory = memory


class LoadedFunction:
    """A function that is ready to be called."""

    def __init__(self, function: Any, about: dict[str, Any]) -> None:
        self.name: str = about["name"]
        self._source: list[str] = about["source"].split("\n")
        self._first_line: int = about["first_line"]
        self._kind: str = about["kind"]
        self._vectorised: bool = about["vectorised"]
        self._result = decode_type(about["result"])
        self._types = [decode_type(t) for t in about["arguments"]]
        self._function = function
        # Arrow and the function need pandas: its import is part of loading, not of the first call.
        importlib.import_module("pandas")
        self._files: set[str] = set()
        if isinstance(function, UserDefinedFunction):
            try:
                function.open(FunctionContext())
            except Exception as error:
                raise self._failed(error, "open()") from error
        self._eval: Callable[..., Any] = getattr(function, "eval", function)
        for part in (self._eval, *(getattr(type(function), n, None) for n in dir(function))):
            code = getattr(part, "__code__", None)
            if code is not None and not code.co_filename.startswith("<frozen"):
                self._files.add(code.co_filename)

    def __call__(self, columns: tuple[pa.Array, ...], rows: int) -> pa.Array:
        """The results for all rows.

        Raises:
            CallError: what the function met, with the arguments and the line.
        """
        if self._kind == "scalar":
            return self._series(columns, rows) if self._vectorised else self._plain(columns, rows)
        if self._kind == "table":
            return self._tables(columns, rows)
        return self._groups(columns[0], rows)

    def _plain(self, columns: tuple[pa.Array, ...], rows: int) -> pa.Array:
        values: list[Any] = []
        function = self._eval
        arguments = self._rows(columns, rows)
        row: tuple[Any, ...] = ()
        try:
            for row in arguments:
                values.append(function(*row))
        except Exception as error:
            raise self._failed(error, self._shown(row)) from error
        return self._column(values, lambda i: self._shown(list(self._rows(columns, rows))[i]))

    def _rows(self, columns: tuple[pa.Array, ...], rows: int) -> Iterator[tuple[Any, ...]]:
        if not columns:
            return iter([()] * rows)
        pairs = zip(columns, self._types, strict=True)
        return zip(*(to_python(c, t) for c, t in pairs), strict=True)

    def _series(self, columns: tuple[pa.Array, ...], rows: int) -> pa.Array:
        call = f"{self.name}({', '.join(f'{rows:,} rows of {t}' for t in self._types)})"
        try:
            result = self._eval(*map(_series, columns, self._types))
        except Exception as error:
            raise self._failed(error, call) from error
        return self._from_pandas(result, rows, call)

    def _from_pandas(self, result: Any, rows: int, call: str) -> pa.Array:
        import pandas

        if not hasattr(result, "__len__") or isinstance(result, str | bytes):
            msg = f"function {self.name} returned {_short(result)}, not a pandas Series"
            raise CallError(msg)
        if len(result) != rows:
            msg = f"function {self.name} returned {len(result):,} values for {rows:,} rows"
            raise CallError(msg)
        kind = arrow_type(self._result)
        try:
            if isinstance(result, pandas.DataFrame):
                result = pandas.Series(result.to_dict("records"))
            elif not isinstance(result, pandas.Series):
                result = pandas.Series(result)
            if self._result.root in (Root.ROW, Root.MAP, Root.ARRAY, Root.DECIMAL):
                return to_arrow([None if _is_null(v) else v for v in result], self._result)
            return pa.Array.from_pandas(result, type=kind, safe=False)
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise self._mistyped(error, call) from error

    def _tables(self, columns: tuple[pa.Array, ...], rows: int) -> pa.Array:
        values: list[Any] = []
        row: tuple[Any, ...] = ()
        try:
            for row in self._rows(columns, rows):
                values.append([_fields(r) for r in _results(self._eval(*row))])
        except Exception as error:
            raise self._failed(error, self._shown(row)) from error
        return self._column(values, lambda i: self._shown(list(self._rows(columns, rows))[i]))

    def _groups(self, groups: pa.Array, rows: int) -> pa.Array:
        """Each group's rows, which are a list of structs with a field per argument."""
        values = []
        members = groups.flatten()
        columns = tuple(members.field(i) for i in range(len(self._types)))
        at = 0
        for size in groups.value_lengths().to_pylist():
            count = size or 0
            part = tuple(c.slice(at, count) for c in columns)
            at += count
            values.append(self._group(part, count))
        return self._column(values, lambda i: f"{self.name} of a group")

    def _group(self, columns: tuple[pa.Array, ...], rows: int) -> Any:
        call = f"{self.name} of a group of {rows:,} rows"
        try:
            if self._vectorised:
                return _scalar(self._eval(*map(_series, columns, self._types)))
            function = self._function
            accumulator = function.create_accumulator()
            for row in self._rows(columns, rows):
                call = self._shown(row)
                function.accumulate(accumulator, *row)
            call = f"{self.name} of a group of {rows:,} rows"
            if self._kind == "aggregate":
                return function.get_value(accumulator)
            return [_fields(r) for r in _results(function.emit_value(accumulator))]
        except Exception as error:
            raise self._failed(error, call) from error

    def _column(self, values: list[Any], call: Callable[[int], str]) -> pa.Array:
        kind = self._result
        try:
            return to_arrow(values, kind)
        except (pa.ArrowException, ArithmeticError, ValueError, TypeError) as error:
            for i, value in enumerate(values):
                try:
                    to_arrow([value], kind)
                except Exception:
                    raise self._mistyped(error, call(i), value) from error
            raise self._mistyped(error, self.name) from error

    def _mistyped(self, error: Exception, call: str, value: Any = None) -> CallError:
        got = "" if value is None else f" {_short(value)} ({type(value).__name__})"
        given = got or " a value"
        msg = f"function {self.name} returned{given} for {call}, which is no {self._result}"
        return CallError(msg, str(error))

    def _shown(self, row: tuple[Any, ...]) -> str:
        return f"{self.name}({', '.join(map(_short, row))})"

    def _failed(self, error: BaseException, call: str) -> CallError:
        place = self._place(error.__traceback__)
        if isinstance(error, MemoryError):
            return CallError(place, memory=True)
        words = str(error).split("\n")[0]
        reason = type(error).__name__ + (f": {words}" if words else "")
        msg = f"function {self.name} failed{place}: {reason}; the call was {call}"
        return CallError(msg, "".join(traceback.format_exception(error)).strip())

    def _place(self, trace: TracebackType | None) -> str:
        """The innermost line of the function's own text."""
        line = None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self._files:
                line = trace.tb_lineno
            trace = trace.tb_next
        if line is None:
            return ""
        own = line - self._first_line + 1
        if self._first_line and 1 <= own <= len(self._source):
            return f" in line {own} ({self._source[own - 1].strip()})"
        return f" in line {line}"

    def interrupted(self, trace: TracebackType | None) -> str:
        """Where the function was when its time was over."""
        return self._place(trace)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _results(result: Any) -> Any:
    """The rows of a table function's result: None, one row, or several, as PyFlink reads it."""
    if result is None:
        return ()
    if isinstance(result, list | range | Iterator) and not isinstance(result, Row):
        return result
    return (result,)


def _fields(row: Any) -> Any:
    """A row's fields: a tuple or a Row has several, everything else is one."""
    return tuple(row) if isinstance(row, tuple | Row) else (row,)


def _series(column: pa.Array, kind: DataType) -> Any:
    """A column as pandas has it; a ROW becomes a data frame."""
    import pandas

    if kind.root is Root.ROW:
        children = [_series(column.field(i), c) for i, c in enumerate(kind.children)]
        return pandas.DataFrame(dict(zip(kind.names, children, strict=True)))
    if kind.root in (Root.MAP, Root.ARRAY, Root.INTERVAL_SECOND):
        return pandas.Series(to_python(column, kind))
    return column.to_pandas(date_as_object=True)


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _scalar(value: Any) -> Any:
    """A pandas aggregate's value as Python's own; a missing one is NULL."""
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()
    return None if _is_null(value) else value
