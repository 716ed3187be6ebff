"""PyFlink's table environment over our engine: the part of it that notes use.

A table is the SQL that gives its rows. What is not here names itself and says what to write
instead; nothing is accepted and ignored.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from eddyline.kernel.checkpoints import (
    ENVIRONMENT,
    CheckpointConfig,
    CheckpointingMode,
    RuntimeExecutionMode,
    set_option,
    without_effect,
)
from eddyline.kernel.configuration import Configuration, EnvironmentSettings, TableConfig
from eddyline.kernel.descriptors import TableDescriptor, anonymous_table
from eddyline.kernel.elements import frame_elements, values_query
from eddyline.kernel.expressions import quoted
from eddyline.kernel.functions import FOLDERS, create_statement
from eddyline.kernel.inserts import StatementSet, TablePipeline, execute_waiting, explained
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import TableResult, run
from eddyline.kernel.running import RunningText
from eddyline.kernel.table import Table
from eddyline.udf.data_types import DataType, DataTypes


def _last(result: TableResult) -> Any:
    return list(result.collect())[-1][0]


def _dropped(result: TableResult) -> bool:
    return "has been " in result.message


class StreamExecutionEnvironment(MissingNames):
    """The environment that a table environment is made from; jobs are written in SQL."""

    runtime_mode = RuntimeExecutionMode.STREAMING

    @staticmethod
    def get_execution_environment(configuration: Configuration | None = None) -> Any:
        """The only one."""
        environment = StreamExecutionEnvironment()
        for key, value in (configuration.to_dict() if configuration else {}).items():
            set_option(key, value)
        return environment

    def set_parallelism(self, parallelism: int) -> StreamExecutionEnvironment:
        """One worker runs a job here, whatever the parallelism; the session option is set."""
        set_option("parallelism.default", str(parallelism))
        return self

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> StreamExecutionEnvironment:
        """Whether table environments that are made from this one are in batch mode."""
        self.runtime_mode = execution_mode
        return self

    def add_python_file(self, file_path: str) -> None:
        """Have functions import from a file or folder; ``SET 'python.files'``."""
        add_python_file(file_path)

    def get_parallelism(self) -> int:
        """One worker runs a job."""
        return 1

    def enable_checkpointing(
        self, interval: int, mode: CheckpointingMode | None = None
    ) -> StreamExecutionEnvironment:
        """State is committed with every batch; the session options are set."""
        self.get_checkpoint_config().set_checkpoint_interval(interval)
        if mode is not None:
            self.get_checkpoint_config().set_checkpointing_mode(mode)
        return self

    def get_checkpoint_config(self) -> CheckpointConfig:
        """The options of checkpoints."""
        return CheckpointConfig()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ENVIRONMENT:
            return without_effect(self, name, ENVIRONMENT[name])
        advice = _DATA_STREAM.get(name, "write it as SQL in st_env.execute_sql")
        msg = f"StreamExecutionEnvironment.{name} is not available here: {advice}"
        raise AttributeError(msg)


_DATA_STREAM = {
    "add_source": "write CREATE TABLE … WITH ('connector' = …) in st_env.execute_sql",
    "from_source": "write CREATE TABLE … WITH ('connector' = …) in st_env.execute_sql",
    "from_collection": "use st_env.from_elements([...], ['a', 'b'])",
    "set_python_requirements": "install the packages beside eddyline, into the same environment",
    "add_python_archive": "install the packages beside eddyline, into the same environment",
    "execute": "INSERTs start with execute_sql or execute_insert, each as a job",
}


_BATCH = RuntimeExecutionMode.BATCH
_JAVA_CATALOG = "write CREATE CATALOG … WITH ('type' = …) in execute_sql"
_TABLE_ENVIRONMENT = {
    "set_python_requirements": _DATA_STREAM["set_python_requirements"],
    "add_python_archive": _DATA_STREAM["add_python_archive"],
    "register_catalog": _JAVA_CATALOG,
    "create_catalog": _JAVA_CATALOG,
    "get_catalog": "SHOW TABLES, DESCRIBE and SHOW CREATE TABLE tell what a catalog has",
    "load_module": "the module core is there, and no other",
    "to_data_stream": "write the rest as SQL, or read the rows: table.execute().collect()",
    "to_append_stream": "write the rest as SQL, or read the rows: table.execute().collect()",
    "to_retract_stream": "write the rest as SQL, or read the rows: table.execute().collect()",
    "to_changelog_stream": "write the rest as SQL, or read the rows: table.execute().collect()",
    "from_data_stream": "use from_elements([...], ['a', 'b']), or CREATE TABLE … WITH (…)",
}


def add_python_file(file_path: str) -> None:
    """Have functions and this Python import from a file or folder."""
    path = Path(file_path)
    folder = str((path if path.is_dir() else path.parent).absolute())
    if folder not in FOLDERS:
        FOLDERS.append(folder)
        sys.path.append(folder)
    files = TableConfig().get("python.files", "")
    if file_path not in files.split(","):
        set_option("python.files", f"{files},{file_path}".strip(","))


class StreamTableEnvironment(MissingNames):
    """Runs SQL in the session of the note."""

    def __init__(self, settings: EnvironmentSettings | None = None) -> None:
        self.stream_environment = StreamExecutionEnvironment()
        self._options = settings.options() if settings else {}

    def __reduce__(self) -> NoReturn:
        raise TypeError("a table environment belongs to its note and cannot be sent elsewhere")

    @staticmethod
    def create(
        stream_execution_environment: Any = None,
        environment_settings: EnvironmentSettings | None = None,
    ) -> StreamTableEnvironment:
        """An environment in the note's session; its settings hold for its own statements."""
        settings, stream = environment_settings, stream_execution_environment
        if isinstance(stream, EnvironmentSettings):
            settings = stream
        elif settings is None and getattr(stream, "runtime_mode", None) == _BATCH:
            settings = EnvironmentSettings.in_batch_mode()
        return StreamTableEnvironment(settings)

    def __getattr__(self, name: str) -> Any:
        if name not in _TABLE_ENVIRONMENT:
            return super().__getattr__(name)
        msg = f"TableEnvironment.{name} is not available here: {_TABLE_ENVIRONMENT[name]}"
        raise AttributeError(msg)

    def execute_sql(self, text: str) -> TableResult:
        """Run one statement."""
        return run(text, self._options)

    def explain_sql(self, stmt: str, *extra_details: Any) -> str:
        """The plan of a statement as text, with details (``ExplainDetail``)."""
        return explained(stmt, extra_details, self._options)

    def sql_query(self, text: str) -> Table:
        """A query as a table; it is checked now."""
        table = Table(text.strip().rstrip(";"), options=self._options)
        for _ in RunningText(f"EXPLAIN {table._query}", options=self._options).events():
            pass
        return table

    def from_path(self, name: str) -> Table:
        """A table or view by its name."""
        return self.sql_query(f"SELECT * FROM {name}")

    scan = from_path

    def from_elements(self, elements: Iterable[Any], schema: Any = None) -> Table:
        """A table of these rows; ``schema``: names, or ``DataTypes.ROW([...])``."""
        return Table(values_query(elements, schema), options=self._options)

    def from_pandas(self, pdf: Any, schema: Any = None, splits_num: int = 1) -> Table:
        """A table of a data frame's rows. schema: names, types, or both as a ROW."""
        rows, types = frame_elements(pdf)
        if isinstance(schema, list | tuple) and any(isinstance(t, DataType) for t in schema):
            names = types.field_names()
            schema = DataTypes.ROW(list(map(DataTypes.FIELD, names, schema)))
        return self.from_elements(rows, types if schema is None else schema)

    def create_temporary_table(self, path: str, descriptor: TableDescriptor) -> None:
        """Create a temporary table from its descriptor."""
        run(descriptor.statement(path, temporary=True))

    def create_table(self, path: str, descriptor: TableDescriptor) -> None:
        """Create a table from its descriptor."""
        run(descriptor.statement(path, temporary=False))

    def from_descriptor(self, descriptor: TableDescriptor) -> Table:
        """A table without a name of its own."""
        return self.from_path(anonymous_table(descriptor))

    def create_temporary_view(self, name: str, table: Table) -> None:
        """Give a query a name."""
        run(f"CREATE TEMPORARY VIEW {name} AS {table._query}")

    register_table = create_temporary_view

    def drop_temporary_view(self, path: str) -> bool:
        """Remove a view; False if there was none."""
        return _dropped(run(f"DROP TEMPORARY VIEW IF EXISTS {path}"))

    def drop_temporary_table(self, path: str) -> bool:
        """Remove a table; False if there was none."""
        return _dropped(run(f"DROP TEMPORARY TABLE IF EXISTS {path}"))

    def use_database(self, name: str) -> None:
        """Make a database the current one."""
        run(f"USE {quoted(name)}")

    def use_catalog(self, name: str) -> None:
        """Make a catalog the current one."""
        run(f"USE CATALOG {quoted(name)}")

    def get_current_database(self) -> str:
        """The current database."""
        return str(_last(run("SHOW CURRENT DATABASE")))

    def get_current_catalog(self) -> str:
        """The current catalog."""
        return str(_last(run("SHOW CURRENT CATALOG")))

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
        return StatementSet(self._options)

    def sql_update(self, text: str) -> None:
        """Run a statement; an INSERT waits for ``execute``, as before Flink 1.11."""
        if text.lstrip().upper().startswith("INSERT"):
            TablePipeline(text.strip().rstrip(";"), self._options)
        else:
            run(text, self._options)

    def insert_into(self, target_path: str, table: Table) -> None:
        """Have a table's rows written by ``execute``, as before Flink 1.11."""
        table.insert_into(target_path)

    def execute(self, job_name: str | None = None) -> TableResult:
        """Start what ``insert_into`` and ``sql_update`` have left."""
        return execute_waiting(job_name, self._options)

    def create_view(self, view_path: str, table: Table, ignore_if_exists: bool = False) -> bool:
        """Give a query a name that lasts; False if there is one already and that may be."""
        if ignore_if_exists and view_path in self.list_views():
            return False
        run(f"CREATE VIEW {view_path} AS {table._query}")
        return True

    def drop_view(self, view_path: str, ignore_if_not_exists: bool = True) -> bool:
        """Remove a view that lasts; False if there was none."""
        return self._dropped("VIEW", view_path, ignore_if_not_exists)

    def drop_table(self, table_path: str, ignore_if_not_exists: bool = True) -> bool:
        """Remove a table that lasts; False if there was none."""
        return self._dropped("TABLE", table_path, ignore_if_not_exists)

    def drop_function(self, path: str) -> bool:
        """Remove a function that lasts; False if there was none."""
        return self._dropped("FUNCTION", path, True)

    def _dropped(self, kind: str, path: str, ignore: bool) -> bool:
        return _dropped(run(f"DROP {kind} {'IF EXISTS ' if ignore else ''}{path}"))

    def add_python_file(self, file_path: str) -> None:
        """Have functions import from a file or folder; ``SET 'python.files'``."""
        add_python_file(file_path)

    def list_modules(self) -> list[str]:
        """The names of the modules."""
        return [row[0] for row in run("SHOW MODULES").collect()]

    def list_views(self) -> list[str]:
        """The names of all views."""
        return [row[0] for row in run("SHOW VIEWS").collect()]

    def list_temporary_views(self) -> list[str]:
        """The names of the views of this note alone."""
        return [v for v in self.list_views() if self._is_temporary("VIEW", v)]

    def list_temporary_tables(self) -> list[str]:
        """The names of the tables and views of this note alone."""
        views = set(self.list_views())
        kinds = {name: "VIEW" if name in views else "TABLE" for name in self.list_tables()}
        return [name for name, kind in kinds.items() if self._is_temporary(kind, name)]

    def _is_temporary(self, kind: str, name: str) -> bool:
        lines = run(f"SHOW CREATE {kind} {quoted(name)}").collect()
        return any(str(row[0]).startswith("CREATE TEMPORARY") for row in lines)

    def list_databases(self) -> list[str]:
        """The names of all databases."""
        return [row[0] for row in run("SHOW DATABASES").collect()]

    def list_catalogs(self) -> list[str]:
        """The names of all catalogs."""
        return [row[0] for row in run("SHOW CATALOGS").collect()]

    def list_functions(self) -> list[str]:
        """The names of all functions."""
        return [row[0] for row in run("SHOW FUNCTIONS").collect()]

    def create_function(self, path: str, function: Any) -> None:
        """Make a Python function callable in SQL, in every note."""
        run(create_statement(path, function, ""))

    def list_tables(self) -> list[str]:
        """The names of all tables and views."""
        return [row[0] for row in run("SHOW TABLES").collect()]

    def get_config(self) -> TableConfig:
        """The session's options."""
        return TableConfig()
