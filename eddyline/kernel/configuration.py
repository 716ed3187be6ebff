"""PyFlink's options: of an environment before it is made, and of the session."""

from __future__ import annotations

import datetime
from collections.abc import Set as AbstractSet
from typing import Any

from eddyline.kernel.checkpoints import set_option, without_effect
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import run


class SqlDialect:
    """Dialects of SQL, as PyFlink's numbers."""

    DEFAULT = 0
    HIVE = 1


class TableConfig(MissingNames):
    """The session's options."""

    def set(self, key: str, value: Any) -> TableConfig:
        """As SET in SQL, for all paragraphs of the note."""
        set_option(key, _as_option(value))
        return self

    def get(self, key: str, default_value: str) -> str:
        """A session option."""
        return str(self.to_map().get(key) or default_value)

    get_string = get

    def set_local_timezone(self, timezone_id: str) -> None:
        """The zone in which instants are shown and read."""
        self.set("table.local-time-zone", timezone_id)

    def get_local_timezone(self) -> str:
        """The zone in which instants are shown and read."""
        return self.get("table.local-time-zone", "UTC")

    def to_map(self) -> dict[str, str]:
        """The options that are set."""
        return dict(tuple(row) for row in run("SET").collect())

    def add_configuration(self, configuration: Configuration) -> None:
        """Set all options of a configuration."""
        for key, value in configuration.to_dict().items():
            self.set(key, value)

    def get_idle_state_retention(self) -> datetime.timedelta:
        """How long state is kept that is not used; zero is without end."""
        from eddyline.sql.options import duration_ms

        text = self.get("table.exec.state.ttl", "0 ms")
        return datetime.timedelta(milliseconds=duration_ms(text, "table.exec.state.ttl"))

    def set_sql_dialect(self, sql_dialect: int) -> None:
        """The dialect of SQL; there is Flink's own.

        Raises:
            ValueError: another one is asked for.
        """
        if sql_dialect != SqlDialect.DEFAULT:
            msg = "Hive's dialect is not available here: write Flink SQL"
            raise ValueError(msg)

    def get_sql_dialect(self) -> int:
        """Flink's own."""
        return SqlDialect.DEFAULT

    def set_python_executable(self, python_exec: str) -> None:
        """Functions run in the Python of this server; says so once."""
        without_effect(self, "set_python_executable", "functions run in the Python of the server")()

    def set_idle_state_retention(self, duration: Any) -> None:
        """How long state is kept that is not used."""
        self.set("table.exec.state.ttl", f"{int(duration.total_seconds() * 1000)} ms")

    def set_idle_state_retention_time(self, min_time: Any, max_time: Any) -> None:
        """As ``set_idle_state_retention`` with the shorter time, which is what Flink keeps to."""
        self.set_idle_state_retention(min_time)

    set_string = set_boolean = set_integer = set_float = set

    def get_configuration(self) -> TableConfig:
        """The same options."""
        return self


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

    def get_configuration(self) -> Configuration:
        """Its options."""
        return Configuration(self.options())

    def with_built_in_catalog_name(self, built_in_catalog_name: str) -> EnvironmentSettings:
        """The catalog is the note's; another name says so once."""
        without_effect(self, "with_built_in_catalog_name", "the catalog is default_catalog")()
        return self

    def with_built_in_database_name(self, built_in_database_name: str) -> EnvironmentSettings:
        """The database is the note's; another name says so once."""
        without_effect(self, "with_built_in_database_name", "use st_env.use_database(...)")()
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

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def set_string(self, key: str, value: Any) -> Configuration:
        """Set an option."""
        self._values[key] = _as_option(value)
        return self

    set = set_boolean = set_integer = set_float = set_string

    def get_string(self, key: str, default_value: str) -> str:
        """An option that was set."""
        return self._values.get(key, default_value)

    def get_integer(self, key: str, default_value: int) -> int:
        """An option that is a whole number."""
        return int(self._values.get(key, default_value))

    def get_float(self, key: str, default_value: float) -> float:
        """An option that is a number."""
        return float(self._values.get(key, default_value))

    def get_boolean(self, key: str, default_value: bool) -> bool:
        """An option that is true or false."""
        return self._values.get(key, str(default_value)).lower() == "true"

    def contains_key(self, key: str) -> bool:
        """Whether an option was set."""
        return key in self._values

    def key_set(self) -> AbstractSet[str]:
        """The options that were set."""
        return set(self._values)

    def remove_config(self, key: str) -> bool:
        """Take an option away; False if it was not set."""
        return self._values.pop(key, None) is not None

    def add_all(self, other: Configuration, prefix: str = "") -> None:
        """Set the options of another configuration, their names behind a prefix."""
        self._values |= {prefix + key: value for key, value in other.to_dict().items()}

    @staticmethod
    def from_dict(values: dict[str, str]) -> Configuration:
        """The options of a dictionary."""
        return Configuration({key: _as_option(value) for key, value in values.items()})

    def to_dict(self) -> dict[str, str]:
        """All options that were set."""
        return dict(self._values)


def _as_option(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
