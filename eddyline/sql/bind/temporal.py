"""``JOIN t FOR SYSTEM_TIME AS OF x``: each row with the version of its partner at a time.

By a row time the partner is a version of a versioned table: a table with a primary key and a row
time, or a view that keeps the last row per key by row time. By processing time it is what a
bounded table holds (a lookup join).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from eddyline.options.connectors.filesystem import MONITOR_INTERVAL
from eddyline.record.types import TimeAttribute
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.joins import beside
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment
from eddyline.sql.changes import insert_only
from eddyline.sql.logical import (
    AssignWatermark,
    Calc,
    Join,
    LookupJoin,
    Node,
    Rank,
    Scan,
    TemporalJoin,
    identity,
    unique,
)
from eddyline.sql.ranking import strategy
from eddyline.sql.rules.merge_calcs import merge_calcs
from eddyline.sql.rules.rank_overs import rank_overs
from eddyline.sql.typed import (
    Apply,
    Ref,
    Typed,
    conjunction,
    conjuncts,
    is_volatile,
    refs,
    substitute,
)
from eddyline.sql.windowing import equal_refs, rowtime_of

_KINDS = ("INNER", "LEFT")


@dataclass(frozen=True, slots=True)
class _Versions:
    """The rows that are a table's versions.

    keys: what a version is a version of. time: from when on it is valid. alive: the column that
    says whether a version is there at all. rising: a row older than the newest is no version.
    """

    node: Node
    keys: tuple[str, ...]
    time: str
    alive: str | None
    rising: bool


def temporal(left: Relation, right: Relation, j: s.JoinClause, env: Environment) -> Relation:
    """The join of a clause whose right side is a table with FOR SYSTEM_TIME AS OF.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``, with the place.
    """
    assert isinstance(j.right, s.TableName)
    assert j.right.as_of is not None
    if j.kind not in _KINDS or j.condition is None:
        what = f"{j.kind} JOIN with FOR SYSTEM_TIME AS OF" if j.condition else "USING here"
        raise env.unsupported(what, j.span, "write [LEFT] JOIN … ON")
    time = ExpressionBinder(left.scope, env, "FOR SYSTEM_TIME AS OF").bind(j.right.as_of)
    if not isinstance(time, Ref) or time.type.time_attribute is None:
        msg = f"FOR SYSTEM_TIME AS OF needs a time attribute of the left side, this is {time.type}"
        hint = "a column with WATERMARK FOR it, or one declared AS PROCTIME()"
        raise env.error(msg, j.right.as_of.span, hint)
    if not insert_only(left.node):
        msg = "FOR SYSTEM_TIME AS OF cannot follow rows that are taken back"
        raise env.error(msg, j.left.span, "join before grouping")
    if time.type.time_attribute is TimeAttribute.PROCTIME:
        return _lookup(left, right, j, env)
    versions = _versions(right, j, env)
    both, join = _bound(left, Relation(versions.node, right.fields), j, env)
    _check_keys(join, versions, j, env)
    lefts = dict(zip(left.node.schema.names, join.left_names, strict=True))
    rights = dict(zip(versions.node.schema.names, join.right_names, strict=True))
    node = TemporalJoin(
        join.left, join.right, join.kind, join.condition, lefts[time.name], rights[versions.time],
        None if versions.alive is None else rights[versions.alive], versions.rising,
        join.left_names, join.right_names, join.schema,
    )  # fmt: skip
    return Relation(node, both.fields)


def _bound(
    left: Relation, right: Relation, j: s.JoinClause, env: Environment
) -> tuple[Relation, Join]:
    """Both sides beside one another, with the condition of ON."""
    fields, join = beside(left, right, j.kind)
    both = Relation(join, fields)
    assert j.condition is not None
    condition = ExpressionBinder(both.scope, env, "ON").condition(j.condition, "ON")
    return both, replace(join, condition=condition)


def _versions(right: Relation, j: s.JoinClause, env: Environment) -> _Versions:
    """The versions of the right side.

    Raises:
        EddylineError: ``sql_semantic`` if it has no key or no row time.
    """
    node = rank_overs(merge_calcs(right.node))
    rank = node.input if isinstance(node, Calc) else node
    if isinstance(rank, Rank):
        versions = _of_rank(node, rank)
        if versions is not None:
            return versions
    keys = _primary_key(right.node)
    time = rowtime_of(right.node)
    if keys and time is not None and insert_only(right.node):
        return _Versions(right.node, keys, time, None, rising=False)
    msg = f"{j.right.name} is no versioned table"  # type: ignore[union-attr]
    hint = (
        "it needs PRIMARY KEY (…) NOT ENFORCED and a WATERMARK, or must be a view of the last row "
        "per key: SELECT … FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY key ORDER BY time "
        "DESC) AS rn FROM t) WHERE rn = 1"
    )
    raise env.error(msg, j.right.span, hint)


def _of_rank(node: Node, rank: Rank) -> _Versions | None:
    """The versions of a view that keeps the last row per key by row time."""
    how = strategy(rank, steady=insert_only(rank.input))
    if how.keep != "LAST" or not how.by_rowtime:
        return None
    time, keys = rank.order[0].column, rank.partition_by
    if not isinstance(node, Calc):
        return _Versions(rank.input, keys, time, None, rising=True)
    names = {e.name: n for n, e in node.projections if isinstance(e, Ref)}
    if time not in names or not set(keys) <= set(names):
        return None
    items: list[tuple[str, Typed]] = list(node.projections)
    alive = None
    if node.condition is not None:
        alive = unique("$alive", {n for n, _ in items})
        items.append((alive, node.condition))
    calc = Calc(rank.input, tuple(items))
    return _Versions(calc, tuple(names[k] for k in keys), names[time], alive, rising=True)


def _primary_key(node: Node) -> tuple[str, ...]:
    """The columns that are the table's primary key, empty if it has none or it is not all there."""
    if isinstance(node, Scan):
        columns = {stored: column for column, stored in node.stored}
        return tuple(columns.get(k, k) for k in node.table.primary_key)
    if isinstance(node, AssignWatermark):
        return _primary_key(node.input)
    if isinstance(node, Calc):
        names = {e.name: n for n, e in node.projections if isinstance(e, Ref)}
        keys = _primary_key(node.input)
        return tuple(names[k] for k in keys) if set(keys) <= set(names) else ()
    return ()


def _check_keys(join: Join, versions: _Versions, j: s.JoinClause, env: Environment) -> None:
    """Every key of the versions must be compared for equality."""
    rights = dict(zip(versions.node.schema.names, join.right_names, strict=True))
    compared = {name for c in conjuncts(join.condition) for name in equal_refs(c) or ()}
    missing = [k for k in versions.keys if rights[k] not in compared]
    if missing:
        msg = f"the key of {j.right.name} must be compared in ON"  # type: ignore[union-attr]
        assert j.condition is not None
        raise env.error(msg, j.condition.span, f"add … = {missing[0]}")


def _lookup(left: Relation, right: Relation, j: s.JoinClause, env: Environment) -> Relation:
    """A join with what a bounded table holds."""
    scan = _scan_of(right.node)
    if scan is None or not _is_bounded(scan):
        msg = f"{j.right.name} cannot be looked up"  # type: ignore[union-attr]
        hint = (
            "join by a row time with a versioned table, or with a table of files that is read "
            "once ('connector' = 'filesystem' without 'source.monitor-interval')"
        )
        raise env.error(msg, j.right.span, hint)
    both, join = _bound(left, right, j, env)
    computed = _computed_key(left, join)
    if computed is not None:
        both, join = _bound(computed, right, j, env)
        join = replace(join, condition=_by_column(join))
    if not any(equal_refs(c) for c in conjuncts(join.condition)):
        assert j.condition is not None
        msg = "a lookup join needs an equal column in ON"
        raise env.error(msg, j.condition.span, "for example e.k = d.k")
    node = LookupJoin(
        join.left, join.right, join.kind, join.condition, join.left_names, join.right_names,
        join.schema,
    )  # fmt: skip
    return Relation(node, both.fields)


_KEY = "$key"


def _computed_key(left: Relation, join: Join) -> Relation | None:
    """The left side with the expression that ON compares to a column of the right side, where it
    compares no two columns."""
    parts = conjuncts(join.condition)
    if any(equal_refs(c) for c in parts):
        return None
    key = next((k for c in parts if (k := _left_key(c, join)) is not None), None)
    if key is None:
        return None
    own = zip(join.left_names, left.node.schema, strict=True)
    inner: dict[str, Typed] = {name: Ref(c.name, c.type) for name, c in own}
    items = (*identity(left.node.schema), (_KEY, substitute(key, inner)))
    return Relation(Calc(left.node, items), left.fields)


def _left_key(c: Typed, join: Join) -> Typed | None:
    """What of ``c`` is computed from the left side and is to equal a column of the right side."""
    if not isinstance(c, Apply) or c.name != "=" or len(c.args) != 2:
        return None
    for key, column in (c.args, reversed(c.args)):
        if isinstance(column, Ref) and column.name in join.right_names:
            is_left = bool(refs(key)) and refs(key) <= set(join.left_names)
            return key if is_left and not is_volatile(key) else None
    return None


def _by_column(join: Join) -> Typed | None:
    """The condition over the computed column in place of its expression."""
    parts = conjuncts(join.condition)
    at, key = next((i, k) for i, c in enumerate(parts) if (k := _left_key(c, join)) is not None)
    name = dict(zip(join.left.schema.names, join.left_names, strict=True))[_KEY]
    part = parts[at]
    assert isinstance(part, Apply)
    args = tuple(Ref(name, key.type) if a is key else a for a in part.args)
    parts[at] = replace(part, args=args)
    return conjunction(parts)


def _scan_of(node: Node) -> Scan | None:
    while isinstance(node, Calc | AssignWatermark):
        node = node.input
    return node if isinstance(node, Scan) else None


def _is_bounded(scan: Scan) -> bool:
    options = scan.table.options
    if options.get("connector") == "jdbc":
        return True
    files = options.get("connector") == "filesystem"
    return files and MONITOR_INTERVAL.get(options) is None
