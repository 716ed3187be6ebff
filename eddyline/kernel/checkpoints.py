"""PyFlink's settings of checkpoints and of the stream environment that have no meaning here.

State is committed with every batch, so there are no checkpoints apart from the commits. A setting
without effect is accepted, because scripts have it, and says so once; none changes results.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import run, show

_COMMITTED = "state is committed with every batch"
_ONE_WORKER = "one worker runs a job"
_DUCKDB = "state is kept in the data directory"
# The setter without effect, and what holds instead.
CHECKPOINTS = {
    "set_checkpoint_timeout": _COMMITTED,
    "set_min_pause_between_checkpoints": _COMMITTED,
    "set_max_concurrent_checkpoints": _COMMITTED,
    "disable_checkpointing": _COMMITTED,
    "set_fail_on_checkpointing_errors": "a commit that fails restarts the job",
    "set_tolerable_checkpoint_failure_number": "a commit that fails restarts the job",
    "enable_externalized_checkpoints": "state stays when a job is stopped",
    "set_externalized_checkpoint_cleanup": "state stays when a job is stopped",
    "set_externalized_checkpoint_retention": "state stays when a job is stopped",
    "enable_unaligned_checkpoints": _ONE_WORKER,
    "disable_unaligned_checkpoints": _ONE_WORKER,
    "set_force_unaligned_checkpoints": _ONE_WORKER,
    "set_alignment_timeout": _ONE_WORKER,
    "set_aligned_checkpoint_timeout": _ONE_WORKER,
    "set_prefer_checkpoint_for_recovery": _COMMITTED,
    "set_checkpoint_storage": _DUCKDB,
    "set_checkpoint_storage_dir": _DUCKDB,
}
ENVIRONMENT = {
    "set_max_parallelism": _ONE_WORKER,
    "set_buffer_timeout": "rows are handed on batch by batch",
    "disable_operator_chaining": _ONE_WORKER,
    "set_state_backend": _DUCKDB,
    "add_jars": "connectors and formats are built in, and Java functions do not run here",
    "add_classpaths": "connectors and formats are built in, and Java functions do not run here",
    "set_python_executable": "functions run in the Python of the server",
    "set_default_savepoint_directory": "write eddyline job savepoint",
    "enable_changelog_state_backend": _DUCKDB,
    "set_stream_time_characteristic": "each table's WATERMARK says which time counts",
}
_warned: set[str] = set()


def without_effect(owner: Any, name: str, instead: str) -> Callable[..., Any]:
    """The setter ``name`` of an object: it says once that it changes nothing."""

    def setter(*_: Any) -> Any:
        called = f"{type(owner).__name__}.{name}"
        if called not in _warned:
            _warned.add(called)
            show(f"warning: {called}() has no effect here: {instead}")
        return owner

    return setter


class CheckpointingMode(Enum):
    """What a restart may repeat; here every row counts once, whatever is requested."""

    EXACTLY_ONCE = "EXACTLY_ONCE"
    AT_LEAST_ONCE = "AT_LEAST_ONCE"


class TimeCharacteristic(Enum):
    """Which time counts; here each table's WATERMARK says it."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2


class RuntimeExecutionMode(Enum):
    """Whether a table environment that is made from a stream environment is in batch mode."""

    STREAMING = "STREAMING"
    BATCH = "BATCH"
    AUTOMATIC = "AUTOMATIC"


class CheckpointConfig(MissingNames):
    """The options of checkpoints, as session options; state is committed with every batch."""

    def set_checkpointing_mode(self, mode: CheckpointingMode) -> CheckpointConfig:
        """Set ``execution.checkpointing.mode``."""
        set_option("execution.checkpointing.mode", mode.value)
        return self

    def get_checkpointing_mode(self) -> CheckpointingMode:
        """How rows count here."""
        return CheckpointingMode.EXACTLY_ONCE

    def set_checkpoint_interval(self, interval: int) -> CheckpointConfig:
        """Set ``execution.checkpointing.interval``, in milliseconds."""
        set_option("execution.checkpointing.interval", f"{interval} ms")
        return self

    def __getattr__(self, name: str) -> Any:
        if name in CHECKPOINTS:
            return without_effect(self, name, CHECKPOINTS[name])
        return super().__getattr__(name)


def set_option(key: str, value: str) -> None:
    """Set a session option; one without effect says so."""
    run(f"SET '{_quoted(key)}' = '{_quoted(value)}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
