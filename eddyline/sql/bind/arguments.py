"""Arguments of table functions: by place or by name, each once, none unknown."""

from __future__ import annotations

from collections.abc import Callable

from eddyline.errors import nearest
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import ExpressionBinder
from eddyline.sql.bind.relation import Relation
from eddyline.sql.bind.scope import Environment
from eddyline.sql.typed import Ref

Inputs = Callable[[s.TableArgument], Relation]


def arranged(
    call: s.FunctionCall, names: tuple[str, ...], aliases: dict[str, str], env: Environment
) -> dict[str, s.Expression]:
    """Arguments by lower-case name; positional ones take ``names`` in order.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    by_name: dict[str, s.Expression] = {}
    named = False
    for i, a in enumerate(call.args):
        if isinstance(a, s.NamedArgument):
            named = True
            key = aliases.get(a.name, a.name)
            if key not in names:
                near = nearest(a.name, list(names))
                hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(names)}"
                raise env.error(f"{call.name} has no argument {a.name}", a.span, hint)
            value = a.value
        else:
            if named:
                msg = "an argument without a name cannot follow one with a name"
                raise env.error(msg, a.span)
            if i >= len(names):
                msg = f"{call.name} takes at most {len(names)} arguments"
                raise env.error(msg, a.span, f"they are {', '.join(names)}")
            key, value = names[i], a
        if key in by_name:
            raise env.error(f"argument {key} is there twice", a.span)
        by_name[key] = value
    return by_name


def table_of(
    call: s.FunctionCall, args: dict[str, s.Expression], name: str, env: Environment
) -> s.TableArgument:
    """The argument that is a table; a bare name or a subquery is understood as one.

    Raises:
        EddylineError: ``sql_semantic`` if it is missing or something else.
    """
    a = args.get(name)
    if isinstance(a, s.TableArgument):
        return a
    if isinstance(a, s.Name):
        return s.TableArgument(s.TableName(a, None, (), (), a.span), (), (), a.span)
    if isinstance(a, s.ScalarQuery):
        return s.TableArgument(s.Derived(a.query, None, (), a.span), (), (), a.span)
    span = call.span if a is None else a.span
    raise env.error(f"{call.name} needs a table", span, f"for example {call.name}(TABLE t, …)")


def partition_of(table: s.TableArgument, source: Relation, env: Environment) -> tuple[str, ...]:
    """The columns of a table argument's PARTITION BY.

    Raises:
        EddylineError: ``sql_semantic`` if one of them is no column.
    """
    binder = ExpressionBinder(source.scope, env, "PARTITION BY")
    keys = []
    for key in table.partition_by:
        e = binder.bind(key)
        if not isinstance(e, Ref):
            raise env.error("PARTITION BY needs columns here", key.span, "compute it below")
        keys.append(e.name)
    return tuple(keys)
