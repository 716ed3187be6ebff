"""Calls of Python functions: which function a name calls, and how its arguments are passed."""

from __future__ import annotations

from dataclasses import replace

from eddyline.catalog.function import CatalogFunction, FunctionKind
from eddyline.errors import Span
from eddyline.record.types import DataType, Root, array, row
from eddyline.sql import syntax as s
from eddyline.sql.bind.scope import Environment
from eddyline.sql.typed import Apply, Typed
from eddyline.udf.sql import aggregate_name, template

_WORDS = {
    FunctionKind.SCALAR: "a scalar function: write it among the columns, or in WHERE",
    FunctionKind.TABLE: "a table function: write FROM t, LATERAL TABLE({name}(x)) AS r(a, b)",
    FunctionKind.AGGREGATE: "an aggregate function: write it with GROUP BY, without OVER",
    FunctionKind.TABLE_AGGREGATE: (
        "a table aggregate function: write t.group_by(…).flat_aggregate({name}(x)) in Python"
    ),
}


def misplaced(function: CatalogFunction, call: s.FunctionCall, env: Environment) -> Exception:
    """The error for a function at a place for functions of another kind."""
    name = function.path.name
    advice = _WORDS[function.kind].format(name=name)
    return env.error(f"{name} is {advice.split(':')[0]}", call.span, advice.partition(": ")[2])


def checked(
    function: CatalogFunction, call: s.FunctionCall, args: tuple[Typed, ...], env: Environment
) -> None:
    """Refuse what Python cannot be called with.

    Raises:
        EddylineError: ``sql_semantic`` for a wrong number of arguments, ``conflict`` for a
            function of another Python version.
    """
    with env.at(call.span):
        function.require_same_python()
    expected = function.arguments
    if expected is not None and len(args) != len(expected):
        name = function.path.name
        kinds = ", ".join(map(str, expected))
        msg = f"{name} takes {len(expected)} arguments ({kinds}), not {len(args)}"
        raise env.error(msg, call.span, "its decorator names them in input_types")


def castable(given: DataType, to: DataType) -> bool:
    """Whether an argument becomes ``to`` by itself, as Flink casts implicitly."""
    if given.same_as(to) or given.root is Root.NULL:
        return True
    same_family = (
        (given.is_numeric and to.is_numeric)
        or (given.is_text and to.is_text)
        or (given.is_timestamp and to.is_timestamp)
    )
    return same_family or (given.root is to.root and not given.children)


def mismatch(
    function: CatalogFunction, given: DataType, to: DataType, span: Span, env: Environment
) -> Exception:
    """The error for an argument of another type than ``input_types`` names."""
    msg = f"{function.path.name} takes {to} here, not {given}"
    return env.error(msg, span, f"write CAST(… AS {to.null()})")


def scalar(
    function: CatalogFunction, args: tuple[Typed, ...], place: tuple[Span, str] | None = None
) -> Typed:
    """A scalar function's value; ``place``: where it is called, for messages."""
    return replace(_applied(function, args, function.result.null()), place=place)


def collection(function: CatalogFunction, args: tuple[Typed, ...]) -> Typed:
    """A table function's rows as an ARRAY of ROW."""
    return _applied(function, args, array(function.result.not_null()).not_null())


def _applied(function: CatalogFunction, args: tuple[Typed, ...], result: DataType) -> Apply:
    text = template(function, tuple(a.type for a in args), result)
    return Apply(function.path.name, args, text, result, not function.deterministic)


def packed(function: CatalogFunction, args: tuple[Typed, ...]) -> tuple[str, Typed]:
    """An aggregate function's name in the engine, and its arguments as one ROW."""
    types = tuple(a.type.plain().null() for a in args)
    names = tuple(f"a{i}" for i in range(len(args)))
    kind = row(names or ("none",), types or (DataType(Root.INT),)).not_null()
    fields = ", ".join(f"{n} := {{{i}}}" for i, n in enumerate(names)) or "none := 1"
    return aggregate_name(function, types), Apply("ROW", args, f"struct_pack({fields})", kind)
