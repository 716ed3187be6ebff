"""PyFlink's table environment over our engine: the part of it that notes use.

A table is the SQL that gives its rows. What is not here names itself and says what to write
instead; nothing is accepted and ignored.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from eddyline.kernel.functions import create_statement
from eddyline.kernel.running import Running
from eddyline.service import events as e
from eddyline.udf.row import Row

_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_QUERIES = ("SELECT", "WITH", "VALUES", "(", "TABLE")
_WHOLE = ("TINYINT", "SMALLINT", "INT", "BIGINT")


class _Named:
    """Says what is missing, with the way to write it instead."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        msg = f"{type(self).__name__}.{name} is not available here; write it as SQL in execute_sql"
        raise AttributeError(msg)


def _print(text: str) -> None:
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
    return text == "TRUE" if base == "BOOLEAN" else text


class JobClient(_Named):
    """A running INSERT."""

    def __init__(self, running: Running, job_id: str) -> None:
        self._running = running
        self._job_id = job_id

    def get_job_id(self) -> str:
        """The job's id, as ``eddyline job list`` shows it."""
        return self._job_id

    def cancel(self) -> None:
        """Stop the job."""
        self._running.cancel()


class TableResult(_Named):
    """What ``execute_sql`` gives: rows of a query, a running INSERT, or a message."""

    def __init__(
        self,
        query: str | None = None,
        job: JobClient | None = None,
        rows: tuple[list[str], list[str], list[list[str | None]]] | None = None,
        running: Running | None = None,
    ) -> None:
        self._query = query
        self._job = job
        self._rows = rows
        self._running = running

    def collect(self) -> Iterator[Row]:
        """The rows as they arrive; over a stream this ends only when the paragraph is stopped."""
        for _, kinds, types, rows in self._changes():
            for kind, row in zip(kinds, rows, strict=True):
                values = (value_of(t, v) for t, v in zip(types, row, strict=True))
                yield Row(*values, kind=kind)

    def print(self) -> None:
        """Print the rows as they arrive, each with the kind of its change."""
        columns: list[str] = []
        for columns_now, kinds, _, rows in self._changes():
            if not columns:
                columns = columns_now
                _print(" | ".join(["op", *columns]))
            for kind, row in zip(kinds, rows, strict=True):
                _print(" | ".join([kind, *("NULL" if v is None else v for v in row)]))

    def wait(self, timeout_ms: int | None = None) -> None:
        """Until the statement is over; an INSERT over a stream goes on until it is stopped."""
        if timeout_ms is not None:
            msg = "wait(timeout_ms) is not available here; wait() waits until the job is over"
            raise ValueError(msg)
        if self._running is not None:
            for _ in self._running.events():
                pass

    def get_job_client(self) -> JobClient | None:
        """The job of an INSERT."""
        return self._job

    def _changes(self) -> Iterator[tuple[list[str], list[str], list[str], list[list[str | None]]]]:
        if self._rows is not None:
            columns, types, rows = self._rows
            yield columns, ["+I"] * len(rows), types, rows
        elif self._query is not None:
            for event in Running(self._query, changelog=True).events():
                if isinstance(event, e.RowsAppended):
                    yield event.columns, event.kinds, event.types, event.rows
        else:
            yield ["result"], ["+I"], ["STRING"], [["OK"]]


def run(text: str) -> TableResult:
    """Run one statement. A query is checked now and runs when its rows are asked for."""
    text = text.strip().rstrip(";")
    first = _COMMENT.sub("", text).lstrip()
    if first.upper().startswith(_QUERIES):
        for _ in Running(f"EXPLAIN {text}").events():
            pass
        return TableResult(query=text)
    running = Running(text)
    rows: tuple[list[str], list[str], list[list[str | None]]] | None = None
    for event in running.events():
        if isinstance(event, e.Warning_):
            _print(f"warning: {event.text}")
        elif isinstance(event, e.Text):
            rows = (["result"], ["STRING"], [[line] for line in event.text.split("\n")])
        elif isinstance(event, e.TableSnapshot):
            rows = (event.columns, event.types, event.rows)
        elif isinstance(event, e.JobStarted):
            _print(f"job {event.job_id} started")
            running.kept = True
            return TableResult(job=JobClient(running, event.job_id), running=running)
    return TableResult(rows=rows)


class Table(_Named):
    """A query; its methods give further queries."""

    def __init__(self, query: str) -> None:
        self.query = query

    def _of(self, select: str, more: str = "") -> Table:
        return Table(f"SELECT {select} FROM ({self.query}) {more}".rstrip())

    def select(self, *columns: str) -> Table:
        """Columns or SQL expressions, as texts."""
        return self._of(", ".join(_texts("select", columns)))

    def where(self, condition: str) -> Table:
        """The rows for which an SQL condition holds."""
        return self._of("*", f"WHERE {_texts('where', (condition,))[0]}")

    filter = where

    def limit(self, count: int) -> Table:
        """The first rows."""
        return self._of("*", f"LIMIT {int(count)}")

    def execute(self) -> TableResult:
        """Its rows."""
        return run(self.query)

    def execute_insert(self, table: str) -> TableResult:
        """Write its rows into a table, as a job."""
        return run(f"INSERT INTO {table} {self.query}")

    def print_schema(self) -> None:
        """Its columns and their types."""
        for event in Running(f"SELECT * FROM ({self.query}) LIMIT 0").events():
            if isinstance(event, e.TableSnapshot):
                pairs = zip(event.columns, event.types, strict=True)
                _print("\n".join(["(", *(f"  `{c}` {t}" for c, t in pairs), ")"]))
                return

    def to_pandas(self) -> Any:
        """All its rows as a data frame; the query must end by itself."""
        import pandas

        last = None
        for event in Running(self.query).events():
            if isinstance(event, e.TableSnapshot):
                last = event
        if last is None:
            return pandas.DataFrame()
        rows = [[value_of(t, v) for t, v in zip(last.types, r, strict=True)] for r in last.rows]
        if last.skipped:
            _print(f"warning: the newest {len(rows):,} of {last.row_count:,} rows")
        return pandas.DataFrame(rows, columns=last.columns)


def _texts(method: str, values: tuple[Any, ...]) -> list[str]:
    for value in values:
        if not isinstance(value, str):
            msg = f"{method}() takes SQL as text here, for example {method}('a')"
            raise TypeError(msg)
    return list(values)


class StatementSet(_Named):
    """Several INSERTs that start together."""

    def __init__(self) -> None:
        self._inserts: list[str] = []

    def add_insert_sql(self, text: str) -> StatementSet:
        """Add an INSERT."""
        self._inserts.append(text.strip().rstrip(";"))
        return self

    def add_insert(self, target: str, table: Table) -> StatementSet:
        """Add an INSERT of a table's rows."""
        return self.add_insert_sql(f"INSERT INTO {target} {table.query}")

    def execute(self) -> TableResult:
        """Start all of them."""
        body = ";\n".join(self._inserts)
        return run(f"EXECUTE STATEMENT SET BEGIN\n{body};\nEND")


class _Config(_Named):
    def set(self, key: str, value: Any) -> _Config:
        """As SET in SQL, for all paragraphs of the note."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        run(f"SET '{_quoted(key)}' = '{_quoted(text)}'")
        return self

    set_string = set_boolean = set_integer = set_float = set

    def get_configuration(self) -> _Config:
        """The same options."""
        return self


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _dropped(result: TableResult) -> bool:
    return any("removed" in str(row[0]) for row in result.collect())


class EnvironmentSettings(_Named):
    """Streaming or batch; the engine is the same, and a query over bounded data ends by itself."""

    @staticmethod
    def in_streaming_mode() -> EnvironmentSettings:
        """Settings."""
        return EnvironmentSettings()

    in_batch_mode = new_instance = in_streaming_mode

    def build(self) -> EnvironmentSettings:
        """The settings themselves."""
        return self


class StreamExecutionEnvironment(_Named):
    """The environment that a table environment is made from; jobs are written in SQL."""

    @staticmethod
    def get_execution_environment() -> StreamExecutionEnvironment:
        """The only one."""
        return StreamExecutionEnvironment()


class StreamTableEnvironment(_Named):
    """Runs SQL in the session of the note."""

    def __init__(self) -> None:
        self.stream_environment = StreamExecutionEnvironment()

    @staticmethod
    def create(*_: Any, **__: Any) -> StreamTableEnvironment:
        """An environment of the note's session, whatever settings are given."""
        return StreamTableEnvironment()

    def execute_sql(self, text: str) -> TableResult:
        """Run one statement."""
        return run(text)

    def sql_query(self, text: str) -> Table:
        """A query as a table; it is checked now."""
        table = Table(text.strip().rstrip(";"))
        for _ in Running(f"EXPLAIN {table.query}").events():
            pass
        return table

    def from_path(self, name: str) -> Table:
        """A table or view by its name."""
        return self.sql_query(f"SELECT * FROM {name}")

    def create_temporary_view(self, name: str, table: Table) -> None:
        """Give a query a name."""
        run(f"CREATE TEMPORARY VIEW {name} AS {table.query}")

    def create_temporary_function(self, path: str, function: Any) -> None:
        """Make a Python function callable in SQL under ``path``, in this note."""
        run(create_statement(path, function, "TEMPORARY "))

    def create_temporary_system_function(self, name: str, function: Any) -> None:
        """Make a Python function callable in SQL; it hides a built-in one of that name."""
        run(create_statement(name, function, "TEMPORARY SYSTEM "))

    register_function = create_temporary_system_function

    def drop_temporary_function(self, path: str) -> bool:
        """Remove a function; False if there was none."""
        return _dropped(run(f"DROP TEMPORARY FUNCTION IF EXISTS {path}"))

    def drop_temporary_system_function(self, name: str) -> bool:
        """Remove a system function; False if there was none."""
        return _dropped(run(f"DROP TEMPORARY SYSTEM FUNCTION IF EXISTS {name}"))

    def create_java_temporary_function(self, path: str, function_class_name: str) -> None:
        """Java functions do not run here.

        Raises:
            NotImplementedError: with what to write instead.
        """
        name = path.rpartition(".")[2]
        msg = (
            f"{name} is the Java class {function_class_name}, and Java does not run here; write it "
            f"in Python: @udf(result_type=...), then create_temporary_function('{name}', ...)"
        )
        raise NotImplementedError(msg)

    create_java_temporary_system_function = create_java_temporary_function
    register_java_function = create_java_temporary_function
    create_java_function = create_java_temporary_function

    def list_user_defined_functions(self) -> list[str]:
        """The names of the functions that were registered."""
        return [row[0] for row in run("SHOW USER FUNCTIONS").collect()]

    def create_statement_set(self) -> StatementSet:
        """Several INSERTs that start together."""
        return StatementSet()

    def list_tables(self) -> list[str]:
        """The names of all tables and views."""
        return [row[0] for row in run("SHOW TABLES").collect()]

    def get_config(self) -> _Config:
        """The session's options."""
        return _Config()
