"""FROM: tables, views, common table expressions, subqueries, table functions, joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eddyline.catalog.table import CatalogView
from eddyline.errors import EddylineError, nearest
from eddyline.sql import syntax as s
from eddyline.sql.bind.forests import FUNCTIONS as FORESTS
from eddyline.sql.bind.forests import bind_forest
from eddyline.sql.bind.joins import joined, settled
from eddyline.sql.bind.relation import Relation, aliased
from eddyline.sql.bind.scope import Environment
from eddyline.sql.bind.table_windows import FUNCTIONS as WINDOWS
from eddyline.sql.bind.table_windows import bind_window
from eddyline.sql.bind.tables import scan
from eddyline.sql.parse import parse_query

Queries = Callable[[s.Query, Environment], Relation]
TABLE_FUNCTIONS = (*WINDOWS, *FORESTS)


def bind_source(r: s.Relation, env: Environment, queries: Queries) -> Relation:
    """What stands in FROM.

    Raises:
        EddylineError: ``sql_semantic``, ``sql_unsupported``, or ``not_found`` with the place.
    """
    if isinstance(r, s.TableName):
        return _named(r, env, queries)
    if isinstance(r, s.Derived):
        return aliased(queries(r.query, env), r.alias, r.columns, r.span, env)
    if isinstance(r, s.TableFunction):
        return _function(r, env, queries)
    left, right = bind_source(r.left, env, queries), bind_source(r.right, env, queries)
    return joined(left, right, r, env)


def _named(r: s.TableName, env: Environment, queries: Queries) -> Relation:
    own = env.ctes.get(r.name.parts[0]) if len(r.name.parts) == 1 else None
    if own is not None:
        cte, outer = own
        inner = replace(outer, warnings=env.warnings, depth=env.depth + 1)
        found = aliased(queries(cte.query, inner), cte.name, cte.columns, cte.span, env)
        return aliased(found, r.alias or cte.name, r.columns, r.span, env)
    try:
        table = env.resolve(r.name.parts, r.name.span)
    except EddylineError as e:
        raise _with_ctes(e, r, env) from None
    if isinstance(table, CatalogView):
        return _view(table, r, env, queries)
    found = scan(table, r.alias, r.options, r.span, env)
    return aliased(found, r.alias or table.path.name, r.columns, r.span, env)


def _with_ctes(e: EddylineError, r: s.TableName, env: Environment) -> EddylineError:
    near = nearest(r.name.parts[-1], list(env.ctes))
    if e.code == "not_found" and near:
        e.hint = f"did you mean {near[0]}?"
    return e


def _view(view: CatalogView, r: s.TableName, env: Environment, queries: Queries) -> Relation:
    inner = replace(
        env,
        source=view.query,
        database=view.path.database,
        ctes={},
        depth=env.depth + 1,
    )
    try:
        found = queries(parse_query(view.query), inner)
    except EddylineError as e:
        if e.detail is None:
            e.detail = f"while reading view {view.path.name}"
        raise
    named = aliased(found, view.path.name, view.schema.names, r.span, env)
    return aliased(named, r.alias or view.path.name, r.columns, r.span, env)


def _function(r: s.TableFunction, env: Environment, queries: Queries) -> Relation:
    name = r.call.name.upper()
    if name in WINDOWS:
        found = bind_window(r.call, env, _input(env, queries))
    elif name in FORESTS:
        found = bind_forest(r.call, env, _input(env, queries))
    else:
        near = nearest(name, list(TABLE_FUNCTIONS))
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(TABLE_FUNCTIONS)}"
        raise env.error(f"there is no table function {r.call.name}", r.call.name_span, hint)
    return aliased(found, r.alias, r.columns, r.span, env)


def _input(env: Environment, queries: Queries) -> Callable[[s.TableArgument], Relation]:
    def bound(argument: s.TableArgument) -> Relation:
        return settled(bind_source(argument.relation, env, queries))

    return bound
