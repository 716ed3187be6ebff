"""The Flink dialect of sqlglot's tokenizer: words, strings, symbols, with their places.

Only the tokenizer of sqlglot is used. Its parser keeps no positions for literals, calls and
operators, folds functions into its own (``DATE_FORMAT``, ``NOW`` and ``IF`` lose their names)
and takes much that Flink refuses; so the grammar is ours (``eddyline.sql.grammar``). For the
same reason no word is a keyword here: which words are reserved is the grammar's affair.
"""

from __future__ import annotations

from typing import ClassVar

from sqlglot import tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from eddyline.errors import EddylineError, Span

__all__ = ["Flink", "Token", "TokenType", "span_at", "tokenize"]


class Flink(Dialect):
    """Apache Flink SQL, as far as tokens go."""

    class Tokenizer(tokens.Tokenizer):
        """Backticks quote names, single quotes text; ``--`` and ``/* */`` are comments."""

        QUOTES: ClassVar[list[tuple[str, str] | str]] = ["'"]
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]
        COMMENTS: ClassVar[list[str | tuple[str, str]]] = ["--", ("/*", "*/")]
        HEX_STRINGS: ClassVar[list[str | tuple[str, str]]] = [("x'", "'"), ("X'", "'")]
        NESTED_COMMENTS = False
        COMMANDS: ClassVar[set[TokenType]] = set()
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            "||": TokenType.DPIPE,
            "<=": TokenType.LTE,
            ">=": TokenType.GTE,
            "<>": TokenType.NEQ,
            "!=": TokenType.NEQ,
            "=>": TokenType.FARROW,
            "::": TokenType.DCOLON,
        }


def span_at(text: str, start: int, end: int) -> Span:
    """The place of ``text[start:end]``: 1-based line and column."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Span(line, column, max(1, end - start))


def tokenize(text: str) -> list[Token]:
    """The tokens of ``text``; comments are attached to their neighbours.

    Raises:
        EddylineError: ``sql_syntax`` for a quote or a comment that is never closed.
    """
    try:
        return Flink().tokenize(text)
    except TokenError:
        start, what, closer = _unclosed(text)
        msg = f"this {what} is never closed"
        span = span_at(text, start, start + 1)
        hint = f"close it with {closer}"
        raise EddylineError("sql_syntax", msg, hint=hint, span=span, source=text) from None


def unclosed_at(text: str) -> int:
    """Where the quote or comment begins that is never closed."""
    return _unclosed(text)[0]


_OPENERS = {"'": ("text", "'"), "`": ("name", "`"), "/*": ("comment", "*/"), "--": ("", "\n")}


def _unclosed(text: str) -> tuple[int, str, str]:
    """Where the quote or comment begins that swallows the rest of the text."""
    at = 0
    while at < len(text):
        opener = next((o for o in _OPENERS if text.startswith(o, at)), None)
        if opener is None:
            at += 1
            continue
        what, closer = _OPENERS[opener]
        end = text.find(closer, at + len(opener))
        if end < 0 and what:
            return at, what, closer
        at = len(text) if end < 0 else end + len(closer)
    return max(0, len(text) - 1), "text", "'"
