"""The logical plan: what a statement means, before it is decided how it runs.

Frozen nodes with unique column names in every schema; rules (``eddyline.sql.rules``) turn one
plan into a better one of the same meaning; ``physical_plan`` turns the last one into what the
engine runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from eddyline.catalog.table import CatalogTable
from eddyline.record.batch import ChangeKind
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, DataType, TimeAttribute
from eddyline.sql.matching import Collected, Step
from eddyline.sql.physical import Window
from eddyline.sql.points import ForestOver, HotspotsOver
from eddyline.sql.sorting import Frame, SortKey, SourceLocation
from eddyline.sql.typed import Ref, Typed


@dataclass(frozen=True, slots=True)
class Scan:
    """A table's payload and metadata columns; ``metadata`` is (column, key) pairs.

    stored: (column, name in the table) of payload columns that are called otherwise in the plan.
    """

    table: CatalogTable
    metadata: tuple[tuple[str, str], ...]
    schema: Schema
    stored: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Values:
    """Rows of constants."""

    rows: tuple[tuple[Typed, ...], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Calc:
    """Filter, then project: (name, expression) pairs."""

    input: Node
    projections: tuple[tuple[str, Typed], ...]
    condition: Typed | None = None

    @property
    def schema(self) -> Schema:
        return Schema(tuple(Column(n, e.type) for n, e in self.projections))


@dataclass(frozen=True, slots=True)
class AssignWatermark:
    """Row time in ``column``, watermark by ``expression``."""

    input: Node
    column: str
    expression: Typed

    @property
    def schema(self) -> Schema:
        """The input's, with the row time marked as such."""
        mark = TimeAttribute.ROWTIME
        return Schema(
            tuple(
                Column(
                    c.name,
                    replace(c.type, time_attribute=mark) if c.name == self.column else c.type,
                )
                for c in self.input.schema
            )
        )


@dataclass(frozen=True, slots=True)
class WindowTable:
    """A window table function. ``names``: window_start, window_end, window_time."""

    input: Node
    window: Window
    time_column: str
    names: tuple[str, str, str]
    partition_by: tuple[str, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """One aggregate; args and filter are columns of the input, or constants."""

    function: str
    args: tuple[Typed, ...]
    distinct: bool
    filter: Ref | None
    name: str
    column: Column


@dataclass(frozen=True, slots=True)
class GroupingWindow:
    """The window of a grouping; ``names`` are the output's start, end and time columns."""

    window: Window
    time_column: str
    names: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class GroupBy:
    """Grouping. With ``window`` the schema is keys, aggregates, and the window's columns.

    state_ttl_ms: what a hint says; None for the session's.
    """

    input: Node
    keys: tuple[str, ...]
    calls: tuple[AggregateCall, ...]
    window: GroupingWindow | None
    schema: Schema
    state_ttl_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """A join; ``condition`` is over the output's names (left's, then right's, all unique).

    state_ttl_ms: of the left and the right side, as a hint says; None for the session's.
    """

    left: Node
    right: Node
    kind: str
    condition: Typed | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema
    state_ttl_ms: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Forest(ForestOver["Node"]):
    """RANDOM_CUT_FOREST and its sisters."""


@dataclass(frozen=True, slots=True)
class Hotspots(HotspotsOver["Node"]):
    """HOTSPOTS."""


@dataclass(frozen=True, slots=True)
class Union:
    """UNION ALL by position."""

    inputs: tuple[Node, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Limit:
    """The ``count`` rows after the first ``offset``, of rows that are never taken back."""

    input: Node
    count: int | None
    offset: int = 0

    @property
    def schema(self) -> Schema:
        return self.input.schema


@dataclass(frozen=True, slots=True)
class TemporalJoin:
    """Each left row with the version of its partner that was valid at the row's time.

    Names are the join's output names. alive: the right column that says whether a version is
    there at all, None if all are. rising: a version older than its key's newest is none.
    """

    left: Node
    right: Node
    kind: str
    condition: Typed | None
    left_time: str
    right_time: str
    alive: str | None
    rising: bool
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class LookupJoin:
    """Each left row, as it comes, with its partners in a bounded table."""

    left: Node
    right: Node
    kind: str
    condition: Typed | None
    left_names: tuple[str, ...]
    right_names: tuple[str, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Sort:
    """All rows in order. ``keys`` begin with a time attribute unless the mode is batch."""

    input: Node
    keys: tuple[SortKey, ...]

    @property
    def schema(self) -> Schema:
        return self.input.schema


@dataclass(frozen=True, slots=True)
class Final:
    """In batch mode: the rows that are left when all changes of the input were applied."""

    input: Node

    @property
    def schema(self) -> Schema:
        return self.input.schema


@dataclass(frozen=True, slots=True)
class Over:
    """Aggregates over the neighbours of each row; the schema is the input's, then the calls'."""

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    frame: Frame
    calls: tuple[AggregateCall, ...]
    schema: Schema
    place: SourceLocation = field(compare=False)


@dataclass(frozen=True, slots=True)
class Rank:
    """The rows of each partition whose rank lies between ``first`` and ``last``.

    function: ROW_NUMBER, RANK or DENSE_RANK. last: a number, or the column that holds it.
    rank: the output column of the rank, None if nobody reads it.
    """

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    function: str
    first: int
    last: int | str | None
    rank: str | None
    place: SourceLocation = field(compare=False)

    @property
    def schema(self) -> Schema:
        own = self.input.schema
        return own if self.rank is None else Schema((*own, Column(self.rank, RANK_TYPE)))


@dataclass(frozen=True, slots=True)
class Unnest:
    """Each row once per element of a collection.

    collection: an ARRAY, MAP or MULTISET over the input. schema: columns of the input, then one
    column per field of the element (key and value of a MAP), then the ordinal if ``ordinality``.
    outer: a row without elements is kept, padded with NULL.
    """

    input: Node
    collection: Typed
    ordinality: bool
    outer: bool
    schema: Schema

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that are not the input's."""
        return tuple(n for n in self.schema.names if n not in self.input.schema)


@dataclass(frozen=True, slots=True)
class Expand:
    """Each row once per set of projections (for GROUPING SETS); all sets have the same types."""

    input: Node
    sets: tuple[tuple[tuple[str, Typed], ...], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class ProcessingTime:
    """From here on the clock is the watermark; ``column`` holds each row's processing time."""

    input: Node
    column: str

    @property
    def schema(self) -> Schema:
        return self.input.schema


@dataclass(frozen=True, slots=True)
class Match:
    """The matches of a pattern: partition columns, then one column per ``collected`` value.

    Fields as in ``eddyline.sql.physical_matching``.
    """

    input: Node
    partition_by: tuple[str, ...]
    order: tuple[SortKey, ...]
    event_time: bool
    steps: tuple[Step, ...]
    collected: tuple[Collected, ...]
    skip: str
    skip_variable: str | None
    within_ms: int | None
    schema: Schema


@dataclass(frozen=True, slots=True)
class ToChangelog:
    """Each change as a new row. op: the first column; codes: its text by kind, None: dropped."""

    input: Node
    op: str
    codes: tuple[str | None, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class FromChangelog:
    """Rows whose kind of change stands in the input's column ``op``; kinds: by its text."""

    input: Node
    op: str
    kinds: tuple[tuple[str, ChangeKind], ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class CurrentWatermark:
    """The input's columns, then the watermark before each row, of the type ``kind``."""

    input: Node
    column: str
    kind: DataType

    @property
    def schema(self) -> Schema:
        return Schema((*self.input.schema, Column(self.column, self.kind)))


RANK_TYPE = BIGINT.not_null()
Node = (
    Scan
    | Values
    | Calc
    | AssignWatermark
    | WindowTable
    | GroupBy
    | Join
    | Forest
    | Hotspots
    | Union
    | Limit
    | Sort
    | Final
    | Over
    | Rank
    | Unnest
    | Expand
    | ProcessingTime
    | Match
    | ToChangelog
    | FromChangelog
    | CurrentWatermark
    | TemporalJoin
    | LookupJoin
)
# Nodes with a left and a right side whose columns have output names.
AnyJoin = Join | TemporalJoin | LookupJoin


def children(node: Node) -> tuple[Node, ...]:
    """A node's inputs, left before right."""
    if isinstance(node, Scan | Values):
        return ()
    if isinstance(node, AnyJoin):
        return (node.left, node.right)
    if isinstance(node, Union):
        return node.inputs
    return (node.input,)


def with_children(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The node over other inputs of the same schemas."""
    if isinstance(node, Scan | Values):
        return node
    if isinstance(node, AnyJoin):
        return replace(node, left=inputs[0], right=inputs[1])
    if isinstance(node, Union):
        return replace(node, inputs=inputs)
    return replace(node, input=inputs[0])


def transform(node: Node, rule: Callable[[Node], Node]) -> Node:
    """Apply ``rule`` to every node, inputs first."""
    inputs = tuple(transform(c, rule) for c in children(node))
    same = all(a is b for a, b in zip(inputs, children(node), strict=True))
    return rule(node if same else with_children(node, inputs))


def identity(schema: Schema) -> tuple[tuple[str, Typed], ...]:
    """Projections that pass every column through."""
    return tuple((c.name, Ref(c.name, c.type)) for c in schema)


def unique(name: str, taken: set[str]) -> str:
    """``name``, or the first of ``name0``, ``name1``, … that is free (Flink's way).

    Names that differ in case only are not free: DuckDB would take one for the other.
    """
    folded = {t.casefold() for t in taken}
    if name.casefold() not in folded:
        return name
    number = 0
    while f"{name}{number}".casefold() in folded:
        number += 1
    return f"{name}{number}"


def column_name(name: str, taken: set[str]) -> str:
    """What a column that a user calls ``name`` is called in the plan.

    The user's own name, unless it is taken or could be one of the planner's or the engine's,
    which all begin with ``$`` or ``-``.
    """
    return unique("_" + name if name.startswith(("$", "-")) else name, taken)
