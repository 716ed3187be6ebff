"""A source that a plan reads several times is read and decoded once.

A view used twice, a table joined with itself and the INSERTs of a statement set each bring a scan
of their own, pruned to the columns that they read. Here such scans, with the computed columns and
the watermark above them, become one object that reads the columns of all of them; the engine makes
one operator of each object. The plan stays a tree for whoever walks it, so that a job's state keeps
one place for every use (``engine/build.py`` says what that is for).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from eddyline.record.schema import Column, Schema
from eddyline.record.types import quote
from eddyline.sql import physical as p


def with_shared_sources(root: p.Root) -> p.Root:
    """The plan in which equal sources are the same object."""
    uses = list(_uses(root))
    merged: dict[int, p.Node] = {}
    for group in _groups(uses):
        if len(group) > 1 and (shared := _merged(group)) is not None:
            merged |= dict.fromkeys(map(id, group), shared)
    return cast("p.Root", _rebuilt(root, merged)) if merged else root


def _uses(node: p.Node) -> Iterator[p.Node]:
    """The sources of a plan: each scan with its watermark, if it has one."""
    if isinstance(node, p.Scan) or (isinstance(node, p.AssignWatermark) and _is_source(node)):
        yield node
        return
    for below in p.inputs(node):
        yield from _uses(below)


def _is_source(node: p.Node) -> bool:
    """Whether nothing but computed columns lies between the node and its scan."""
    if isinstance(node, p.AssignWatermark):
        return _is_source(node.input)
    if isinstance(node, p.Calc):
        return node.condition is None and _is_source(node.input)
    return isinstance(node, p.Scan)


def _scan(node: p.Node) -> p.Scan:
    while not isinstance(node, p.Scan):
        (node,) = p.inputs(node)
    return node


def _groups(uses: list[p.Node]) -> list[list[p.Node]]:
    """The uses by table and watermark; options of a hint make another table."""
    groups: list[list[p.Node]] = []
    for use in uses:
        for group in groups:
            first = group[0]
            if type(first) is type(use) and _scan(first).table == _scan(use).table:
                group.append(use)
                break
        else:
            groups.append([use])
    return groups


def _merged(nodes: list[p.Node]) -> p.Node | None:
    """One node that gives the columns of all; None if they do not fit together."""
    first = nodes[0]
    if any(type(node) is not type(first) for node in nodes):
        return None
    if isinstance(first, p.Scan):
        return _merged_scans(cast("list[p.Scan]", nodes))
    below = _merged([node for n in nodes for node in p.inputs(n)])
    if below is None:
        return None
    if isinstance(first, p.AssignWatermark):
        marks = cast("list[p.AssignWatermark]", nodes)
        if len({(node.column, node.watermark) for node in marks}) > 1:
            return None
        return replace(first, input=below, schema=below.schema)
    return _merged_calcs(cast("list[p.Calc]", nodes), below)


def _merged_scans(nodes: list[p.Scan]) -> p.Node:
    """The columns in the order of the table; metadata behind them, as in every scan."""
    stored: dict[str, tuple[Column, Column]] = {}
    metadata: dict[str, tuple[tuple[str, str], Column]] = {}
    for node in nodes:
        count = len(node.columns)
        for column, shown in zip(node.columns, node.schema.columns[:count], strict=True):
            stored.setdefault(column.name, (column, shown))
        for pair, shown in zip(node.metadata, node.schema.columns[count:], strict=True):
            metadata.setdefault(pair[0], (pair, shown))
    places = {c.name: n for n, c in enumerate(nodes[0].table.columns)}
    columns = sorted(stored.values(), key=lambda pair: places.get(pair[0].name, len(places)))
    names = [*(c for _, c in columns), *(c for _, c in metadata.values())]
    return replace(
        nodes[0],
        columns=Schema(tuple(c for c, _ in columns)),
        metadata=tuple(pair for pair, _ in metadata.values()),
        schema=Schema(tuple(names)),
    )


def _merged_calcs(nodes: list[p.Calc], below: p.Node) -> p.Node | None:
    projections: dict[str, p.Projection] = {}
    columns: dict[str, Column] = {}
    for node in nodes:
        for projection, column in zip(node.projections, node.schema, strict=True):
            known = projections.setdefault(projection.name, projection)
            if known.expr.text != projection.expr.text:
                return None
            columns.setdefault(column.name, column)
    schema = Schema(tuple(columns.values()))
    return replace(nodes[0], input=below, projections=tuple(projections.values()), schema=schema)


def _rebuilt(node: p.Node, merged: dict[int, p.Node]) -> p.Node:
    """The node over the shared sources; a use that needs fewer columns selects them, unless it is
    a projection itself."""
    if isinstance(node, p.Scan | p.Values):
        return node
    below = tuple(_below(child, merged, node) for child in p.inputs(node))
    changed: dict[str, Any] = {"inputs": below}
    if isinstance(node, p.TwoSided):
        changed = dict(zip(("left", "right"), below, strict=True))
    elif not isinstance(node, p.Union | p.SinkSet):
        changed = {"input": below[0]}
    return replace(node, **changed)


def _below(node: p.Node, merged: dict[int, p.Node], above: p.Node) -> p.Node:
    shared = merged.get(id(node))
    if shared is None:
        return _rebuilt(node, merged)
    if isinstance(above, p.Calc) or shared.schema == node.schema:
        return shared
    selected = tuple(p.Projection(c.name, p.Expr(quote(c.name), c.type)) for c in node.schema)
    return p.Calc(shared, selected, None, node.schema)
