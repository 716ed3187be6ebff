"""Rules: each turns a plan into a better one of the same meaning; their order is the design."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.sql.logical import Node
from eddyline.sql.rules.merge_calcs import merge_calcs
from eddyline.sql.rules.prune_columns import prune_columns
from eddyline.sql.rules.push_filters import push_filters
from eddyline.sql.rules.rank_overs import rank_overs
from eddyline.sql.rules.split_expressions import split_expressions
from eddyline.sql.rules.watermark_columns import watermark_columns

Rule = Callable[[Node], Node]

RULES: tuple[Rule, ...] = (
    watermark_columns,
    merge_calcs,
    rank_overs,
    push_filters,
    merge_calcs,
    prune_columns,
    merge_calcs,
    split_expressions,
)


def optimized(node: Node) -> Node:
    """The plan after all rules."""
    for rule in RULES:
        node = rule(node)
    return node
