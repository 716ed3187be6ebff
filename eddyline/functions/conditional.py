"""Choices: CASE, IF, COALESCE, NULLIF, GREATEST, and what the session says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from eddyline.functions.casts import cast
from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    UNBOUNDED,
    Argument,
    Arguments,
    Builder,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.unify import common, common_of
from eddyline.record.types import APPROXIMATE, BOOLEAN, INT, INTEGERS, STRING, DataType, Root
from eddyline.record.vector import by_distinct_row, define


def _met(name: str, args: Arguments, values: Arguments) -> DataType:
    met = common_of([a.type for a in values])
    if met is None or met.root is Root.NULL:
        raise mismatch(name, args, "values of one type: cast those that differ")
    return met.plain()


def _branch(i: int, arg: Argument, to: DataType, context: CallContext) -> str:
    return cast(f"{{{i}}}", arg.type, to, context, attempt=False)


def _case(args: Arguments, context: CallContext) -> Built:
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


def _if(args: Arguments, context: CallContext) -> Built:
    check("IF", args[:1], ("boolean",))
    kind = _met("IF", args, args[1:]).null()
    then, other = (_branch(i, args[i], kind, context) for i in (1, 2))
    return Built(kind, f"(CASE WHEN {{0}} THEN {then} ELSE {other} END)")


def _coalesce(args: Arguments, context: CallContext) -> Built:
    kind = _met("COALESCE", args, args)
    kind = kind.null() if all(a.type.nullable for a in args) else kind.not_null()
    parts = ", ".join(_branch(i, a, kind, context) for i, a in enumerate(args))
    return Built(kind, f"coalesce({parts})")


def _nullif(args: Arguments, context: CallContext) -> Built:
    met = common(args[0].type, args[1].type)
    if met is None:
        raise mismatch("NULLIF", args, "two values of comparable types")
    right = cast("{1}", args[1].type, met, context, attempt=False)
    return Built(args[0].type.plain().null(), f"nullif({{0}}, {right})")


def _extreme(name: str) -> Function:
    pick = name.lower()

    def builder(args: Arguments, context: CallContext) -> Built:
        kind = strict(_met(name, args, args), args)
        parts = ", ".join(_branch(i, a, kind, context) for i, a in enumerate(args))
        extreme = f"{pick}({parts})"
        if not kind.nullable or len(args) == 1:
            return Built(kind, extreme)
        # DuckDB passes over NULL; Flink gives NULL if any is.
        some = " OR ".join(f"({{{i}}}) IS NULL" for i, a in enumerate(args) if a.type.nullable)
        return Built(kind, f"(CASE WHEN {some} THEN NULL ELSE {extreme} END)")

    value = 3 if name == "GREATEST" else 1
    doc = f"The {name.lower()} of its arguments; NULL if any is NULL."
    return Function((name,), (1, UNBOUNDED), builder, doc, (f"{name}(1, 3, 2)", value))


def _all_digits(text: str) -> bool:
    return bool(text) and all(unicodedata.category(c) == "Nd" for c in text)


_JAVA_NUMBER = re.compile(
    r"[\x00- ]*[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?"
    r"|0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+[fFdD]?)[\x00- ]*",
    re.ASCII,
)


def _is_number(text: str) -> bool:
    return _JAVA_NUMBER.fullmatch(text) is not None


def _tested(
    name: str, what: str, test: Callable[[str], bool], numbers: tuple[Root, ...]
) -> Builder:
    """A test of a text that is never NULL; values of the types ``numbers`` pass it."""
    own = define(f"is_{what}", BOOLEAN, by_distinct_row(test, BOOLEAN))

    def builder(args: Arguments, context: CallContext) -> Built:
        kind = args[0].type
        if kind.is_text:
            return Built(BOOLEAN.not_null(), f"coalesce({own}({{0}}), FALSE)")
        check(name, args, ("number",))
        value = "(({0}) IS NOT NULL)" if kind.root in numbers else "FALSE"
        return Built(BOOLEAN.not_null(), value)

    return builder


def _typeof(args: Arguments, context: CallContext) -> Built:
    return Built(STRING, literal(str(args[0].type.plain())))


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
        Function(
            ("TYPEOF",), (1, 2), _typeof, "The name of a type.", ("TYPEOF(1)", "INT NOT NULL")
        ),
        Function(
            ("IS_ALPHA",),
            (1, 1),
            _tested("IS_ALPHA", "letters", str.isalpha, ()),
            "Whether a text has letters only; FALSE for an empty one, a number and NULL.",
            ("IS_ALPHA('abc')", True),
        ),
        Function(
            ("IS_DIGIT",),
            (1, 1),
            _tested("IS_DIGIT", "digits", _all_digits, INTEGERS),
            "Whether a text has digits only, or the value is an integer.",
            ("IS_DIGIT('12')", True),
        ),
        Function(
            ("IS_DECIMAL",),
            (1, 1),
            _tested("IS_DECIMAL", "number", _is_number, (*INTEGERS, *APPROXIMATE)),
            "Whether a text is a number of Java, or the value is an integer or a DOUBLE.",
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
