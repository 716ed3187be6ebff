"""From the last logical plan to what the engine runs."""

from __future__ import annotations

from dataclasses import fields

from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.sql import logical as lg
from eddyline.sql import physical as p
from eddyline.sql.changes import insert_only
from eddyline.sql.intervals import Interval, interval_of
from eddyline.sql.meaning import meaning_of
from eddyline.sql.typed import Typed, conjunction, conjuncts, render
from eddyline.sql.windowing import WindowColumns, equal_refs, window_pair


def physical(node: lg.Node) -> p.Node:
    """The node and all below it, as the engine's nodes."""
    if isinstance(node, lg.Scan):
        names = {m[0] for m in node.metadata}
        stored = dict(node.stored)
        columns = Schema(
            tuple(
                Column(stored.get(c.name, c.name), c.type)
                for c in node.schema
                if c.name not in names
            )
        )
        return p.Scan(node.table, columns, node.metadata, node.schema)
    if isinstance(node, lg.Values):
        return p.Values(tuple(tuple(render(e) for e in row) for row in node.rows), node.schema)
    if isinstance(node, lg.Calc):
        items = tuple(p.Projection(n, _expr(e)) for n, e in node.projections)
        condition = None if node.condition is None else render(node.condition)
        return p.Calc(physical(node.input), items, condition, node.schema)
    if isinstance(node, lg.Watermark):
        text = render(node.expression)
        return p.AssignWatermark(physical(node.input), node.column, text, node.schema)
    if isinstance(node, lg.WindowTable):
        if node.window.kind is p.WindowKind.SESSION:
            raise _session_rows(node)
        return p.WindowTable(
            physical(node.input), node.window, node.time_column, node.names, node.schema
        )
    if isinstance(node, lg.Aggregate):
        return _aggregate(node)
    if isinstance(node, lg.Join):
        return _join(node)
    if isinstance(node, lg.Union):
        return p.Union(tuple(physical(i) for i in node.inputs), node.schema)
    if isinstance(node, lg.Limit):
        return p.Limit(physical(node.input), node.count, node.schema)
    return _forest(node)


def _session_rows(node: lg.WindowTable) -> EddylineError:
    """A row's session is known only when the session is over; only its groups are given then."""
    by = ", ".join([*node.partition_by, "window_start", "window_end"])
    msg = "rows of SESSION windows are supported only in groups"
    return EddylineError("sql_unsupported", msg, hint=f"aggregate them: GROUP BY {by}")


def _expr(e: Typed) -> p.Expr:
    return p.Expr(render(e), e.type)


def _aggregate(node: lg.Aggregate) -> p.Node:
    below = physical(node.input)
    calls = tuple(_call(c) for c in node.calls)
    if node.window is None:
        return p.GroupAggregate(below, node.keys, calls, node.schema, meaning_of(node))
    w = node.window
    return p.WindowAggregate(
        below, w.window, w.time_column, node.keys, calls, w.names, node.schema, meaning_of(node)
    )


def _call(c: lg.AggregateCall) -> p.Aggregate:
    condition = None if c.filter is None else render(c.filter)
    args = tuple(_expr(a) for a in c.args)
    return p.Aggregate(c.function, args, c.column.type, c.name, c.distinct, condition)


def _join(node: lg.Join) -> p.Node:
    steady = insert_only(node.left) and insert_only(node.right)
    pair = window_pair(node) if steady else None
    if pair is not None:
        return _window_join(node, pair)
    interval = interval_of(node) if steady else None
    if interval is not None:
        return _interval_join(node, interval)
    left_keys, right_keys, rest = _keys(node, conjuncts(node.condition), frozenset())
    return p.Join(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        left_keys, right_keys, rest, node.left_names, node.right_names, node.schema,
        meaning_of(node),
    )  # fmt: skip


def _keys(
    node: lg.Join, parts: list[Typed], skip: frozenset[tuple[str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """Equal columns in the inputs' own names, and the rest of the condition as text."""
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
    return tuple(k[0] for k in keys), tuple(k[1] for k in keys), text


def _window_join(node: lg.Join, pair: tuple[WindowColumns, WindowColumns]) -> p.Node:
    a, b = pair
    left = dict(zip(node.left.schema.names, node.left_names, strict=True))
    right = dict(zip(node.right.schema.names, node.right_names, strict=True))
    bounds = frozenset({(left[a.start], right[b.start]), (left[a.end], right[b.end])})
    left_keys, right_keys, rest = _keys(node, conjuncts(node.condition), bounds)
    return p.WindowJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        (a.start, a.end), (b.start, b.end), left_keys, right_keys, rest,
        node.left_names, node.right_names, node.schema, meaning_of(node),
    )  # fmt: skip


def _interval_join(node: lg.Join, found: Interval) -> p.Node:
    left = dict(zip(node.left_names, node.left.schema.names, strict=True))
    right = dict(zip(node.right_names, node.right.schema.names, strict=True))
    left_keys, right_keys, rest = _keys(node, list(found.rest), frozenset())
    return p.IntervalJoin(
        physical(node.left), physical(node.right), p.JoinKind(node.kind),
        left[found.left_time], right[found.right_time], found.lower_ms, found.upper_ms,
        left_keys, right_keys, rest, node.left_names, node.right_names, node.schema,
        meaning_of(node),
    )  # fmt: skip


def _forest(node: lg.Forest) -> p.Node:
    described = {f.name: getattr(node, f.name) for f in fields(p.ForestOver)}
    return p.Forest(**{**described, "input": physical(node.input)}, meaning=meaning_of(node))
