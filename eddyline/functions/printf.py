"""PRINTF: values in a format of Java's Formatter."""

from __future__ import annotations

from typing import Any

from eddyline.functions.casts import cast
from eddyline.functions.java.formatter import FormatError, Value, formatted
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    register,
)
from eddyline.functions.text import Budget
from eddyline.record.types import STRING, DataType, Root
from eddyline.record.vector import by_distinct_row, define

_KINDS = {
    Root.TINYINT: "byte",
    Root.SMALLINT: "short",
    Root.INT: "int",
    Root.BIGINT: "long",
    Root.INTERVAL_SECOND: "long",
    Root.INTERVAL_MONTH: "int",
    Root.FLOAT: "float",
    Root.DOUBLE: "double",
    Root.BOOLEAN: "boolean",
    Root.CHAR: "text",
    Root.VARCHAR: "text",
}
# Their values are spelt by the formatter itself; those of other types are cast to STRING.
_PLAIN = (Root.DECIMAL, Root.DATE, Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ)


def _printf(args: Arguments, context: CallContext) -> Built:
    check("PRINTF", args[:1], ("text",))
    kinds = tuple(_KINDS.get(a.type.root, "other") for a in args[1:])
    name = "_".join(("printf", *kinds))
    own = define(name, STRING, lambda *columns: _printed(kinds, *columns))
    rest = ", ".join(["{0}", *(_argument(i, a.type, context) for i, a in enumerate(args) if i)])
    return Built(STRING, f"{own}({rest})")


def _argument(place: int, kind: DataType, context: CallContext) -> str:
    text = f"{{{place}}}"
    if kind.root in _KINDS or kind.root in _PLAIN:
        return text
    return cast(text, kind, STRING, context, attempt=False)


def _printed(kinds: tuple[str, ...], *columns: Any) -> Any:
    budget = Budget("PRINTF")

    def one(pattern: str | None, *values: Any) -> str | None:
        if pattern is None:
            return None
        described = [Value(k, v) for k, v in zip(kinds, values, strict=True)]
        try:
            return formatted(pattern, described, budget.take)
        except FormatError:
            return None

    return by_distinct_row(one, STRING, strict=False)(*columns)


register(
    (
        Function(
            ("PRINTF",),
            (1, UNBOUNDED),
            _printf,
            "Values in a format of Java's Formatter; NULL if they do not fit it.",
            ("PRINTF('%d-%s', 1, 'a')", "1-a"),
        ),
    )
)
