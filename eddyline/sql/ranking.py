"""How a Rank is done: in windows, as a deduplication by time, or as a Top-N that changes.

The choice decides whether rows are ever taken back, so planning and the changelog ask here.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline.record.types import TimeAttribute
from eddyline.sql import logical as lg
from eddyline.sql.physical_ordered import Keep
from eddyline.sql.typed import Ref
from eddyline.sql.windowing import WindowColumns, windows_of


@dataclass(frozen=True, slots=True)
class Strategy:
    """window: the window of a window Top-N. keep: of a deduplication; by_rowtime: by its row time,
    else by arrival. Both None: a Top-N over everything."""

    window: WindowColumns | None = None
    keep: Keep | None = None
    by_rowtime: bool = False

    @property
    def insert_only(self) -> bool:
        """Whether no row is ever taken back."""
        return self.window is not None or self.keep is Keep.FIRST


def strategy(node: lg.Rank, steady: bool) -> Strategy:
    """How a rank is done; ``steady``: its input never takes a row back."""
    if not steady or not isinstance(node.last, int):
        return Strategy()
    time = _time_order(node)
    single = node.first == 1 and node.last == 1 and node.function == "ROW_NUMBER"
    for w in windows_of(node.input):
        if {w.start, w.end} <= set(node.partition_by):
            return Strategy(window=w)
    if single and time is not None:
        keep = Keep.LAST if node.order[0].descending else Keep.FIRST
        return Strategy(keep=keep, by_rowtime=time is TimeAttribute.ROWTIME)
    return Strategy()


def is_time_below(node: lg.Node, column: str) -> bool:
    """Whether a column is a row time, or was one below a window table function."""
    if node.schema[column].is_rowtime:
        return True
    if isinstance(node, lg.Calc):
        e = dict(node.projections)[column]
        return isinstance(e, Ref) and is_time_below(node.input, e.name)
    if isinstance(node, lg.WindowTable):
        return column == node.time_column
    below = lg.children(node)
    return len(below) == 1 and column in below[0].schema and is_time_below(below[0], column)


def _time_order(node: lg.Rank) -> TimeAttribute | None:
    """The time attribute that the rank is ordered by alone."""
    if len(node.order) != 1:
        return None
    return node.input.schema[node.order[0].column].time_attribute
