"""The modules below ``pyflink`` that only a kernel has: environments, tables, expressions."""

from __future__ import annotations

from typing import Any

from eddyline.kernel import tables
from eddyline.udf.finder import MODULES
from eddyline.udf.finder import install as install_functions

_TABLE = {
    "EnvironmentSettings": tables.EnvironmentSettings,
    "StatementSet": tables.StatementSet,
    "StreamTableEnvironment": tables.StreamTableEnvironment,
    "Table": tables.Table,
    "TableEnvironment": tables.StreamTableEnvironment,
    "TableResult": tables.TableResult,
}
_MODULES: dict[str, dict[str, Any]] = {
    "pyflink.datastream": {"StreamExecutionEnvironment": tables.StreamExecutionEnvironment},
    "pyflink.table": _TABLE,
    "pyflink.table.environment_settings": {"EnvironmentSettings": tables.EnvironmentSettings},
    "pyflink.table.table_environment": {
        "StreamTableEnvironment": tables.StreamTableEnvironment,
        "TableEnvironment": tables.StreamTableEnvironment,
    },
}


def install() -> None:
    """Have ``import pyflink`` find the facade."""
    for module, names in _MODULES.items():
        MODULES.setdefault(module, {}).update(names)
    install_functions()
