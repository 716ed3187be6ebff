"""Functions that look for a text in a text, cut at one, or match a regular expression.

Patterns are Java's. A constant pattern that RE2 understands the same way runs inside DuckDB in
linear time; every other one runs in the ``regex`` library, which backtracks as Java does, once per
distinct row and not longer than ``TIME_LIMIT_S``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from eddyline.errors import EddylineError
from eddyline.functions.java.class_reader import PatternError
from eddyline.functions.java.hashing import hash_order
from eddyline.functions.java.regex import TIME_LIMIT_S, JavaPattern, compiled
from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    plain,
    register,
    strict,
)
from eddyline.functions.text import Budget, vector
from eddyline.record.types import BOOLEAN, INT, STRING, DataType, array, map_of
from eddyline.record.vector import by_distinct_row, define

# RE2's $ is the very end; Java's also stands before a line end that is the last character.
_ENDS_IN_LINE_END = "right({0}, 1) IN (chr(10), chr(13), chr(133), chr(8232), chr(8233))"


T = TypeVar("T")


# regular expressions


def _pattern(source: str) -> JavaPattern | None:
    """None for a pattern that Java refuses."""
    try:
        return compiled(source)
    except PatternError:
        return None


def _timed(name: str, text: str, source: str, search: Callable[[], T]) -> T:
    """The result of ``search``; one that backtracks too long is an error.

    Raises:
        EddylineError: ``limit_exceeded``.
    """
    try:
        return search()
    except TimeoutError:
        shown = source if len(source) <= 60 else source[:60] + "…"
        msg = (
            f"{name}: the pattern {shown!r} took longer than {TIME_LIMIT_S:g} seconds for a text "
            f"of {len(text)} characters"
        )
        hint = (
            "avoid a repetition inside a repetition, such as (a+)+, or make it possessive: (a++)+"
        )
        raise EddylineError("limit_exceeded", msg, hint=hint) from None


def _regexp(text: str, source: str) -> bool:
    pattern = _pattern(source) if source else None
    if pattern is None:
        return False
    return _timed("REGEXP", text, source, lambda: pattern.first(text) is not None)


def _extract(text: str, source: str, group: int = 0) -> str | None:
    pattern = _pattern(source)
    if pattern is None or not 0 <= group <= pattern.groups:
        return None
    match = _timed("REGEXP_EXTRACT", text, source, lambda: pattern.first(text))
    text_of_group: str | None = match.group(group) if match is not None else None
    return text_of_group


def _extract_all(text: str, source: str, group: int = 1) -> list[str | None] | None:
    pattern = _pattern(source)
    if pattern is None or group < 0 or group > pattern.groups:
        return None
    return _timed(
        "REGEXP_EXTRACT_ALL", text, source, lambda: [m.group(group) for m in pattern.matches(text)]
    )


def _count(text: str, source: str) -> int | None:
    pattern = _pattern(source)
    if pattern is None:
        return None
    return _timed("REGEXP_COUNT", text, source, lambda: sum(1 for _ in pattern.matches(text)))


def _place(text: str, source: str) -> int | None:
    pattern = _pattern(source)
    if pattern is None:
        return None
    match = _timed("REGEXP_INSTR", text, source, lambda: pattern.first(text))
    return 0 if match is None else int(match.start()) + 1


def _substring(text: str, source: str) -> str | None:
    pattern = _pattern(source)
    match = _timed("REGEXP_SUBSTR", text, source, lambda: pattern and pattern.first(text))
    text_of_match: str | None = match.group(0) if match else None
    return text_of_match


def _replaced(text: str, source: str, by: str, budget: Budget) -> str | None:
    pattern = _pattern(source)
    if pattern is None:
        return None
    pieces, end = [], 0
    for match in _timed("REGEXP_REPLACE", text, source, lambda: list(pattern.matches(text))):
        pieces += [text[end : match.start()], by]
        budget.take(len(by))
        end = match.end()
    budget.take(len(text))
    return "".join(pieces) + text[end:]


def _replace_all(*columns: Any) -> Any:
    budget = Budget("REGEXP_REPLACE")
    return by_distinct_row(lambda text, source, by: _replaced(text, source, by, budget), STRING)(
        *columns
    )


@dataclass(frozen=True, slots=True)
class _Regexp:
    """A function of a text and a pattern.

    ``native``: its DuckDB text with ``{re2}`` for the pattern, if it can run there. ``first``: it
    only needs the first match, which RE2 finds as Java does, whatever the pattern. ``strict``: it
    is NULL for a NULL argument only.
    """

    name: str
    kind: DataType
    function: Callable[..., object]
    native: str | None = None
    first: bool = True
    strict: bool = False

    def build(self, args: Arguments, context: CallContext) -> Built:
        check(self.name, args, ("text", "text", "integer"))
        rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
        own = f"{vector(self.name.lower(), self.function, self.kind)}({rest})"
        kind = strict(self.kind, args) if self.strict else self.kind
        native = self._native(args)
        if native is None:
            return Built(kind, own)
        pattern, text = native
        if pattern.ends:
            text = f"(CASE WHEN {_ENDS_IN_LINE_END} THEN {own} ELSE {text} END)"
        return Built(kind, text)

    def _native(self, args: Arguments) -> tuple[JavaPattern, str] | None:
        source = args[1].text
        pattern = _pattern(source) if source else None
        if self.native is None or pattern is None or pattern.re2 is None:
            return None
        if pattern.empty and not self.first:
            return None
        group = args[2].integer if len(args) > 2 else 0
        if group is None or not 0 <= group <= pattern.groups or (group and not self._kept(pattern)):
            return None
        text = self.native.replace("{re2}", literal(pattern.re2)).replace("{group}", str(group))
        return pattern, text

    def _kept(self, pattern: JavaPattern) -> bool:
        """Whether RE2 tells a group that matched nothing from one that took no part."""
        return not any(c in pattern.source for c in "|?*{")


def _regexp_replace(args: Arguments, context: CallContext) -> Built:
    """The replacement is taken as it is: Flink knows no ``$1`` in it."""
    check("REGEXP_REPLACE", args, ("text",))
    own = f"{define('regexp_replace', STRING, _replace_all)}({{0}}, {{1}}, {{2}})"
    source, by = args[1].text, args[2].text
    pattern = _pattern(source) if source else None
    kind = strict(STRING, args)
    if pattern is None or pattern.re2 is None or pattern.empty or by is None or len(by) > 1:
        return Built(kind, own)
    new = literal(by.replace("\\", "\\\\"))
    text = f"regexp_replace({{0}}, {literal(pattern.re2)}, {new}, 'g')"
    if pattern.ends:
        text = f"(CASE WHEN {_ENDS_IN_LINE_END} THEN {own} ELSE {text} END)"
    return Built(kind, text)


# texts


def _locate(args: Arguments, context: CallContext) -> Built:
    check("LOCATE", args, ("text", "text", "integer"))
    if len(args) == 2:
        return Built(strict(INT, args), "CAST(strpos({1}, {0}) AS INTEGER)")
    place = "strpos(substr({1}, greatest({2}, 1)), {0})"
    value = (
        f"CASE WHEN ({{2}}) IS NULL THEN NULL WHEN {{0}} = '' AND {{1}} IS NOT NULL THEN 1 "
        f"WHEN {place} = 0 THEN 0 ELSE {place} + greatest({{2}}, 1) - 1 END"
    )
    return Built(strict(INT, args), f"CAST({value} AS INTEGER)")


def _position(args: Arguments, context: CallContext) -> Built:
    if len(args) == 3:
        return _locate(args, context)
    check("POSITION", args, ("text",))
    return Built(strict(INT, args), "CAST(strpos({1}, {0}) AS INTEGER)")


def _occurrence(text: str, searched: str, start: int, number: int = 1) -> int:
    """Place of an occurrence from ``start`` on; a negative one counts and searches backwards."""
    if number < 1:
        msg = f"INSTR: the number of the occurrence must be 1 or more, not {number}"
        raise EddylineError("sql_runtime", msg)
    if start == 0:
        return 0
    if start < 0:
        place = _occurrence(text[::-1], searched[::-1], -start, number)
        return len(text) + 2 - place - len(searched) if place else 0
    place = 0
    for _ in range(number):
        place = 1 if not searched else text.find(searched, start - 1) + 1
        if place == 0:
            return 0
        start = place + 1
    return place


def _instr(args: Arguments, context: CallContext) -> Built:
    check("INSTR", args[:2], ("text",))
    check("INSTR", args[2:], ("integer",))
    if len(args) == 2:
        return Built(strict(INT, args), "CAST(strpos({0}, {1}) AS INTEGER)")
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    return Built(strict(INT, args), f"{vector('instr', _occurrence, INT)}({rest})")


def _edge(name: str, function: str, doc: str, call: str) -> Function:
    def builder(args: Arguments, context: CallContext) -> Built:
        check(name, args, ("text or bytes",))
        if args[0].type.is_text:
            check(name, args, ("text",))
            return Built(strict(BOOLEAN, args), f"{function}({{0}}, {{1}})")
        check(name, args, ("bytes",))
        # Hexadecimal digits come in pairs, so that an edge of them is an edge of the bytes.
        return Built(strict(BOOLEAN, args), f"{function}(hex({{0}}), hex({{1}}))")

    return Function((name,), (2, 2), builder, doc, (call, True))


# cutting


def _split_index(args: Arguments, context: CallContext) -> Built:
    check("SPLIT_INDEX", args[:1], ("text",))
    check("SPLIT_INDEX", args[2:], ("integer",))
    if args[1].type.is_integer:
        own = vector("split_index_code", _piece_by_code, STRING)
        return Built(STRING, f"{own}({{0}}, {{1}}, {{2}})")
    check("SPLIT_INDEX", args[1:2], ("text",))
    own = vector("split_index", _piece, STRING)
    piece = "string_split({0}, {1})[({2})::BIGINT + 1]"
    if args[1].text:
        return Built(STRING, f"(CASE WHEN ({{2}}) >= 0 AND {{0}} <> '' THEN {piece} END)")
    native = f"WHEN ({{2}}) >= 0 AND {{0}} <> '' AND {{1}} IS NOT NULL THEN {piece}"
    return Built(STRING, f"(CASE WHEN {{1}} = '' THEN {own}({{0}}, {{1}}, {{2}}) {native} END)")


def _piece(text: str, separator: str, place: int) -> str | None:
    """Without a separator the text is cut at each blank."""
    if not text or place < 0:
        return None
    import re

    pieces = text.split(separator) if separator else re.split(r"\s", text)
    return pieces[place] if place < len(pieces) else None


def _piece_by_code(text: str, code: int, place: int) -> str | None:
    return _piece(text, chr(code), place) if 1 <= code <= 255 else None


def _split_by(text: str, source: str, limit: int = 0) -> list[str]:
    """String.split: pieces between matches; without a limit no empty ones at the end."""
    pattern = compiled(source)
    pieces: list[str] = []
    end = 0
    for match in pattern.matches(text):
        if limit and len(pieces) == limit - 1:
            break
        if match.end() == 0 or (match.start() == match.end() == len(text)):
            continue
        pieces.append(text[end : match.start()])
        end = match.end()
    pieces.append(text[end:])
    while not limit and len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    return pieces


def _str_to_map(text: str, outer: str = ",", inner: str = "=") -> dict[str, str | None]:
    """Pairs of a text; both separators are regular expressions, the last of equal keys counts."""
    if not text:
        return {}
    pairs: dict[str, str | None] = {}
    try:
        parts = _split_by(text, outer)
        if parts == [""]:
            parts = []
        for part in parts:
            key, *value = _split_by(part, inner, 2)
            pairs[key if value else part] = value[0] if value else None
    except PatternError as e:
        msg = f"STR_TO_MAP: a separator is not a regular expression: {e}"
        raise EddylineError("sql_runtime", msg, hint=r"write \[ for a bracket") from None
    keys = list(pairs)
    return {keys[i]: pairs[keys[i]] for i in hash_order(keys, len(parts))}


def _str_to_map_built(args: Arguments, context: CallContext) -> Built:
    check("STR_TO_MAP", args, ("text",))
    kind = map_of(STRING, STRING)
    own = define(
        "str_to_map",
        kind,
        by_distinct_row(lambda *row: list(_str_to_map(*row).items()), kind),
    )
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    return Built(kind, f"{own}({rest})")


def _regexp_function(rule: _Regexp, most: int, doc: str, example: tuple[str, object]) -> Function:
    return Function((rule.name,), (2, most), rule.build, doc, example)


_SPLIT = (
    "(CASE WHEN {1} IS NULL THEN NULL WHEN {0} = '' THEN CAST([] AS VARCHAR[]) "
    "ELSE string_split({0}, {1}) END)"
)

register(
    (
        _edge("STARTSWITH", "starts_with", "Whether a begins with b.", "STARTSWITH('abc', 'ab')"),
        _edge("ENDSWITH", "ends_with", "Whether a ends with b.", "ENDSWITH('abc', 'bc')"),
        _regexp_function(
            _Regexp("REGEXP", BOOLEAN, _regexp, "regexp_matches({0}, {re2})", strict=True),
            2,
            "Whether the pattern matches somewhere in the text.",
            ("REGEXP('abc', 'b')", True),
        ),
        _regexp_function(
            _Regexp(
                "REGEXP_EXTRACT",
                STRING,
                _extract,
                "(CASE WHEN regexp_matches({0}, {re2}) "
                "THEN regexp_extract({0}, {re2}, {group}) END)",
            ),
            3,
            "A group of the pattern's first match (0: the whole of it).",
            ("REGEXP_EXTRACT('a12', '([a-z])([0-9]+)', 2)", "12"),
        ),
        _regexp_function(
            _Regexp("REGEXP_EXTRACT_ALL", array(STRING), _extract_all),
            3,
            "A group (1 unless given) of every match of the pattern.",
            ("REGEXP_EXTRACT_ALL('a1b2', '([a-z])[0-9]')[2]", "b"),
        ),
        _regexp_function(
            _Regexp(
                "REGEXP_COUNT",
                INT,
                _count,
                "CAST(len(regexp_extract_all({0}, {re2})) AS INTEGER)",
                first=False,
            ),
            2,
            "Number of matches of the pattern.",
            ("REGEXP_COUNT('abab', 'a')", 2),
        ),
        _regexp_function(
            _Regexp("REGEXP_INSTR", INT, _place),
            2,
            "Place of the pattern's first match, 0 if there is none.",
            ("REGEXP_INSTR('abc', 'b')", 2),
        ),
        _regexp_function(
            _Regexp(
                "REGEXP_SUBSTR",
                STRING,
                _substring,
                "(CASE WHEN regexp_matches({0}, {re2}) THEN regexp_extract({0}, {re2}) END)",
            ),
            2,
            "The pattern's first match.",
            ("REGEXP_SUBSTR('abc', 'b.')", "bc"),
        ),
        Function(
            ("REGEXP_REPLACE",),
            (3, 3),
            _regexp_replace,
            "Every match of the pattern replaced by a text.",
            ("REGEXP_REPLACE('a1b2', '[0-9]', '')", "ab"),
        ),
        Function(
            ("POSITION",),
            (2, 3),
            _position,
            "Place of a in b, 0 if it is not there.",
            ("POSITION('b' IN 'abc')", 2),
        ),
        Function(
            ("LOCATE",),
            (2, 3),
            _locate,
            "Place of a in b, from a place on; 0 if it is not there.",
            ("LOCATE('b', 'abcb', 3)", 4),
        ),
        Function(
            ("INSTR",),
            (2, 4),
            _instr,
            "Place of an occurrence of b in a, from a place on (negative: backwards).",
            ("INSTR('abcb', 'b', 1, 2)", 4),
        ),
        Function(
            ("SPLIT",),
            (2, 2),
            plain("SPLIT", ("text", "text"), array(STRING), _SPLIT),
            "The pieces between separators; without a separator the characters.",
            ("CARDINALITY(SPLIT('a,b', ','))", 2),
        ),
        Function(
            ("SPLIT_INDEX",),
            (3, 3),
            _split_index,
            "The n-th piece between separators, from 0.",
            ("SPLIT_INDEX('a,b', ',', 1)", "b"),
        ),
        Function(
            ("STR_TO_MAP",),
            (1, 3),
            _str_to_map_built,
            "The pairs of a text as a map; the separators are regular expressions.",
            ("STR_TO_MAP('a=1,b=2')['b']", "2"),
        ),
    )
)
