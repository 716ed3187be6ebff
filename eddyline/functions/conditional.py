"""Choices: CASE, IF, COALESCE, NULLIF, GREATEST, and what the session says."""

from __future__ import annotations

from eddyline.functions.casts import cast
from eddyline.functions.registry import (
    UNBOUNDED,
    Argument,
    Arguments,
    Built,
    Context,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.unify import common, common_of
from eddyline.record.types import BOOLEAN, INT, STRING, DataType, Root


def _met(name: str, args: Arguments, values: Arguments) -> DataType:
    met = common_of([a.type for a in values])
    if met is None or met.root is Root.NULL:
        raise mismatch(name, args, "values of one type: cast those that differ")
    return met.plain()


def _branch(i: int, arg: Argument, to: DataType, context: Context) -> str:
    return cast(f"{{{i}}}", arg.type, to, context, attempt=False)


def _case(args: Arguments, context: Context) -> Built:
    """Arguments: condition, value, condition, value, …, otherwise."""
    conditions, values = args[:-1:2], (*args[1::2], args[-1])
    check("CASE", conditions, ("boolean",))
    kind = _met("CASE", values, values)
    parts = []
    for i in range(0, len(args) - 1, 2):
        parts.append(f"WHEN {{{i}}} THEN {_branch(i + 1, args[i + 1], kind, context)}")
    last = len(args) - 1
    parts.append(f"ELSE {_branch(last, args[last], kind, context)} END")
    return Built(kind, f"(CASE {' '.join(parts)})")


def _if(args: Arguments, context: Context) -> Built:
    check("IF", args[:1], ("boolean",))
    kind = _met("IF", args, args[1:]).null()
    then, other = (_branch(i, args[i], kind, context) for i in (1, 2))
    return Built(kind, f"(CASE WHEN {{0}} THEN {then} ELSE {other} END)")


def _coalesce(args: Arguments, context: Context) -> Built:
    kind = _met("COALESCE", args, args)
    kind = kind.null() if all(a.type.nullable for a in args) else kind.not_null()
    parts = ", ".join(_branch(i, a, kind, context) for i, a in enumerate(args))
    return Built(kind, f"coalesce({parts})")


def _nullif(args: Arguments, context: Context) -> Built:
    met = common(args[0].type, args[1].type)
    if met is None:
        raise mismatch("NULLIF", args, "two values of comparable types")
    right = cast("{1}", args[1].type, met, context, attempt=False)
    return Built(args[0].type.plain().null(), f"nullif({{0}}, {right})")


def _extreme(name: str) -> Function:
    pick = name.lower()

    def builder(args: Arguments, context: Context) -> Built:
        kind = strict(_met(name, args, args), args)
        parts = ", ".join(_branch(i, a, kind, context) for i, a in enumerate(args))
        found = f"{pick}({parts})"
        if not kind.nullable or len(args) == 1:
            return Built(kind, found)
        # DuckDB passes over NULL; Flink gives NULL if any is.
        some = " OR ".join(f"({{{i}}}) IS NULL" for i, a in enumerate(args) if a.type.nullable)
        return Built(kind, f"(CASE WHEN {some} THEN NULL ELSE {found} END)")

    value = 3 if name == "GREATEST" else 1
    doc = f"The {name.lower()} of its arguments; NULL if any is NULL."
    return Function((name,), (1, UNBOUNDED), builder, doc, (f"{name}(1, 3, 2)", value))


def _typeof(args: Arguments, context: Context) -> Built:
    shown = str(args[0].type.plain()).replace("'", "''")
    return Built(STRING.not_null(), f"'{shown}'")


register((_extreme("GREATEST"), _extreme("LEAST")))
register(
    (
        Function(
            ("CASE",),
            (2, UNBOUNDED),
            _case,
            "The first branch that holds.",
            ("CASE WHEN 1 = 2 THEN 'a' ELSE 'b' END", "b"),
        ),
        Function(
            ("IF",),
            (3, 3),
            _if,
            "The second if the first holds, else the third.",
            ("IF(1 < 2, 'yes', 'no')", "yes"),
        ),
        Function(
            ("COALESCE", "IFNULL"),
            (1, UNBOUNDED),
            _coalesce,
            "The first that is not NULL.",
            ("COALESCE(CAST(NULL AS INT), 5)", 5),
        ),
        Function(
            ("NULLIF",),
            (2, 2),
            _nullif,
            "NULL if both are equal, else the first.",
            ("NULLIF(5, 5)", None),
        ),
        Function(("TYPEOF",), (1, 1), _typeof, "The type's name.", ("TYPEOF(1)", "INT NOT NULL")),
        Function(
            ("IS_ALPHA",),
            (1, 1),
            plain(
                "IS_ALPHA",
                ("any",),
                BOOLEAN.not_null(),
                r"coalesce(regexp_full_match(CAST({0} AS VARCHAR), '\p{{L}}+'), FALSE)",
            ),
            "Whether all signs are letters.",
            ("IS_ALPHA('abc')", True),
        ),
        Function(
            ("IS_DIGIT",),
            (1, 1),
            plain(
                "IS_DIGIT",
                ("any",),
                BOOLEAN.not_null(),
                r"coalesce(regexp_full_match(CAST({0} AS VARCHAR), '\p{{Nd}}+'), FALSE)",
            ),
            "Whether all signs are digits.",
            ("IS_DIGIT('12')", True),
        ),
        Function(
            ("IS_DECIMAL",),
            (1, 1),
            plain(
                "IS_DECIMAL",
                ("any",),
                BOOLEAN.not_null(),
                "(TRY_CAST(CAST({0} AS VARCHAR) AS DOUBLE) IS NOT NULL)",
            ),
            "Whether the text is a number.",
            ("IS_DECIMAL('1.5')", True),
        ),
        Function(
            ("CARDINALITY",),
            (1, 1),
            plain("CARDINALITY", ("any",), INT, "CAST(cardinality({0}) AS INTEGER)"),
            "How many elements.",
            ("CARDINALITY(ARRAY[1, 2])", 2),
        ),
    )
)
