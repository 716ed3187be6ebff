"""Messages of a run while it goes: one tagged message per kind, the same for every interface."""

from __future__ import annotations

from typing import Any

import msgspec

# How a SELECT's result is shown.
MODES = ("update", "append", "single")
# What of its saved state a job of a known name begins with.
STARTS = ("state", "positions", "fresh")
# What is shown of a query that ended because its server did.
STOPPED_WITH_SERVER = "stopped with the server; run it again to go on"


class ShardFigures(msgspec.Struct, frozen=True):
    """Where a job stands in one shard of a source.

    behind_records, behind_ms: how many records wait, and the age of the oldest. holds_back:
    whether this shard's watermark is the one that holds the others back.
    """

    source: str
    shard: str
    position: int
    behind_records: int
    behind_ms: int
    idle: bool
    watermark_ms: int | None
    holds_back: bool


class OperatorFigures(msgspec.Struct, frozen=True):
    """One operator of a job: what it takes, gives, drops and keeps.

    inputs: names of the operators whose rows it takes. busy_ms: time spent in it since the start.
    state_rows: rows that it keeps, None if it keeps none.
    """

    name: str
    kind: str
    columns: list[str]
    inputs: list[str]
    rows_in: int
    rows_out: int
    late: int
    filtered: int
    bad_records: int
    busy_ms: float
    watermark_ms: int | None
    state_rows: int | None


class JobFigures(msgspec.Struct, frozen=True):
    """A running query's counters. Times are epoch ms or ms; None where nothing is known yet.

    busy, blocked: shares (0 to 1) of the last seconds in which the job computed, and waited for
    its sink. checkpoint_at_ms: when the last step was committed, and checkpoint_ms how long that
    took. state_rows, state_bytes: what the job keeps; None where it keeps nothing. operators and
    shards are sent for jobs, not for queries.
    """

    rows_in: int = 0
    rows_out: int = 0
    late: int = 0
    filtered: int = 0
    bad_records: int = 0
    lost: int = 0
    held: int = 0
    watermark_ms: int | None = None
    behind_ms: int | None = None
    latency_ms: float | None = None
    behind_records: int = 0
    busy: float = 0.0
    blocked: float = 0.0
    checkpoint_at_ms: int | None = None
    checkpoint_ms: float | None = None
    state_rows: int | None = None
    state_bytes: int | None = None
    operators: list[OperatorFigures] = []
    shards: list[ShardFigures] = []


class StatementStarted(msgspec.Struct, tag=True, frozen=True):
    """Statement ``index`` (from 0) begins; ``kind`` as in "CREATE TABLE", ``line`` from 1."""

    run_id: str
    index: int
    kind: str
    line: int


class StatementReads(msgspec.Struct, tag=True, frozen=True):
    """Query or INSERT ``index`` has looked at its sources once, with all that this brought."""

    run_id: str
    index: int


class Text(msgspec.Struct, tag=True, frozen=True):
    """Something to read: "Table has been created.", a plan, a definition."""

    run_id: str
    index: int
    text: str


class Warning_(msgspec.Struct, tag="Warning", frozen=True):
    """Something the user should know, though the statement goes on."""

    run_id: str
    index: int
    text: str


class Printed(msgspec.Struct, tag=True, frozen=True):
    """Lines of the print connector, and the kind of each line's change.

    to_error: for the standard error, not the standard output.
    """

    run_id: str
    index: int
    table: str
    kinds: list[str]
    lines: list[str]
    to_error: bool = False


class Shown(msgspec.Struct, tag=True, frozen=True):
    """An output of Python at place ``index``, which replaces what was there.

    ``kind``: TEXT, HTML, or IMG (a PNG in base64).
    """

    run_id: str
    index: int
    kind: str
    text: str


class FormMade(msgspec.Struct, tag=True, frozen=True):
    """Python has made a form; ``form`` is Zeppelin's JSON of it."""

    run_id: str
    form: dict[str, Any]


class TableSnapshot(msgspec.Struct, tag=True, frozen=True):
    """A result as it stands: the newest rows, printed as Flink prints; None is NULL.

    ``row_count`` rows there are in all, of which ``skipped`` are not shown. ``is_unbounded``: its
    query does not end by itself.
    """

    run_id: str
    index: int
    columns: list[str]
    types: list[str]
    rows: list[list[str | None]]
    row_count: int
    skipped: int
    is_unbounded: bool = False


class RowsAppended(msgspec.Struct, tag=True, frozen=True):
    """Changes of a result in order, for those who asked for the changelog.

    ``kinds`` are "+I", "-U", "+U" or "-D"; ``rows`` are printed as in a snapshot. ``nested``: the
    columns whose printed text cannot be read back (ARRAY, MAP, ROW, bytes, intervals), as an Arrow
    stream; each is named by its place.
    """

    run_id: str
    index: int
    columns: list[str]
    types: list[str]
    kinds: list[str]
    rows: list[list[str | None]]
    nested: bytes = b""


class JobStarted(msgspec.Struct, tag=True, frozen=True):
    """An INSERT became a job of its own."""

    run_id: str
    index: int
    job_id: str


class Progress(msgspec.Struct, tag=True, frozen=True):
    """About once a second: figures, and why nothing is shown if nothing is.

    is_unbounded: the statement does not end by itself.
    """

    run_id: str
    index: int
    metrics: JobFigures
    why: list[str]
    is_unbounded: bool = False


class StatementFinished(msgspec.Struct, tag=True, frozen=True):
    """Statement ``index`` is over, after ``ms``."""

    run_id: str
    index: int
    ms: int


class RunFinished(msgspec.Struct, tag=True, frozen=True):
    """The run is over: FINISHED, ERROR or ABORT. ``error`` is ``EddylineError.as_dict()``."""

    run_id: str
    status: str
    error: dict[str, Any] | None = None
    error_text: str | None = None
    ms: int = 0


RunEvent = (
    StatementStarted
    | StatementReads
    | Text
    | Warning_
    | Printed
    | Shown
    | FormMade
    | TableSnapshot
    | RowsAppended
    | JobStarted
    | Progress
    | StatementFinished
    | RunFinished
)
