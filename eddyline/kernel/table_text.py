"""Expressions of the Table API that are given as text, as SQL.

In such a text the name of a column is a plain reference, whatever word it is, and a function may
follow its argument: ``value.sum as total``. SQL reserves words like ``value`` and ``timestamp`` and
writes ``SUM(`value`)``. All other SQL passes through unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from eddyline.kernel.expression_functions import PROPERTIES
from eddyline.kernel.expressions import quoted
from eddyline.sql.grammar.reserved import RESERVED

# Gives the columns' names and types. It asks the session, so it is called only when needed.
Columns = Callable[[], dict[str, str]]

_TOKEN = re.compile(
    r"(?P<gap>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<quoted>`(?:[^`]|``)*`)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[^\W\d]\w*)|(?P<symbol>.)",
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
    types: dict[str, str] | None = None
    for place, token in enumerate(solid):
        before, after = _at(solid, place - 1), _at(solid, place + 1)
        if _is_alias(token, before):
            token.text = quoted(token.name) if token.word in RESERVED else token.text
        elif _may_be_column(token, before, after):
            suffix = _suffix(solid, place)
            if not suffix and token.word not in RESERVED:
                continue
            if types is None:
                types = {**columns(), **({window: ""} if window else {})}
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
    found, depth = [""], 0
    for token in _tokens(text):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token.text
    return [part.strip() for part in found]
