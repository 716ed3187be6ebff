"""Expressions: each gets its type and the text that computes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.catalog.function import AGGREGATE_KINDS, CatalogFunction, FunctionKind
from eddyline.errors import Span
from eddyline.functions import AGGREGATES
from eddyline.functions.aggregates import ALIASES, aggregate, aggregate_row
from eddyline.functions.casts import cast
from eddyline.functions.registry import Argument, build, lookup
from eddyline.record.types import (
    DOUBLE,
    INT,
    INTERVAL_MONTH,
    INTERVAL_SECOND,
    STRING,
    DataType,
    Root,
    TimeAttribute,
)
from eddyline.sql import syntax as s
from eddyline.sql.bind import python_calls
from eddyline.sql.bind.literals import bind_interval, bind_literal
from eddyline.sql.bind.overs import DETECTION, WINDOW_ONLY, OverCalls
from eddyline.sql.bind.scope import Environment, Scope, field_of
from eddyline.sql.internal_names import TABLE_API_PLUS
from eddyline.sql.query_conditions import exists, in_query
from eddyline.sql.typed import Apply, Const, Ref, Typed, is_volatile, refs

WINDOW_FUNCTIONS = ("TUMBLE", "HOP", "SESSION", "CUMULATE")
AUXILIARY = {
    f"{w}_{part}": (w, part)
    for w in ("TUMBLE", "HOP", "SESSION")
    for part in ("START", "END", "ROWTIME", "PROCTIME")
}
# Aggregates whose result is NULL only for no value at all.
_OF_VALUES = ("SUM", "AVG", "MIN", "MAX", "STDDEV_POP", "VAR_POP")
# Aggregates in which Flink reads an ORDER BY and passes over it.
_UNORDERED = ("ARRAY_AGG", "JSON_ARRAYAGG_NULL_ON_NULL", "JSON_ARRAYAGG_ABSENT_ON_NULL")
SCALAR_FOREST = "RANDOM_CUT_FOREST"
CURRENT_WATERMARK = "CURRENT_WATERMARK"
# Where rows do not flow through: definitions, and conditions of joins and patterns.
_WITHOUT_WATERMARK = (
    "a computed column", "a watermark", "ON", "DEFINE", "MEASURES", "VALUES", "PARTITION",
)  # fmt: skip
GROUPINGS = ("GROUPING", "GROUPING_ID", "GROUP_ID")
# What an aggregate is called until it has a column; no name of a statement can be like it.
AGGREGATE = "\0aggregate"


class Aggregates:
    """Where aggregate calls met in an expression are put; binding an expression gives names."""

    def __init__(self, binder: ExpressionBinder, *, grouped: bool) -> None:
        self.calls: list[tuple[str, tuple[Typed, ...], bool, Typed | None, DataType]] = []
        self._binder = binder
        self._grouped = grouped

    def add(self, call: s.FunctionCall, env: Environment) -> Typed:
        """A mark for the aggregate; equal calls are one."""
        binder = self._binder
        saved = (binder.clause, binder.auxiliary, binder.overs)
        binder.clause, binder.auxiliary, binder.overs = "an aggregate", None, None
        binder.aggregates = None
        function = env.function(call.name, built_in=is_built_in(call.name))
        args = tuple(binder.bind(a) for a in call.args)
        if function is not None:
            args = binder.arguments(function, call, args)
        condition = None if call.filter is None else binder.condition(call.filter, "FILTER")
        binder.aggregates, (binder.clause, binder.auxiliary, binder.overs) = self, saved
        name = ALIASES.get(call.name, call.name)
        if call.order_by:
            self._without_order(call, name, env)
        if function is not None:
            name, value = python_calls.packed(function, args)
            args = (value,)
        with env.at(call.span):
            kind = aggregate(name, tuple(a.type for a in args)).type
        if self._never_null(name, args, condition):
            kind = kind.not_null()
        if not call.star and not args:
            raise env.error(f"{name} needs an argument", call.span, "COUNT(*) counts rows")
        if name == "LISTAGG" and len(args) > 1 and not isinstance(args[1], Const):
            raise env.error("LISTAGG's separator must be a text in quotes", call.span)
        distinct = call.distinct and aggregate_row(name).distinct_matters
        entry = (name, args, distinct, condition, kind)
        if entry not in self.calls:
            self.calls.append(entry)
        return Ref(f"{AGGREGATE}{self.calls.index(entry)}", kind)

    def _without_order(self, call: s.FunctionCall, name: str, env: Environment) -> None:
        """Check an ORDER BY inside an aggregate, which Flink reads and then passes over."""
        if name not in _UNORDERED:
            raise env.unsupported(f"ORDER BY inside {name}", call.order_by[0].span)
        for item in call.order_by:
            self._binder.bind(item.expression)
        shown = name.partition("AGG_")[0] + "AGG" if name.startswith("JSON") else name
        env.warn(f"ORDER BY inside {shown} has no effect, as in Flink: values come as they arrive")

    def _never_null(self, name: str, args: tuple[Typed, ...], condition: Typed | None) -> bool:
        """A group is never empty, so of values that are never NULL the result is not either."""
        if name == "COUNT":
            return True
        strict = all(not a.type.nullable for a in args) and name in _OF_VALUES
        return self._grouped and condition is None and strict


class ExpressionBinder:
    """Binds expressions over one scope.

    ``aggregates`` is None where none may stand (then ``clause`` names the place in the error).
    ``auxiliary`` binds TUMBLE_START and its like in a query grouped by a window.
    """

    def __init__(self, scope: Scope, env: Environment, clause: str = "this clause") -> None:
        self.scope = scope
        self.env = env
        self.clause = clause
        self.aggregates: Aggregates | None = None
        self.overs: OverCalls | None = None
        self.values: Callable[[s.ScalarQuery], Typed] | None = None
        self.grouping: Callable[[s.FunctionCall], Typed] | None = None
        self.auxiliary: Callable[[s.FunctionCall], Typed] | None = None
        # Whether it only matters if what is bound holds: then unknown is as good as false.
        self._certain = False

    def bind(self, e: s.Expression) -> Typed:
        """The expression with its type.

        Raises:
            EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
        """
        saved = self._certain
        self._certain = saved and _passes_on(e)
        typed = _BINDERS[type(e)](self, e)
        self._certain = saved
        return typed

    def condition(self, e: s.Expression, clause: str) -> Typed:
        """An expression that must be BOOLEAN."""
        typed = self._if_true(e)
        if typed.type.root not in (Root.BOOLEAN, Root.NULL):
            msg = f"{clause} needs a condition, this is {typed.type}"
            raise self.env.error(msg, e.span, "for example: x > 0")
        return typed

    def _if_true(self, e: s.Expression) -> Typed:
        """An expression of which it only matters whether it holds."""
        saved, self._certain = self._certain, True
        typed = self.bind(e)
        self._certain = saved
        return typed

    def apply(
        self, name: str, args: tuple[Typed, ...], span: Span, units: dict[int, str] | None = None
    ) -> Typed:
        """A function or operator over bound arguments."""
        described = tuple(_argument(a, (units or {}).get(i)) for i, a in enumerate(args))
        with self.env.at(span):
            built = build(name, described, self.env.context)
            row = lookup(name)
        kind = built.type
        if kind.time_attribute is not TimeAttribute.PROCTIME or name != "PROCTIME":
            kind = kind.plain()
        place = (span, self.env.source)
        return Apply(row.name, args, built.template, kind, row.volatile, place)

    def cast(self, e: Typed, to: DataType, span: Span, attempt: bool = False) -> Typed:
        """The value as another type."""
        nullable = e.type.nullable or attempt
        target = to.null() if nullable else to.not_null()
        if e.type.same_as(to) and e.type.root is not Root.NULL:
            plain = e.type.time_attribute is None
            return e if plain else Apply("CAST", (e,), "{0}", target.plain())
        with self.env.at(span):
            text = cast("{0}", e.type, to, self.env.context, attempt)
        name = "TRY_CAST" if attempt else "CAST"
        return Apply(name, (e,), text, target, place=(span, self.env.source))

    # one method a kind of syntax

    def _name(self, e: s.Name) -> Typed:
        return self.scope.resolve(e, self.env)

    def _literal(self, e: s.Literal) -> Typed:
        return bind_literal(e, self.env)

    def _interval(self, e: s.IntervalLiteral) -> Typed:
        return bind_interval(e, self.env)

    def _unary(self, e: s.Unary) -> Typed:
        if e.op == "-" and isinstance(e.operand, s.Literal) and e.operand.kind == "number":
            return _negated(bind_literal(e.operand, self.env))
        operand = self.bind(e.operand)
        if e.op == "+":
            if not operand.type.is_numeric:
                raise self.env.error(f"+ cannot be applied to {operand.type}", e.span)
            return operand
        name = "NOT" if e.op == "NOT" else "MINUS_PREFIX"
        return self.apply(name, (operand,), e.span)

    def _binary(self, e: s.Binary) -> Typed:
        return self.apply(e.op, (self.bind(e.left), self.bind(e.right)), e.span)

    def _time_between(self, e: s.TimeBetween) -> Typed:
        left, right = self.bind(e.left), self.bind(e.right)
        times = all(t.is_timestamp or t.root is Root.DATE for t in (left.type, right.type))
        if times and e.unit in ("YEAR", "MONTH"):
            return self._months_between(left, right, e.span)
        if not times:
            hint = "write TIMESTAMPDIFF(unit, from, to), which gives a number"
            what = f"{left.type.plain()} minus {right.type.plain()} in {e.unit}"
            raise self.env.unsupported(what, e.span, hint)
        nullable = left.type.nullable or right.type.nullable
        kind = INTERVAL_SECOND if nullable else INTERVAL_SECOND.not_null()
        text = "(epoch_ms(({0})::TIMESTAMP) - epoch_ms(({1})::TIMESTAMP))"
        return Apply("MINUS_TIMES", (left, right), text, kind)

    def _months_between(self, left: Typed, right: Typed, span: Span) -> Typed:
        """``(a - b) MONTH``: whole months from b to a."""
        unit = Const("NULL", DataType(Root.NULL))
        months = self.apply("TIMESTAMPDIFF", (unit, right, left), span, {0: "MONTH"})
        nullable = left.type.nullable or right.type.nullable
        kind = INTERVAL_MONTH if nullable else INTERVAL_MONTH.not_null()
        return Apply("MINUS_TIMES", (months,), "{0}", kind)

    def _is(self, e: s.Is) -> Typed:
        if e.what.startswith("JSON"):
            typed = self.apply(f"IS {e.what}", (self.bind(e.operand),), e.span)
            return self.apply("NOT", (typed,), e.span) if e.negated else typed
        name = f"IS {'NOT ' if e.negated else ''}{e.what}"
        return self.apply(name, (self.bind(e.operand),), e.span)

    def _between(self, e: s.Between) -> Typed:
        operand, low, high = (self.bind(x) for x in (e.operand, e.low, e.high))
        typed = self.apply("BETWEEN", (operand, low, high), e.span)
        if e.symmetric:
            other = self.apply("BETWEEN", (operand, high, low), e.span)
            typed = self.apply("OR", (typed, other), e.span)
        return self.apply("NOT", (typed,), e.span) if e.negated else typed

    def _in_list(self, e: s.InList) -> Typed:
        args = (self.bind(e.operand), *(self.bind(i) for i in e.items))
        typed = self.apply("IN", args, e.span)
        return self.apply("NOT", (typed,), e.span) if e.negated else typed

    def _like(self, e: s.Like) -> Typed:
        args = [self.bind(e.operand), self.bind(e.pattern)]
        if e.escape is not None:
            args.append(self.bind(e.escape))
        typed = self.apply("SIMILAR TO" if e.similar else "LIKE", tuple(args), e.span)
        return self.apply("NOT", (typed,), e.span) if e.negated else typed

    def _case(self, e: s.CaseExpression) -> Typed:
        args: list[Typed] = []
        operand = None if e.operand is None else self.bind(e.operand)
        for when, then in e.whens:
            if operand is None:
                condition = self._if_true(when)
            else:
                condition = self.apply("=", (operand, self.bind(when)), when.span)
            args += [condition, self.bind(then)]
        otherwise = e.otherwise or s.Literal("null", "NULL", e.span)
        args.append(self.bind(otherwise))
        return self.apply("CASE", tuple(args), e.span)

    def _cast(self, e: s.CastExpression) -> Typed:
        return self.cast(self.bind(e.operand), e.type, e.span, e.attempt)

    def _construct(self, e: s.Construct) -> Typed:
        return self.apply(e.kind, tuple(self.bind(i) for i in e.items), e.span)

    def _index(self, e: s.Index) -> Typed:
        return self.apply("ITEM", (self.bind(e.operand), self.bind(e.index)), e.span)

    def _field(self, e: s.FieldOf) -> Typed:
        return field_of(self.bind(e.operand), e.name, e.span, self.env)

    def arguments(
        self, function: CatalogFunction, e: s.FunctionCall, args: tuple[Typed, ...]
    ) -> tuple[Typed, ...]:
        """A Python function's arguments, as the types that it declares.

        Raises:
            EddylineError: ``sql_semantic`` for a wrong number or type.
        """
        python_calls.checked(function, e, args, self.env)
        if function.arguments is None:
            return args
        cast = []
        for a, to, node in zip(args, function.arguments, e.args, strict=True):
            if not python_calls.castable(a.type, to):
                raise python_calls.mismatch(function, a.type, to, node.span, self.env)
            cast.append(self.cast(a, to, node.span))
        return tuple(cast)

    def _python(self, function: CatalogFunction, e: s.FunctionCall) -> Typed:
        """A call of a Python function."""
        if function.kind in AGGREGATE_KINDS and e.over is None:
            return self._aggregate(e)
        if function.kind is not FunctionKind.SCALAR or e.over is not None:
            raise python_calls.misplaced(function, e, self.env)
        if e.distinct or e.filter is not None or e.star:
            raise self.env.error(f"{e.name} is not an aggregate function", e.name_span)
        args = self.arguments(function, e, tuple(self.bind(a) for a in e.args))
        return python_calls.scalar(function, args, (e.span, self.env.source))

    def _call(self, e: s.FunctionCall) -> Typed:
        function = self.env.function(e.name, built_in=is_built_in(e.name))
        if function is not None:
            return self._python(function, e)
        if e.over is not None:
            return self._over(e)
        if e.name in GROUPINGS:
            if self.grouping is None:
                raise self.env.error(f"{e.name} needs a query with GROUP BY", e.span)
            return self.grouping(e)
        if e.name in WINDOW_ONLY or e.name == DETECTION:
            msg = f"{e.name} needs OVER (…)"
            raise self.env.error(msg, e.span, f"for example {e.name}(…) OVER (ORDER BY time)")
        if e.name in AGGREGATES or e.name in ALIASES:
            return self._aggregate(e)
        if e.distinct or e.filter is not None or e.star:
            raise self.env.error(f"{e.name} is not an aggregate function", e.name_span)
        if e.name == "CURRENT_DATABASE" and not e.args:
            database = self.env.catalog.current_database
            return bind_literal(s.Literal("string", database, e.span), self.env)
        if e.name in AUXILIARY or e.name in WINDOW_FUNCTIONS:
            return self._window_part(e)
        if e.name == SCALAR_FOREST:
            return self._forest(e)
        if e.name == CURRENT_WATERMARK:
            return self._watermark(e)
        if e.name == TABLE_API_PLUS:
            return self._plus(e)
        units = {i: a.name for i, a in enumerate(e.args) if isinstance(a, s.Unit)}
        args = tuple(
            Const("NULL", DataType(Root.NULL)) if i in units else self.bind(a)
            for i, a in enumerate(e.args)
        )
        name = "COALESCE" if e.name == "IFNULL" and len(args) == 2 else e.name
        span = e.name_span if _is_unknown(name) else e.span
        return self.apply(name, args, span, units)

    def _over(self, e: s.FunctionCall) -> Typed:
        if e.name not in (*WINDOW_ONLY, *AGGREGATES, *ALIASES, DETECTION):
            raise self.env.error(f"{e.name} cannot be used with OVER", e.name_span)
        if self.overs is None:
            msg = f"{e.name}(…) OVER (…) cannot stand in {self.clause}"
            hint = "compute it in a subquery: SELECT … FROM (SELECT *, … OVER (…) AS x FROM t)"
            raise self.env.error(msg, e.span, hint)
        return self.overs.add(e, self)

    def _aggregate(self, e: s.FunctionCall) -> Typed:
        if self.aggregates is None:
            msg = f"{e.name} cannot stand in {self.clause}"
            hint = "a condition on an aggregate goes into HAVING"
            raise self.env.error(msg, e.span, hint if self.clause == "WHERE" else None)
        return self.aggregates.add(e, self.env)

    def _window_part(self, e: s.FunctionCall) -> Typed:
        if self.auxiliary is not None:
            return self.auxiliary(e)
        window = AUXILIARY[e.name][0] if e.name in AUXILIARY else e.name
        msg = f"{e.name} needs a query grouped by {window}(…)"
        raise self.env.error(msg, e.span, f"add GROUP BY {window}(time, INTERVAL '10' SECOND)")

    def _plus(self, e: s.FunctionCall) -> Typed:
        """The Table API's plus: a sum, or texts put together."""
        operands = tuple(map(self.bind, e.args))
        if not any(x.type.is_text for x in operands):
            return self.apply("+", operands, e.span)
        texts = (x if x.type.is_text else self.cast(x, STRING, e.span) for x in operands)
        return self.apply("||", tuple(texts), e.span)

    def _watermark(self, e: s.FunctionCall) -> Typed:
        """CURRENT_WATERMARK: a mark that a rule turns into a column."""
        kind = self.bind(e.args[0]).type if len(e.args) == 1 else None
        if kind is None or not kind.is_rowtime:
            msg = f"{e.name} takes a row time, a column with WATERMARK FOR it"
            raise self.env.error(msg, e.span, f"for example {e.name}(ts)")
        if self.clause in _WITHOUT_WATERMARK:
            raise self.env.error(f"{e.name} cannot stand in {self.clause}", e.span)
        return Apply(e.name, (), "NULL", kind.plain().null(), volatile=True)

    def _forest(self, e: s.FunctionCall) -> Typed:
        """The scalar form: a mark that a rule turns into a Forest node."""
        if not 1 <= len(e.args) <= 5:
            msg = f"{e.name} takes a number, and up to four literals"
            raise self.env.error(msg, e.span, "for example RANDOM_CUT_FOREST(x, 100, 256)")
        value = self.bind(e.args[0])
        if not value.type.is_numeric:
            raise self.env.error(f"{e.name} needs a number, not {value.type}", e.args[0].span)
        settings = tuple(self.bind(a) for a in e.args[1:])
        for a, node in zip(settings, e.args[1:], strict=True):
            if not isinstance(a, Const) or not isinstance(a.value, int):
                raise self.env.error("this must be a whole number", node.span)
        number = self.cast(value, DOUBLE, e.span)
        return Apply(SCALAR_FOREST, (number, *settings), "NULL", DOUBLE, volatile=True)

    def _misplaced(self, e: Any) -> Typed:
        what = {
            s.Star: "'*'",
            s.Unit: "a time unit",
            s.NamedArgument: "a named argument",
            s.TableArgument: "TABLE",
            s.Descriptor: "DESCRIPTOR",
        }[type(e)]
        raise self.env.error(f"{what} cannot stand here", e.span)

    def _value(self, e: s.ScalarQuery) -> Typed:
        if self.values is None:
            hint = "join with the subquery instead"
            raise self.env.unsupported(f"a subquery in {self.clause}", e.span, hint)
        return self.values(e)

    def _subquery(self, e: s.InQuery | s.Exists) -> Typed:
        """A test inside another expression: a count of rows that pass."""
        if self.values is None:
            word = "IN (SELECT …)" if isinstance(e, s.InQuery) else "EXISTS"
            hint = "make it a condition of its own in WHERE, joined to the others by AND"
            raise self.env.unsupported(f"{word} in {self.clause}", e.span, hint)
        if isinstance(e, s.Exists):
            return self.bind(exists(e))
        return self.bind(in_query(e, self._certain and not e.negated))


def _passes_on(e: s.Expression) -> bool:
    """Whether an expression that holds needs only that its parts hold."""
    return isinstance(e, s.InQuery | s.Exists) or (
        isinstance(e, s.Binary) and e.op in ("AND", "OR")
    )


def _argument(e: Typed, unit: str | None) -> Argument:
    if isinstance(e, Const):
        return Argument(e.type, e.value, literal=True, unit=unit, constant=True)
    constant = not refs(e) and not is_volatile(e)
    return Argument(e.type, unit=unit, constant=constant)


def _negated(number: Const) -> Const:
    value = -number.value if isinstance(number.value, int | float) else None
    if value == 0:  # a literal has no negative zero
        return number
    if value == -(2**31):  # as a literal of its own 2147483648 is a BIGINT
        return Const("(-2147483648)::INTEGER", INT.not_null(), value)
    return Const(f"(-{number.text})", number.type, value)


def is_built_in(name: str) -> bool:
    """Whether the SQL itself has a function of that name."""
    name = name.upper()
    return (
        not _is_unknown(name)
        or name in AGGREGATES
        or name in ALIASES
        or name in AUXILIARY
        or name in WINDOW_FUNCTIONS
        or name in WINDOW_ONLY
        or name in GROUPINGS
        or name in (SCALAR_FOREST, DETECTION)
    )


def _is_unknown(name: str) -> bool:
    from eddyline.functions import FUNCTIONS

    return name not in FUNCTIONS


_BINDERS: dict[type, Callable[[ExpressionBinder, Any], Typed]] = {
    s.Name: ExpressionBinder._name,
    s.Literal: ExpressionBinder._literal,
    s.IntervalLiteral: ExpressionBinder._interval,
    s.Unary: ExpressionBinder._unary,
    s.TimeBetween: ExpressionBinder._time_between,
    s.Binary: ExpressionBinder._binary,
    s.Is: ExpressionBinder._is,
    s.Between: ExpressionBinder._between,
    s.InList: ExpressionBinder._in_list,
    s.InQuery: ExpressionBinder._subquery,
    s.Exists: ExpressionBinder._subquery,
    s.ScalarQuery: ExpressionBinder._value,
    s.Like: ExpressionBinder._like,
    s.CaseExpression: ExpressionBinder._case,
    s.CastExpression: ExpressionBinder._cast,
    s.FunctionCall: ExpressionBinder._call,
    s.Construct: ExpressionBinder._construct,
    s.Index: ExpressionBinder._index,
    s.FieldOf: ExpressionBinder._field,
    s.Star: ExpressionBinder._misplaced,
    s.Unit: ExpressionBinder._misplaced,
    s.NamedArgument: ExpressionBinder._misplaced,
    s.TableArgument: ExpressionBinder._misplaced,
    s.Descriptor: ExpressionBinder._misplaced,
}
