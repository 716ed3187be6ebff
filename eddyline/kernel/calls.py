"""Calls of Python functions in the Table API: they are registered under names of their own."""

from __future__ import annotations

import re
from typing import Any

from eddyline.kernel.expressions import Expression, quoted, text_of
from eddyline.kernel.functions import create_statement
from eddyline.kernel.results import run
from eddyline.kernel.row_fields import row_names
from eddyline.udf.classes import FunctionWithNames, FunctionWrapper
from eddyline.udf.data_types import as_type
from eddyline.udf.hooks import CALL_WITH_COLUMNS

# Wrappers that have a name in the session; they are kept, so that an id is never used again.
_registered: dict[int, tuple[str, FunctionWrapper]] = {}


def install() -> None:
    """Make calls with expressions give expressions."""
    if not CALL_WITH_COLUMNS:
        CALL_WITH_COLUMNS.append(called)


def called(wrapper: FunctionWrapper, args: tuple[Any, ...]) -> Expression | None:
    """The call as an expression, or None if no argument is one."""
    if not args or not any(isinstance(a, Expression) for a in args):
        return None
    text = f"{quoted(name_of(wrapper))}({', '.join(map(text_of, args))})"
    return Expression(text, wrapper=wrapper, is_aggregate=wrapper.kind == "aggregate")


def name_of(wrapper: FunctionWrapper) -> str:
    """The name under which SQL knows a function."""
    known = _registered.get(id(wrapper))
    if known is None:
        word = re.sub(r"\W", "", wrapper.name) or "function"
        known = (f"py_{word}_{len(_registered)}", wrapper)
        run(create_statement(known[0], wrapper, "TEMPORARY SYSTEM "))
        _registered[id(wrapper)] = known
    return known[0]


def over_rows(call: Any, columns: dict[str, str]) -> Expression:
    """A call as it is; a function alone is called with whole rows.

    columns: the names and types of the rows' fields.
    """
    names: tuple[str, ...] = ()
    if isinstance(call, FunctionWithNames):
        call, names = call.wrapper, call.names
    if not isinstance(call, FunctionWrapper):
        expression: Expression = call
        return expression
    values = ", ".join(map(quoted, columns))
    fields = ", ".join(f"{quoted(n)} {t}" for n, t in columns.items())
    row = f"CAST(ROW({values}) AS ROW<{fields}>)"
    return Expression(f"{quoted(name_of(call))}({row})", names, wrapper=call)


def column_names(call: Expression, *, one: bool = False) -> list[tuple[str, str]]:
    """A function's result columns: their names in its type, and those of ``alias``.

    one: a result that is no ROW is one column, whose name in the type is empty.
    """
    if call.wrapper is None:
        msg = "this takes the call of a Python function, for example f(col('a'))"
        raise TypeError(msg)
    result = call.wrapper.result_type
    if isinstance(result, list | tuple):
        names = [f"f{i}" for i in range(len(result))]
    else:
        kind = as_type(result)
        names = kind.field_names() or row_names(str(kind)) or ([""] if one else ["f0"])
    shown = list(call.names) or [n or "f0" for n in names]
    if len(shown) != len(names):
        msg = f"alias() gives {len(shown)} names to {len(names)} columns"
        raise ValueError(msg)
    return list(zip(names, shown, strict=True))


def lateral(call: Any) -> str:
    """A table function's call in FROM."""
    if not isinstance(call, Expression):
        msg = "this takes the call of a table function, for example f(col('a')).alias('x')"
        raise TypeError(msg)
    if call.wrapper is None:
        names = ", ".join(map(quoted, call.names))
        return f"LATERAL TABLE({call.text}) AS r ({names})"
    names = ", ".join(quoted(as_) for _, as_ in column_names(call))
    return f"LATERAL TABLE({call.text}) AS r ({names})"
