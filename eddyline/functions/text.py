"""Functions of text: case, length, parts, padding, joining, replacing.

Lengths and places count Unicode characters. Where DuckDB's function means the same for ASCII
text only, ``by_ascii`` takes it for such text and a function of our own for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.errors import EddylineError
from eddyline.functions.registry import (
    UNBOUNDED,
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    mismatch,
    plain,
    register,
    strict,
)
from eddyline.functions.unify import common_of, text_of
from eddyline.record.types import INT, STRING, DataType, Root, char, varchar
from eddyline.record.vector import by_distinct_row, define

# A value may grow to this many characters inside DuckDB; beyond, a function of ours counts.
_SMALL_RESULT = 10_000
# What one call may make of up to 2,048 rows.
RESULT_BYTES = 64 * 2**20

# greatest(x, 0) would make 0 of NULL.
_NOT_BELOW_0 = "(CASE WHEN ({0}) < 0 THEN 0 ELSE ({0}) END)"


def by_ascii(native: str, own: str, *texts: int) -> str:
    """``native`` if the arguments ``texts`` are ASCII only, else ``own``."""
    tests = " AND ".join(f"strlen({{{i}}}) = length({{{i}}})" for i in texts)
    return f"(CASE WHEN {tests} THEN {native} ELSE {own} END)"


def vector(name: str, function: Callable[..., Any], kind: DataType) -> str:
    """The SQL name of ``function`` of single values; a NULL gives NULL without a call."""
    return define(name, kind, by_distinct_row(function, kind))


class Budget:
    """Counts what a function has made of the rows of one call."""

    def __init__(self, name: str, limit: int = RESULT_BYTES) -> None:
        self._name = name
        self._left = limit

    def take(self, length: int) -> None:
        """Ask for ``length`` characters.

        Raises:
            EddylineError: ``limit_exceeded``.
        """
        self._left -= length
        if self._left < 0:
            msg = f"{self._name} would make more than {RESULT_BYTES // 2**20} MiB of text at once"
            hint = "ask for a smaller length or count"
            raise EddylineError("limit_exceeded", msg, hint=hint)


def bounded(name: str, length: Callable[..., int], function: Callable[..., Any]) -> str:
    """The SQL name of a text function whose result may be huge: ``length`` says how long."""

    def compute(*columns: Any) -> Any:
        budget = Budget(name)

        def one(*values: Any) -> Any:
            budget.take(length(*values))
            return function(*values)

        return by_distinct_row(one, STRING)(*columns)

    return define(f"{name.lower()}_bounded", STRING, compute)


def _varying(args: Arguments) -> DataType:
    return strict(varchar(args[0].type.precision), args)


# case


def _cased(name: str, template: str, doc: str, example: tuple[str, object]) -> Function:
    """A function whose result has its argument's type; a constant of CHAR(n) keeps its length."""

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("text",))
        kind = args[0].type.plain()
        text = template
        if args[0].constant and kind.root is Root.CHAR:
            text = f"rpad(left({template}, {kind.precision}), {kind.precision}, ' ')"
        return Built(kind, text)

    return Function((name,), (1, 1), builder, doc, example)


_UPPER = by_ascii("upper({0})", f"{vector('upper', str.upper, STRING)}({{0}})", 0)
_LOWER = by_ascii("lower({0})", f"{vector('lower', str.lower, STRING)}({{0}})", 0)
# Words are runs of ASCII letters and digits; everything else stays as it is.
_INITCAP = (
    "array_to_string(list_transform(regexp_extract_all({0}, '[A-Za-z0-9]+|[^A-Za-z0-9]+'), "
    "lambda _w: CASE WHEN regexp_matches(_w, '^[A-Za-z0-9]') "
    "THEN upper(left(_w, 1)) || lower(substr(_w, 2)) ELSE _w END), '')"
)


# parts


def _end(name: str, doc: str, value: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args[:1], ("text",))
        check(name, args[1:], ("integer",))
        text = f"{name.lower()}({{0}}, {_NOT_BELOW_0.format('{1}')})"
        return Built(_varying(args).null(), text)

    return Function((name,), (2, 2), builder, doc, (f"{name}('abc', 2)", value))


def _substring(args: Arguments, context: CallContext) -> Built:
    """Counts from 1; 0 counts as 1; a negative start counts from the end.

    Before the first character there is nothing; a negative length is NULL.
    """
    check("SUBSTRING", args[:1], ("text",))
    check("SUBSTRING", args[1:], ("integer",))
    place = args[1].integer
    start = "(CASE WHEN ({1}) = 0 THEN 1 ELSE ({1}) END)"
    if place is not None:
        start = str(place or 1)
    value = f"substr({{0}}, {start})"
    if len(args) == 3:
        value = f"substr({{0}}, {start}, {{2}})"
    cases = ""
    if len(args) == 3 and (args[2].integer is None or args[2].integer < 0):
        cases += "WHEN coalesce(({2}) < 0, TRUE) THEN NULL "
    if place is None or place < 0:
        cases += f"WHEN length({{0}}) < -({start})::BIGINT THEN '' "
    if cases:
        value = f"(CASE {cases}ELSE {value} END)"
    return Built(_varying(args).null(), value)  # Flink's may be NULL, whatever it is part of


def _trim(args: Arguments, context: CallContext) -> Built:
    word = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[args[0].unit or "BOTH"]
    check("TRIM", args[1:], ("text",))
    kind = strict(varchar(args[2].type.precision), args[1:])
    return Built(kind, f"{word}({{2}}, {{1}})")


def _stripped(name: str, word: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("text",))
        kind = STRING if name == "BTRIM" else varchar(args[0].type.precision)
        characters = "{1}" if len(args) == 2 else "' '"
        return Built(strict(kind, args), f"{word}({{0}}, {characters})")

    doc = "The text without blanks, or without the given characters, at its end or ends."
    value = {"BTRIM": "a", "LTRIM": "a ", "RTRIM": " a"}[name]
    return Function((name,), (1, 2), builder, doc, (f"{name}(' a ')", value))


def _overlay(args: Arguments, context: CallContext) -> Built:
    """A start outside the text leaves it as it is; a length below 1 loses what follows."""
    check("OVERLAY", args[:2], ("text", "text"))
    check("OVERLAY", args[2:], ("integer",))
    cut = "({3})" if len(args) == 4 else "length({1})"
    rest = f"CASE WHEN {cut} > 0 THEN substr({{0}}, ({{2}}) + {cut}) ELSE '' END"
    value = (
        "CASE WHEN ({2}) <= 0 OR ({2}) > length({0}) THEN {0} "
        f"ELSE left({{0}}, ({{2}}) - 1) || ({{1}}) || {rest} END"
    )
    some = " OR ".join(f"({{{i}}}) IS NULL" for i, a in enumerate(args) if a.type.nullable)
    if some:
        value = f"CASE WHEN {some} THEN NULL ELSE {value} END"
    length = args[0].type.precision + args[1].type.precision
    return Built(strict(text_of(length), args), f"({value})")


# joining and filling


def _concat(args: Arguments, context: CallContext) -> Built:
    check("CONCAT", args, ("text",))
    joined = " || ".join(f"({{{i}}})" for i in range(len(args)))
    return Built(strict(STRING, args), f"({joined})")


def _concat_ws(args: Arguments, context: CallContext) -> Built:
    check("CONCAT_WS", args, ("text",))
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    text = f"concat_ws({rest})" if len(args) > 1 else "(CASE WHEN {0} IS NOT NULL THEN '' END)"
    return Built(strict(STRING, args), text)


def _filled(name: str, function: Callable[[str, int, str], str | None]) -> Function:
    """LPAD and RPAD; Java counts units of UTF-16, DuckDB characters: the same for ASCII."""
    word = name.lower()
    own = bounded(name, lambda text, length, fill: max(length, 0), function)
    # DuckDB computes constants of all branches before it looks which one is taken.
    small = f"CASE WHEN ({{1}}) <= {_SMALL_RESULT} THEN ({{1}}) END"
    native = by_ascii(f"{word}({{0}}, {small}, {{2}})", f"{own}({{0}}, {{1}}, {{2}})", 0, 2)

    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("text", "integer", "text"))
        value = (
            "CASE WHEN ({1}) < 0 OR ({2}) = '' THEN NULL "
            f"WHEN ({{1}}) > {_SMALL_RESULT} THEN {own}({{0}}, {{1}}, {{2}}) ELSE {native} END"
        )
        return Built(strict(STRING, args), f"({value})")

    value = "..a" if name == "LPAD" else "a.."
    doc = "The text filled up, or cut, to a length; NULL for a negative length or an empty fill."
    return Function((name,), (3, 3), builder, doc, (f"{name}('a', 3, '.')", value))


def _filling(text: str, length: int, fill: str, *, left: bool) -> str | None:
    """The text with as much of ``fill`` as ``length`` UTF-16 units have room for."""
    if length < 0 or not fill:
        return None
    units = text.encode("utf-16-le", "surrogatepass")
    room = max(0, length - len(units) // 2)
    more = fill.encode("utf-16-le", "surrogatepass")
    filler = (more * (2 * room // len(more) + 1))[: 2 * room]
    joined = filler + units if left else units + filler
    return joined[: 2 * length].decode("utf-16-le", "replace")


def _repeat(args: Arguments, context: CallContext) -> Built:
    check("REPEAT", args, ("text", "integer"))
    own = bounded("REPEAT", lambda text, n: len(text) * max(n, 0), lambda text, n: text * n)
    small = f"strlen({{0}}) * ({{1}})::BIGINT <= {_SMALL_RESULT}"
    # DuckDB computes constants of all branches before it looks which one is taken.
    count = f"CASE WHEN {small} THEN {_NOT_BELOW_0.format('{1}')} ELSE 0 END"
    value = f"CASE WHEN {small} THEN repeat({{0}}, {count}) ELSE {own}({{0}}, {{1}}) END"
    if args[1].type.nullable:
        value = f"CASE WHEN ({{1}}) IS NOT NULL THEN {value} END"
    return Built(strict(STRING, args), f"({value})")


# replacing


def _replace(args: Arguments, context: CallContext) -> Built:
    check("REPLACE", args, ("text",))
    own = bounded("REPLACE", _replaced_length, str.replace)
    small = f"({{1}}) <> '' AND strlen({{0}})::BIGINT * (strlen({{2}}) + 1) <= {_SMALL_RESULT}"
    searched = args[1].text
    by = args[2].text
    if searched and by is not None and len(by) <= len(searched):
        return Built(strict(STRING, args), "replace({0}, {1}, {2})")  # it cannot grow
    # DuckDB computes constants of all branches before it looks which one is taken.
    text = f"replace(CASE WHEN {small} THEN {{0}} END, {{1}}, {{2}})"
    value = f"(CASE WHEN {small} THEN {text} ELSE {own}({{0}}, {{1}}, {{2}}) END)"
    return Built(strict(STRING, args), value)


def _replaced_length(text: str, searched: str, by: str) -> int:
    count = text.count(searched) if searched else len(text) + 1
    return len(text) + count * max(0, len(by) - len(searched))


def _translate(args: Arguments, context: CallContext) -> Built:
    """NULL or nothing to replace leaves the text; NULL as replacement takes the characters away."""
    check("TRANSLATE", args, ("text",))
    nullable = any(a.type.nullable for a in args[1:])
    value = "translate({0}, {1}, {2})"
    if nullable:
        value = "translate({0}, coalesce({1}, ''), coalesce({2}, ''))"
    return Built(strict(STRING, args[:1]), value)


def _elt(args: Arguments, context: CallContext) -> Built:
    check("ELT", args[:1], ("integer",))
    place = args[0].integer
    if place is not None and place < 0:
        raise mismatch("ELT", args, "a place from 1 on")
    kinds = ("text",) if args[1].type.is_text else ("bytes",)
    check("ELT", args[1:], kinds)
    kind = common_of([a.type for a in args[1:]])
    assert kind is not None
    items = ", ".join(f"{{{i}}}" for i in range(1, len(args)))
    return Built(kind.plain().null(), f"(CASE WHEN ({{0}}) > 0 THEN [{items}][{{0}}] END)")


# single characters


def _first_byte(text: str) -> int:
    byte = text.encode()[0] if text else 0
    return byte - 256 if byte > 127 else byte


def _text(
    names: str,
    kinds: tuple[str, ...],
    result: DataType,
    template: str,
    doc: str,
    example: tuple[str, object],
    *,
    nullable: bool = False,
) -> Function:
    """A function with a fixed result type."""
    every = tuple(names.split())
    builder = plain(every[0], kinds, result, template, nullable=nullable)
    return Function(every, (len(kinds), len(kinds)), builder, doc, example)


_ASCII = by_ascii("ascii({0})", f"{vector('ascii', _first_byte, INT)}({{0}})", 0)
_REVERSE = f"{vector('reverse', lambda text: text[::-1], STRING)}({{0}})"
_CHR = "(CASE WHEN ({0}) < 0 THEN '' ELSE chr(CAST(({0})::BIGINT & 255 AS INTEGER)) END)"
_UUID = plain("UUID", (), char(36), "CAST(uuid() AS VARCHAR)")

register((_stripped("BTRIM", "trim"), _stripped("LTRIM", "ltrim"), _stripped("RTRIM", "rtrim")))
register(
    (
        _filled("LPAD", lambda text, length, fill: _filling(text, length, fill, left=True)),
        _filled("RPAD", lambda text, length, fill: _filling(text, length, fill, left=False)),
        _cased("UPPER", _UPPER, "The text in capital letters.", ("UPPER('abc')", "ABC")),
        _cased("LOWER", _LOWER, "The text in small letters.", ("LOWER('ABC')", "abc")),
        _cased(
            "INITCAP",
            _INITCAP,
            "Each word with a capital letter; words are runs of ASCII letters and digits.",
            ("INITCAP('ab cd')", "Ab Cd"),
        ),
        _text(
            "CHAR_LENGTH CHARACTER_LENGTH",
            ("text",),
            INT,
            "CAST(length({0}) AS INTEGER)",
            "Number of characters.",
            ("CHAR_LENGTH('abc')", 3),
        ),
        _text(
            "ASCII",
            ("text",),
            INT,
            f"CAST({_ASCII} AS INTEGER)",
            "First byte of the text's UTF-8 form, negative beyond ASCII; 0 for an empty text.",
            ("ASCII('a')", 97),
        ),
        _text(
            "CHR",
            ("integer",),
            STRING,
            _CHR,
            "The character with a code modulo 256; an empty text for a negative code.",
            ("CHR(97)", "a"),
            nullable=True,
        ),
        _text(
            "REVERSE",
            ("text",),
            STRING,
            _REVERSE,
            "The characters in reverse order.",
            ("REVERSE('abc')", "cba"),
            nullable=True,
        ),
        _end("LEFT", "The first n characters.", "ab"),
        _end("RIGHT", "The last n characters.", "bc"),
        Function(("REPEAT",), (2, 2), _repeat, "The text n times.", ("REPEAT('ab', 2)", "abab")),
        Function(
            ("REPLACE",),
            (3, 3),
            _replace,
            "Every occurrence of one text replaced by another.",
            ("REPLACE('abc', 'b', 'x')", "axc"),
        ),
        Function(
            ("TRANSLATE", "TRANSLATE3"),
            (3, 3),
            _translate,
            "Each character of one list replaced by that of another list at the same place.",
            ("TRANSLATE('abc', 'ab', 'xy')", "xyc"),
        ),
        Function(("UUID",), (0, 0), _UUID, "A random UUID.", ("CHAR_LENGTH(UUID())", 36), True),
        Function(
            ("SUBSTRING", "SUBSTR"),
            (2, 3),
            _substring,
            "A part of a text, from a place (negative: from the end) and of a length.",
            ("SUBSTRING('hello', -3, 2)", "ll"),
        ),
        Function(
            ("TRIM",),
            (3, 3),
            _trim,
            "The text without blanks, or without given characters, at its ends.",
            ("TRIM(BOTH 'x' FROM 'xax')", "a"),
        ),
        Function(
            ("CONCAT",),
            (1, UNBOUNDED),
            _concat,
            "The texts joined; NULL if any is NULL.",
            ("CONCAT('a', 'b')", "ab"),
        ),
        Function(
            ("CONCAT_WS",),
            (1, UNBOUNDED),
            _concat_ws,
            "The texts that are not NULL, joined by the first.",
            ("CONCAT_WS('-', 'a', 'b')", "a-b"),
        ),
        Function(
            ("OVERLAY",),
            (3, 4),
            _overlay,
            "The text with a part, given by its place, replaced.",
            ("OVERLAY('abcd' PLACING 'xy' FROM 2)", "axyd"),
        ),
        Function(
            ("ELT",),
            (2, UNBOUNDED),
            _elt,
            "The n-th of the arguments that follow.",
            ("ELT(2, 'a', 'b')", "b"),
        ),
    )
)
