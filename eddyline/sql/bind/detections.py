"""``ML_DETECT_ANOMALIES(value, time, JSON_OBJECT(…)) OVER (…)``, as Confluent's Flink spells it.

The detector of DETECT_ANOMALIES judges the value; each row gets a row with Confluent's fields. What
JSON_OBJECT sets of the ARIMA model there (orders, seasons, intervals of training) has no meaning
for this detector, which learns them by itself, and a warning says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from eddyline.anomaly.options import DetectorOptions, ForestOptions
from eddyline.errors import nearest
from eddyline.record.types import BIGINT, BOOLEAN, DOUBLE, STRING, DataType, TimeAttribute, row
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.forests import DETAILS, FUNCTIONS, forest_node
from eddyline.sql.bind.overs import DETECTION, RUNNING, ComputedColumns, OverCall, over_columns
from eddyline.sql.bind.scope import Environment
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import Node
from eddyline.sql.typed import Apply, Const, Ref, Typed

# Confluent's fields of a result. The two measures of an ARIMA model are always NULL.
_FIELDS = (
    "timestamp", "actual_value", "forecast_value", "lower_bound", "upper_bound", "is_anomaly",
    "rmse", "aic",
)  # fmt: skip
_CONFIDENCE, _MINIMUM = "confidencePercentage", "minTrainingSize"
# By default the rows that a model is trained with, and the share of rows that are ordinary.
_ROWS_MIN, _PERCENT = 128, Decimal(99)
# At most one row in ten may be a false alarm.
_PERCENT_MIN = Decimal(90)
_OF_ARIMA = (
    "p", "d", "q", "P", "D", "Q", "m", "enableStl", "maxTrainingSize", "updateInterval",
    "evalWindowSize", "rmseThreshold", "horizon", "trainAfterEveryEval",
    "upperBoundConfidencePercentage", "lowerBoundConfidencePercentage",
)  # fmt: skip
_EXAMPLE = (
    "ML_DETECT_ANOMALIES(value, time, JSON_OBJECT('minTrainingSize' VALUE 20)) OVER (PARTITION BY "
    "k ORDER BY time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
)


def bind_detection(
    call: s.FunctionCall, window: s.Over, bound: OverCall, binder: ExpressionBinder
) -> OverCall:
    """The call with its settings, checked; ``bound``: with its window, as it stands.

    Raises:
        EddylineError: ``sql_semantic`` for arguments, settings or a window that cannot be.
    """
    env = binder.env
    if len(bound.args) not in (2, 3) or call.distinct or call.star or call.filter is not None:
        msg = f"{DETECTION} takes a value, a time and JSON_OBJECT(…)"
        raise env.error(msg, call.span, f"for example {_EXAMPLE}")
    value, time = bound.args[:2]
    if not value.type.is_numeric:
        msg = f"{DETECTION} judges numbers, this is {value.type.plain()}"
        raise env.error(msg, call.args[0].span)
    if not time.type.is_timestamp:
        raise env.error(f"the time of {DETECTION} is {time.type.plain()}", call.args[1].span)
    order = bound.order
    is_rowtime = len(order) == 1 and order[0].value.type.time_attribute is TimeAttribute.ROWTIME
    if not is_rowtime or order[0].descending or not isinstance(order[0].value, Ref):
        msg = f"the window of {DETECTION} must be in order of a row time, ascending"
        raise env.error(msg, call.span, f"for example {_EXAMPLE}")
    if window.frame is not None and bound.frame.start is not None:
        env.warn(f"{DETECTION} learns from all earlier rows, wherever its frame begins")
    settings = _settings(call.args[2], binder) if len(call.args) == 3 else {}
    minimum, rate = _checked(settings, call, env)
    given = Const("NULL", STRING, json.dumps([minimum, rate]))
    number = binder.cast(value, DOUBLE, call.args[0].span)
    kind = row(
        _FIELDS,
        (time.type.plain().null(), *(DOUBLE,) * 4, BOOLEAN, DOUBLE, DOUBLE),
    )
    return replace(bound, args=(number, time, given), type=kind, frame=RUNNING)


def _settings(e: s.Expression, binder: ExpressionBinder) -> dict[str, object]:
    """What JSON_OBJECT sets: constants by name."""
    env = binder.env
    if not isinstance(e, s.FunctionCall) or not e.name.startswith("JSON_OBJECT"):
        hint = "for example JSON_OBJECT('minTrainingSize' VALUE 20)"
        raise env.error(f"the settings of {DETECTION} must be JSON_OBJECT(…)", e.span, hint)
    settings: dict[str, object] = {}
    for key, written in zip(e.args[::2], e.args[1::2], strict=True):
        wrapped = isinstance(written, s.FunctionCall) and written.name == "JSON_STRING"
        inner = written.args[0] if wrapped else written  # type: ignore[union-attr]
        name, value = binder.bind(key), binder.bind(inner)
        if not isinstance(name, Const) or not isinstance(value, Const):
            raise env.error(f"the settings of {DETECTION} must be constants", inner.span)
        if name.value not in (_CONFIDENCE, _MINIMUM, *_OF_ARIMA):
            near = nearest(str(name.value), [_CONFIDENCE, _MINIMUM, *_OF_ARIMA])
            hint = f"did you mean {near[0]}?" if near else f"there are {_MINIMUM}, {_CONFIDENCE}"
            raise env.error(f"{DETECTION} has no setting {name.value}", key.span, hint)
        settings[str(name.value)] = value.value
    return settings


def _checked(
    settings: Mapping[str, object], call: s.FunctionCall, env: Environment
) -> tuple[int, str]:
    """The rows before the first verdict, and the rate of false alarms."""
    idle = [name for name in settings if name in _OF_ARIMA]
    if idle:
        word = "changes" if len(idle) == 1 else "change"
        env.warn(f"{', '.join(idle)} {word} nothing: the detector learns its seasons by itself")
    minimum = settings.get(_MINIMUM, _ROWS_MIN)
    if not isinstance(minimum, int) or isinstance(minimum, bool) or minimum < 1:
        raise env.error(f"{_MINIMUM} must be a whole number of at least 1", call.args[2].span)
    written = settings.get(_CONFIDENCE, _PERCENT)
    is_number = isinstance(written, int | float | Decimal) and not isinstance(written, bool)
    percent = Decimal(str(written)) if is_number else Decimal(0)
    if not 0 < percent < 100:
        msg = f"{_CONFIDENCE} must be a number between 0 and 100"
        raise env.error(msg, call.args[2].span, "for example 99.9")
    if percent < _PERCENT_MIN:
        env.warn(f"{_CONFIDENCE} below {_PERCENT_MIN} counts as {_PERCENT_MIN}")
        percent = _PERCENT_MIN
    return minimum, f"{100 - percent:f}/100 rows"


def detected(node: Node, call: OverCall, env: Environment) -> tuple[Node, Ref]:
    """The node with the results of a call, and their column.

    Raises:
        EddylineError: ``sql_semantic`` over rows that are taken back.
    """
    if not insert_only(node):
        msg = f"{DETECTION} cannot learn from rows that are taken back"
        raise env.error(msg, call.span, "feed it rows of closed windows, for example of TUMBLE")
    value, time, given = call.args
    assert isinstance(given, Const)
    minimum, rate = json.loads(str(given.value))
    below = ComputedColumns(node)
    point, at = below.put(value, "$value"), below.put(time, "$time")
    keys = tuple(below.put(e, "$part") for e in call.partition_by)
    count = OverCall(
        "ROW_NUMBER", (), False, None, BIGINT.not_null(), keys, call.order, RUNNING, call.span
    )
    # The rows come in order of time behind it.
    numbered, (number,) = over_columns(below.calc(), [count], env)
    order = call.order[0].value
    assert isinstance(order, Ref)
    options = DetectorOptions(forest=ForestOptions(), timed=True, false_alarms=rate)
    options.validate()
    names = tuple(dict.fromkeys(key.name for key in keys))
    kind = FUNCTIONS["DETECT_ANOMALIES"]
    forest = forest_node(numbered, (point.name,), names, options, order.name, kind)
    details = dict(zip(DETAILS, forest.details, strict=True))

    def detail(name: str) -> Ref:
        return Ref(details[name], forest.schema[details[name]])

    result = _result(call.type, at, point, number, minimum, detail)
    after = ComputedColumns(forest)
    column = after.put(result, "$detection")
    return after.calc(), column


def _result(
    kind: DataType,
    time: Ref,
    value: Ref,
    number: Ref,
    minimum: int,
    detail: Callable[[str], Ref],
) -> Typed:
    """Confluent's row of a row; only time and value while the model is still learning."""
    known = f"CASE WHEN {{2}} >= {minimum} AND {{3}} <> 'learning' THEN "
    values = ("{4}", "{5}", "{6}", "{3} = 'anomalous'")
    texts = ("{0}", "{1}", *(f"{known}{v} END" for v in values), "NULL::DOUBLE", "NULL::DOUBLE")
    fields = ", ".join(f'"{n}" := {t}' for n, t in zip(_FIELDS, texts, strict=True))
    seen = ("anomaly_verdict", "anomaly_expected", "anomaly_lower", "anomaly_upper")
    args = (time, value, number, *map(detail, seen))
    return Apply(DETECTION, args, f"struct_pack({fields})", kind)
