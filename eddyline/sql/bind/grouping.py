"""Grouping: plain, by the windows of a table function, by a legacy group window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from eddyline.errors import Span
from eddyline.functions.aggregates import SPREADS, average_of_sum
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BOOLEAN, DataType, Root, TimeAttribute, duckdb_type, timestamp
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment
from eddyline.sql.logical import (
    AggregateCall,
    Calc,
    GroupBy,
    GroupingWindow,
    Node,
    ProcessingTime,
    Union,
    Values,
    WindowTable,
    identity,
    unique,
)
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.typed import Apply, Const, Ref, Typed, conjunction, conjuncts, refs, substitute
from eddyline.sql.windowing import WindowColumns, grouped_window

TIME = replace(timestamp(3), nullable=False)


@dataclass(frozen=True, slots=True)
class GroupedCall:
    """A bound aggregate call before it has columns: as ``expressions.Aggregates`` keeps it."""

    function: str
    args: tuple[Typed, ...]
    distinct: bool
    condition: Typed | None
    type: DataType

    @property
    def expressions(self) -> list[Typed]:
        """What it reads."""
        return [*self.args, *([] if self.condition is None else [self.condition])]

    def rewritten(self, rewrite: Callable[[Typed], Typed]) -> GroupedCall:
        """The call over other columns."""
        condition = None if self.condition is None else rewrite(self.condition)
        return replace(self, args=tuple(rewrite(a) for a in self.args), condition=condition)


def settled(
    calls: list[tuple[str, tuple[Typed, ...], bool, Typed | None, DataType]],
) -> list[GroupedCall]:
    """All calls of a SELECT; beside a variance, averages are computed from sums as in Flink."""
    bound = [GroupedCall(*c) for c in calls]
    if not any(c.function in SPREADS for c in bound):
        return bound
    kinds = [tuple(a.type for a in c.args) for c in bound]
    names = [average_of_sum(c.function, k) for c, k in zip(bound, kinds, strict=True)]
    return [replace(c, function=name) for c, name in zip(bound, names, strict=True)]


@dataclass(frozen=True, slots=True)
class LegacyWindow:
    """``TUMBLE(time, size)`` in GROUP BY: the window and its time, a column or PROCTIME()."""

    window: Window
    time: Typed
    function: str
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouped:
    """The aggregation, and what key expressions and aggregates are called above it."""

    node: Node
    keys: dict[Typed, Ref]
    calls: tuple[Ref, ...]
    window: GroupingWindow | None = None


class _Columns:
    """The projection below an aggregation: every key and argument becomes a column."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.items: dict[str, Typed] = {}
        self._taken = set(node.schema.names)

    def put(self, e: Typed, name: str) -> Ref:
        if isinstance(e, Ref):
            self.items[e.name] = e
            return e
        for known, other in self.items.items():
            if other == e:
                return Ref(known, e.type)
        own = unique(name, self._taken)
        self._taken.add(own)
        self.items[own] = e
        return Ref(own, e.type)

    def calc(self) -> Calc:
        return Calc(self.node, tuple(self.items.items()))


def distinct(relation: Relation) -> Relation:
    """SELECT DISTINCT."""
    keys: tuple[Typed, ...] = tuple(f.ref for f in relation.visible)
    grouped = group(relation.node, keys, (), None, None)
    columns = [grouped.keys[f.ref] for f in relation.visible]
    named = tuple((f.column, c) for f, c in zip(relation.visible, columns, strict=True))
    fields = tuple(replace(f, type=c.type) for f, c in zip(relation.visible, columns, strict=True))
    return Relation(Calc(grouped.node, named), fields)


def group(
    node: Node,
    keys: tuple[Typed, ...],
    calls: tuple[GroupedCall, ...],
    legacy: LegacyWindow | None,
    place: tuple[Environment, Span] | None,
) -> Grouped:
    """An aggregation over ``node``."""
    if place is not None and place[0].config.is_batch and calls and not keys and legacy is None:
        node, calls = _with_a_row_for_nothing(node, calls)
    below = _Columns(node)
    time = None if legacy is None else below.put(legacy.time, "$time")
    named = {k: below.put(k, f"$key{i}") for i, k in enumerate(keys)}
    columns = tuple(dict.fromkeys(r.name for r in named.values()))
    made = tuple(_call(c, i, below) for i, c in enumerate(calls))
    if not below.items:
        first = node.schema.columns[0]
        below.put(Ref(first.name, first.type), first.name)
    if legacy is not None and time is not None:
        return _legacy(below, legacy.window, time, named, columns, made)
    window = grouped_window(node, columns)
    if window is not None:
        return _windowed(below, window, named, columns, made)
    return _plain(below, named, columns, made)


def _with_a_row_for_nothing(
    node: Node, calls: tuple[GroupedCall, ...]
) -> tuple[Node, tuple[GroupedCall, ...]]:
    """In batch mode an aggregation of all rows gives a row even if there are none: a row that no
    aggregate reads makes the group exist."""
    name = unique("$real", set(node.schema.names))
    real = Calc(node, (*identity(node.schema), (name, Const("TRUE", BOOLEAN.not_null(), True))))
    empty = tuple(
        Const(f"CAST(NULL AS {duckdb_type(c.type)})", c.type.plain().null(), None)
        for c in node.schema
    )
    values = Values(((*empty, Const("FALSE", BOOLEAN.not_null(), False)),), _nullable(real.schema))
    both = Union((real, values), _nullable(real.schema))
    mark = Ref(name, BOOLEAN.not_null())
    conditions = (conjunction([mark, *conjuncts(c.condition)]) for c in calls)
    return both, tuple(
        replace(c, condition=condition) for c, condition in zip(calls, conditions, strict=True)
    )


def _nullable(schema: Schema) -> Schema:
    return Schema(tuple(Column(c.name, c.type.plain().null()) for c in schema))


def _call(c: GroupedCall, i: int, below: _Columns) -> AggregateCall:
    args = tuple(
        a if isinstance(a, Const) else below.put(a, f"$arg{i}_{n}") for n, a in enumerate(c.args)
    )
    condition = None if c.condition is None else below.put(c.condition, f"$filter{i}")
    name = f"$agg{i}"
    return AggregateCall(c.function, args, c.distinct, condition, name, Column(name, c.type))


def _plain(
    below: _Columns,
    named: dict[Typed, Ref],
    columns: tuple[str, ...],
    calls: tuple[AggregateCall, ...],
) -> Grouped:
    calc = below.calc()
    kept = [Column(n, calc.schema[n].plain()) for n in columns]
    schema = Schema((*kept, *(c.column for c in calls)))
    node = GroupBy(calc, columns, calls, None, schema)
    return _grouped(node, named)


def _grouped(node: GroupBy, named: dict[Typed, Ref]) -> Grouped:
    keys = {k: Ref(r.name, node.schema[r.name]) for k, r in named.items()}
    calls = tuple(Ref(c.name, c.column.type) for c in node.calls)
    return Grouped(node, keys, calls, node.window)


def _legacy(
    below: _Columns,
    cut: Window,
    time: Ref,
    named: dict[Typed, Ref],
    columns: tuple[str, ...],
    calls: tuple[AggregateCall, ...],
) -> Grouped:
    names = ("$window_start", "$window_end", "$window_time")
    window = GroupingWindow(cut, time.name, names)
    calc = by_clock(below.calc(), time)
    kept = [Column(n, calc.schema[n].plain()) for n in columns]
    bounds = [Column(n, TIME) for n in names[:2]]
    last = Column(names[2], time.type.null())
    schema = Schema((*kept, *(c.column for c in calls), *bounds, last))
    return _grouped(GroupBy(calc, columns, calls, window, schema), named)


def _windowed(
    below: _Columns,
    w: WindowColumns,
    named: dict[Typed, Ref],
    columns: tuple[str, ...],
    calls: tuple[AggregateCall, ...],
) -> Grouped:
    """By the bounds of a window: at once over raw rows, else row sets that have the bounds."""
    if not w.attached:
        grouped = _direct(below.calc(), w, columns, calls)
        if grouped is not None:
            return _grouped(grouped, named)
    return _grouped(_attached(below, w, columns, calls), named)


def _direct(
    calc: Calc, w: WindowColumns, columns: tuple[str, ...], calls: tuple[AggregateCall, ...]
) -> GroupBy | None:
    """The aggregation right over the table function's input, if nothing between needs bounds."""
    flat = flattened(calc)
    table = flat.input
    if not isinstance(table, WindowTable):
        return None
    bounds = set(table.names)
    passed = [(n, e) for n, e in flat.projections if not refs(e) & bounds]
    used = {n: e.name for n, e in flat.projections if isinstance(e, Ref) and e.name in bounds}
    mixed = len(passed) + len(used) < len(flat.projections)
    if mixed or (flat.condition is not None and refs(flat.condition) & bounds):
        return None
    keys = tuple(c for c in columns if c not in used)
    if table.window.kind is WindowKind.SESSION:
        partition = {e.name for n, e in passed if n in keys and isinstance(e, Ref)}
        if partition != set(table.partition_by) or len(partition) != len(keys):
            return None
    items = dict(passed)
    time = table.time_column
    if not (time in items and items[time] == Ref(time, table.input.schema[time])):
        time = unique("$time", set(items))
        items[time] = Ref(table.time_column, table.input.schema[table.time_column])
    below = Calc(table.input, tuple(items.items()), flat.condition)
    by_bound = {e: n for n, e in used.items()}
    names = tuple(by_bound.get(b, unique(f"${b}", set(items))) for b in table.names)
    kept = [Column(n, below.schema[n].plain()) for n in keys]
    own = [Column(n, table.schema[b]) for n, b in zip(names, table.names, strict=True)]
    schema = Schema((*kept, *(c.column for c in calls), *own))
    window = GroupingWindow(table.window, time, (names[0], names[1], names[2]))
    return GroupBy(below, keys, calls, window, schema)


def _attached(
    below: _Columns, w: WindowColumns, columns: tuple[str, ...], calls: tuple[AggregateCall, ...]
) -> GroupBy:
    """Rows that carry a window's bounds: a window of one millisecond at its last one.

    So each group fires when the watermark passes the bound, whatever the window's kind.
    """
    end = below.items[w.end]
    assert isinstance(end, Ref)
    last = Apply("-", (end,), "({0} - to_microseconds(1000))", replace(TIME, time_attribute=None))
    time = below.put(last, "$last")
    window = Window(WindowKind.TUMBLE, 1)
    names = ("$start", "$end", "$time")
    calc = below.calc()
    kept = [Column(n, calc.schema[n]) for n in columns]
    schema = Schema((*kept, *(c.column for c in calls), *(Column(n, TIME) for n in names)))
    return GroupBy(calc, columns, calls, GroupingWindow(window, time.name, names), schema)


def flattened(calc: Calc) -> Calc:
    """The projection with those below folded in, as long as that repeats no volatile call."""
    from eddyline.sql.typed import is_volatile

    while isinstance(calc.input, Calc):
        inner = calc.input
        if any(is_volatile(e) for _, e in inner.projections):
            return calc
        by = dict(inner.projections)
        items = tuple((n, substitute(e, by)) for n, e in calc.projections)
        conditions = conjuncts(inner.condition)
        if calc.condition is not None:
            conditions += conjuncts(substitute(calc.condition, by))
        calc = Calc(inner.input, items, conjunction(conditions))
    return calc


def by_clock(node: Node, time: Ref) -> Node:
    """The rows that a window over ``time`` reads: for processing time the clock closes it."""
    if time.type.time_attribute is TimeAttribute.PROCTIME:
        return ProcessingTime(node, time.name)
    return node


def refuse_zoned(name: str, time: DataType, span: Span, env: Environment) -> None:
    """Windows over instants are cut by the days and hours of the session's zone in Flink; here
    that is done in UTC only.

    Raises:
        EddylineError: ``sql_unsupported`` for an instant in another zone.
    """
    if time.root is not Root.TIMESTAMP_LTZ or env.context.is_utc:
        return
    what = f"{name} over a TIMESTAMP_LTZ row time in the zone {env.context.zone}"
    hint = (
        "give the table a local time, t AS CAST(… AS TIMESTAMP(3)), with WATERMARK FOR t, and "
        "take its windows; or SET 'table.local-time-zone' = 'UTC'"
    )
    raise env.unsupported(what, span, hint)


def milliseconds(e: Typed, env: Environment, span: Span, what: str) -> int:
    """A constant interval of a window, in milliseconds.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    if not isinstance(e, Const) or not isinstance(e.value, int):
        raise env.error(
            f"{what} must be a constant INTERVAL", span, "for example INTERVAL '10' SECOND"
        )
    if e.type.root is not Root.INTERVAL_SECOND:
        msg = f"{what} must be an interval of days to seconds, not {e.type.plain().null()}"
        raise env.error(msg, span, "months differ in length: use days")
    return e.value
