"""A job's layout: its operators that keep state, each with what shapes the rows it stores.

A job resumes if the operators of its statement, in their order, store the same as those that wrote
the state; what keeps nothing (filters, projections) may change. The names of operators are those
of the saved layout, since their tables and small states are kept under them.

Version 1 kept a digest of every node's generated text. It is converted: where the digests differ
although the statement is the one that wrote the state, the planner has changed, and the sequence
of operators decides.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from difflib import SequenceMatcher
from typing import Any

import msgspec

from eddyline.engine.layout_words import difference
from eddyline.errors import EddylineError
from eddyline.options.connectors import connector_of
from eddyline.options.connectors.filesystem import PATH
from eddyline.options.connectors.kinesis import STREAM
from eddyline.sql import physical as plan

_BELOW = ("input", "left", "right", "inputs")
# Fields that nodes got after version 1.
_LATER = (
    "meaning",
    "offset",
    "false_alarms",
    "details",
    "choices",
    "condition_tree",
    "state_ttl_ms",
)
# The detector whose models are stored. A job of an earlier one reads on with empty state.
DETECTOR = 6
_NUMBER = re.compile(r"\d+$")


class StatefulOperator(msgspec.Struct, frozen=True):
    """One operator that keeps state: its name in the job, its kind, and what it stores."""

    name: str
    kind: str
    stores: dict[str, Any]


Layout = list[StatefulOperator]


def named(root: plan.Node) -> Iterator[tuple[str, plan.Node]]:
    """Each node with its name in a new job: its kind and its place in the plan."""
    for i, node in enumerate(plan.walk(root)):
        yield f"{type(node).__name__}{i}", node


def layout_of(root: plan.Node) -> Layout:
    """The layout of a new job."""
    return [
        StatefulOperator(name, type(node).__name__, stores)
        for name, node in named(root)
        if (stores := stored_by(node)) is not None
    ]


def stored_by(node: plan.Node) -> dict[str, Any] | None:
    """What a node's state holds, as JSON values; None if it keeps none."""
    describe = _STORES.get(type(node))
    return None if describe is None else describe(node)


def adopted_names(
    root: plan.Node, saved: Layout, *, partial: bool = False, same_sinks: bool = True
) -> list[str]:
    """A name for each node of the plan, in ``walk``'s order: those that keep state as saved.

    partial: operators whose state is not there begin without it, under names of their own, and
    saved state that no operator claims is left out. same_sinks: rows may wait for their sink, so
    that it must be the same.

    Raises:
        EddylineError: ``state_mismatch``, naming the operator whose state cannot be used.
    """
    new = layout_of(root)
    if partial:
        chosen = iter(_claimed(saved, new))
        return [next(chosen) if stored_by(n) is not None else name for name, n in named(root)]
    for before, now in zip(saved, new, strict=False):
        if before.kind == now.kind == "Sink" and not same_sinks:
            continue
        if (before.kind, before.stores) != (now.kind, now.stores):
            raise _mismatch(before, now)
    if len(saved) != len(new):
        raise _uneven(saved, new)
    names = iter(operator.name for operator in saved)
    return [next(names) if stored_by(node) is not None else name for name, node in named(root)]


def with_sinks(saved: Layout, root: plan.Node) -> Layout:
    """The saved layout with the sinks of the plan, whose other operators it fits."""
    return [
        msgspec.structs.replace(before, stores=now.stores) if now.kind == "Sink" else before
        for before, now in zip(saved, layout_of(root), strict=True)
    ]


def renamed(root: plan.Node, names: Sequence[str]) -> Layout:
    """The layout of the plan with a name for each of its nodes, in ``walk``'s order."""
    nodes = [node for _, node in named(root)]
    return [
        StatefulOperator(name, type(node).__name__, stores)
        for name, node in zip(names, nodes, strict=True)
        if (stores := stored_by(node)) is not None
    ]


def _claimed(saved: Layout, new: Layout) -> list[str]:
    """The names of the new operators: of the saved one that stores the same, in their order."""
    before, now = (
        [json.dumps([o.kind, o.stores], sort_keys=True) for o in layout] for layout in (saved, new)
    )
    blocks = SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    adopted = {b + i: saved[a + i].name for a, b, size in blocks for i in range(size)}
    taken = {operator.name for operator in saved}
    names = []
    for i, operator in enumerate(new):
        name = adopted.get(i, operator.name)
        while i not in adopted and name in taken:
            name += "n"
        taken.add(name)
        names.append(name)
    return names


def converted(digests: dict[str, str], root: plan.Node, *, same_statement: bool) -> Layout:
    """The layout of a state of version 1, for the plan that resumes it.

    digests: node name to digest, of all nodes in their order. same_statement: whether the plan was
    made from the statement that wrote the state.

    Raises:
        EddylineError: ``state_mismatch``.
    """
    kinds = {kind.__name__ for kind in _STORES}
    saved = [name for name in digests if _NUMBER.sub("", name) in kinds]
    new = [(name, node) for name, node in named(root) if stored_by(node) is not None]
    layout: Layout = []
    for name, (_, node) in zip(saved, new, strict=False):
        kind = type(node).__name__
        same = _NUMBER.sub("", name) == kind
        if not same or (digests[name] != digest(node) and not same_statement):
            before = StatefulOperator(name, _NUMBER.sub("", name), {})
            raise _mismatch(before, StatefulOperator(kind, kind, {}))
        if isinstance(node, plan.Forest):  # version 1 is older than the present detector
            before = StatefulOperator(name, kind, {"detector": 1})
            raise _mismatch(before, StatefulOperator(kind, kind, stored_by(node) or {}))
        layout.append(StatefulOperator(name, kind, stored_by(node) or {}))
    if len(saved) != len(new):
        operators = [StatefulOperator(n, _NUMBER.sub("", n), {}) for n in saved]
        raise _uneven(operators, layout_of(root))
    return layout


def digest(node: plan.Node) -> str:
    """The digest that version 1 kept of a node; its inputs to the hash may never change."""
    if isinstance(node, plan.Scan | plan.Sink):
        options = node.table.options
        place = [options.get(k) for k in ("connector", "stream", "stream.arn", "path")]
        what = repr((str(node.table.path), place, str(node.schema), str(node.columns)))
    else:
        names = [f.name for f in fields(node) if f.name not in (*_BELOW, *_LATER)]
        what = repr([(name, getattr(node, name)) for name in names])
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _uneven(saved: Layout, new: Layout) -> EddylineError:
    if len(saved) > len(new):
        return _mismatch(saved[len(new)], None)
    return _mismatch(None, new[len(saved)])


def _mismatch(before: StatefulOperator | None, now: StatefulOperator | None) -> EddylineError:
    if before is None:
        assert now is not None
        what = f"the statement has a {now.kind} that it did not have"
    elif now is None:
        what = f"the statement has no {before.kind} any more, whose state {before.name} holds"
    elif before.kind != now.kind:
        what = f"the statement has a {now.kind} where the state {before.name} is a {before.kind}'s"
    else:
        differ = [k for k in now.stores if before.stores.get(k) != now.stores[k]]
        named_values = (
            key + difference(key, before.stores.get(key), now.stores[key]) for key in differ
        )
        what = (
            f"the {now.kind} that {before.name} belongs to has other {' and '.join(named_values)}"
        )
        what = what if differ else f"{before.name} is not what it was"
    detail = json.dumps(
        {
            side: operator.stores if operator else None
            for side, operator in (("state", before), ("statement", now))
        }
    )
    message = f"the saved state belongs to another statement: {what}"
    hint = (
        "choose: --allow-non-restored-state keeps what still fits and drops the rest; "
        "--from-positions reads on where the job stood, with empty state; --fresh starts over; or "
        "give the job another name, or run the old statement again"
    )
    return EddylineError("state_mismatch", message, detail=detail, hint=hint)


def _place(table: Any) -> list[str | None]:
    name = table.options.get("connector")
    connector = None if name is None else connector_of(name).name
    return [connector, STREAM.get(table.options) or PATH.get(table.options)]


def _columns(names: tuple[str, ...], node: Any) -> list[list[str]]:
    return [[name, str(node.schema[name].plain())] for name in names]


def _meaning(node: Any, otherwise: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the planner says; of a plan made by hand, what its fields say."""
    if node.meaning:
        facts: dict[str, Any] = json.loads(node.meaning)
        return facts
    return otherwise()


def _window(node: Any) -> dict[str, Any]:
    w = node.window
    window = [str(w.kind), w.size_ms, w.slide_ms, w.offset_ms]
    return {"window": window, **_grouping(node)}


def _grouping(node: Any) -> dict[str, Any]:
    def fields_of() -> dict[str, Any]:
        calls = [
            [a.function, [x.text for x in a.args], a.distinct, a.filter, str(a.type)]
            for a in node.aggregates
        ]
        return {"keys": _columns(node.keys, node.input), "aggregates": calls}

    return _meaning(node, fields_of)


def _join(node: Any) -> dict[str, Any]:
    def fields_of() -> dict[str, Any]:
        sides = {
            side: [[c.name, str(c.type.plain())] for c in getattr(node, side).schema]
            for side in ("left", "right")
        }
        keys = sorted(zip(node.left_keys, node.right_keys, strict=True))
        condition = [list(map(list, keys)), node.condition]
        return {"kind": str(node.kind), "condition": condition, **sides}

    return _meaning(node, fields_of)


def _interval(node: Any) -> dict[str, Any]:
    return {"interval": [node.lower_ms, node.upper_ms], **_join(node)}


def _forest(node: Any) -> dict[str, Any]:
    names = (
        "number_of_trees", "sub_sample_size", "time_decay", "shingle_size", "tolerance", "seed",
        "fill", "window_ms", "time_column",
    )  # fmt: skip

    def fields_of() -> dict[str, Any]:
        columns = {
            "columns": _columns(node.columns, node.input),
            "partition_by": _columns(node.partition_by, node.input),
        }
        rows = [[c.name, str(c.type.plain())] for c in node.input.schema]
        return {**columns, "rows": rows}

    stores = {name: getattr(node, name) for name in (*names, "false_alarms")}
    texts = asdict(node.choices)
    del texts["live_from"]  # changes what is told, not what is learnt
    stores |= {name: text for name, text in texts.items() if text}
    return {"detector": DETECTOR, **stores, **_meaning(node, fields_of)}


def _rows(node: Any) -> dict[str, Any]:
    """A node that keeps rows of its inputs: its settings, and these rows."""
    below = (*_BELOW, "schema", "meaning", "condition_tree")
    settings = {f.name: str(getattr(node, f.name)) for f in fields(node) if f.name not in below}
    inputs = [[[c.name, str(c.type.plain())] for c in i.schema] for i in plan.inputs(node)]
    return {"settings": settings, "rows": inputs}


_STORES: dict[type, Callable[[Any], dict[str, Any]]] = {
    plan.Scan: lambda node: {"source": _place(node.table)},
    plan.Values: lambda node: {"rows": len(node.rows)},
    plan.AssignWatermark: lambda node: {"column": node.column},
    plan.WindowAggregate: _window,
    plan.GroupAggregate: _grouping,
    plan.Join: _join,
    plan.WindowJoin: _join,
    plan.IntervalJoin: _interval,
    plan.Forest: _forest,
    plan.Union: lambda node: {"inputs": len(node.inputs)},
    plan.Limit: lambda node: {"count": node.count},
    plan.SemiJoin: _join,
    plan.ProcessingTime: lambda node: {"column": node.column},
    **dict.fromkeys(
        (
            plan.SessionTable,
            plan.Hotspots,
            plan.Sort,
            plan.Final,
            plan.Match,
            plan.CurrentWatermark,
            plan.Rank,
            plan.WindowRank,
            plan.Deduplicate,
            plan.Over,
            plan.TemporalJoin,
            plan.LookupJoin,
        ),
        _rows,
    ),
    plan.Sink: lambda node: {
        "table": str(node.table.path),
        "sink": _place(node.table),
        **({"overwrite": True} if node.overwrite else {}),
    },
}
