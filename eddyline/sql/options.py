"""Session options: what SET may say, and what of it is honoured.

An unknown key is kept and answered with a warning, because a note written for a real cluster sets
much that has no meaning on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eddyline.errors import EddylineError, nearest
from eddyline.functions.registry import CallContext
from eddyline.options.duration import milliseconds


@dataclass(frozen=True, slots=True)
class SessionOption:
    """A key of SET. kind: string, integer, number, boolean, duration, zone, or choices joined
    by ``|``.

    honoured: whether it changes anything here. refused: why a value other than the default is an
    error; for what would change results if it were left out silently.
    """

    default: str
    kind: str
    meaning: str
    honoured: bool = True
    refused: str | None = None


OPTIONS: dict[str, SessionOption] = {
    "table.local-time-zone": SessionOption(
        "UTC", "zone", "The zone in which instants are shown and read."
    ),
    "table.exec.source.idle-timeout": SessionOption(
        "1 s", "duration", "A shard read to its tip is idle after this; 0: never."
    ),
    "table.exec.state.ttl": SessionOption(
        "0",
        "duration",
        "State of groupings, regular joins, deduplication, Top-N, OVER without a beginning and "
        "temporal joins is cleared this long after its last write, at most a 64th later; 0: "
        "never.",
    ),
    "python.files": SessionOption(
        "",
        "string",
        "Files and folders, by commas, in which CREATE FUNCTION … LANGUAGE PYTHON finds modules.",
    ),
    "pipeline.name": SessionOption("", "string", "The name of the next job."),
    "sql-client.execution.result-mode": SessionOption(
        "TABLE", "TABLE|CHANGELOG|TABLEAU", "How a SELECT is shown in the terminal."
    ),
    "execution.runtime-mode": SessionOption(
        "STREAMING",
        "STREAMING|BATCH|AUTOMATIC",
        "BATCH: only bounded tables are read, and a query gives its final rows when they end.",
    ),
    "parallelism.default": SessionOption("1", "integer", "One worker runs a job here.", False),
    "table.dml-sync": SessionOption(
        "false", "boolean", "Whether INSERT waits for its job to end.", True
    ),
    "table.exec.mini-batch.enabled": SessionOption(
        "true", "boolean", "Batches are always used here.", False
    ),
    "table.exec.mini-batch.allow-latency": SessionOption(
        "0 ms", "duration", "Batches are as large as what has arrived.", False
    ),
    "table.exec.mini-batch.size": SessionOption(
        "-1", "integer", "Batches are as large as what has arrived.", False
    ),
    "table.exec.sink.upsert-materialize": SessionOption(
        "AUTO", "AUTO|NONE|FORCE", "No sink here needs it.", False
    ),
    "execution.checkpointing.interval": SessionOption(
        "1 s", "duration", "State is committed with every batch here.", False
    ),
    "execution.checkpointing.mode": SessionOption(
        "EXACTLY_ONCE", "EXACTLY_ONCE|AT_LEAST_ONCE", "Every row counts once here.", False
    ),
    "state.backend.type": SessionOption("duckdb", "string", "State is kept in DuckDB.", False),
    "table.plan.force-recompile": SessionOption(
        "false", "boolean", "Whether COMPILE PLAN replaces a plan that exists."
    ),
    "execution.savepoint.path": SessionOption(
        "", "string", "The savepoint from which the next jobs start, by name or folder."
    ),
    "execution.savepoint.ignore-unclaimed-state": SessionOption(
        "false",
        "boolean",
        "Whether a job starts although saved state belongs to no operator of its statement, or "
        "an operator has none: the first is dropped, the second begins without it.",
    ),
    "restart-strategy.type": SessionOption(
        "",
        "|none|off|disable|exponential-delay|exponentialdelay|fixed-delay|fixeddelay|failure-rate"
        "|failurerate",
        "When a failed job is tried again. Empty: exponential delay, but a failure that the same "
        "input would cause again ends the job.",
    ),
    "restart-strategy.exponential-delay.initial-backoff": SessionOption(
        "1 s", "duration", "Pause before the first further attempt."
    ),
    "restart-strategy.exponential-delay.max-backoff": SessionOption(
        "1 min", "duration", "The longest pause."
    ),
    "restart-strategy.exponential-delay.backoff-multiplier": SessionOption(
        "1.5", "number", "By how much the pause grows with each failure."
    ),
    "restart-strategy.exponential-delay.reset-backoff-threshold": SessionOption(
        "1 h", "duration", "After this long without a failure the pause is the first one again."
    ),
    "restart-strategy.exponential-delay.jitter-factor": SessionOption(
        "0.1", "number", "The part of a pause that is drawn by chance."
    ),
    "restart-strategy.exponential-delay.attempts-before-reset-backoff": SessionOption(
        "", "integer", "Attempts until the job has failed for good; empty: without limit."
    ),
    "restart-strategy.fixed-delay.attempts": SessionOption(
        "1", "integer", "Further attempts until the job has failed for good."
    ),
    "restart-strategy.fixed-delay.delay": SessionOption(
        "1 s", "duration", "Pause before each further attempt."
    ),
    "restart-strategy.failure-rate.max-failures-per-interval": SessionOption(
        "1", "integer", "A job with more failures than these in an interval has failed for good."
    ),
    "restart-strategy.failure-rate.failure-rate-interval": SessionOption(
        "1 min", "duration", "The interval in which failures are counted."
    ),
    "restart-strategy.failure-rate.delay": SessionOption(
        "1 s", "duration", "Pause before each further attempt."
    ),
}


# Names that Flink still takes for options that it has renamed.
OLDER_NAMES = {
    "restart-strategy": "restart-strategy.type",
    "state.backend": "state.backend.type",
    "table.exec.resource.default-parallelism": "parallelism.default",
}


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """A session's options: those that were SET, over the defaults."""

    values: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str:
        """The value in force."""
        row = OPTIONS.get(key)
        return self.values.get(key, row.default if row else "")

    def with_option(self, key: str, value: str) -> tuple[SessionConfig, str | None]:
        """The config with one more option, and a warning if it changes nothing here.

        Raises:
            EddylineError: ``invalid_argument`` for a value the key cannot take.
        """
        key = OLDER_NAMES.get(key, key)
        changed = SessionConfig({**self.values, key: value})
        row = OPTIONS.get(key)
        if row is None:
            near = nearest(key, list(OPTIONS))
            hint = f"; did you mean '{near[0]}'?" if near else ""
            return changed, f"option '{key}' is kept, but nothing here reads it{hint}"
        _check(key, row, value)
        if row.refused is not None and not _is_default(key, row, value):
            msg = f"option '{key}' is not supported"
            raise EddylineError("sql_unsupported", msg, hint=row.refused)
        note = None if row.honoured else f"option '{key}' is kept. {row.meaning}"
        return changed, note

    def without(self, key: str | None) -> SessionConfig:
        """The config with one option, or all, back at the default."""
        if key is None:
            return SessionConfig()
        key = OLDER_NAMES.get(key, key)
        return SessionConfig({k: v for k, v in self.values.items() if k != key})

    @property
    def is_batch(self) -> bool:
        """Whether all input ends and only final results count."""
        return self.get("execution.runtime-mode").upper() == "BATCH"

    @property
    def zone(self) -> str:
        return self.get("table.local-time-zone")

    @property
    def context(self) -> CallContext:
        """What functions may ask of the session."""
        return CallContext(self.zone)

    @property
    def idle_timeout_ms(self) -> int | None:
        """What was SET for idle shards, or None."""
        text = self.values.get("table.exec.source.idle-timeout")
        return None if text is None else duration_ms(text, "table.exec.source.idle-timeout")

    @property
    def state_ttl_ms(self) -> int:
        """After how long without a write state is forgotten; 0 for never. In batch mode all state
        ends with the input."""
        key = "table.exec.state.ttl"
        return 0 if self.is_batch else duration_ms(self.get(key), key)

    @property
    def ignores_unclaimed_state(self) -> bool:
        """Whether saved state that belongs to no operator may be dropped."""
        return self.get("execution.savepoint.ignore-unclaimed-state").lower() == "true"

    def seconds(self, key: str) -> float:
        """A duration in seconds."""
        return duration_ms(self.get(key), key) / 1000

    @property
    def shows_changes(self) -> bool:
        """Whether a SELECT in a terminal shows each change instead of the table as it stands."""
        return self.get("sql-client.execution.result-mode").upper() in ("CHANGELOG", "TABLEAU")


def _check(key: str, row: SessionOption, value: str) -> None:
    good = True
    if "|" in row.kind:
        good = value.upper() in row.kind.upper().split("|")
    elif row.kind == "integer":
        good = value.strip().lstrip("-").isdigit() or value == row.default
    elif row.kind == "number":
        good = _is_number(value)
    elif row.kind == "boolean":
        good = value.lower() in ("true", "false")
    elif row.kind == "duration":
        duration_ms(value, key)
    elif row.kind == "zone":
        good = _is_zone(value)
    if not good:
        choices = ", ".join(filter(None, row.kind.split("|")))
        expected = choices if "|" in row.kind else f"a {row.kind}"
        msg = f"option '{key}' cannot be '{value}'"
        raise EddylineError("invalid_argument", msg, hint=f"it must be {expected}. {row.meaning}")


def _is_default(key: str, row: SessionOption, value: str) -> bool:
    if row.kind == "duration":
        return duration_ms(value, key) == duration_ms(row.default, key)
    return value == row.default


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def duration_ms(text: str, key: str) -> int:
    """The milliseconds of a duration.

    Raises:
        EddylineError: ``sql_semantic`` naming ``key``.
    """
    try:
        return milliseconds(text)
    except ValueError:
        msg = f"option '{key}' is '{text}', which is not a duration"
        hint = "for example '10 s' or '5 min'"
        raise EddylineError("sql_semantic", msg, hint=hint) from None
