"""Window table functions: TUMBLE, HOP, CUMULATE and SESSION in FROM."""

from __future__ import annotations

from dataclasses import replace

from eddyline.record.schema import Column, Schema
from eddyline.record.types import TimeAttribute, timestamp
from eddyline.sql import syntax as s
from eddyline.sql.bind.arguments import Inputs, arranged, partition_of, table_of
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.grouping import by_clock, milliseconds, refuse_zoned
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import WindowTable, unique
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.typed import Ref

# Parameters in order, and which of them are intervals that must be given.
FUNCTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "TUMBLE": (("data", "timecol", "size", "offset"), ("size",)),
    "HOP": (("data", "timecol", "slide", "size", "offset"), ("slide", "size")),
    "CUMULATE": (("data", "timecol", "step", "size", "offset"), ("step", "size")),
    "SESSION": (("data", "timecol", "gap"), ("gap",)),
}
_EXAMPLES = {
    "TUMBLE": "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)",
    "HOP": "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
    "CUMULATE": "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '1' HOUR)",
    "SESSION": "SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' MINUTE)",
}
BOUND = replace(timestamp(3), nullable=False)


def bind_window(call: s.FunctionCall, env: Environment, inputs: Inputs) -> Relation:
    """A window table function.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    name = call.name.upper()
    parameters, needed = FUNCTIONS[name]
    args = arranged(call, parameters, {}, env)
    missing = [p for p in ("data", "timecol", *needed) if p not in args]
    if missing:
        msg = f"{name} needs {' and '.join(missing)}"
        raise env.error(msg, call.span, f"for example {_EXAMPLES[name]}")
    table = table_of(call, args, "data", env)
    source = inputs(table)
    if not insert_only(source.node):
        msg = f"{name} cannot read rows that are taken back"
        raise env.error(msg, table.span, "put the window before the grouping")
    time = _time(name, args["timecol"], source, env)
    window = _window(call, name, args, env)
    partition = partition_of(table, source, env) if name == "SESSION" else ()
    return _opened(source, window, time, partition)


def _opened(source: Relation, window: Window, time: Ref, partition: tuple[str, ...]) -> Relation:
    taken = set(source.node.schema.names)
    names = []
    for name in ("window_start", "window_end", "window_time"):
        names.append(unique(name, taken))
        taken.add(names[-1])
    attribute = replace(time.type, nullable=False)
    kinds = (BOUND, BOUND, replace(attribute, precision=3))
    columns = tuple(Column(n, t) for n, t in zip(names, kinds, strict=True))
    # Only the new time drives what follows, as in Flink.
    below = tuple(Column(c.name, c.type.plain()) for c in source.node.schema)
    schema = Schema((*below, *columns))
    three = (names[0], names[1], names[2])
    clocked = by_clock(source.node, time)
    node = WindowTable(clocked, window, time.name, three, partition, schema)
    fields = [replace(f, type=schema[f.column]) for f in source.fields]
    shown = ("window_start", "window_end", "window_time")
    fields += [ScopeField(n, None, c.name, c.type) for n, c in zip(shown, columns, strict=True)]
    return Relation(node, tuple(fields))


def _time(name: str, e: s.Expression, source: Relation, env: Environment) -> Ref:
    if not isinstance(e, s.Descriptor) or len(e.names) != 1:
        raise env.error(f"{name} needs DESCRIPTOR(time)", e.span, f"for example {_EXAMPLES[name]}")
    ref = source.scope.resolve(e.names[0], env)
    if isinstance(ref, Ref) and ref.type.is_rowtime:
        refuse_zoned(name, ref.type, e.span, env)
        return ref
    if isinstance(ref, Ref) and ref.type.time_attribute is TimeAttribute.PROCTIME:
        refuse_zoned(name, ref.type, e.span, env)
        return ref
    msg = f"{name} needs a row-time column, {e.names[0]} is {ref.type}"
    hint = f"give its table WATERMARK FOR {e.names[0]} AS {e.names[0]} - INTERVAL '5' SECOND"
    if ref.type.is_timestamp:
        hint += "; a join or IN (SELECT …) not bounded in time ends it: take the window first"
    raise env.error(msg, e.names[0].span, hint)


def _window(
    call: s.FunctionCall, name: str, args: dict[str, s.Expression], env: Environment
) -> Window:
    binder = ExpressionBinder(Scope(()), env, name)
    ms = {
        p: milliseconds(binder.bind(e), env, e.span, f"{name}'s {p}")
        for p, e in args.items()
        if p not in ("data", "timecol")
    }
    for p, value in ms.items():
        if p != "offset" and value <= 0:
            raise env.error(f"{name}'s {p} must be longer than 0", args[p].span)
    size = ms.get("size") or ms.get("gap") or 0
    step = ms.get("slide") or ms.get("step") or 0
    if step and size % step:
        word = "slide" if name == "HOP" else "step"
        msg = f"{name}: the size ({size} ms) is no multiple of the {word} ({step} ms)"
        raise env.error(msg, call.span, f"choose a {word} that divides the size")
    return Window(WindowKind(name), size, step, ms.get("offset", 0))
