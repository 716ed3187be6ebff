"""Expressions of the Table API that are given as text, as SQL.

In such a text the name of a column is a plain reference, whatever word it is, and a function may
follow its argument: ``value.sum as total``, ``a.power(2)``. SQL reserves words like ``value`` and
``timestamp`` and writes ``SUM(`value`)``. ``&&``, ``===`` and ``!==`` are Java's signs for AND, =
and <>; beside them ``||`` is OR. All other SQL passes through unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from eddyline.kernel.expression_functions import METHODS, PROPERTIES
from eddyline.kernel.expressions import quoted
from eddyline.sql.grammar.reserved import RESERVED

# Gives the columns' names and types. It asks the session, so it is called only when needed.
Columns = Callable[[], dict[str, str]]

_TOKEN = re.compile(
    r"(?P<gap>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<quoted>`(?:[^`]|``)*`)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[^\W\d]\w*)|(?P<operator>===|!==|==|&&|\|\|)"
    r"|(?P<symbol>.)",
    re.DOTALL,
)
# Words behind which an operand stands; behind all others the expression goes on or ends.
_OPENERS = """
    AND OR NOT WHEN THEN ELSE CASE BETWEEN LIKE ESCAPE DISTINCT BY FROM ON SELECT WHERE
"""
_BEFORE_OPERANDS = frozenset(_OPENERS.split())
# Words that have their own meaning even where an operand stands.
_NEVER_COLUMNS = frozenset(("NULL", "TRUE", "FALSE", "NOT", "CASE", "DISTINCT", "INTERVAL"))
# Functions whose first argument is a unit of time or a side, and those whose AS names a type.
_FIRST_IS_WORD = frozenset(("TIMESTAMPDIFF", "TIMESTAMPADD", "EXTRACT", "TRIM"))
_CASTS = frozenset(("CAST", "TRY_CAST"))


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


# PyFlink's and Java's spelling: ``is_null`` and ``isNull``.
_SUFFIXES = {name: sql for key, sql in PROPERTIES.items() for name in (key, _camel(key))}
_CALLS = {
    name: sql for key, sql in {**METHODS, "cast": "CAST({0} AS {1})"}.items()
    for name in (key, _camel(key))
}  # fmt: skip
# Java's signs; those that make ``||`` mean OR, which is SQL's sign for joining texts.
_SIGNS = {"===": "=", "==": "=", "!==": "<>", "&&": "AND"}
_PLACES = re.compile(r"\{(\d)\}")


class _Token:
    """A piece of a text. prefix: the function whose brackets it stands in, in capitals."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.prefix = ""

    @property
    def word(self) -> str:
        """The word in capitals; empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The name that it may be; empty for what is none."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind == "word" else ""


_NONE = _Token("", "")


def _tokens(text: str) -> list[_Token]:
    """All pieces; those between brackets know the word before the bracket."""
    tokens, open_, last = [], [""], _NONE
    for match in _TOKEN.finditer(text):
        token = _Token(match.lastgroup or "", match[0])
        if token.text in ")]" and len(open_) > 1:
            open_.pop()
        token.prefix = open_[-1]
        if token.text in ("(", "["):
            open_.append(last.word)
        if token.kind != "gap":
            last = token
        tokens.append(token)
    return tokens


def as_sql(text: str, columns: Columns, window: str = "") -> str:
    """A text of the Table API as SQL.

    window: the alias of a window, whose ``w.start`` and ``w.end`` are marked for ``select``.
    """
    tokens = _tokens(text)
    solid = [t for t in tokens if t.kind != "gap"]
    _translate_signs(solid)
    types: dict[str, str] | None = None
    for place, token in enumerate(solid):
        before, after = _at(solid, place - 1), _at(solid, place + 1)
        if _is_alias(token, before):
            token.text = quoted(token.name) if token.word in RESERVED else token.text
        elif _may_be_column(token, before, after):
            suffix, call = _suffix(solid, place), _call(solid, place)
            if not suffix and not call and token.word not in RESERVED:
                continue
            if types is None:
                types = {**columns(), **({window: ""} if window else {})}
            if call and token.name in types:
                _rewrite_call(solid, place, call)
            else:
                _rewrite(solid, place, suffix, types)
    return "".join(t.text for t in tokens)


def _at(tokens: list[_Token], place: int) -> _Token:
    return tokens[place] if 0 <= place < len(tokens) else _NONE


def _is_alias(token: _Token, before: _Token) -> bool:
    return token.kind == "word" and before.word == "AS" and token.prefix not in _CASTS


def _may_be_column(token: _Token, before: _Token, after: _Token) -> bool:
    """Whether a word stands where an operand can and is no call, literal, unit or keyword."""
    if not token.name or token.word in _NEVER_COLUMNS:
        return False
    if after.kind == "text" or after.text == "(":
        return False  # DATE '2024-01-01', VARCHAR(3), SUM(…)
    is_first = before.text == "(" and token.prefix in _FIRST_IS_WORD
    if is_first and (after.text == "," or after.word == "FROM"):
        return False
    if before.kind == "symbol":
        return before.text not in (".", ")", "]")
    return before is _NONE or before.word in _BEFORE_OPERANDS


def _suffix(tokens: list[_Token], place: int) -> str:
    """The SQL of a function that follows its argument: ``price.sum``."""
    called = _at(tokens, place + 2)
    if _at(tokens, place + 1).text != "." or called.kind != "word":
        return ""
    return _SUFFIXES.get(called.text, "")


def _translate_signs(tokens: list[_Token]) -> None:
    signs = [t for t in tokens if t.kind == "operator"]
    is_java = any(t.text in _SIGNS for t in signs)
    for token in signs:
        token.text = _SIGNS.get(token.text, "OR" if is_java else token.text)
        token.kind = "word" if token.text.isalpha() else "symbol"


def _call(tokens: list[_Token], place: int) -> str:
    """The SQL of a function with arguments that follows its first one: ``a.power(2)``."""
    dot, called, bracket = (_at(tokens, place + n) for n in (1, 2, 3))
    if dot.text != "." or called.kind != "word" or bracket.text != "(":
        return ""
    return "" if _at(tokens, place + 4).text == ")" else _CALLS.get(called.text, "")


def _rewrite_call(tokens: list[_Token], place: int, template: str) -> None:
    """Put a function's SQL around its arguments, which stay as they are."""
    commas, end = _arguments(tokens, place + 3)
    if template.endswith("(…)"):
        numbers = ", ".join(f"{{{n}}}" for n in range(len(commas) + 2))
        template = f"{template.removesuffix('(…)')}({numbers})"
    head, *rest = _PLACES.split(template)
    places, between = rest[::2], rest[1::2]
    if places != [str(n) for n in range(len(commas) + 2)] or end is None:
        return  # another number of arguments; SQL says what is wrong
    tokens[place].text = f"{head}{quoted(tokens[place].name)}{between[0]}"
    for token in tokens[place + 1 : place + 4]:
        token.text, token.kind = "", "gap"
    for comma, text in zip(commas, between[1:-1], strict=True):
        comma.text = text
    end.text = between[-1]


def _arguments(tokens: list[_Token], bracket: int) -> tuple[list[_Token], _Token | None]:
    """The commas between the arguments behind a bracket, and the bracket that ends them."""
    commas, depth = list[_Token](), 0
    for token in tokens[bracket:]:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0:
            return commas, token
        if token.text == "," and depth == 1:
            commas.append(token)
    return commas, None


def _rewrite(tokens: list[_Token], place: int, suffix: str, types: dict[str, str]) -> None:
    token = tokens[place]
    if token.name not in types:
        return
    name = quoted(token.name)
    if not suffix or types[token.name].startswith("ROW"):
        token.text = name
        return
    token.text = suffix.format(name)
    spent = [place + 1, place + 2]
    if _at(tokens, place + 3).text == "(" and _at(tokens, place + 4).text == ")":
        spent += [place + 3, place + 4]
    for used in spent:
        tokens[used].text, tokens[used].kind = "", "gap"


def parts(text: str) -> list[str]:
    """The expressions of a text that are separated by commas."""
    pieces, depth = [""], 0
    for token in _tokens(text):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += token.text
    return [part.strip() for part in pieces]
