"""``f(…) OVER (…)``: calls bound where they stand, then computed by nodes below the projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eddyline.errors import Span
from eddyline.functions.aggregates import AGGREGATES, ALIASES, aggregate, average_of_sum
from eddyline.functions.unify import common_of
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, DOUBLE, INT, DataType, Root, TimeAttribute
from eddyline.sql import syntax as s
from eddyline.sql.bind.scope import Environment
from eddyline.sql.logical import AggregateCall, Calc, Node, Over, unique
from eddyline.sql.sorting import Frame, SortKey, SourceLocation
from eddyline.sql.typed import Const, Ref, Typed

if TYPE_CHECKING:
    from eddyline.sql.bind.expressions import ExpressionBinder

RANKS = ("ROW_NUMBER", "RANK", "DENSE_RANK")
SHARES = ("CUME_DIST", "PERCENT_RANK")
NEIGHBOURS = ("LAG", "LEAD")
# Functions that exist only with OVER: result type (None: that of the argument), (least, most)
# arguments.
WINDOW_ONLY: dict[str, tuple[DataType | None, tuple[int, int]]] = {
    **{name: (BIGINT.not_null(), (0, 0)) for name in RANKS},
    **{name: (DOUBLE.not_null(), (0, 0)) for name in SHARES},
    "NTILE": (INT.not_null(), (1, 1)),
    **dict.fromkeys(NEIGHBOURS, (None, (1, 3))),
}
# Confluent's function (``detections.py``).
DETECTION = "ML_DETECT_ANOMALIES"
# What a call is called until it has a column.
OVER = "\0over"
RUNNING = Frame(rows=True, start=None, end=0)
_PEERS = Frame(rows=False, start=None, end=0)
_WHOLE = Frame(rows=True, start=None, end=None)


@dataclass(frozen=True, slots=True)
class OrderedBy:
    """One item of ORDER BY, bound."""

    value: Typed
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class OverCall:
    """A call with its window, bound, before it has columns."""

    function: str
    args: tuple[Typed, ...]
    distinct: bool
    condition: Typed | None
    type: DataType
    partition_by: tuple[Typed, ...]
    order: tuple[OrderedBy, ...]
    frame: Frame
    span: Span

    @property
    def expressions(self) -> list[Typed]:
        """All that it reads."""
        condition = [] if self.condition is None else [self.condition]
        return [*self.args, *condition, *self.partition_by, *(o.value for o in self.order)]

    @property
    def window(self) -> tuple[object, ...]:
        return (self.partition_by, self.order, self.frame)


class OverCalls:
    """Where calls with OVER met in a SELECT are put; binding one gives a mark for its column."""

    def __init__(self, windows: Mapping[str, s.Over]) -> None:
        self.calls: list[OverCall] = []
        self._windows = windows

    def add(self, call: s.FunctionCall, binder: ExpressionBinder) -> Typed:
        """The call as a column.

        Raises:
            EddylineError: ``sql_semantic`` for arguments or a window that cannot be.
        """
        assert call.over is not None
        name = ALIASES.get(call.name, call.name)
        env = binder.env
        window = self._resolved(call.over, env)
        saved = (binder.overs, binder.clause)
        binder.overs, binder.clause = None, "the window of OVER"
        args = tuple(binder.bind(a) for a in call.args)
        condition = None if call.filter is None else binder.condition(call.filter, "FILTER")
        keys = tuple(binder.bind(p) for p in window.partition_by)
        order = tuple(ordered(item, binder) for item in window.order_by)
        frame = _frame(name, window, order, binder)
        binder.overs, binder.clause = saved
        if name == DETECTION:
            from eddyline.sql.bind.detections import bind_detection

            bound = OverCall(name, args, False, None, DOUBLE, keys, order, frame, call.span)
            bound = bind_detection(call, window, bound, binder)
        else:
            kind, args = _typed(call, name, args, binder)
            distinct = call.distinct and name in AGGREGATES and AGGREGATES[name].distinct_matters
            name = average_of_sum(name, tuple(a.type for a in args))
            bound = OverCall(name, args, distinct, condition, kind, keys, order, frame, call.span)
        at = next((i for i, c in enumerate(self.calls) if replace(c, span=call.span) == bound), -1)
        if at < 0:
            at = len(self.calls)
            self.calls.append(bound)
        return Ref(f"{OVER}{at}", bound.type)

    def _resolved(self, over: s.Over, env: Environment) -> s.Over:
        """The window with what it takes from the WINDOW clause."""
        if over.name is None:
            return over
        base = self._windows.get(over.name)
        if base is None:
            hint = f"there are {', '.join(self._windows)}" if self._windows else None
            hint = hint or f"add WINDOW {over.name} AS (PARTITION BY … ORDER BY …)"
            raise env.error(f"there is no window {over.name}", over.span, hint)
        base = self._resolved(base, env)
        if over.partition_by or (over.order_by and base.order_by) or base.frame:
            bare = not (over.partition_by or over.order_by or over.frame)
            if not bare:
                msg = f"window {over.name} cannot be changed like this"
                raise env.error(msg, over.span, "write the whole window out")
        return s.Over(
            base.partition_by, over.order_by or base.order_by, over.frame or base.frame, None,
            over.span,
        )  # fmt: skip


def ordered(item: s.OrderItem, binder: ExpressionBinder) -> OrderedBy:
    """An item of ORDER BY: NULL is the least value unless it says otherwise."""
    first = not item.descending if item.nulls_first is None else item.nulls_first
    return OrderedBy(binder.bind(item.expression), item.descending, first)


def _typed(
    call: s.FunctionCall, name: str, args: tuple[Typed, ...], binder: ExpressionBinder
) -> tuple[DataType, tuple[Typed, ...]]:
    """Result type and arguments, cast where they must be."""
    env = binder.env
    if name not in WINDOW_ONLY:
        with env.at(call.span):
            kind = aggregate(name, tuple(a.type for a in args)).type
        if not call.star and not args:
            raise env.error(f"{name} needs an argument", call.span, "COUNT(*) counts rows")
        return kind, args
    if call.distinct or call.star or call.filter is not None:
        raise env.error(f"{name} is not an aggregate function", call.name_span)
    result, (low, high) = WINDOW_ONLY[name]
    if not low <= len(args) <= high:
        expected = str(low) if low == high else f"{low} to {high}"
        raise env.error(f"{name} takes {expected} arguments, not {len(args)}", call.span)
    if result is not None:
        return result, args
    return _neighbour(call, args, binder)


def _neighbour(
    call: s.FunctionCall, args: tuple[Typed, ...], binder: ExpressionBinder
) -> tuple[DataType, tuple[Typed, ...]]:
    """LAG and LEAD: the value, the distance (a constant), the default where there is no row."""
    env, value = binder.env, args[0]
    if len(args) > 1 and (not isinstance(args[1], Const) or not isinstance(args[1].value, int)):
        msg = f"{call.name}'s distance must be a constant number of rows"
        raise env.error(msg, call.args[1].span, f"for example {call.name}(x, 1)")
    distance: Typed = args[1] if len(args) > 1 else Const("1", INT.not_null(), 1)
    if len(args) < 3:
        return value.type.plain().null(), (value, distance)
    kind = common_of([value.type, args[2].type])
    if kind is None:
        msg = f"{call.name}: the default is {args[2].type}, the value is {value.type}"
        raise env.error(msg, call.args[2].span, "cast one of them")
    kind = kind.plain()
    kind = kind.null() if args[2].type.nullable else kind.not_null()
    return kind, (
        binder.cast(value, kind, call.args[0].span),
        distance,
        binder.cast(args[2], kind, call.args[2].span),
    )


def _frame(
    name: str, window: s.Over, order: tuple[OrderedBy, ...], binder: ExpressionBinder
) -> Frame:
    """The window's frame: what is written, or the function's own."""
    written = window.frame
    if name in WINDOW_ONLY:
        if written is not None:
            msg = f"{name} takes no ROWS or RANGE"
            raise binder.env.error(msg, written.span, "leave the frame out")
        return RUNNING if name == "ROW_NUMBER" else _PEERS
    if written is None:
        return _PEERS if order else _WHOLE
    rows = written.unit == "ROWS"
    if not order and not rows:
        raise binder.env.error("RANGE needs an ORDER BY", written.span)
    start = _distance(written.start, rows, order, binder)
    end = _distance(written.end, rows, order, binder)
    wrong = written.start.kind == "UNBOUNDED FOLLOWING" or written.end.kind == "UNBOUNDED PRECEDING"
    if wrong or (start is not None and end is not None and start > end):
        raise binder.env.error("the frame ends before it begins", written.span)
    return Frame(rows, start, end)


def _distance(
    bound: s.Bound, rows: bool, order: tuple[OrderedBy, ...], binder: ExpressionBinder
) -> int | None:
    if bound.kind.startswith("UNBOUNDED"):
        return None
    if bound.distance is None:
        return 0
    e, env = binder.bind(bound.distance), binder.env
    value = e.value if isinstance(e, Const) and isinstance(e.value, int) else None
    if value is None or value < 0:
        example = "2 PRECEDING" if rows else "INTERVAL '10' SECOND PRECEDING"
        raise env.error("a frame needs a constant distance", bound.span, f"for example {example}")
    is_interval = e.type.root is Root.INTERVAL_SECOND
    if is_interval == rows or (not rows and not order[0].value.type.is_timestamp):
        what = "a number of rows" if rows else "an interval of days to seconds"
        raise env.error(f"{'ROWS' if rows else 'RANGE'} counts in {what}", bound.span)
    return value if bound.kind == "FOLLOWING" else -value


Rewrite = Callable[[Typed], Typed]


def with_overs(node: Node, calls: list[OverCall], env: Environment) -> tuple[Node, list[Ref]]:
    """The node with the columns of all calls, one Over for each window; and these columns."""
    refs: dict[int, Ref] = {}
    plain = [c for c in calls if c.function != DETECTION]
    for window in dict.fromkeys(c.window for c in plain):
        members = [(i, c) for i, c in enumerate(calls) if c.window == window and c in plain]
        node, made = over_columns(node, [c for _, c in members], env)
        refs.update(zip((i for i, _ in members), made, strict=True))
    for i, call in enumerate(calls):
        if call.function == DETECTION:
            from eddyline.sql.bind.detections import detected

            node, refs[i] = detected(node, call, env)
    return node, [refs[i] for i in range(len(calls))]


def rewritten(call: OverCall, rewrite: Rewrite) -> OverCall:
    """The call over other columns."""
    return replace(
        call,
        args=tuple(rewrite(a) for a in call.args),
        condition=None if call.condition is None else rewrite(call.condition),
        partition_by=tuple(rewrite(p) for p in call.partition_by),
        order=tuple(replace(o, value=rewrite(o.value)) for o in call.order),
    )


def over_columns(node: Node, calls: list[OverCall], env: Environment) -> tuple[Node, list[Ref]]:
    """The node with the columns of calls of one window, and these columns."""
    first = calls[0]
    below = ComputedColumns(node)
    partition = tuple(below.put(e, "$part").name for e in first.partition_by)
    order = tuple(
        SortKey(below.put(o.value, "$order").name, o.descending, o.nulls_first) for o in first.order
    )
    made, taken = [], below.taken
    for c in calls:
        args = tuple(a if isinstance(a, Const) else below.put(a, "$arg") for a in c.args)
        condition = None if c.condition is None else below.put(c.condition, "$filter")
        name = unique("$over", taken)
        taken.add(name)
        made.append(
            AggregateCall(c.function, args, c.distinct, condition, name, Column(name, c.type))
        )
    calc = below.calc()
    schema = Schema((*calc.schema, *(c.column for c in made)))
    place = SourceLocation(first.span, env.source)
    over = Over(
        calc, tuple(dict.fromkeys(partition)), order, first.frame, tuple(made), schema, place
    )
    return over, [Ref(c.name, c.column.type) for c in made]


class ComputedColumns:
    """A node with further computed columns, each expression once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._items: dict[str, Typed] = {c.name: Ref(c.name, c.type) for c in node.schema}
        self.taken = set(self._items)

    def put(self, e: Typed, name: str) -> Ref:
        """The column of an expression; one that is there already is not computed again."""
        if isinstance(e, Ref):
            return e
        for known, other in self._items.items():
            if other == e:
                return Ref(known, e.type)
        own = unique(name, self.taken)
        self.taken.add(own)
        self._items[own] = e
        return Ref(own, e.type)

    def calc(self) -> Node:
        """The node with all columns."""
        if len(self._items) == len(self._node.schema):
            return self._node
        return Calc(self._node, tuple(self._items.items()))


def is_time(e: DataType) -> bool:
    """Whether a column is row time or processing time."""
    return e.time_attribute in (TimeAttribute.ROWTIME, TimeAttribute.PROCTIME)
