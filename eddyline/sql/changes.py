"""Whether a plan's rows are ever taken back, told from the plan alone."""

from __future__ import annotations

from eddyline.sql import logical as lg
from eddyline.sql.intervals import interval_of
from eddyline.sql.windowing import window_pair


def insert_only(node: lg.Node) -> bool:
    """True if no row of the node is ever taken back."""
    return changing(node) is None


def changing(node: lg.Node) -> lg.Node | None:
    """The first node, from below, that makes rows be taken back; None if there is none."""
    for child in lg.children(node):
        found = changing(child)
        if found is not None:
            return found
    if isinstance(node, lg.Aggregate) and node.window is None and node.calls:
        return node
    if isinstance(node, lg.Join) and node.kind != "INNER" and not _timed(node):
        return node
    return None


def _timed(node: lg.Join) -> bool:
    """Whether the join gives each row once, because time bounds it."""
    return window_pair(node) is not None or interval_of(node) is not None
