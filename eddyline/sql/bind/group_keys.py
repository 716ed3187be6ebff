"""GROUP BY: its keys, a legacy window, and the sets of GROUPING SETS, CUBE and ROLLUP.

Several sets mean that each row is grouped once per set, with NULL in the keys that are not in
it. A number tells the sets apart, which is also what GROUPING and its sisters read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, product

from eddyline.record.schema import Column, Schema
from eddyline.record.types import BIGINT, INT, duckdb_type
from eddyline.sql import syntax as s
from eddyline.sql.bind import group_windows
from eddyline.sql.bind.expressions import WINDOW_FUNCTIONS, ExpressionBinder
from eddyline.sql.bind.grouping import LegacyWindow
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment
from eddyline.sql.logical import Expand, Node, identity, unique
from eddyline.sql.typed import Apply, Const, Ref, Typed

_ID = INT.not_null()
SETS_MAX = 4096


@dataclass(slots=True)
class GroupingKeys:
    """What a query is grouped by.

    keys: all different keys. sets: which of them are in each set, None without GROUPING SETS.
    columns: key to the column that holds it for the aggregation, once ``expand`` has made it.
    """

    keys: tuple[Typed, ...] = ()
    legacy: LegacyWindow | None = None
    sets: tuple[frozenset[int], ...] | None = None
    columns: dict[Typed, Ref] = field(default_factory=dict)
    number: Ref | None = None

    def expand(self, source: Relation) -> Node:
        """The rows to aggregate: each once per set."""
        if self.sets is None:
            return source.node
        node, taken = source.node, set(source.node.schema.names)
        made: list[tuple[int, Column]] = []
        for i, key in enumerate(self.keys):
            if any(i not in members for members in self.sets):
                name = unique(f"$key{i}", taken)
                taken.add(name)
                made.append((i, Column(name, key.type.plain().null())))
                self.columns[key] = Ref(name, made[-1][1].type)
        number = Column(unique("$set", taken), _ID)
        self.number = Ref(number.name, _ID)
        sets = []
        for at, members in enumerate(self.sets):
            items = [(c.name, self._value(i, c, members)) for i, c in made]
            last = (number.name, Const(str(at), _ID, at))
            sets.append((*identity(node.schema), *items, last))
        schema = Schema((*node.schema, *(c for _, c in made), number))
        return Expand(node, tuple(sets), schema)

    def _value(self, i: int, c: Column, members: frozenset[int]) -> Typed:
        if i in members:
            return self.keys[i]
        return Const(f"CAST(NULL AS {duckdb_type(c.type)})", c.type)

    @property
    def grouped_by(self) -> tuple[Typed, ...]:
        """The keys of the aggregation."""
        own = tuple(self.columns.get(k, k) for k in self.keys)
        return own if self.number is None else (*own, self.number)

    def grouping(self, call: s.FunctionCall, binder: ExpressionBinder, env: Environment) -> Typed:
        """GROUPING(k), GROUPING_ID(a, b) or GROUP_ID(): read from the number of the set.

        Raises:
            EddylineError: ``sql_semantic`` for an argument that is no key.
        """
        if call.name == "GROUP_ID":
            sets = self.sets or ()
            repeats = [sets[:i].count(m) for i, m in enumerate(sets)]
            return self._by_set(repeats)
        if not call.args:
            raise env.error(f"{call.name} needs a key of GROUP BY", call.span)
        at = []
        for a in call.args:
            e = binder.bind(a)
            if e not in self.keys:
                msg = f"{call.name} needs a key of GROUP BY"
                raise env.error(msg, a.span, "write it as it stands there")
            at.append(self.keys.index(e))
        bits = [
            sum((i not in members) << (len(at) - 1 - n) for n, i in enumerate(at))
            for members in self.sets or ()
        ]
        return self._by_set(bits)

    def _by_set(self, values: list[int]) -> Typed:
        kind = BIGINT.not_null()
        if len(set(values)) < 2:
            value = values[0] if values else 0
            return Const(f"CAST({value} AS BIGINT)", kind, value)
        # The column is known only after ``expand``: a mark until then.
        cases = " ".join(f"WHEN {i} THEN {v}" for i, v in enumerate(values))
        template = f"CAST(CASE {{0}} {cases} END AS BIGINT)"
        return Apply("GROUPING", (Ref(NUMBER, _ID),), template, kind)


NUMBER = "\0set"


def bind_grouping(q: s.Select, binder: ExpressionBinder, env: Environment) -> GroupingKeys:
    """The keys of GROUP BY.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    keys = GroupingKeys()
    if q.group_by is None:
        return keys
    expressions: list[Typed] = []
    elements: list[list[frozenset[int]]] = []
    inner = ExpressionBinder(binder.scope, env, "GROUP BY")
    inner.values = binder.values

    def put(item: s.Expression) -> int:
        e = _key(item, q, inner, env)
        if e not in expressions:
            expressions.append(e)
        return expressions.index(e)

    for item in q.group_by.items:
        if isinstance(item, s.GroupingSets):
            elements.append(_sets(item, put, env))
        elif isinstance(item, s.FunctionCall) and item.name in WINDOW_FUNCTIONS:
            if keys.legacy is not None:
                raise env.error("a query is grouped by one window only", item.span)
            keys.legacy = group_windows.legacy_window(item, inner, env)
        else:
            elements.append([frozenset({put(item)})])
    keys.keys = tuple(expressions)
    if any(isinstance(item, s.GroupingSets) for item in q.group_by.items):
        sets = [frozenset().union(*members) for members in product(*elements)]
        if len(sets) > SETS_MAX:
            msg = f"GROUP BY makes {len(sets)} grouping sets"
            raise env.error(msg, q.group_by.span, f"at most {SETS_MAX} are possible")
        keys.sets = tuple(sets)
    return keys


def _sets(
    item: s.GroupingSets, put: Callable[[s.Expression], int], env: Environment
) -> list[frozenset[int]]:
    """The sets that a phrase stands for, as numbers of keys."""
    groups: list[frozenset[int]] = []
    for group in item.groups:
        if isinstance(group, s.GroupingSets):
            groups += _sets(group, put, env)
        else:
            groups.append(frozenset(put(e) for e in group))
    if item.kind == "GROUPING SETS":
        return groups
    if item.kind == "ROLLUP":
        counts = range(len(groups), -1, -1)
        return [frozenset().union(*groups[:n]) for n in counts]
    if 2 ** len(groups) > SETS_MAX:
        raise env.error(f"CUBE of {len(groups)} keys is too large", item.span)
    return [
        frozenset().union(*members)
        for n in range(len(groups), -1, -1)
        for members in combinations(groups, n)
    ]


def _key(item: s.Expression, q: s.Select, binder: ExpressionBinder, env: Environment) -> Typed:
    """A key; its alias or number in the list is understood too."""
    if isinstance(item, s.Literal) and item.kind == "number" and item.text.isdigit():
        at = int(item.text)
        if not 1 <= at <= len(q.items) or isinstance(q.items[at - 1].expression, s.Star):
            raise env.error(f"GROUP BY {at}: the list has no such column", item.span)
        env.warn(f"GROUP BY {at} means the list's column {at} here; Flink groups by the number")
        return binder.bind(q.items[at - 1].expression)
    if isinstance(item, s.Name) and len(item.parts) == 1:
        own = [f for f in binder.scope.fields if f.name == item.parts[0]]
        named = [i.expression for i in q.items if i.alias == item.parts[0]]
        if not own and len(named) == 1:
            env.warn(f"GROUP BY {item} means the list's column here; Flink refuses an alias")
            return binder.bind(named[0])
    return binder.bind(item)
