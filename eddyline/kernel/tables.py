"""PyFlink's table environment over our engine: the part of it that notes use.

A table is the SQL that gives its rows. What is not here names itself and says what to write
instead; nothing is accepted and ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from eddyline.kernel.checkpoints import (
    ENVIRONMENT,
    CheckpointConfig,
    CheckpointingMode,
    set_option,
    without_effect,
)
from eddyline.kernel.descriptors import TableDescriptor, anonymous_table
from eddyline.kernel.elements import frame_elements, values_query
from eddyline.kernel.expressions import quoted
from eddyline.kernel.functions import create_statement
from eddyline.kernel.inserts import StatementSet, TablePipeline, execute_waiting, explained
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import TableResult, run
from eddyline.kernel.running import RunningText
from eddyline.kernel.table import Table


class _Config(MissingNames):
    def set(self, key: str, value: Any) -> _Config:
        """As SET in SQL, for all paragraphs of the note."""
        set_option(key, _as_option(value))
        return self

    def get(self, key: str, default_value: str) -> str:
        """A session option."""
        options = dict(tuple(row) for row in run("SET").collect())
        return str(options.get(key) or default_value)

    get_string = get

    def set_local_timezone(self, timezone_id: str) -> None:
        """The zone in which instants are shown and read."""
        self.set("table.local-time-zone", timezone_id)

    def get_local_timezone(self) -> str:
        """The zone in which instants are shown and read."""
        return self.get("table.local-time-zone", "UTC")

    def set_idle_state_retention(self, duration: Any) -> None:
        """How long state is kept that is not used."""
        self.set("table.exec.state.ttl", f"{int(duration.total_seconds() * 1000)} ms")

    def set_idle_state_retention_time(self, min_time: Any, max_time: Any) -> None:
        """As ``set_idle_state_retention`` with the shorter time, which is what Flink keeps to."""
        self.set_idle_state_retention(min_time)

    set_string = set_boolean = set_integer = set_float = set

    def get_configuration(self) -> _Config:
        """The same options."""
        return self


def _last(result: TableResult) -> Any:
    return list(result.collect())[-1][0]


def _dropped(result: TableResult) -> bool:
    return any("removed" in str(row[0]) for row in result.collect())


class EnvironmentSettings(MissingNames):
    """Streaming or batch, and options; ``new_instance()`` begins a builder."""

    def __init__(self, batch: bool = False) -> None:
        self._batch = batch
        self._configuration: dict[str, str] = {}

    @staticmethod
    def in_streaming_mode() -> EnvironmentSettings:
        """Settings of a streaming environment."""
        return EnvironmentSettings()

    @staticmethod
    def in_batch_mode() -> EnvironmentSettings:
        """Settings of a batch environment."""
        return EnvironmentSettings(batch=True)

    @staticmethod
    def new_instance() -> EnvironmentSettings:
        """Settings to be changed by further calls, as ``in_batch_mode_()`` of PyFlink's builder."""
        return _Builder()

    def use_blink_planner(self) -> EnvironmentSettings:
        """There is one planner."""
        return self

    use_any_planner = use_blink_planner

    def with_configuration(self, configuration: Configuration) -> EnvironmentSettings:
        """Options of the environment."""
        self._configuration |= configuration.to_dict()
        return self

    def is_streaming_mode(self) -> bool:
        """Whether it streams."""
        return not self._batch

    def options(self) -> dict[str, str]:
        """The session options that hold for the environment's statements."""
        mode = {"execution.runtime-mode": "BATCH"} if self._batch else {}
        return mode | self._configuration

    def build(self) -> EnvironmentSettings:
        """The settings themselves."""
        return self


class _Builder(EnvironmentSettings):
    def in_streaming_mode(self) -> EnvironmentSettings:  # type: ignore[override]
        self._batch = False
        return self

    def in_batch_mode(self) -> EnvironmentSettings:  # type: ignore[override]
        self._batch = True
        return self


class Configuration(MissingNames):
    """Options by name, to be given to an environment."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def set_string(self, key: str, value: Any) -> Configuration:
        """Set an option."""
        self._values[key] = _as_option(value)
        return self

    set = set_boolean = set_integer = set_float = set_string

    def get_string(self, key: str, default_value: str) -> str:
        """An option that was set."""
        return self._values.get(key, default_value)

    def to_dict(self) -> dict[str, str]:
        """All options that were set."""
        return dict(self._values)


class StreamExecutionEnvironment(MissingNames):
    """The environment that a table environment is made from; jobs are written in SQL."""

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
    "add_jars": "connectors and formats are built in; Java code does not run here",
    "add_python_file": "use SET 'python.files' = 'file.py'",
    "execute": "INSERTs start with execute_sql or execute_insert, each as a job",
}


def _as_option(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
        settings = environment_settings
        if isinstance(stream_execution_environment, EnvironmentSettings):
            settings = stream_execution_environment
        return StreamTableEnvironment(settings)

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
        """A table of a data frame's rows."""
        rows, types = frame_elements(pdf)
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
        return str(_last(run("SHOW CURRENT DATABASE"))).rpartition(": ")[2]

    def get_current_catalog(self) -> str:
        """The current catalog."""
        return str(_last(run("SHOW CURRENT CATALOG"))).rpartition(": ")[2]

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

    def get_config(self) -> _Config:
        """The session's options."""
        return _Config()
