"""CURRENT_WATERMARK becomes a column of a node below the projection that reads it.

The watermark belongs to the flow of rows, not to the row, so that no expression can compute it.
"""

from __future__ import annotations

from eddyline.record.types import DataType
from eddyline.sql.logical import Calc, CurrentWatermark, Node, transform, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed

FUNCTION = "CURRENT_WATERMARK"


def watermark_columns(node: Node) -> Node:
    """Put the node below every projection that reads the watermark."""
    return transform(node, _with_column)


def _with_column(node: Node) -> Node:
    if not isinstance(node, Calc):
        return node
    kinds = [k for e in _expressions(node) for k in _kinds(e)]
    if not kinds:
        return node
    column = unique("$watermark", set(node.input.schema.names))
    ref = Ref(column, kinds[0])
    projections = tuple((name, _replaced(e, ref)) for name, e in node.projections)
    condition = None if node.condition is None else _replaced(node.condition, ref)
    return Calc(CurrentWatermark(node.input, column, kinds[0]), projections, condition)


def _expressions(node: Calc) -> list[Typed]:
    return [e for _, e in node.projections] + ([] if node.condition is None else [node.condition])


def _kinds(e: Typed) -> list[DataType]:
    if isinstance(e, Ref | Const):
        return []
    if e.name == FUNCTION:
        return [e.type]
    return [k for a in e.args for k in _kinds(a)]


def _replaced(e: Typed, ref: Ref) -> Typed:
    if isinstance(e, Ref | Const):
        return e
    if e.name == FUNCTION:
        return ref
    args = tuple(_replaced(a, ref) for a in e.args)
    return Apply(e.name, args, e.template, e.type, e.volatile)
