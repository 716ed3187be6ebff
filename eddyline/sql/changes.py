"""Which kinds of change a plan's rows have, read from the plan alone."""

from __future__ import annotations

from eddyline.catalog.options import gives_changes
from eddyline.sql import logical as lg
from eddyline.sql.intervals import interval_of
from eddyline.sql.ranking import strategy
from eddyline.sql.windowing import window_pair

INSERT, UPDATE, DELETE = "I", "U", "D"
_INSERTS = frozenset({INSERT})


def insert_only(node: lg.Node) -> bool:
    """True if no row of the node is ever taken back."""
    return changing(node) is None


def changing(node: lg.Node) -> lg.Node | None:
    """The first node, from below, that makes rows be taken back; None if there is none."""
    if isinstance(node, lg.Final | lg.ToChangelog):
        return None
    for child in lg.children(node):
        cause = changing(child)
        if cause is not None:
            return cause
    return node if _changes(node) else None


def _changes(node: lg.Node) -> bool:
    """Whether a node over insert-only rows takes rows back."""
    if isinstance(node, lg.Scan):
        return gives_changes(node.table)
    if isinstance(node, lg.GroupBy):
        return node.window is None and bool(node.calls)
    if isinstance(node, lg.Join):
        return node.kind not in ("INNER", "SEMI") and not _is_timed(node)
    if isinstance(node, lg.Rank):
        return not strategy(node, steady=True).insert_only
    if isinstance(node, lg.Over):
        return not is_timed_over(node)
    return isinstance(node, lg.FromChangelog)


def _is_timed(node: lg.Join) -> bool:
    """Whether the join gives each row once, because time bounds it."""
    return window_pair(node) is not None or interval_of(node) is not None


def is_timed_over(node: lg.Over) -> bool:
    """Whether an OVER aggregation is ordered by a time, so that each row is given once."""
    if len(node.order) != 1:
        return False
    return node.input.schema[node.order[0].column].time_attribute is not None


def change_kinds(node: lg.Node) -> frozenset[str]:
    """The kinds of change of a node's rows: I, U (before and after) and D, as Flink infers them."""
    if isinstance(node, lg.Final | lg.ToChangelog):
        return _INSERTS
    if isinstance(node, lg.FromChangelog):
        return frozenset(kind.name[0] for _, kind in node.kinds)
    below = frozenset().union(*(change_kinds(c) for c in lg.children(node)))
    if isinstance(node, lg.Scan) and gives_changes(node.table):
        return _INSERTS | {UPDATE, DELETE}
    if isinstance(node, lg.GroupBy) and node.window is None and node.calls:
        return _INSERTS | {UPDATE} | (frozenset({DELETE}) if below != _INSERTS else frozenset())
    if isinstance(node, lg.Join) and not _is_timed(node):
        padded = node.kind in ("LEFT", "RIGHT", "FULL", "ANTI")
        return below | ({DELETE} if padded else frozenset())
    if isinstance(node, lg.Rank):
        return _INSERTS if _is_steady(node, below) else _INSERTS | {UPDATE, DELETE}
    if isinstance(node, lg.Over) and not is_timed_over(node):
        return _INSERTS | {UPDATE, DELETE}
    if isinstance(node, lg.Calc) and node.condition is not None and UPDATE in below:
        return below | {DELETE}
    return below or _INSERTS


def _is_steady(node: lg.Rank, below: frozenset[str]) -> bool:
    return strategy(node, steady=below == _INSERTS).insert_only


def changelog_mode(node: lg.Node) -> str:
    """The kinds as EXPLAIN shows them: ``[I]``, ``[I,UB,UA]``, ``[I,UB,UA,D]``."""
    kinds = change_kinds(node)
    shown = ["I"]
    shown += ["UB", "UA"] if UPDATE in kinds else []
    shown += ["D"] if DELETE in kinds else []
    return "[" + ",".join(shown) + "]"
