"""Session options: what SET may say, and what of it is honoured.

An unknown key is kept and answered with a warning, because a note written for a real cluster sets
much that has no meaning on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eddyline.errors import EddylineError, nearest
from eddyline.functions.registry import CallContext
from eddyline.options.duration import milliseconds
from eddyline.options.option import (
    BOOLEAN,
    DURATION,
    INTEGER,
    STRING,
    OptionKind,
    integer,
    number,
)

T = TypeVar("T")


def words(*names: str) -> OptionKind[str]:
    """One of some words in any case; the value is the word as it is written here."""
    by_name = {name.upper(): name for name in names}

    def parse(text: str) -> str:
        word = by_name.get(text.strip().upper())
        if word is None:
            raise ValueError(text)
        return word

    return OptionKind("|".join(names), parse, ", ".join(filter(None, names)))


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(text) from error


def _streams(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(old.strip() and new.strip() for old, _, new in pairs):
        raise ValueError(text)
    return {old.strip(): new.strip() for old, _, new in pairs}


def optional(kind: OptionKind[T]) -> OptionKind[T | None]:
    """A value of that kind, or an empty text, which means None."""
    return OptionKind(
        kind.name, lambda text: kind.parse(text) if text else None, f"{kind.expected}, or empty"
    )


ZONE = OptionKind("zone", _zone, "a time zone, as in 'UTC' or 'Europe/Berlin'")


@dataclass(frozen=True, slots=True)
class SessionOption:
    """A key of SET. ``honoured``: whether it changes anything here."""

    default: str
    kind: OptionKind[Any]
    meaning: str
    honoured: bool = True


OPTIONS: dict[str, SessionOption] = {
    "table.local-time-zone": SessionOption(
        "UTC", ZONE, "The zone in which instants are shown and read."
    ),
    "table.exec.source.idle-timeout": SessionOption(
        "1 s", DURATION, "A shard read to its tip is idle after this; 0: never."
    ),
    "table.exec.state.ttl": SessionOption(
        "0",
        DURATION,
        "State of groupings, regular joins, deduplication, Top-N, OVER without a beginning and "
        "temporal joins is cleared this long after its last write, at most a 64th later; 0: "
        "never.",
    ),
    "python.files": SessionOption(
        "",
        STRING,
        "Files and folders, by commas, in which CREATE FUNCTION … LANGUAGE PYTHON finds modules.",
    ),
    "table.exec.sink.require-on-conflict": SessionOption(
        "true",
        BOOLEAN,
        "Whether an INSERT whose changes do not go by the table's primary key needs ON CONFLICT.",
    ),
    "pipeline.name": SessionOption("", STRING, "The name of the next job."),
    "sql-client.execution.result-mode": SessionOption(
        "TABLE", words("TABLE", "CHANGELOG", "TABLEAU"), "How a SELECT is shown in the terminal."
    ),
    "execution.runtime-mode": SessionOption(
        "STREAMING",
        words("STREAMING", "BATCH", "AUTOMATIC"),
        "BATCH: only bounded tables are read, and a query gives its final rows when they end.",
    ),
    "parallelism.default": SessionOption("1", INTEGER, "One worker runs a job here.", False),
    "table.dml-sync": SessionOption(
        "false", BOOLEAN, "Whether INSERT waits for its job to end.", True
    ),
    "table.exec.mini-batch.enabled": SessionOption(
        "true", BOOLEAN, "Batches are always used here.", False
    ),
    "table.exec.mini-batch.allow-latency": SessionOption(
        "0 ms", DURATION, "Batches are as large as what has arrived.", False
    ),
    "table.exec.mini-batch.size": SessionOption(
        "-1", INTEGER, "Batches are as large as what has arrived.", False
    ),
    "table.exec.sink.upsert-materialize": SessionOption(
        "AUTO", words("AUTO", "NONE", "FORCE"), "No sink here needs it.", False
    ),
    "execution.checkpointing.interval": SessionOption(
        "1 s", DURATION, "State is committed with every batch here.", False
    ),
    "execution.checkpointing.mode": SessionOption(
        "EXACTLY_ONCE", words("EXACTLY_ONCE", "AT_LEAST_ONCE"), "Every row counts once here.", False
    ),
    "state.backend.type": SessionOption("duckdb", STRING, "State is kept in DuckDB.", False),
    "table.plan.force-recompile": SessionOption(
        "false", BOOLEAN, "Whether COMPILE PLAN replaces a plan that exists."
    ),
    "execution.savepoint.path": SessionOption(
        "", STRING, "The savepoint from which the next jobs start, by name or folder."
    ),
    "execution.savepoint.ignore-unclaimed-state": SessionOption(
        "false",
        BOOLEAN,
        "Whether a job starts although saved state belongs to no operator of its statement, or "
        "an operator has none: the first is dropped, the second begins without it.",
    ),
    "execution.savepoint.streams": SessionOption(
        "",
        OptionKind("streams", _streams, "OLD=NEW, several separated by ';'"),
        "Streams that are read in place of others: a savepoint is restored onto them, and reading "
        "begins where their tables say.",
    ),
    "restart-strategy.type": SessionOption(
        "",
        words(
            "",
            "none",
            "off",
            "disable",
            "exponential-delay",
            "exponentialdelay",
            "fixed-delay",
            "fixeddelay",
            "failure-rate",
            "failurerate",
        ),
        "When a failed job is tried again. Empty: exponential delay, but a failure that the same "
        "input would cause again ends the job.",
    ),
    "restart-strategy.exponential-delay.initial-backoff": SessionOption(
        "1 s", DURATION, "Pause before the first further attempt."
    ),
    "restart-strategy.exponential-delay.max-backoff": SessionOption(
        "1 min", DURATION, "The longest pause."
    ),
    "restart-strategy.exponential-delay.backoff-multiplier": SessionOption(
        "1.5", number(1, 1000), "By how much the pause grows with each failure."
    ),
    "restart-strategy.exponential-delay.reset-backoff-threshold": SessionOption(
        "1 h", DURATION, "After this long without a failure the pause is the first one again."
    ),
    "restart-strategy.exponential-delay.jitter-factor": SessionOption(
        "0.1", number(0, 1), "The part of a pause that is drawn by chance."
    ),
    "restart-strategy.exponential-delay.attempts-before-reset-backoff": SessionOption(
        "",
        optional(integer(1)),
        "Attempts until the job has failed for good; empty: without limit.",
    ),
    "restart-strategy.fixed-delay.attempts": SessionOption(
        "1", integer(1), "Further attempts until the job has failed for good."
    ),
    "restart-strategy.fixed-delay.delay": SessionOption(
        "1 s", DURATION, "Pause before each further attempt."
    ),
    "restart-strategy.failure-rate.max-failures-per-interval": SessionOption(
        "1", integer(1), "A job with more failures than these in an interval has failed for good."
    ),
    "restart-strategy.failure-rate.failure-rate-interval": SessionOption(
        "1 min", DURATION, "The interval in which failures are counted."
    ),
    "restart-strategy.failure-rate.delay": SessionOption(
        "1 s", DURATION, "Pause before each further attempt."
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

    def value(self, key: str) -> Any:
        """The value in force of an option of ``OPTIONS``, as its kind gives it."""
        row = OPTIONS[key]
        return _parse(key, row, self.values.get(key, row.default))

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
        _parse(key, row, value)
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
        return bool(self.value("execution.runtime-mode") == "BATCH")

    @property
    def zone(self) -> str:
        return str(self.value("table.local-time-zone"))

    @property
    def context(self) -> CallContext:
        """What functions may ask of the session."""
        return CallContext(self.zone)

    @property
    def idle_timeout_ms(self) -> int | None:
        """What was SET for idle shards, or None."""
        key = "table.exec.source.idle-timeout"
        return int(self.value(key)) if key in self.values else None

    @property
    def state_ttl_ms(self) -> int:
        """After how long without a write state is forgotten; 0 for never. In batch mode all state
        ends with the input."""
        return 0 if self.is_batch else int(self.value("table.exec.state.ttl"))

    @property
    def streams(self) -> dict[str, str]:
        """Streams to read in place of others."""
        chosen: dict[str, str] = self.value("execution.savepoint.streams")
        return chosen

    @property
    def ignores_unclaimed_state(self) -> bool:
        """Whether saved state that belongs to no operator may be dropped."""
        return bool(self.value("execution.savepoint.ignore-unclaimed-state"))

    def seconds(self, key: str) -> float:
        """A duration in seconds."""
        return float(self.value(key)) / 1000

    @property
    def shows_changes(self) -> bool:
        """Whether a SELECT in a terminal shows each change instead of the table as it stands."""
        return self.value("sql-client.execution.result-mode") in ("CHANGELOG", "TABLEAU")


def _parse(key: str, row: SessionOption, text: str) -> Any:
    try:
        return row.kind.parse(text)
    except (ValueError, OverflowError):
        message = f"option '{key}' cannot be '{text}'"
        hint = f"it must be {row.kind.expected}. {row.meaning}"
        raise EddylineError("invalid_argument", message, hint=hint) from None


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
