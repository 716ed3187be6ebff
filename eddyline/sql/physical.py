"""The physical plan: what the engine is asked to do, as a tree of frozen nodes.

The seam between ``sql`` (which builds it) and ``engine`` (which runs it). Every expression is
DuckDB SQL text over the quoted column names of the node's input, already made to mean what Flink
means: the engine only pastes it into statements. Every node's schema has unique column names.

``meaning`` of a node that keeps state says what it stores (``sql/meaning.py``); it is empty in
plans made by hand.

Conventions of expression text
- A column is ``"name"``. Strings, numbers and types are DuckDB's.
- Timestamps (both kinds) are DuckDB TIMESTAMP in UTC microseconds; intervals are BIGINT
  (milliseconds, months).
- ``getvariable('eddyline_now')`` is the wall time of the batch (TIMESTAMP, UTC);
  the engine sets it before each batch.
- A failure of a value (division by zero, a cast that cannot be) is raised with DuckDB's
  ``error('…')``; the engine turns it into ``EddylineError('sql_runtime')``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from eddyline.catalog.table import CatalogTable
from eddyline.record.schema import Schema
from eddyline.record.types import DataType
from eddyline.sql.physical_matching import Match as Match
from eddyline.sql.physical_ordered import Deduplicate as Deduplicate
from eddyline.sql.physical_ordered import Final as Final
from eddyline.sql.physical_ordered import Over as Over
from eddyline.sql.physical_ordered import Rank as Rank
from eddyline.sql.physical_ordered import Sort as Sort
from eddyline.sql.physical_ordered import WindowRank as WindowRank
from eddyline.sql.physical_rows import ELEMENT as ELEMENT
from eddyline.sql.physical_rows import CurrentWatermark as CurrentWatermark
from eddyline.sql.physical_rows import Expand as Expand
from eddyline.sql.physical_rows import FromChangelog as FromChangelog
from eddyline.sql.physical_rows import ProcessingTime as ProcessingTime
from eddyline.sql.physical_rows import SessionTable as SessionTable
from eddyline.sql.physical_rows import ToChangelog as ToChangelog
from eddyline.sql.physical_rows import Unnest as Unnest
from eddyline.sql.points import ForestOver, HotspotsOver
from eddyline.sql.typed import Typed


@dataclass(frozen=True, slots=True)
class Expr:
    """A typed expression as DuckDB text.

    tree: the expression itself, where the planner made it; not a part of its identity.
    """

    text: str
    type: DataType
    tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Projection:
    """An output column and how it is computed."""

    name: str
    expr: Expr


class WindowKind(StrEnum):
    """How time is cut."""

    TUMBLE = "TUMBLE"
    HOP = "HOP"
    CUMULATE = "CUMULATE"
    SESSION = "SESSION"


@dataclass(frozen=True, slots=True)
class Window:
    """A window function's parameters, milliseconds.

    size_ms: length of TUMBLE/HOP, longest of CUMULATE, gap of SESSION.
    slide_ms: slide of HOP, step of CUMULATE, 0 otherwise.
    Windows are aligned to the epoch plus ``offset_ms``, right before 1970 too.
    """

    kind: WindowKind
    size_ms: int
    slide_ms: int = 0
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call.

    function: a name in ``eddyline.functions.aggregates``. args and filter: DuckDB text over the
    input's columns. type: Flink's result type. name: the output column.
    """

    function: str
    args: tuple[Expr, ...]
    type: DataType
    name: str
    distinct: bool = False
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """Rows of a table: payload columns and metadata columns, as they were written.

    columns: payload columns decoded by the table's format. metadata: (column name, metadata key)
    pairs, e.g. ("arrival", "timestamp"). schema: payload columns then metadata columns.
    """

    table: CatalogTable
    columns: Schema
    metadata: tuple[tuple[str, str], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Values:
    """Rows written in the statement: a bounded input.

    rows: one tuple of DuckDB texts per row.
    """

    rows: tuple[tuple[str, ...], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Calc:
    """Filter, then project. Keeps change kinds and per-row watermarks."""

    input: Node
    projections: tuple[Projection, ...]
    condition: str | None
    schema: Schema
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AssignWatermark:
    """After each row the watermark is max(so far, ``watermark`` of the row), per shard.

    column: the row-time column (TIMESTAMP or TIMESTAMP_LTZ, precision <= 3); a row whose time is
    NULL is an error as in Flink. watermark: expression text of type TIMESTAMP. The operator's
    watermark is the minimum over its active shards (the scan delivers rows in merge order:
    arrival, shard, sequence number).
    """

    input: Node
    column: str
    watermark: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class WindowTable:
    """A window table function without aggregation: each row with its window(s).

    Appends window_start, window_end (TIMESTAMP(3)) and window_time (row time, end - 1 ms).
    HOP and CUMULATE give a row once per window. SESSION needs state: SessionTable.
    ``names`` are the three appended columns.
    """

    input: Node
    window: Window
    time_column: str
    names: tuple[str, str, str]
    schema: Schema


@dataclass(frozen=True, slots=True)
class WindowAggregate:
    """Group by window and keys, emit each window once, when the watermark reaches its end - 1.

    Late rows (the window has fired before the row came) are counted and dropped.
    partition_keys: for SESSION, the keys within which sessions are formed (= keys for legacy
    group windows). names: window_start, window_end, window_time output columns.
    schema: keys, aggregates, then the three names.
    """

    input: Node
    window: Window
    time_column: str
    keys: tuple[str, ...]
    aggregates: tuple[Aggregate, ...]
    names: tuple[str, str, str]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GroupAggregate:
    """Unbounded grouping: emits +I, then -U/+U as groups change, -D when one empties.

    schema: keys, then aggregates. Input may be a changelog (retracts). state_ttl_ms: as a hint
    says; None for the plan's.
    """

    input: Node
    keys: tuple[str, ...]
    aggregates: tuple[Aggregate, ...]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
    state_ttl_ms: int | None = field(default=None, compare=False, repr=False)


# The TTL of the left and the right side of a join in milliseconds; None for the plan's.
SideTtls = tuple[int | None, int | None]


class JoinKind(StrEnum):
    """Which unmatched rows appear; SEMI and ANTI give the left side's rows that have, or have
    not, a partner."""

    INNER = "INNER"
    LEFT = "LEFT"
    RIGHT = "RIGHT"
    FULL = "FULL"
    SEMI = "SEMI"
    ANTI = "ANTI"


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """The left side's rows that have a partner on the right (SEMI) or none (ANTI), as a changelog.

    Fields as in Join; the schema is the left side's.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Join:
    """A regular join: both sides are kept, each new row meets the other side's rows.

    left_keys/right_keys: equal-key columns, pairwise (may be empty). condition: further DuckDB
    text over the output's column names. schema: left's columns then right's, renamed to be unique;
    ``left_names``/``right_names`` give each side's output names in order. state_ttl_ms: of the left
    and the right side, as a hint says; None for the plan's.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
    state_ttl_ms: SideTtls = field(default=(None, None), compare=False, repr=False)
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class WindowJoin:
    """A join of two windowed inputs on equal windows and keys; emitted when the window closes.

    left_window/right_window: (window_start, window_end) column names of either side. Output is
    insert-only. Other fields as in Join.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_window: tuple[str, str]
    right_window: tuple[str, str]
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TemporalJoin:
    """Each left row, once the watermark has passed it, with the version of its partner then.

    left_time, right_time: row-time columns of the inputs; alive: a BOOLEAN column of the right
    input, False for a version that is not there, or None. rising: a right row older than the
    newest of its key is no version. kind is INNER or LEFT; other fields as in Join.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_time: str
    right_time: str
    alive: str | None
    rising: bool
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LookupJoin:
    """Each left row with its partners on the right, which is read to its end before.

    kind is INNER or LEFT; other fields as in Join. The left side's kinds, times and order stay.
    """

    left: Node
    right: Node
    kind: JoinKind
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class IntervalJoin:
    """A join bounded in time: right time within [left + lower_ms, left + upper_ms]; insert-only."""

    left: Node
    right: Node
    kind: JoinKind
    left_time: str
    right_time: str
    lower_ms: int
    upper_ms: int
    left_keys: tuple[str, ...]
    right_keys: tuple[str, ...]
    condition: str | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    meaning: str = field(default="", compare=False, repr=False)
    condition_tree: Typed | None = field(default=None, repr=False, compare=False)


TwoSided = Join | WindowJoin | IntervalJoin | SemiJoin | TemporalJoin | LookupJoin


@dataclass(frozen=True, slots=True)
class Forest(ForestOver["Node"]):
    """RANDOM_CUT_FOREST: scores each row, then learns it; one model per partition."""

    meaning: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Hotspots(HotspotsOver["Node"]):
    """HOTSPOTS: where the points of a window lie close together."""


@dataclass(frozen=True, slots=True)
class Union:
    """UNION ALL: columns by position, named as the schema says."""

    inputs: tuple[Node, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Limit:
    """The ``count`` rows after the first ``offset`` (of an insert-only input); count None: all."""

    input: Node
    count: int | None
    schema: Schema
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Sink:
    """INSERT INTO: rows already in the table's column order and types.

    ``columns`` are the payload columns (written in the table's format); ``partition_by`` the
    columns whose text, joined by '|', is the partition key (random if empty). overwrite: at the
    input's end the rows take the place of those that are there.
    """

    input: Node
    table: CatalogTable
    columns: Schema
    partition_by: tuple[str, ...]
    schema: Schema
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class SinkSet:
    """A statement set: several INSERTs as one plan. No two of them write the same table."""

    inputs: tuple[Sink, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Collect:
    """SELECT: rows go to the caller. ``schema`` is what the user sees."""

    input: Node
    schema: Schema


Node = (
    Scan | Values | Calc | AssignWatermark | WindowTable | WindowAggregate | GroupAggregate
    | Join | WindowJoin | IntervalJoin | Forest | Hotspots | Union | Limit | Sort | Final | Rank
    | WindowRank | Deduplicate | Over | Unnest | Expand | ProcessingTime | Match
    | ToChangelog | FromChangelog | CurrentWatermark | SemiJoin | TemporalJoin | LookupJoin
    | SessionTable | Sink | SinkSet | Collect
)  # fmt: skip


Root = Sink | SinkSet | Collect


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole statement for the engine.

    root: a Sink, a SinkSet or a Collect. sql: the statement's text. warnings: sentences for the
    user. insert_only: no row is ever taken back. state_ttl_ms: after how long without a write the
    state of groups, regular joins and the like is forgotten; 0 for never.
    """

    root: Root
    sql: str
    insert_only: bool
    warnings: tuple[str, ...] = ()
    state_ttl_ms: int = 0

    @property
    def is_unbounded(self) -> bool:
        """Whether it reads a table whose rows never end."""
        scans = (node for node in walk(self.root) if isinstance(node, Scan))
        return any(scan.table.is_unbounded for scan in scans)

    @property
    def row_by_row(self) -> bool:
        """Whether the result shows every single change, so that a batch holds one row."""
        return any(isinstance(node, ToChangelog) and node.shows_changes for node in walk(self.root))


def inputs(node: Node) -> tuple[Node, ...]:
    """A node's inputs, left before right."""
    if isinstance(node, Scan | Values):
        return ()
    if isinstance(node, TwoSided):
        return (node.left, node.right)
    if isinstance(node, Union | SinkSet):
        return node.inputs
    return (node.input,)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, inputs first."""
    for child in inputs(node):
        yield from walk(child)
    yield node


def tables_read(root: Node) -> tuple[CatalogTable, ...]:
    """The tables whose rows a node's plan reads."""
    return tuple(node.table for node in walk(root) if isinstance(node, Scan))


def tables_written(root: Node) -> tuple[CatalogTable, ...]:
    """The tables that a node's plan writes."""
    return tuple(node.table for node in walk(root) if isinstance(node, Sink))
