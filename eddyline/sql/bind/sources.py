"""FROM: tables, views, common table expressions, subqueries, table functions, joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eddyline.catalog.function import CatalogFunction
from eddyline.catalog.table import CatalogView
from eddyline.errors import EddylineError, nearest
from eddyline.sql import syntax as s
from eddyline.sql.bind.changelogs import FUNCTIONS as CHANGELOGS
from eddyline.sql.bind.changelogs import bind_changelog
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.forests import FUNCTIONS as FORESTS
from eddyline.sql.bind.forests import bind_forest
from eddyline.sql.bind.hotspots import NAME as HOTSPOTS
from eddyline.sql.bind.hotspots import bind_hotspots
from eddyline.sql.bind.joins import joined, settled
from eddyline.sql.bind.matching import matched
from eddyline.sql.bind.relation import Relation, aliased, filtered, nothing
from eddyline.sql.bind.scope import Environment
from eddyline.sql.bind.subqueries import bind_inner, lateral
from eddyline.sql.bind.table_windows import FUNCTIONS as WINDOWS
from eddyline.sql.bind.table_windows import bind_window
from eddyline.sql.bind.tables import scan
from eddyline.sql.bind.temporal import temporal
from eddyline.sql.bind.unnesting import table_call, unnested
from eddyline.sql.parse import parse_query
from eddyline.sql.sorting import SourceLocation
from eddyline.sql.typed import Const

Queries = Callable[[s.Query, Environment], Relation]
TABLE_FUNCTIONS = (*WINDOWS, *CHANGELOGS, *FORESTS, HOTSPOTS)


def bind_source(
    r: s.Relation, env: Environment, queries: Queries, *, joins: bool = False
) -> Relation:
    """What stands in FROM; ``joins``: on the right side of a JOIN.

    Raises:
        EddylineError: ``sql_semantic``, ``sql_unsupported``, or ``not_found`` with the place.
    """
    if isinstance(r, s.TableName):
        if r.as_of is not None and not joins:
            hint = "it stands on the right side of a JOIN"
            raise env.error("FOR SYSTEM_TIME AS OF cannot stand here", r.span, hint)
        return _named(r, env, queries)
    if isinstance(r, s.Derived):
        return aliased(queries(r.query, env), r.alias, r.columns, r.span, env)
    if isinstance(r, s.TableFunctionCall):
        call = _python(r, env)
        if call is not None:
            return table_call(nothing(), r, call, env, "INNER")
        return _function(r, env, queries)
    if isinstance(r, s.Unnest):
        return unnested(nothing(), r, env, "INNER")
    if isinstance(r, s.MatchRecognize):
        return matched(r, settled(bind_source(r.source, env, queries)), env)
    left, right = bind_source(r.left, env, queries), r.right
    if isinstance(right, s.TableFunctionCall) and (call := _python(right, env)) is not None:
        return _beside(r, env, lambda kind: table_call(left, right, call, env, kind))
    if isinstance(right, s.Unnest):
        return _beside(r, env, lambda kind: unnested(left, right, env, kind))
    if isinstance(right, s.Derived) and right.lateral:
        return _beside(r, env, lambda kind: _lateral(left, right, kind, env, queries))
    relation = bind_source(right, env, queries, joins=True)
    if isinstance(right, s.TableName) and right.as_of is not None:
        return temporal(settled(left), relation, r, env)
    return joined(left, relation, r, env)


def _beside(r: s.JoinClause, env: Environment, made: Callable[[str], Relation]) -> Relation:
    """A join whose right side reads the left one: its condition filters what comes out."""
    kind = "INNER" if r.kind == "CROSS" else r.kind
    if kind not in ("INNER", "LEFT") or r.using or r.natural:
        what = f"{r.kind} JOIN with a right side that reads the left one"
        raise env.unsupported(what, r.span, "use CROSS JOIN, or LEFT JOIN … ON TRUE")
    relation = made(kind)
    if r.condition is None:
        return relation
    condition = ExpressionBinder(relation.scope, env, "ON").condition(r.condition, "ON")
    if isinstance(condition, Const) and condition.value is True:
        return relation
    if kind == "LEFT":
        what = "a condition other than TRUE of such a LEFT JOIN"
        raise env.unsupported(what, r.condition.span, "write ON TRUE, and filter in WHERE")
    return filtered(relation, condition)


def _lateral(
    left: Relation, r: s.Derived, kind: str, env: Environment, queries: Queries
) -> Relation:
    """A subquery that reads the columns left of it."""
    inner = bind_inner(r.query, left, env, queries)
    named = aliased(Relation(inner.pulled.node, inner.fields), r.alias, r.columns, r.span, env)
    return lateral(left, named.fields, inner.pulled, kind, SourceLocation(r.span, env.source))


def _named(r: s.TableName, env: Environment, queries: Queries) -> Relation:
    own = env.ctes.get(r.name.parts[0]) if len(r.name.parts) == 1 else None
    if own is not None:
        cte, outer = own
        inner = replace(outer, warnings=env.warnings, depth=env.depth + 1)
        relation = aliased(queries(cte.query, inner), cte.name, cte.columns, cte.span, env)
        return aliased(relation, r.alias or cte.name, r.columns, r.span, env)
    try:
        table = env.resolve(r.name.parts, r.name.span)
    except EddylineError as e:
        raise _with_ctes(e, r, env) from None
    if isinstance(table, CatalogView):
        return _view(table, r, env, queries)
    relation = scan(table, r.alias, r.options, r.span, env)
    return aliased(relation, r.alias or table.path.name, r.columns, r.span, env)


def _with_ctes(e: EddylineError, r: s.TableName, env: Environment) -> EddylineError:
    near = nearest(r.name.parts[-1], list(env.ctes))
    if e.code == "not_found" and near:
        e.hint = f"did you mean {near[0]}?"
    return e


def _view(view: CatalogView, r: s.TableName, env: Environment, queries: Queries) -> Relation:
    inner = replace(
        env,
        source=view.query,
        database=(view.path.catalog, view.path.database),
        ctes={},
        depth=env.depth + 1,
        outer=None,
    )
    try:
        relation = queries(parse_query(view.query), inner)
    except EddylineError as e:
        if e.detail is None:
            e.detail = f"while reading view {view.path.name}"
        raise
    named = aliased(relation, view.path.name, view.schema.names, r.span, env)
    return aliased(named, r.alias or view.path.name, r.columns, r.span, env)


def _function(r: s.TableFunctionCall, env: Environment, queries: Queries) -> Relation:
    name = r.call.name.upper()
    if name in WINDOWS:
        relation = bind_window(r.call, env, _input(env, queries))
    elif name in CHANGELOGS:
        relation = bind_changelog(r.call, env, _input(env, queries))
    elif name in FORESTS:
        relation = bind_forest(r.call, env, _input(env, queries))
    elif name == HOTSPOTS:
        relation = bind_hotspots(r.call, env, _input(env, queries))
    else:
        near = nearest(name, list(TABLE_FUNCTIONS))
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TABLE_FUNCTIONS)}"
        raise env.error(f"there is no table function {r.call.name}", r.call.name_span, hint)
    return aliased(relation, r.alias, r.columns, r.span, env)


def _python(r: s.TableFunctionCall, env: Environment) -> CatalogFunction | None:
    """The Python function that a table function's name calls."""
    return env.function(r.call.name, built_in=r.call.name.upper() in TABLE_FUNCTIONS)


def _input(env: Environment, queries: Queries) -> Callable[[s.TableArgument], Relation]:
    def bound(argument: s.TableArgument) -> Relation:
        return settled(bind_source(argument.relation, env, queries))

    return bound
