"""RANDOM_CUT_FOREST and its sisters: in FROM over a table, or over one number in the list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eddyline.anomaly.choices import CHOICES, Choices, of_columns
from eddyline.anomaly.measures import identifies_rows, names_a_time
from eddyline.anomaly.options import (
    COLUMNS_MAX,
    DEFAULT_TIMED,
    DEFAULT_UNTIMED,
    DetectorOptions,
    ForestOptions,
    check_dimensions,
)
from eddyline.anomaly.rates import FalseAlarms
from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, BOOLEAN, DOUBLE, STRING, DataType
from eddyline.sql import syntax as s
from eddyline.sql.bind.arguments import Inputs, arranged, partition_of, table_of
from eddyline.sql.bind.expressions import SCALAR_FOREST, ExpressionBinder
from eddyline.sql.bind.relation import Relation, extended
from eddyline.sql.bind.scope import Environment, Scope, ScopeField
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import Calc, Forest, Join, Node, children, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed
from eddyline.sql.windowing import distance_ms, rowtime_of, windows_of


@dataclass(frozen=True, slots=True)
class ForestKind:
    """A table function: which columns it adds."""

    grade: bool
    explanation: bool


FUNCTIONS: dict[str, ForestKind] = {
    "RANDOM_CUT_FOREST": ForestKind(grade=False, explanation=False),
    "RANDOM_CUT_FOREST_WITH_EXPLANATION": ForestKind(grade=False, explanation=True),
    "DETECT_ANOMALIES": ForestKind(grade=True, explanation=True),
}
SCORE, GRADE, EXPLANATION = "anomaly_score", "anomaly_grade", "anomaly_explanation"
# What DETECT_ANOMALIES adds beside: names and types. The values are those of the column that is
# farthest off; the attribution has those of all columns.
DETAILS: dict[str, DataType] = {
    "anomaly_verdict": STRING.not_null(),
    "anomaly_probability": DOUBLE,
    "anomaly_expected": DOUBLE,
    "anomaly_lower": DOUBLE,
    "anomaly_upper": DOUBLE,
    "anomaly_reason": STRING,
    "anomaly_attribution": STRING,
    "anomaly_episode": BIGINT,
    "anomaly_event": STRING,
    "anomaly_incident": STRING,
    "anomaly_filled": BOOLEAN.not_null(),
}
# The sample of RANDOM_CUT_FOREST(x) unless one is given, as the public lab uses it.
SCALAR_SAMPLES = 12
_FOREST = ("number_of_trees", "sub_sample_size", "time_decay", "shingle_size")
# After the table the service's own order; what is ours alone comes behind, by name.
_PARAMETERS = (
    "input", *_FOREST, "with_directionality", "columns", "fill", "tolerance", "seed", "on_time",
    *(c.name for c in CHOICES),
)  # fmt: skip
_TEXTS = tuple(c.name for c in CHOICES if c.name != "false_alarms")
_ALIASES = {n.replace("_", ""): n for n in _PARAMETERS}


def bind_forest(call: s.FunctionCall, env: Environment, inputs: Inputs) -> Relation:
    """``RANDOM_CUT_FOREST(input => TABLE t PARTITION BY k, number_of_trees => 100, …)``.

    Raises:
        EddylineError: ``sql_semantic`` naming the argument and its range.
    """
    name = call.name.upper()
    args = arranged(call, _PARAMETERS, _ALIASES, env)
    table = table_of(call, args, "input", env)
    source = inputs(table)
    if not insert_only(source.node):
        msg = f"{name} cannot learn from rows that are taken back"
        raise env.error(msg, table.span, "feed it rows of closed windows, for example of TUMBLE")
    values = {
        k: _constant(e, env) for k, e in args.items() if k not in ("input", "columns", "on_time")
    }
    options = _options(values, call, args, env)
    keys = partition_of(table, source, env)
    node, columns = _points(args.get("columns"), source, keys, call, env)
    fill = values.get("fill")
    if fill is not None and not isinstance(fill, int | float):
        raise env.error("fill must be a number", args["fill"].span, "for example fill => 0")
    return _forest(
        Relation(node, source.fields),
        FUNCTIONS[name],
        columns,
        keys,
        options,
        None if fill is None else float(fill),
        (call, args.get("on_time"), env),
    )


def _constant(e: s.Expression, env: Environment) -> object:
    bound = ExpressionBinder(Scope(()), env, "this argument").bind(e)
    if not isinstance(bound, Const):
        raise env.error("this must be a constant", e.span)
    return bound.value


def _options(
    values: dict[str, object], call: s.FunctionCall, args: dict[str, s.Expression], env: Environment
) -> DetectorOptions:
    given: dict[str, Any] = {k: v for k, v in values.items() if k in (*_FOREST, "seed")}
    more: dict[str, Any] = {k: v for k, v in values.items() if k in ("tolerance", "false_alarms")}
    texts = {k: str(v) for k, v in values.items() if k in _TEXTS}
    for name in (*more, *texts):
        if not FUNCTIONS[call.name.upper()].grade:
            msg = f"{call.name} has no {name}"
            raise env.error(msg, args[name].span, "DETECT_ANOMALIES has it")
    # Whether rows have a time, and so which rate holds by default, is known later (``_forest``).
    options = DetectorOptions(
        forest=ForestOptions(**given), **more, choices=Choices(**texts), timed=True
    )
    try:
        options.validate()
    except EddylineError as e:
        wrong = next((k for k in (*given, *more, *texts) if e.message.startswith(k)), None)
        place = args[wrong].span if wrong else call.span
        raise env.error(e.message, place, e.hint) from None
    forest = options.forest
    if forest.sub_sample_size >= forest.time_decay:
        msg = "sub_sample_size must be smaller than time_decay"
        span = args.get("time_decay", call).span
        raise env.error(msg, span, f"sub_sample_size is {forest.sub_sample_size}")
    return options


def _points(
    written: s.Expression | None,
    source: Relation,
    keys: tuple[str, ...],
    call: s.FunctionCall,
    env: Environment,
) -> tuple[Node, tuple[str, ...]]:
    """The columns that make a point: those named, else all numbers that are no key."""
    if written is None:
        refs = [f.ref for f in source.visible if f.type.is_numeric and f.column not in keys]
        if FUNCTIONS[call.name.upper()].grade:
            refs = _measures(refs, call, env)
        if not refs:
            hint = "it scores numbers: select at least one, or name them with columns => DESCRIPTOR"
            raise env.error(f"{call.name}: the table has no numeric column", call.span, hint)
    else:
        refs = _named(written, source, env)
    try:
        check_dimensions(len(refs))
    except EddylineError as e:
        hint = f"name up to {COLUMNS_MAX} of them: columns => DESCRIPTOR(a, b)"
        raise env.error(e.message, call.span, hint) from None
    return source.node, tuple(r.name for r in refs)


def _measures(refs: list[Ref], call: s.FunctionCall, env: Environment) -> list[Ref]:
    """Without whole numbers whose name says that they number rows or are times, unless there are no
    others; a warning says so."""
    out = [r for r in refs if not (_is_whole(r) and _is_no_measure(r.name))]
    left = [r.name for r in refs if r not in out]
    if out and left:
        env.warn(
            f"{call.name} leaves out {', '.join(left)}, which by name is no measure; "
            "columns => DESCRIPTOR(...) states what is judged"
        )
    return out or refs


def _is_whole(ref: Ref) -> bool:
    return str(ref.type).split()[0] in ("TINYINT", "SMALLINT", "INT", "BIGINT")


def _is_no_measure(name: str) -> bool:
    return identifies_rows(name) or names_a_time(name)


def _named(written: s.Expression, source: Relation, env: Environment) -> list[Ref]:
    if not isinstance(written, s.Descriptor):
        raise env.error("columns must be a DESCRIPTOR", written.span, "columns => DESCRIPTOR(a, b)")
    names = []
    for name in written.names:
        e = source.scope.resolve(name, env)
        if not isinstance(e, Ref) or not e.type.is_numeric:
            raise env.error(f"column {name} is {e.type}, not a number", name.span)
        names.append(e)
    return names


def _forest(
    source: Relation,
    kind: ForestKind,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    options: DetectorOptions,
    fill: float | None,
    written: tuple[s.FunctionCall, s.Expression | None, Environment],
) -> Relation:
    call, on_time, env = written
    time = rowtime_of(source.node)
    if isinstance(on_time, s.Descriptor):
        e = source.scope.resolve(on_time.names[0], env)
        if not isinstance(e, Ref) or not e.type.is_rowtime:
            raise env.error(f"{on_time.names[0]} is no row time", on_time.span)
        time = e.name
    options = replace(options, timed=time is not None, false_alarms=_stated(options, time))
    if time is None and FalseAlarms.parse(options.false_alarms).per_week:
        msg = f"{call.name}: {options.false_alarms} needs a row time"
        hint = "declare a WATERMARK, or say it per rows: false_alarms => '0.5/10000 rows'"
        raise env.error(msg, call.span, hint)
    if time is None and options.choices.live_from:
        hint = "declare a WATERMARK; the rows of a stream have an arrival time, too"
        raise env.error(f"{call.name}: live_from needs a row time", call.span, hint)
    _check_choices(options, columns, call, env)
    distance = _distance(source.node)
    if fill is not None and (distance == 0 or time is None):
        msg = f"{call.name}: fill needs windows, so that it is known when one is missing"
        hint = "select window_time from a TUMBLE or HOP aggregation, and pass it on"
        raise env.error(msg, call.span, hint)
    node = _node(source.node, columns, keys, options, fill, time, distance, kind)
    added = [n for n in (node.score, node.grade, node.explanation) if n is not None]
    added += node.details
    shown = [SCORE, *([GRADE] if kind.grade else []), *([EXPLANATION] if kind.explanation else [])]
    shown += list(DETAILS) if kind.grade else []
    fields = [replace(f, type=node.schema[f.column]) for f in source.visible]
    fields += [ScopeField(s, None, n, node.schema[n]) for s, n in zip(shown, added, strict=True)]
    return Relation(node, tuple(fields))


def _check_choices(
    options: DetectorOptions, columns: tuple[str, ...], call: s.FunctionCall, env: Environment
) -> None:
    """Refuse options that name a column which is not judged."""
    try:
        of_columns(options.choices, list(columns), options.tolerance)
    except EddylineError as e:
        raise env.error(f"{call.name}: {e.message}", call.span, e.hint) from None


def _stated(options: DetectorOptions, time: str | None) -> str:
    """The rate of false alarms that is stated, or the default."""
    return options.false_alarms or (DEFAULT_UNTIMED if time is None else DEFAULT_TIMED)


def _node(
    below: Node,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    options: DetectorOptions,
    fill: float | None,
    time: str | None,
    distance: int,
    kind: ForestKind,
) -> Forest:
    taken = set(below.schema.names)
    names: list[str | None] = []
    for name, given in ((SCORE, True), (GRADE, kind.grade), (EXPLANATION, kind.explanation)):
        names.append(unique(name, taken) if given else None)
    types = (DOUBLE.not_null(), DOUBLE.not_null(), STRING)
    more = [Column(n, t) for n, t in zip(names, types, strict=True) if n is not None]
    details = {unique(n, taken): t for n, t in DETAILS.items()} if kind.grade else {}
    more += [Column(n, t) for n, t in details.items()]
    bounds = [n for w in windows_of(below) for n in (w.start, w.end, w.time) if n and n != time]
    kept = _filled_types(below, fill, columns, keys, time, tuple(bounds))
    forest = options.forest
    assert names[0] is not None
    return Forest(
        below, columns, keys, forest.number_of_trees, forest.sub_sample_size,
        forest.time_decay, forest.shingle_size, options.tolerance, forest.seed, fill,
        distance if fill is not None else 0, time, tuple(dict.fromkeys(bounds)), names[0],
        names[1], names[2], Schema((*kept, *more)), options.false_alarms, tuple(details),
        options.choices,
    )  # fmt: skip


def forest_node(
    below: Node,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    options: DetectorOptions,
    time: str,
    kind: ForestKind,
) -> Forest:
    """The node of a detector that fills nothing."""
    return _node(below, columns, keys, options, None, time, 0, kind)


def _filled_types(
    below: Node,
    fill: float | None,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    time: str | None,
    bounds: tuple[str, ...],
) -> tuple[Column, ...]:
    """A filled window has no value in the columns that merely pass."""
    if fill is None:
        return below.schema.columns
    known = {*columns, *keys, *bounds, time}
    return tuple(c if c.name in known else Column(c.name, c.type.null()) for c in below.schema)


def _distance(node: Node) -> int:
    """How far the windows that feed a node lie apart, 0 if none do."""
    for w in windows_of(node):
        return distance_ms(w.window)
    from eddyline.sql.logical import GroupBy

    if isinstance(node, GroupBy) and node.window is not None:
        return distance_ms(node.window.window)
    for child in children(node):
        distance = _distance(child)
        if distance and not isinstance(node, Join):
            return distance
    return 0


def scored(
    node: Node, items: tuple[tuple[str, Typed], ...]
) -> tuple[Node, tuple[tuple[str, Typed], ...]]:
    """Expressions with the scalar form in them over a node that has the scores."""
    marks: list[Apply] = []
    for _, e in items:
        _collect(e, marks)
    by: dict[Apply, Ref] = {}
    for mark in marks:
        node, by[mark] = _scalar(node, mark)
    return node, tuple((n, _replaced(e, by)) for n, e in items) if by else items


def _collect(e: Typed, marks: list[Apply]) -> None:
    if not isinstance(e, Apply):
        return
    for a in e.args:
        _collect(a, marks)
    if e.name == SCALAR_FOREST and e not in marks:
        marks.append(e)


def _replaced(e: Typed, by: dict[Apply, Ref]) -> Typed:
    if not isinstance(e, Apply):
        return e
    if e in by:
        return by[e]
    return replace(e, args=tuple(_replaced(a, by) for a in e.args))


def _scalar(node: Node, mark: Apply) -> tuple[Node, Ref]:
    given = [a.value for a in mark.args[1:] if isinstance(a, Const)]
    settings: dict[str, Any] = {"sub_sample_size": SCALAR_SAMPLES}
    settings |= dict(zip(_FOREST, given, strict=False))
    time = rowtime_of(node)
    options = DetectorOptions(forest=ForestOptions(**settings), timed=time is not None)
    options = replace(options, false_alarms=_stated(options, time))
    options.validate()
    point = unique("$point", set(node.schema.names))
    below: Calc = extended(node, ((point, mark.args[0]),))
    kind = FUNCTIONS["RANDOM_CUT_FOREST"]
    forest = _node(below, (point,), (), options, None, time, 0, kind)
    return forest, Ref(forest.score, forest.schema[forest.score])
