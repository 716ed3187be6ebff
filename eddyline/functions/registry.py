"""What a scalar function is, and the one table they all stand in.

A function is one row: its names, how many arguments it takes, how it is built for given argument
types (result type and DuckDB text), a sentence, an example with its value. Binder, documentation,
editor and tests read the same row.

Text is a template: ``{0}``, ``{1}`` are the arguments' texts. No DuckDB function or operator is
used bare: each template says what happens at overflow, at NULL, at zero, at rounding, as Flink
has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eddyline.errors import EddylineError, nearest
from eddyline.record.types import DataType

UNBOUNDED = 255


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument as a builder sees it: its type, and its value if it is a literal.

    constant: it depends on no column and is the same in every row.
    """

    type: DataType
    value: object = None
    literal: bool = False
    unit: str | None = None
    constant: bool = False

    @property
    def integer(self) -> int | None:
        """The value of an integer literal."""
        return self.value if isinstance(self.value, int) and self.literal else None

    @property
    def text(self) -> str | None:
        """The value of a text literal."""
        return self.value if isinstance(self.value, str) and self.literal else None


@dataclass(frozen=True, slots=True)
class Built:
    """A function built for its arguments: result type and template."""

    type: DataType
    template: str


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a builder may ask of the session: its time zone, and whether it prints a result.

    A cast to text reads bytes as UTF-8. Printed, they are ``x'c3a9'``, within arrays and rows too.
    """

    zone: str = "UTC"
    printing: bool = False

    @property
    def is_utc(self) -> bool:
        return self.zone.upper() in ("UTC", "Z", "GMT", "ETC/UTC", "UCT")


Arguments = tuple[Argument, ...]
Builder = Callable[[Arguments, CallContext], Built]


@dataclass(frozen=True, slots=True)
class Function:
    """A row of the table. ``arity`` is (fewest, most) arguments; ``example`` is (call, value)."""

    names: tuple[str, ...]
    arity: tuple[int, int]
    build: Builder
    doc: str
    example: tuple[str, object]
    volatile: bool = False

    @property
    def name(self) -> str:
        return self.names[0]


FUNCTIONS: dict[str, Function] = {}


def register(rows: Iterable[Function]) -> None:
    """Put rows into the table; a name may stand there once."""
    for row in rows:
        for name in row.names:
            assert name not in FUNCTIONS, f"function {name} is there twice"
            FUNCTIONS[name] = row


def build(name: str, args: Arguments, context: CallContext) -> Built:
    """The function ``name`` for ``args``.

    Raises:
        EddylineError: ``sql_semantic`` for an unknown name or wrong arguments (the message shows
            the call with its types, as Flink does); ``sql_unsupported`` for a known lack.
    """
    row = lookup(name)
    low, high = row.arity
    if not low <= len(args) <= high:
        expected = str(low) if low == high else f"{low} to {high}"
        if high == UNBOUNDED:
            expected = f"at least {low}"
        msg = f"{row.name} takes {expected} arguments, not {len(args)}"
        raise EddylineError("sql_semantic", msg, hint=f"for example {row.example[0]}")
    return row.build(args, context)


def lookup(name: str) -> Function:
    """The row of ``name``.

    Raises:
        EddylineError: ``sql_semantic`` or ``sql_unsupported``.
    """
    from eddyline.functions.unsupported import UNSUPPORTED

    row = FUNCTIONS.get(name.upper())
    if row:
        return row
    reason = UNSUPPORTED.get(name.upper())
    if reason:
        raise EddylineError("sql_unsupported", f"{name.upper()} is not supported yet: {reason}")
    near = nearest(name, list(FUNCTIONS))
    hint = f"did you mean {' or '.join(near)}?" if near else "SHOW FUNCTIONS lists them all"
    raise EddylineError("sql_semantic", f"there is no function {name}", hint=hint)


def mismatch(name: str, args: Arguments, expected: str) -> EddylineError:
    """The error of a call whose argument types do not fit."""
    types = ", ".join(str(a.type) for a in args)
    return EddylineError(
        "sql_semantic", f"{name} cannot be applied to ({types})", hint=f"it takes {expected}"
    )


def any_nullable(args: Arguments) -> bool:
    """Whether a strict function of these arguments can be NULL."""
    return any(a.type.nullable for a in args)


def strict(kind: DataType, args: Arguments) -> DataType:
    """``kind``, NULL only if an argument can be."""
    return kind.null() if any_nullable(args) else kind.not_null()


Check = Callable[[DataType], bool]
KINDS: dict[str, tuple[Check, str]] = {
    "any": (lambda t: True, "any value"),
    "text": (lambda t: t.is_text, "text"),
    "number": (lambda t: t.is_numeric, "a number"),
    "integer": (lambda t: t.is_integer, "an integer"),
    "time": (lambda t: t.is_timestamp or t.root.value in ("DATE", "TIME"), "a date or time"),
    "timestamp": (lambda t: t.is_timestamp, "a timestamp"),
    "boolean": (lambda t: t.root.value == "BOOLEAN", "a condition"),
    "array": (lambda t: t.root.value == "ARRAY", "an array"),
    "map": (lambda t: t.root.value == "MAP", "a map"),
    "bytes": (lambda t: t.root.value in ("BINARY", "VARBINARY"), "bytes"),
    "text or bytes": (
        lambda t: t.is_text or t.root.value in ("BINARY", "VARBINARY"),
        "text or bytes",
    ),
}


def check(name: str, args: Arguments, kinds: tuple[str, ...]) -> None:
    """Each argument must be of its kind; the last kind stands for all that follow.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    for i, a in enumerate(args):
        kind = kinds[min(i, len(kinds) - 1)]
        test, _ = KINDS[kind]
        untyped = a.type.root.value == "NULL" and kind not in ("array", "map")
        if not untyped and not test(a.type):
            raise mismatch(name, args, ", ".join(KINDS[k][1] for k in kinds))


def plain(
    name: str, kinds: tuple[str, ...], result: DataType, template: str, *, nullable: bool = False
) -> Builder:
    """A builder with fixed result and template; strict in NULL unless ``nullable``."""

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, kinds)
        kind = result.null() if nullable else strict(result, args)
        return Built(kind, template)

    return builder
