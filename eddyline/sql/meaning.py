"""What a stateful node stores, said in terms of the tables it reads and not of generated text.

A job's state is known again by this (``engine/layout.py``). Columns are followed through the
projections below to what computes them, so a stored row's meaning is compared, and neither the
planner's internal names nor the text of a template count: a release that renders a function
differently, or a filter that changes, leaves a job's state usable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from eddyline.sql import logical as lg
from eddyline.sql.typed import Apply, Ref, Typed, conjuncts, describe, refs, substitute


def meaning_of(node: lg.GroupBy | lg.Join | lg.Forest) -> str:
    """What the node's state holds, as JSON text."""
    facts = _MEANINGS[type(node)](node)
    return json.dumps(facts, sort_keys=True)


def _aggregate(node: Any) -> dict[str, Any]:
    below = node.input
    facts: dict[str, Any] = {
        "keys": _columns(node.keys, below),
        "aggregates": [_call(call, below) for call in node.calls],
    }
    if node.window is not None:
        facts["time"] = _column(node.window.time_column, below)
    return facts


def _call(call: lg.AggregateCall, below: lg.Node) -> dict[str, Any]:
    return {
        "function": call.function,
        "arguments": [[_source(a, below), str(a.type)] for a in call.args],
        "distinct": call.distinct,
        "filter": None if call.filter is None else _source(call.filter, below),
        "type": str(call.column.type),
    }


def _join(node: Any) -> dict[str, Any]:
    sides = ((node.left, node.left_names), (node.right, node.right_names))
    by = {
        out: Ref(f"{side}.{name}", below.schema[name])
        for side, (below, names) in zip(("left", "right"), sides, strict=True)
        for name, out in zip(below.schema.names, names, strict=True)
    }
    condition = None if node.condition is None else substitute(node.condition, by)
    return {
        "kind": str(node.kind),
        "condition": sorted(_conjunct(c) for c in conjuncts(condition)),
        "left": _stored(node.left),
        "right": _stored(node.right),
    }


def _conjunct(e: Typed) -> str:
    """A part of a condition; an equation reads the same from either side."""
    if isinstance(e, Apply) and e.name == "=" and len(e.args) == 2:
        return " = ".join(sorted(describe(a) for a in e.args))
    return describe(e)


def _forest(node: Any) -> dict[str, Any]:
    below = node.input
    return {
        "columns": _columns(node.columns, below),
        "partition_by": _columns(node.partition_by, below),
        "rows": _stored(below),
    }


def _stored(below: lg.Node) -> list[list[str]]:
    """Whole rows of an input: each column's name, meaning and type."""
    return [[c.name, *_column(c.name, below)] for c in below.schema]


def _columns(names: Iterable[str], below: lg.Node) -> list[list[str]]:
    return [_column(name, below) for name in names]


def _column(name: str, below: lg.Node) -> list[str]:
    kind = below.schema[name]
    return [_source(Ref(name, kind), below), str(kind.plain())]


def _source(e: Typed, below: lg.Node) -> str:
    """An expression over a node's columns, over the columns of what that node projects."""
    while refs(e) and isinstance(below, lg.Calc | lg.AssignWatermark | lg.WindowTable):
        if isinstance(below, lg.Calc):
            e = substitute(e, dict(below.projections))
        below = below.input
    return describe(e)


_MEANINGS: dict[type, Any] = {
    lg.GroupBy: _aggregate,
    lg.Join: _join,
    lg.Forest: _forest,
}
