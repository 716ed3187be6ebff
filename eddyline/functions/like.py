"""LIKE and SIMILAR TO: SQL's patterns, understood as Flink understands them.

``%`` stands for any text. ``_`` is one character that does not end a line, because Flink makes it
the point of a regular expression.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from eddyline.errors import EddylineError
from eddyline.functions.java.class_reader import PatternError
from eddyline.functions.java.regex import JavaPattern, compiled
from eddyline.functions.patterns import literal
from eddyline.functions.registry import (
    Arguments,
    Built,
    CallContext,
    Function,
    check,
    register,
    strict,
)
from eddyline.record.types import BOOLEAN
from eddyline.record.vector import by_distinct_row, define

_JAVA_SPECIALS = "[]()|^-+*?{}$\\."
_SIMILAR_SPECIALS = "[]()|^-+*_%?{}"
_CLASSES = {
    "ALPHA": r"\p{Alpha}",
    "UPPER": r"\p{Upper}",
    "LOWER": r"\p{Lower}",
    "DIGIT": r"\d",
    "SPACE": " ",
    "WHITESPACE": r"\s",
    "ALNUM": r"\p{Alnum}",
}
_HAS_LINE_END = "regexp_matches({0}, '[\\n\\r\\x{{85}}\\x{{2028}}\\x{{2029}}]')"


def _refused(pattern: str, place: int, what: str = "escape sequence") -> EddylineError:
    msg = f"the pattern {pattern!r} has an invalid {what} at character {place + 1}"
    hint = "escape %, _ and the escape character itself, nothing else"
    return EddylineError("sql_semantic", msg, hint=hint if what == "escape sequence" else None)


def _like_regex(pattern: str, escape: str) -> str:
    """A LIKE pattern as a regular expression of Java."""
    out, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        if character == escape:
            following = pattern[at + 1 : at + 2]
            if following not in ("%", "_", escape):
                raise _refused(pattern, at)
            out.append("\\" + following if following in _JAVA_SPECIALS else following)
            at += 1
        elif character == "_":
            out.append(".")
        elif character == "%":
            out.append("(?s:.*)")
        else:
            out.append("\\" + character if character in _JAVA_SPECIALS else character)
        at += 1
    return "".join(out)


def _similar_regex(pattern: str, escape: str) -> str:
    """A SIMILAR TO pattern as a regular expression of Java."""
    out, at, inside = [], 0, False
    while at < len(pattern):
        character = pattern[at]
        if character == escape:
            out.append(_escaped(pattern, at, escape))
            at += 1
        elif character == "[":
            inside = True
            text, at = _enumeration(pattern, at, escape)
            out.append(text)
        elif character == "]":
            if not inside:
                raise _refused(pattern, at, "regular expression")
            inside = False
            out.append("]")
        else:
            out.append(_SIMILAR.get(character, character))
        at += 1
    return "".join(out)


_SIMILAR = {"_": ".", "%": "(?s:.*)", "\\": "\\\\", "$": "\\$"}


def _escaped(pattern: str, at: int, escape: str) -> str:
    following = pattern[at + 1 : at + 2]
    if following and following in _SIMILAR_SPECIALS:
        return "\\" + following if following in _JAVA_SPECIALS else following
    if following != escape or not following:
        raise _refused(pattern, at)
    return following


def _enumeration(pattern: str, start: int, escape: str) -> tuple[str, int]:
    """What stands between brackets, and the place of its last character."""
    out, at = ["["], start + 1
    while at < len(pattern):
        character = pattern[at]
        if character == "]":
            break
        if character == escape:
            out.append(_escaped(pattern, at, escape))
            at += 1
        elif character in "-^":
            out.append(character)
        elif pattern.startswith("[:", at):
            end = pattern.find(":]", at)
            name = pattern[at + 2 : end] if end > 0 else ""
            if name.upper() not in _CLASSES or name not in (name.upper(), name.lower()):
                raise _refused(pattern, at, "regular expression")
            out.append(_CLASSES[name.upper()])
            at = end + 1
        elif character in _SIMILAR_SPECIALS:
            raise _refused(pattern, at, "regular expression")
        else:
            out.append(character)
        at += 1
    return "".join(out), at - 1


@lru_cache(maxsize=512)
def _understood(translate: Callable[[str, str], str], pattern: str, escape: str) -> JavaPattern:
    if len(escape) > 1:
        msg = f"the escape {escape!r} has more than one character"
        raise EddylineError("sql_semantic", msg, hint="for example ESCAPE '!'")
    try:
        return compiled(translate(pattern, escape))
    except PatternError as e:
        raise EddylineError("sql_runtime", f"the pattern {pattern!r} is not valid: {e}") from None


def _matcher(name: str, translate: Callable[[str, str], str]) -> str:
    def matches(text: str, pattern: str, escape: str = "") -> bool:
        understood = _understood(translate, pattern, escape)
        return understood.matcher.fullmatch(text) is not None

    return define(name, BOOLEAN, by_distinct_row(matches, BOOLEAN))


_LIKE = _matcher("like", _like_regex)
_SIMILAR_TO = _matcher("similar_to", _similar_regex)


def _native(
    args: Arguments, translate: Callable[[str, str], str]
) -> tuple[str, JavaPattern] | None:
    """A constant pattern as RE2's text, with what it is."""
    pattern, escape = args[1].text, args[2].text if len(args) > 2 else ""
    if pattern is None or escape is None:
        return None
    understood = _understood(translate, pattern, escape)
    if understood.re2 is None or understood.ends:
        return None
    return literal(understood.re2), understood


def _like(args: Arguments, context: CallContext) -> Built:
    check("LIKE", args, ("text",))
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    own = f"{_LIKE}({rest})"
    kind = strict(BOOLEAN, args)
    escape = " ESCAPE {2}" if len(args) == 3 else ""
    plain = f"(({{0}}) LIKE ({{1}}){escape})"
    native = _native(args, _like_regex)
    if native is None:
        if len(args) == 3 and args[2].text is None:
            return Built(kind, own)
        return Built(kind, f"(CASE WHEN {_HAS_LINE_END} THEN {own} ELSE {plain} END)")
    pattern = args[1].text or ""
    if "_" not in pattern:
        return Built(kind, plain)
    lines = f"regexp_full_match({{0}}, {native[0]})"
    return Built(kind, f"(CASE WHEN {_HAS_LINE_END} THEN {lines} ELSE {plain} END)")


def _similar(args: Arguments, context: CallContext) -> Built:
    check("SIMILAR TO", args, ("text",))
    rest = ", ".join(f"{{{i}}}" for i in range(len(args)))
    native = _native(args, _similar_regex)
    text = f"{_SIMILAR_TO}({rest})" if native is None else f"regexp_full_match({{0}}, {native[0]})"
    return Built(strict(BOOLEAN, args), text)


register(
    (
        Function(
            ("LIKE",),
            (2, 3),
            _like,
            "% stands for any text, _ for one character that does not end a line.",
            ("'abc' LIKE 'a%'", True),
        ),
        Function(
            ("SIMILAR TO",),
            (2, 3),
            _similar,
            "SQL's regular expressions, over the whole text.",
            ("'abc' SIMILAR TO 'a(b|x)c'", True),
        ),
    )
)
