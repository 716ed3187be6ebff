"""Which kinds of change a plan's rows have, read from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from eddyline.catalog.options import gives_changes
from eddyline.sql import logical as lg
from eddyline.sql.intervals import interval_of
from eddyline.sql.keys import join_columns, side_keys, upsert_keys
from eddyline.sql.ranking import strategy
from eddyline.sql.sorting import SortKey
from eddyline.sql.typed import Ref, refs
from eddyline.sql.windowing import window_pair

INSERT, UPDATE, DELETE = "I", "U", "D"
_INSERTS = frozenset({INSERT})
_ALL = frozenset({INSERT, UPDATE, DELETE})


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
    """The kinds of change of a node's rows: I, U and D, as Flink infers them."""
    if isinstance(node, lg.Final | lg.ToChangelog):
        return _INSERTS
    if isinstance(node, lg.FromChangelog):
        return frozenset(kind.name[0] for _, kind in node.kinds)
    below = frozenset().union(*(change_kinds(c) for c in lg.children(node)))
    if isinstance(node, lg.Scan) and gives_changes(node.table):
        return _ALL
    if isinstance(node, lg.GroupBy) and node.window is None:
        return _INSERTS | {UPDATE} | (frozenset({DELETE}) if below != _INSERTS else frozenset())
    if isinstance(node, lg.Join) and not _is_timed(node):
        return below if node.kind in ("INNER", "SEMI") else _ALL
    if isinstance(node, lg.Rank):
        steady = strategy(node, steady=insert_only(node.input)).insert_only
        return _INSERTS if steady else _ALL
    if isinstance(node, lg.Over) and not is_timed_over(node):
        return _ALL
    return below or _INSERTS


class Updates(StrEnum):
    """How a node gives updates: the row before and after, or only after, to be found by its key."""

    BOTH = "UB,UA"
    AFTER = "UA"


def changelog_modes(root: lg.Node, *, both: bool = False) -> dict[int, str]:
    """The changes of every node as EXPLAIN shows them (``[I,UA,D]``), by the node's ``id``.

    both: whoever takes the rows needs the row before an update, too. Else the nodes give it only
    where one above needs it.
    """
    solved = None if both else _solved(root, Updates.AFTER)
    solved = _solved(root, Updates.BOTH) if solved is None else solved
    return {} if solved is None else solved


def _solved(node: lg.Node, needed: Updates) -> dict[int, str] | None:
    """The modes of a node that gives updates as ``needed``, and of all below; None if it cannot."""
    kinds = change_kinds(node)
    if isinstance(node, lg.Scan) and UPDATE in kinds and needed is Updates.AFTER:
        return None
    modes = {id(node): _mode(kinds, needed)}
    for child, choices in _needs(node, needed, kinds):
        for choice in choices:
            below = _solved(child, choice)
            if below is not None:
                modes |= below
                break
        else:
            return None
    return modes


def _mode(kinds: frozenset[str], updates: Updates) -> str:
    shown = ["I", *([updates] if UPDATE in kinds else []), *(["D"] if DELETE in kinds else [])]
    return f"[{','.join(shown)}]"


_BOTH, _EITHER = (Updates.BOTH,), (Updates.AFTER, Updates.BOTH)


def _needs(
    node: lg.Node, needed: Updates, kinds: frozenset[str]
) -> Iterator[tuple[lg.Node, tuple[Updates, ...]]]:
    """Each input of a node, and how it may give its updates; no way at all is an empty tuple."""
    if isinstance(node, lg.Join):
        yield from _needs_of_join(node, needed)
        return
    for child in lg.children(node):
        if isinstance(node, lg.Rank):
            yield child, _EITHER if _follows_updates(node) else _BOTH
        elif isinstance(node, lg.GroupBy | lg.Over | lg.Sort | lg.Final | lg.ToChangelog):
            yield child, _BOTH
        elif isinstance(node, lg.Calc) and needed is Updates.AFTER and _loses_rows(node, kinds):
            yield child, ()
        else:
            yield child, (needed,)


def _needs_of_join(node: lg.Join, needed: Updates) -> Iterator[tuple[lg.Node, tuple[Updates, ...]]]:
    """A side finds the row that an update replaces if the join goes by its key."""
    sides = ((node.left, node.left_names), (node.right, node.right_names))
    for (side, names), on in zip(sides, join_columns(node), strict=True):
        by_key = any(on <= key for key in side_keys(side, names))
        if needed is Updates.BOTH or by_key or UPDATE not in change_kinds(side):
            yield side, (needed,)
        else:
            yield side, ()


def _loses_rows(node: lg.Calc, kinds: frozenset[str]) -> bool:
    """Whether a filter may pass a row before an update and not after it, by other columns than
    those of a key: without the row before, it would stay."""
    if node.condition is None or UPDATE not in kinds:
        return False
    return not any(refs(node.condition) <= key for key in upsert_keys(node.input))


def _follows_updates(node: lg.Rank) -> bool:
    """Whether a Top-N over groups can follow updates by key: the groups lie within its partitions
    and only rise in its order, by a COUNT, a MAX or the like."""
    keys = upsert_keys(node.input)
    if not any(set(node.partition_by) <= key for key in keys):
        return False
    return len(node.order) == 1 and _rises(node.input, node.order[0].column, node.order[0])


def _rises(node: lg.Node, column: str, order: SortKey) -> bool:
    if isinstance(node, lg.Calc):
        e = dict(node.projections)[column]
        return isinstance(e, Ref) and _rises(node.input, e.name, order)
    if not isinstance(node, lg.GroupBy) or change_kinds(node.input) != _INSERTS:
        return False
    functions = ("COUNT", "MAX") if order.descending else ("MIN",)
    return any(c.name == column and c.function in functions for c in node.calls)
