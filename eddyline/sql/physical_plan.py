"""From the last logical plan to what the engine runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.record.types import Root, TimeAttribute
from eddyline.sql import logical as lg
from eddyline.sql import physical as p
from eddyline.sql.changes import insert_only, is_timed_over
from eddyline.sql.intervals import TimeBounds, interval_of
from eddyline.sql.meaning import meaning_of
from eddyline.sql.physical_ordered import OverTime
from eddyline.sql.points import ForestOver, HotspotsOver
from eddyline.sql.ranking import is_time_below, strategy
from eddyline.sql.typed import Typed, conjunction, conjuncts, render
from eddyline.sql.windowing import WindowColumns, equal_refs, window_pair


def physical(node: lg.Node) -> p.Node:
    """The node and all below it, as the engine's nodes."""
    return _MAKERS[type(node)](node)


def _scan(node: lg.Scan) -> p.Node:
    names = {m[0] for m in node.metadata}
    stored = dict(node.stored)
    kept = [c for c in node.schema if c.name not in names]
    columns = Schema(tuple(Column(stored.get(c.name, c.name), c.type) for c in kept))
    return p.Scan(node.table, columns, node.metadata, node.schema)


def _values(node: lg.Values) -> p.Node:
    return p.Values(tuple(tuple(render(e) for e in row) for row in node.rows), node.schema)


def _calc(node: lg.Calc) -> p.Node:
    condition = None if node.condition is None else render(node.condition)
    projections = _projections(node.projections)
    return p.Calc(physical(node.input), projections, condition, node.schema, node.condition)


def _projections(items: tuple[tuple[str, Typed], ...]) -> tuple[p.Projection, ...]:
    return tuple(p.Projection(n, _expr(e)) for n, e in items)


def _watermark(node: lg.AssignWatermark) -> p.Node:
    text = render(node.expression)
    return p.AssignWatermark(physical(node.input), node.column, text, node.schema)


def _window_table(node: lg.WindowTable) -> p.Node:
    if node.window.kind is p.WindowKind.SESSION:
        return p.SessionTable(
            physical(node.input), node.window.size_ms, node.time_column, node.partition_by,
            node.names, node.schema,
        )  # fmt: skip
    return p.WindowTable(
        physical(node.input), node.window, node.time_column, node.names, node.schema
    )


def _union(node: lg.Union) -> p.Node:
    return p.Union(tuple(physical(i) for i in node.inputs), node.schema)


def _limit(node: lg.Limit) -> p.Node:
    return p.Limit(physical(node.input), node.count, node.schema, node.offset)


def _expr(e: Typed) -> p.Expr:
    return p.Expr(render(e), e.type, e)


def _aggregate(node: lg.GroupBy) -> p.Node:
    below = physical(node.input)
    calls = tuple(_call(c) for c in node.calls)
    if node.window is None:
        return p.GroupAggregate(
            below, node.keys, calls, node.schema, meaning_of(node), node.state_ttl_ms
        )
    w = node.window
    return p.WindowAggregate(
        below, w.window, w.time_column, node.keys, calls, w.names, node.schema, meaning_of(node)
    )


def _call(c: lg.AggregateCall) -> p.Aggregate:
    condition = None if c.filter is None else render(c.filter)
    args = tuple(_expr(a) for a in c.args)
    return p.Aggregate(c.function, args, c.column.type, c.name, c.distinct, condition)


def _sort(node: lg.Sort) -> p.Node:
    first = node.schema[node.keys[0].column]
    if first.time_attribute is TimeAttribute.PROCTIME:  # rows come in its order
        return physical(node.input)
    time = node.keys[0].column if first.is_rowtime else None
    return p.Sort(physical(node.input), node.keys, time, node.schema)


def _rank(node: lg.Rank) -> p.Node:
    steady = insert_only(node.input)
    how = strategy(node, steady)
    below = physical(node.input)
    if how.window is not None:
        bounds = (how.window.start, how.window.end)
        keys = tuple(k for k in node.partition_by if k not in bounds)
        # A deduplication by time keeps the later one of two rows of the same time.
        by_time = len(node.order) == 1 and is_time_below(node.input, node.order[0].column)
        newest = by_time and node.order[0].descending and node.last == 1
        assert isinstance(node.last, int)
        return p.WindowRank(
            below, bounds, keys, node.order, node.function, node.first, node.last, node.rank,
            newest, node.schema,
        )  # fmt: skip
    if how.keep is not None:
        time_column = node.order[0].column if how.by_rowtime else None
        return p.Deduplicate(below, node.partition_by, how.keep, time_column, node.schema)
    if node.function != "ROW_NUMBER":
        what = f"{node.function} as a Top-N over a stream"
        raise node.place.unsupported(what, "use ROW_NUMBER: Flink refuses it as well")
    return p.Rank(
        below, node.partition_by, node.order, node.function, node.first, node.last, node.rank,
        node.schema,
    )  # fmt: skip


def _over(node: lg.Over) -> p.Node:
    time = OverTime.NONE
    if is_timed_over(node):
        attribute = node.input.schema[node.order[0].column].time_attribute
        time = OverTime.ROWTIME if attribute is TimeAttribute.ROWTIME else OverTime.PROCTIME
    check_over(node, timed=time is not OverTime.NONE)
    calls = tuple(_call(c) for c in node.calls)
    return p.Over(
        physical(node.input), node.partition_by, node.order, node.frame, calls, time, node.schema
    )


def check_over(node: lg.Over, *, timed: bool) -> None:
    """What Flink cannot do over a stream.

    Raises:
        EddylineError: ``sql_unsupported`` or ``sql_semantic``, with the call's place.
    """
    place, frame = node.place, node.frame
    batch = "or compute it in batch mode: SET 'execution.runtime-mode' = 'batch'"
    if isinstance(node.input, lg.Over) and node.input.place.source == place.source:
        msg = "all OVER windows of a SELECT must be the same"
        hint = "compute each in a SELECT of its own, one inside the other"
        raise place.error(msg, hint, "sql_unsupported")
    for c in node.calls:
        if c.function in ("LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"):
            raise place.unsupported(f"{c.function} over a stream, whose end is not known", batch)
    if not node.order:
        raise place.unsupported("OVER without ORDER BY", f"order by a time attribute, {batch}")
    if timed and node.order[0].descending:
        raise place.unsupported("OVER with a time in descending order", "order by it ascending")
    if frame.end != 0:
        hint = f"end the frame at CURRENT ROW, {batch}"
        raise place.unsupported("an OVER frame that does not end at the current row", hint)
    if not timed and frame.start is not None:
        hint = "order by a time attribute, or write UNBOUNDED PRECEDING"
        raise place.unsupported("a bounded OVER frame ordered by a column that is no time", hint)
    if timed and not insert_only(node.input):
        raise place.unsupported("OVER by time over rows that are taken back")


def _unnest(node: lg.Unnest) -> p.Node:
    kind = node.collection.type
    names = node.made
    ordinal = names[-1] if node.ordinality else None
    shown = names[:-1] if node.ordinality else names
    if kind.root is Root.MAP:
        texts = [f"{p.ELEMENT}.{field}" for field in ("key", "value")]
    elif kind.root is Root.ARRAY and kind.children[0].root is Root.ROW:
        texts = [f"struct_extract({p.ELEMENT}, {_literal(n)})" for n in kind.children[0].names]
    else:
        texts = [p.ELEMENT]
    parts = tuple(
        p.Projection(n, p.Expr(t, node.schema[n])) for n, t in zip(shown, texts, strict=True)
    )
    return p.Unnest(
        physical(node.input), _expr(node.collection), parts, ordinal, node.outer, node.schema
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _expand(node: lg.Expand) -> p.Node:
    sets = tuple(_projections(items) for items in node.sets)
    return p.Expand(physical(node.input), sets, node.schema)


def _processing_time(node: lg.ProcessingTime) -> p.Node:
    return p.ProcessingTime(physical(node.input), node.column, node.schema)


def _join(node: lg.Join) -> p.Node:
    steady = insert_only(node.left) and insert_only(node.right)
    pair = window_pair(node) if steady else None
    is_semi = node.kind in ("SEMI", "ANTI")
    interval = interval_of(node) if steady and not is_semi and pair is None else None
    if node.state_ttl_ms != (None, None) and (pair is not None or interval is not None):
        msg = "the hint STATE_TTL is for regular joins; this join forgets by its own bounds of time"
        raise EddylineError("sql_unsupported", msg, hint="remove the hint")
    if pair is not None:
        return _window_join(node, pair)
    if interval is not None:
        return _interval_join(node, interval)
    left_keys, right_keys, rest, tree = _keys(node, conjuncts(node.condition), frozenset())
    make = p.SemiJoin if is_semi else p.Join
    made = make(
        physical(node.left), physical(node.right), p.JoinKind(node.kind), left_keys, right_keys,
        rest, node.left_names, node.right_names, node.schema, meaning_of(node),
        condition_tree=tree,
    )  # fmt: skip
    if isinstance(made, p.SemiJoin):
        return made
    return replace(made, state_ttl_ms=node.state_ttl_ms)


def _temporal_join(node: lg.TemporalJoin) -> p.Node:
    left = dict(zip(node.left_names, node.left.schema.names, strict=True))
    right = dict(zip(node.right_names, node.right.schema.names, strict=True))
    left_keys, right_keys, rest, tree = _keys(node, conjuncts(node.condition), frozenset())
    return p.TemporalJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        left[node.left_time], right[node.right_time],
        None if node.alive is None else right[node.alive], node.rising,
        left_keys, right_keys, rest, node.left_names, node.right_names, node.schema,
        condition_tree=tree,
    )  # fmt: skip


def _lookup_join(node: lg.LookupJoin) -> p.Node:
    left_keys, right_keys, rest, tree = _keys(node, conjuncts(node.condition), frozenset())
    return p.LookupJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        left_keys, right_keys, rest, node.left_names, node.right_names, node.schema,
        condition_tree=tree,
    )  # fmt: skip


def _keys(
    node: lg.AnyJoin, parts: list[Typed], skip: frozenset[tuple[str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...], str | None, Typed | None]:
    """Equal columns in the inputs' own names, and the rest of the condition: its text, itself."""
    left = dict(zip(node.left_names, node.left.schema.names, strict=True))
    right = dict(zip(node.right_names, node.right.schema.names, strict=True))
    keys: list[tuple[str, str]] = []
    rest: list[Typed] = []
    for c in parts:
        pair = equal_refs(c)
        if pair is not None and pair[0] in right and pair[1] in left:
            pair = (pair[1], pair[0])
        if pair is None or pair[0] not in left or pair[1] not in right:
            rest.append(c)
        elif pair not in skip:
            keys.append((left[pair[0]], right[pair[1]]))
    condition = conjunction(rest)
    text = None if condition is None else render(condition)
    return tuple(k[0] for k in keys), tuple(k[1] for k in keys), text, condition


def _window_join(node: lg.Join, pair: tuple[WindowColumns, WindowColumns]) -> p.Node:
    a, b = pair
    left = dict(zip(node.left.schema.names, node.left_names, strict=True))
    right = dict(zip(node.right.schema.names, node.right_names, strict=True))
    bounds = frozenset({(left[a.start], right[b.start]), (left[a.end], right[b.end])})
    left_keys, right_keys, rest, tree = _keys(node, conjuncts(node.condition), bounds)
    return p.WindowJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        (a.start, a.end), (b.start, b.end), left_keys, right_keys, rest,
        node.left_names, node.right_names, node.schema, meaning_of(node), condition_tree=tree,
    )  # fmt: skip


def _interval_join(node: lg.Join, bounds: TimeBounds) -> p.Node:
    left = dict(zip(node.left_names, node.left.schema.names, strict=True))
    right = dict(zip(node.right_names, node.right.schema.names, strict=True))
    left_keys, right_keys, rest, tree = _keys(node, list(bounds.rest), frozenset())
    return p.IntervalJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        left[bounds.left_time], right[bounds.right_time], bounds.lower_ms, bounds.upper_ms,
        left_keys, right_keys, rest, node.left_names, node.right_names, node.schema,
        meaning_of(node), condition_tree=tree,
    )  # fmt: skip


def _forest(node: lg.Forest) -> p.Node:
    described = {f.name: getattr(node, f.name) for f in fields(ForestOver)}
    return p.Forest(**{**described, "input": physical(node.input)}, meaning=meaning_of(node))


def _hotspots(node: lg.Hotspots) -> p.Node:
    described = {f.name: getattr(node, f.name) for f in fields(HotspotsOver)}
    return p.Hotspots(**{**described, "input": physical(node.input)})


def _match(node: lg.Match) -> p.Node:
    conditions = (None if s.condition is None else render(s.condition) for s in node.steps)
    return p.Match(
        physical(node.input), node.partition_by, node.order, node.event_time, node.steps,
        tuple(conditions), node.collected, node.skip, node.skip_variable, node.within_ms,
        node.schema,
    )  # fmt: skip


def _to_changelog(node: lg.ToChangelog) -> p.Node:
    changes = not insert_only(node.input)
    return p.ToChangelog(physical(node.input), node.op, node.codes, node.schema, changes)


_MAKERS: dict[type[Any], Callable[[Any], p.Node]] = {
    lg.Scan: _scan,
    lg.Values: _values,
    lg.Calc: _calc,
    lg.AssignWatermark: _watermark,
    lg.WindowTable: _window_table,
    lg.GroupBy: _aggregate,
    lg.Join: _join,
    lg.Forest: _forest,
    lg.Hotspots: _hotspots,
    lg.Union: _union,
    lg.Limit: _limit,
    lg.Sort: _sort,
    lg.Final: lambda node: p.Final(physical(node.input), node.schema),
    lg.Rank: _rank,
    lg.Over: _over,
    lg.Unnest: _unnest,
    lg.Expand: _expand,
    lg.ProcessingTime: _processing_time,
    lg.CurrentWatermark: lambda node: p.CurrentWatermark(
        physical(node.input), node.column, node.schema
    ),
    lg.Match: _match,
    lg.ToChangelog: _to_changelog,
    lg.FromChangelog: lambda node: p.FromChangelog(
        physical(node.input), node.op, node.kinds, node.schema
    ),
    lg.TemporalJoin: _temporal_join,
    lg.LookupJoin: _lookup_join,
}
