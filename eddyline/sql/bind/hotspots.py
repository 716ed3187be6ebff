"""HOTSPOTS, as the Kinesis Analytics service defined it: where points lie close together.

Arguments, ranges and the result's JSON are those of
https://docs.aws.amazon.com/kinesisanalytics/latest/sqlref/sqlrf-hotspots.html.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from eddyline.anomaly.options import check_dimensions
from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.record.types import STRING
from eddyline.sql import syntax as s
from eddyline.sql.bind.arguments import Inputs, arranged, partition_of, table_of
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import Hotspots, unique
from eddyline.sql.typed import Const, Ref
from eddyline.sql.windowing import rowtime_of

NAME, RESULT = "HOTSPOTS", "hotspots_result"
_PARAMETERS = (
    "input", "window_size", "scan_radius", "minimum_number_of_points_in_a_hotspot", "columns",
)  # fmt: skip
_ALIASES = {n.replace("_", ""): n for n in _PARAMETERS}
_WINDOW = (100, 1000)


def bind_hotspots(call: s.FunctionCall, env: Environment, inputs: Inputs) -> Relation:
    """``HOTSPOTS(TABLE t PARTITION BY k, 1000, 0.5, 20)``: all but the key's numbers are a point.

    Raises:
        EddylineError: ``sql_semantic`` naming the argument and its range.
    """
    args = arranged(call, _PARAMETERS, _ALIASES, env)
    table = table_of(call, args, "input", env)
    source = inputs(table)
    if not insert_only(source.node):
        msg = f"{NAME} cannot take rows that are taken back"
        raise env.error(msg, table.span, "feed it rows of closed windows, for example of TUMBLE")
    keys = partition_of(table, source, env)
    columns = _columns(args.get("columns"), source, keys, call, env)
    low, high = _WINDOW
    size = _number(call, args, "window_size", env)
    if size != int(size) or not low <= size <= high:
        raise _out_of_range("window_size", size, f"between {low} and {high}", args, env)
    radius = _number(call, args, "scan_radius", env)
    if not 0.0 < radius < float("inf"):
        raise _out_of_range("scan_radius", radius, "above 0", args, env)
    name = _PARAMETERS[3]
    least = _number(call, args, name, env)
    if least != int(least) or not 2 <= least <= size:
        raise _out_of_range(name, least, f"between 2 and {size:g}, the window's size", args, env)
    below, result = source.node, unique(RESULT, set(source.node.schema.names))
    schema = Schema((*below.schema.columns, Column(result, STRING)))
    node = Hotspots(
        below, columns, keys, int(size), radius, int(least), rowtime_of(below), result, schema
    )
    fields = [replace(f, type=node.schema[f.column]) for f in source.visible]
    return Relation(node, (*fields, ScopeField(RESULT, None, result, STRING)))


def _columns(
    written: s.Expression | None, source: Relation, keys: tuple[str, ...], call: s.FunctionCall,
    env: Environment,
) -> tuple[str, ...]:  # fmt: skip
    """The columns that make a point: those named, else all numbers that are no key."""
    if written is None:
        refs = [f.ref for f in source.visible if f.type.is_numeric and f.column not in keys]
    elif isinstance(written, s.Descriptor):
        refs = []
        for name in written.names:
            e = source.scope.resolve(name, env)
            if not isinstance(e, Ref) or not e.type.is_numeric:
                raise env.error(f"column {name} is {e.type}, not a number", name.span)
            refs.append(e)
    else:
        raise env.error("columns must be a DESCRIPTOR", written.span, "columns => DESCRIPTOR(x, y)")
    decimal = next((r for r in refs if str(r.type).startswith("DECIMAL")), None)
    if decimal is not None:
        msg = f"{NAME} takes no DECIMAL, which column {decimal.name} is"
        raise env.error(msg, call.span, f"CAST({decimal.name} AS DOUBLE)")
    try:
        check_dimensions(len(refs))
    except EddylineError:
        msg = f"{NAME} over {len(refs)} columns; it takes between 1 and 30 numbers"
        hint = "select those that matter, or name them: columns => DESCRIPTOR(x, y)"
        raise env.error(msg, call.span, hint) from None
    return tuple(r.name for r in refs)


def _number(
    call: s.FunctionCall, args: dict[str, s.Expression], name: str, env: Environment
) -> float:
    if name not in args:
        hint = f"{NAME}(TABLE t, window_size, scan_radius, minimum_number_of_points_in_a_hotspot)"
        raise env.error(f"{NAME} needs {name}, which has no default", call.span, hint)
    bound = ExpressionBinder(Scope(()), env, "this argument").bind(args[name])
    if isinstance(bound, Const) and isinstance(bound.value, int | float | Decimal):
        return float(bound.value)
    raise env.error(f"{name} must be a constant number", args[name].span)


def _out_of_range(
    name: str, value: float, how: str, args: dict[str, s.Expression], env: Environment
) -> EddylineError:
    return env.error(f"{name} is {value:g}; it must be {how}", args[name].span)
