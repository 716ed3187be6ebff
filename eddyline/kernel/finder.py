"""The modules below ``pyflink`` that only a kernel has: environments, tables, expressions."""

from __future__ import annotations

from typing import Any

from eddyline.kernel import (
    calls,
    checkpoints,
    column_choices,
    configuration,
    descriptors,
    durations,
    expression_calls,
    expressions,
    flink_rest,
    inserts,
    job_client,
    json_expressions,
    results,
    table,
    table_windows,
    tables,
)
from eddyline.udf.finder import MODULES
from eddyline.udf.finder import install as install_functions

_WINDOWS = {
    "GroupWindow": table_windows.GroupWindow,
    "Over": table_windows.Over,
    "OverWindow": table_windows.OverWindow,
    "Session": table_windows.Session,
    "Slide": table_windows.Slide,
    "Tumble": table_windows.Tumble,
}
_TABLE = {
    "BatchTableEnvironment": tables.StreamTableEnvironment,
    "EnvironmentSettings": configuration.EnvironmentSettings,
    "ExplainDetail": inserts.ExplainDetail,
    "FormatDescriptor": descriptors.FormatDescriptor,
    "GroupedTable": table.GroupedTable,
    "ResultKind": results.ResultKind,
    "Schema": descriptors.Schema,
    "SqlDialect": configuration.SqlDialect,
    "StatementSet": inserts.StatementSet,
    "StreamTableEnvironment": tables.StreamTableEnvironment,
    "Expression": expressions.Expression,
    "Table": table.Table,
    "TableConfig": configuration.TableConfig,
    "TableDescriptor": descriptors.TableDescriptor,
    "TableEnvironment": tables.StreamTableEnvironment,
    "TablePipeline": inserts.TablePipeline,
    "TableResult": results.TableResult,
    **_WINDOWS,
}
_MODULES: dict[str, dict[str, Any]] = {
    "pyflink.common": {
        "CompletableFuture": job_client.CompletableFuture,
        "Configuration": configuration.Configuration,
        "Duration": durations.Duration,
        "JobClient": job_client.JobClient,
        "JobStatus": job_client.JobStatus,
        "Time": durations.Time,
    },
    "pyflink.common.time": {"Duration": durations.Duration, "Time": durations.Time},
    "pyflink.common.configuration": {"Configuration": configuration.Configuration},
    "pyflink.datastream": {
        "CheckpointConfig": checkpoints.CheckpointConfig,
        "CheckpointingMode": checkpoints.CheckpointingMode,
        "StreamExecutionEnvironment": tables.StreamExecutionEnvironment,
        "RuntimeExecutionMode": checkpoints.RuntimeExecutionMode,
        "TimeCharacteristic": checkpoints.TimeCharacteristic,
    },
    "pyflink.datastream.execution_mode": {"RuntimeExecutionMode": checkpoints.RuntimeExecutionMode},
    "pyflink.datastream.checkpoint_config": {"CheckpointConfig": checkpoints.CheckpointConfig},
    "pyflink.datastream.checkpointing_mode": {"CheckpointingMode": checkpoints.CheckpointingMode},
    "pyflink.datastream.stream_execution_environment": {
        "StreamExecutionEnvironment": tables.StreamExecutionEnvironment
    },
    "pyflink.datastream.time_characteristic": {
        "TimeCharacteristic": checkpoints.TimeCharacteristic
    },
    "pyflink.table": _TABLE,
    "pyflink.table.environment_settings": {
        "EnvironmentSettings": configuration.EnvironmentSettings
    },
    "pyflink.table.explain_detail": {"ExplainDetail": inserts.ExplainDetail},
    "pyflink.table.expression": {
        **json_expressions.CHOICES,
        "Expression": expressions.Expression,
        "TimePointUnit": expression_calls.TimeIntervalUnit,
        "TimeIntervalUnit": expression_calls.TimeIntervalUnit,
    },
    "pyflink.table.expressions": {
        **expression_calls.NAMES,
        **column_choices.NAMES,
        **json_expressions.NAMES,
    },
    "pyflink.table.schema": {"Schema": descriptors.Schema},
    "pyflink.table.statement_set": {"StatementSet": inserts.StatementSet},
    "pyflink.table.table": {"Table": table.Table, "GroupedTable": table.GroupedTable},
    "pyflink.table.table_descriptor": {
        "FormatDescriptor": descriptors.FormatDescriptor,
        "TableDescriptor": descriptors.TableDescriptor,
    },
    "pyflink.table.table_environment": {
        "StreamTableEnvironment": tables.StreamTableEnvironment,
        "TableEnvironment": tables.StreamTableEnvironment,
    },
    "pyflink.table.table_result": {"TableResult": results.TableResult},
    "pyflink.table.window": _WINDOWS,
}


# The modules whose names a paragraph has without an import, as in Zeppelin.
IMPORTED = (
    "pyflink.common",
    "pyflink.datastream",
    "pyflink.table",
    "pyflink.table.window",
    "pyflink.table.udf",
)


def imported() -> dict[str, Any]:
    """The names that are there when a kernel starts."""
    return {name: value for module in IMPORTED for name, value in MODULES[module].items()}


def install() -> None:
    """Have ``import pyflink`` find the facade."""
    for module, names in _MODULES.items():
        MODULES.setdefault(module, {}).update(names)
    calls.install()
    flink_rest.install()
    install_functions()
