"""MATCH_RECOGNIZE: a sequence of rows in order of time that fits a pattern.

A condition or a measure reads rows of the match through ``Collected`` values: ``A.price`` is the
price of the newest row of A, a column without a variable that of the newest row of all.
"""

from __future__ import annotations

from dataclasses import replace

from eddyline.functions.aggregates import aggregate
from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, DataType, Root, TimeAttribute
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.names import names_of, without_qualifier
from eddyline.sql.bind.overs import is_time
from eddyline.sql.bind.relation import Relation, aliased, projected
from eddyline.sql.bind.scope import Environment, Scope
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import Calc, Match, unique
from eddyline.sql.matching import ANY, Collected, Step
from eddyline.sql.sorting import SortKey
from eddyline.sql.typed import Const, Ref, Typed

_AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG")
_REFUSED = {
    "CLASSIFIER": "give a measure of each variable instead, for example COUNT(A.x)",
    "MATCH_NUMBER": "number the matches with ROW_NUMBER() OVER (…)",
    "PREV": "write LAST(A.x, 1)",
    "NEXT": "describe the next row as a variable of its own",
}


def matched(r: s.MatchRecognize, source: Relation, env: Environment) -> Relation:
    """The matches of a pattern in the rows of ``source``: partition columns, then measures.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
    """
    if not insert_only(source.node):
        hint = "group by a window, or filter before anything that changes"
        raise env.unsupported("MATCH_RECOGNIZE over rows that are taken back", r.span, hint)
    reader = _ClauseBinder(r, source, env)
    keys = reader.partition()
    order = reader.order()
    steps = tuple(reader.step(v) for v in r.pattern)
    reader.refuse_unknown_variables()
    measures = [(name, reader.measure(e)) for e, name in r.measures]
    within = None if r.within is None else reader.within(r.within)
    collected = reader.collected
    below = Calc(source.node, tuple(reader.columns.items()))
    columns = [Column(k.name, k.type) for k in keys]
    columns += [Column(c.name, c.type) for c in collected]
    node = Match(
        below,
        tuple(k.name for k in keys),
        order,
        reader.is_event_time,
        steps,
        collected,
        r.skip,
        r.skip_variable,
        within,
        Schema(tuple(columns)),
    )
    names = [(name, k) for name, k in zip(reader.key_names, keys, strict=True)]
    relation = projected(node, [*names, *measures])
    return aliased(relation, r.alias, r.columns, r.span, env)


class _ClauseBinder:
    """Binds the clauses over one input; collects the columns that the operator needs."""

    def __init__(self, r: s.MatchRecognize, relation: Relation, env: Environment) -> None:
        self._r = r
        self._relation = relation
        self._env = env
        self._taken = set(relation.node.schema.names)
        self._variables = [v.name for v in r.pattern]
        self.columns: dict[str, Typed] = {}
        self.collected: tuple[Collected, ...] = ()
        self.key_names: list[str] = []
        self.is_event_time = True
        self.time = ""

    def _put(self, e: Typed, name: str) -> Ref:
        """A column of the operator's input that holds ``e``."""
        kind = e.type
        if isinstance(e, Ref):
            self.columns.setdefault(e.name, e)
            return e
        for known, other in self.columns.items():
            if other == e:
                return Ref(known, kind)
        own = unique(name, self._taken)
        self._taken.add(own)
        self.columns[own] = e
        return Ref(own, kind)

    def partition(self) -> list[Ref]:
        binder = ExpressionBinder(self._relation.scope, self._env, "PARTITION BY")
        keys = []
        for e in self._r.partition_by:
            if not isinstance(e, s.Name):
                hint = "compute it in a subquery"
                raise self._env.error("PARTITION BY takes columns here", e.span, hint)
            self.key_names.append(e.parts[-1])
            keys.append(self._put(binder.bind(e), "$key"))
        return keys

    def order(self) -> tuple[SortKey, ...]:
        span = self._r.span
        if not self._r.order_by:
            hint = "add ORDER BY with the row time, or with a processing time"
            raise self._env.error("MATCH_RECOGNIZE needs ORDER BY", span, hint)
        binder = ExpressionBinder(self._relation.scope, self._env, "ORDER BY")
        keys = []
        for i, item in enumerate(self._r.order_by):
            ref = self._put(binder.bind(item.expression), "$order")
            if i == 0 and (not is_time(ref.type) or item.descending):
                msg = "MATCH_RECOGNIZE must be ordered by an ascending time attribute first"
                hint = "a row time is a column with WATERMARK FOR it; PROCTIME() gives the other"
                raise self._env.error(msg, item.span, hint)
            first = item.nulls_first if item.nulls_first is not None else not item.descending
            keys.append(SortKey(ref.name, item.descending, first))
            if i == 0:
                self.time = ref.name
                self.is_event_time = ref.type.time_attribute is TimeAttribute.ROWTIME
        return tuple(keys)

    def step(self, v: s.PatternVariable) -> Step:
        written = dict(self._r.defines).get(v.name)
        if written is None:
            return Step(v.name, v.least, v.most, v.greedy, None, ())
        binder = _Conditions(self, self._env, "DEFINE", v.name)
        condition = binder.condition(written, "DEFINE")
        return Step(v.name, v.least, v.most, v.greedy, condition, tuple(binder.reads))

    def refuse_unknown_variables(self) -> None:
        for name, e in self._r.defines:
            if name not in self._variables:
                msg = f"{name} is defined, but is not in the pattern"
                raise self._env.error(msg, e.span, f"the pattern has {', '.join(self._variables)}")
        skip = self._r.skip_variable
        if skip is not None and skip not in self._variables:
            msg = f"AFTER MATCH SKIP names {skip}, which is not in the pattern"
            raise self._env.error(msg, self._r.span)

    def measure(self, e: s.Expression) -> Typed:
        binder = _Conditions(self, self._env, "MEASURES", None)
        binder.reads = list(self.collected)
        bound = binder.bind(e)
        self.collected = tuple(binder.reads)
        return bound

    def within(self, e: s.Expression) -> int:
        bound = ExpressionBinder(Scope(()), self._env, "WITHIN").bind(e)
        value = bound.value if isinstance(bound, Const) else None
        if bound.type.root is Root.INTERVAL_SECOND and isinstance(value, int):
            return value
        hint = "for example WITHIN INTERVAL '10' SECOND"
        raise self._env.error("WITHIN needs an interval of days to seconds", e.span, hint)

    def read(self, inner: s.Expression, clause: str) -> tuple[str, Ref]:
        """The variable whose rows an expression reads, and the column that holds its value.

        Raises:
            EddylineError: ``sql_semantic`` if it reads rows of two variables.
        """
        own = {n.parts[0] for n in names_of(inner) if self.is_variable(n)}
        if len(own) > 1:
            msg = f"this reads rows of {' and '.join(sorted(own))} together"
            raise self._env.error(msg, inner.span, "read one variable at a time")
        variable = own.pop() if own else ANY
        plain = without_qualifier(inner, self._variables)
        bound = ExpressionBinder(self._relation.scope, self._env, clause).bind(plain)
        return variable, self._put(bound, "$value")

    def is_variable(self, name: s.Name) -> bool:
        """Whether a name begins with a pattern variable."""
        return len(name.parts) > 1 and name.parts[0] in self._variables


class _Conditions(ExpressionBinder):
    """Binds a condition or a measure; what it reads from the match becomes a ``Collected``.

    current: the variable that DEFINE describes; its newest row is the row that is looked at.
    """

    def __init__(
        self, reader: _ClauseBinder, env: Environment, clause: str, current: str | None
    ) -> None:
        super().__init__(Scope(()), env, clause)
        self._reader = reader
        self._current = current
        self.reads: list[Collected] = []

    def bind(self, e: s.Expression) -> Typed:
        if isinstance(e, s.Name):
            return self._newest(e)
        if isinstance(e, s.FunctionCall):
            if e.name in _REFUSED:
                raise self.env.unsupported(e.name, e.name_span, _REFUSED[e.name])
            if e.name in ("LAST", "FIRST"):
                return self._edge(e)
            if e.name == "MATCH_ROWTIME":
                return self._row_time(e)
            if e.name == "MATCH_PROCTIME":
                return self.apply("PROCTIME", (), e.span)
            if e.name in _AGGREGATES:
                return self._aggregated(e)
        return super().bind(e)

    def _newest(self, e: s.Expression) -> Typed:
        variable, ref = self._reader.read(e, self.clause)
        if self._current is not None and variable in (self._current, ANY):
            return Ref(ref.name, ref.type.plain())
        return self._collect("LAST", variable, 0, ref.name, ref.type.plain().null())

    def _edge(self, e: s.FunctionCall) -> Typed:
        if not 1 <= len(e.args) <= 2:
            raise self.env.error(f"{e.name} takes a value and an offset", e.span)
        offset = 0
        if len(e.args) == 2:
            bound = ExpressionBinder(Scope(()), self.env, e.name).bind(e.args[1])
            if not isinstance(bound, Const) or not isinstance(bound.value, int):
                msg = f"the offset of {e.name} must be a whole number"
                raise self.env.error(msg, e.args[1].span, f"for example {e.name}(A.x, 1)")
            offset = bound.value
        if e.name == "LAST" and offset == 0:
            return self._newest(e.args[0])
        variable, ref = self._reader.read(e.args[0], self.clause)
        return self._collect(e.name, variable, offset, ref.name, ref.type.plain().null())

    def _row_time(self, e: s.FunctionCall) -> Typed:
        if not self._reader.is_event_time:
            msg = "MATCH_ROWTIME needs an order by a row time"
            raise self.env.error(msg, e.span, "use MATCH_PROCTIME()")
        time = Ref(self._reader.time, self._reader.columns[self._reader.time].type)
        if self._current is not None:
            return time
        kind = replace(time.type, nullable=False, time_attribute=TimeAttribute.ROWTIME)
        return self._collect("LAST", ANY, 0, time.name, kind)

    def _aggregated(self, e: s.FunctionCall) -> Typed:
        if e.distinct or e.filter is not None:
            what = f"{e.name} with DISTINCT or FILTER in MATCH_RECOGNIZE"
            raise self.env.unsupported(what, e.span, "put the condition into DEFINE")
        star = e.star or (len(e.args) == 1 and isinstance(e.args[0], s.Star))
        if star:
            name = e.args[0].qualifier if e.args and isinstance(e.args[0], s.Star) else None
            return self._collect("COUNT", name or ANY, 0, None, BIGINT.not_null())
        if len(e.args) != 1:
            raise self.env.error(f"{e.name} takes one value", e.span)
        variable, ref = self._reader.read(e.args[0], self.clause)
        with self.env.at(e.span):
            kind = aggregate(e.name, (ref.type,)).type
        if e.name in ("SUM", "AVG", "MIN", "MAX") and not _is_plain(ref.type):
            what = f"{e.name} of {ref.type} in MATCH_RECOGNIZE"
            raise self.env.unsupported(what, e.span, "measure the rows, and aggregate above")
        kind = kind.not_null() if e.name == "COUNT" else kind.plain().null()
        return self._collect(e.name, variable, 0, ref.name, kind)

    def _collect(
        self, function: str, variable: str, offset: int, column: str | None, kind: DataType
    ) -> Ref:
        value = Collected(function, variable, offset, column, kind, "")
        for known in self.reads:
            if replace(known, name="") == value:
                return Ref(known.name, kind)
        prefix = "$measure" if self._current is None else f"${self._current}"
        name = f"{prefix}{len(self.reads)}"
        self.reads.append(replace(value, name=name))
        return Ref(name, kind)


def _is_plain(kind: DataType) -> bool:
    return kind.is_numeric or kind.is_text or kind.is_timestamp or kind.root is Root.DATE
