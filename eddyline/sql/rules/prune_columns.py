"""Columns that nobody reads are not computed, and not even decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eddyline.options.any_table import BAD_RECORDS, BadRecords
from eddyline.options.formats import json, own_options
from eddyline.record.schema import Schema
from eddyline.sql import logical as lg
from eddyline.sql.typed import Ref, Typed, refs
from eddyline.sql.windowing import window_pair


def prune_columns(node: lg.Node) -> lg.Node:
    """Prune below the root, whose columns all are wanted."""
    return _pruned(node, set(node.schema.names))


def _pruned(node: lg.Node, needed: set[str]) -> lg.Node:
    """The node with at least the columns ``needed``."""
    if isinstance(node, lg.Calc):
        return _calc(node, needed)
    if isinstance(node, lg.Scan):
        return _scan(node, needed)
    if isinstance(node, lg.GroupBy):
        return _aggregate(node, needed)
    if isinstance(node, lg.Join):
        return _join(node, needed)
    if isinstance(node, lg.Union):
        return _union(node, needed)
    if isinstance(node, lg.AssignWatermark):
        read = needed | {node.column} | refs(node.expression)
        return replace(node, input=_pruned(node.input, read))
    if isinstance(node, lg.WindowTable):
        read = (needed - set(node.names)) | {node.time_column, *node.partition_by}
        below = _pruned(node.input, read)
        return replace(
            node, input=below, schema=_kept(node.schema, (*below.schema.names, *node.names))
        )
    if isinstance(node, lg.Forest):
        return _forest(node, needed)
    if isinstance(node, lg.Hotspots):
        return _hotspots(node, needed)
    if isinstance(node, lg.Limit | lg.Final):
        return replace(node, input=_pruned(node.input, needed))
    if isinstance(node, lg.Sort):
        return replace(node, input=_pruned(node.input, needed | {k.column for k in node.keys}))
    if isinstance(node, lg.CurrentWatermark):
        return replace(node, input=_pruned(node.input, needed - {node.column}))
    if isinstance(node, lg.Match):
        return replace(node, input=_pruned(node.input, set(node.input.schema.names)))
    if isinstance(node, lg.ToChangelog | lg.FromChangelog):
        return _changelog(node)
    if isinstance(node, lg.ProcessingTime):
        return replace(node, input=_pruned(node.input, needed | {node.column}))
    if isinstance(node, lg.Rank):
        read = {*needed, *node.partition_by, *(k.column for k in node.order)} - {node.rank or ""}
        if isinstance(node.last, str):
            read.add(node.last)
        return replace(node, input=_pruned(node.input, read))
    if isinstance(node, lg.Over):
        return _over(node, needed)
    if isinstance(node, lg.Unnest):
        return _unnest(node, needed)
    if isinstance(node, lg.Expand):
        return _expand(node, needed)
    if isinstance(node, lg.TemporalJoin | lg.LookupJoin):
        return _looked_up(node, needed)
    return node


def _changelog(node: lg.ToChangelog | lg.FromChangelog) -> lg.Node:
    """Every column is part of what makes two changes belong together."""
    return replace(node, input=_pruned(node.input, set(node.input.schema.names)))


def _looked_up(node: lg.TemporalJoin | lg.LookupJoin, needed: set[str]) -> lg.Node:
    read = needed | _all_refs([node.condition])
    if isinstance(node, lg.TemporalJoin):
        read |= {node.left_time, node.right_time} | ({node.alive} if node.alive else set())
    (left, left_names), (right, right_names) = (
        _side(side, names, read)
        for side, names in ((node.left, node.left_names), (node.right, node.right_names))
    )
    return replace(
        node, left=left, right=right, left_names=left_names, right_names=right_names,
        schema=_kept(node.schema, (*left_names, *right_names)),
    )  # fmt: skip


def _side(side: lg.Node, names: tuple[str, ...], read: set[str]) -> tuple[lg.Node, tuple[str, ...]]:
    """A join's side with the columns that are read, and their output names."""
    outer = dict(zip(side.schema.names, names, strict=True))
    below = {c for c, n in outer.items() if n in read} or {side.schema.names[0]}
    pruned = _pruned(side, below)
    return pruned, tuple(outer[n] for n in pruned.schema.names)


def _over(node: lg.Over, needed: set[str]) -> lg.Node:
    calls = tuple(c for c in node.calls if c.name in needed) or node.calls[:1]
    made = {c.name for c in node.calls}
    below = (needed - made) | {*node.partition_by, *(k.column for k in node.order)}
    below |= _all_refs([a for c in calls for a in c.args] + [c.filter for c in calls])
    pruned = _pruned(node.input, below)
    schema = _kept(node.schema, (*pruned.schema.names, *(c.name for c in calls)))
    return replace(node, input=pruned, calls=calls, schema=schema)


def _unnest(node: lg.Unnest, needed: set[str]) -> lg.Node:
    """The elements' columns are one struct: all stay. The collection itself is not repeated beside
    each of its elements unless it is read: its size would be squared."""
    own = node.made
    read, collection = needed - set(own), refs(node.collection)
    pruned = _pruned(node.input, read | collection or {node.input.schema.names[0]})
    beside = [n for n in pruned.schema.names if n in read or n not in collection]
    return replace(node, input=pruned, schema=_kept(node.schema, (*beside, *own)))


def _expand(node: lg.Expand, needed: set[str]) -> lg.Node:
    kept = [n for n in node.schema.names if n in needed] or [node.schema.names[-1]]
    sets = tuple(tuple((n, e) for n, e in items if n in kept) for items in node.sets)
    below = _all_refs(e for items in sets for _, e in items)
    pruned = _pruned(node.input, below or {node.input.schema.names[0]})
    return replace(node, input=pruned, sets=sets, schema=_kept(node.schema, kept))


def _kept(schema: Schema, names: Iterable[str]) -> Schema:
    kept = set(names)
    return Schema(tuple(c for c in schema if c.name in kept))


def _all_refs(expressions: Iterable[Typed | None]) -> set[str]:
    names: set[str] = set()
    for e in expressions:
        names |= set() if e is None else refs(e)
    return names


def _calc(node: lg.Calc, needed: set[str]) -> lg.Node:
    items = tuple((n, e) for n, e in node.projections if n in needed) or node.projections[:1]
    below = _all_refs([e for _, e in items] + [node.condition])
    return replace(node, input=_pruned(node.input, below), projections=items)


def _scan(node: lg.Scan, needed: set[str]) -> lg.Node:
    if not _may_skip(node):
        return node
    kept = needed or {node.schema.names[0]}
    metadata = tuple(m for m in node.metadata if m[0] in kept)
    return replace(node, metadata=metadata, schema=_kept(node.schema, kept))


def _may_skip(node: lg.Scan) -> bool:
    """Made events and JSON find columns by name; whoever wants bad records noticed has all columns
    read."""
    options = node.table.options
    if options.get("connector") == "nexmark":
        return True
    if options.get("format", options.get("value.format")) != "json":
        return False
    strict = json.FAIL_ON_MISSING_FIELD.read(own_options("json", options))
    return not strict and BAD_RECORDS.read(options) is not BadRecords.DEAD_LETTER


def _aggregate(node: lg.GroupBy, needed: set[str]) -> lg.Node:
    calls = tuple(c for c in node.calls if c.name in needed)
    if not calls and not node.keys and node.window is None:
        calls = node.calls[:1]  # whether there is a row at all must still be told
    if not calls and node.calls and node.window is None:
        calls = node.calls[:1]  # else the groups would no longer be taken back
    below = set(node.keys) | _all_refs([a for c in calls for a in c.args])
    below |= _all_refs([c.filter for c in calls])
    names = [*node.keys, *(c.name for c in calls)]
    if node.window is not None:
        below.add(node.window.time_column)
        names += node.window.names
    schema = _kept(node.schema, names)
    return replace(node, input=_pruned(node.input, below), calls=calls, schema=schema)


def _join(node: lg.Join, needed: set[str]) -> lg.Node:
    pair = window_pair(node)
    kept = needed | _all_refs([node.condition])
    sides = []
    for i, (side, names) in enumerate(
        ((node.left, node.left_names), (node.right, node.right_names))
    ):
        below = {c.name for n, c in zip(names, side.schema, strict=True) if n in kept}
        if pair is not None:
            below |= {pair[i].start, pair[i].end}
        below = below or {side.schema.names[0]}
        pruned = _pruned(side, below)
        outer = dict(zip(side.schema.names, names, strict=True))
        sides.append((pruned, tuple(outer[n] for n in pruned.schema.names)))
    (left, left_names), (right, right_names) = sides
    schema = _kept(node.schema, (*left_names, *right_names))
    return replace(
        node, left=left, right=right, left_names=left_names, right_names=right_names, schema=schema
    )


def _union(node: lg.Union, needed: set[str]) -> lg.Node:
    at = [i for i, c in enumerate(node.schema) if c.name in needed] or [0]
    inputs = []
    for side in node.inputs:
        names = [side.schema.names[i] for i in at]
        pruned = _pruned(side, set(names))
        types = pruned.schema
        inputs.append(lg.Calc(pruned, tuple((n, Ref(n, types[n])) for n in names)))
    schema = Schema(tuple(node.schema.columns[i] for i in at))
    return replace(node, inputs=tuple(inputs), schema=schema)


def _hotspots(node: lg.Hotspots, needed: set[str]) -> lg.Node:
    below = {n for n in needed if n in node.input.schema} | {*node.columns, *node.partition_by}
    if node.time_column is not None:
        below.add(node.time_column)
    pruned = _pruned(node.input, below)
    made = (*pruned.schema.names, node.result)
    return replace(node, input=pruned, schema=_kept(node.schema, made))


def _forest(node: lg.Forest, needed: set[str]) -> lg.Node:
    below = {n for n in needed if n in node.input.schema}
    below |= {*node.columns, *node.partition_by, *node.window_columns}
    if node.time_column is not None:
        below.add(node.time_column)
    pruned = _pruned(node.input, below)
    made = [n for n in (node.score, node.grade, node.explanation, *node.details) if n is not None]
    return replace(node, input=pruned, schema=_kept(node.schema, (*pruned.schema.names, *made)))
