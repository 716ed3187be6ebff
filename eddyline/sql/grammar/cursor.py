"""A place in a list of tokens, and the few ways to move on from it."""

from __future__ import annotations

from typing import NoReturn

from eddyline.errors import EddylineError, Span
from eddyline.sql.dialect import Token, TokenType, span_at
from eddyline.sql.grammar.hints import hint_end
from eddyline.sql.grammar.reserved import CALLABLE, RESERVED

_WORDS = (TokenType.VAR,)
# Words that plainly mean to begin a clause: no use in advising backticks.
_CLAUSES = frozenset(
    ("FROM", "WHERE", "GROUP", "ORDER", "HAVING", "SELECT", "JOIN", "ON", "AS", "BY")
)
_END = "the end of the statement"


class Cursor:
    """Tokens of one statement inside ``text`` (the whole script, so that places are right)."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0
        # Places of table names, whose OPTIONS hints are read.
        self.hinted: set[int] = set()

    # looking

    def peek(self, ahead: int = 0) -> Token | None:
        """The token ``ahead`` of here, or None past the end."""
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """The bare word there in upper case; empty if it is anything else."""
        token = self.peek(ahead)
        return token.text.upper() if token and token.token_type in _WORDS else ""

    def is_type(self, kind: TokenType, ahead: int = 0) -> bool:
        """Whether the token there is of ``kind``."""
        token = self.peek(ahead)
        return token is not None and token.token_type is kind

    def sees(self, *words: str) -> bool:
        """Whether the next words are these."""
        return all(self.word(i) == w for i, w in enumerate(words))

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    # moving

    def advance(self) -> Token:
        """The next token, stepped over."""
        token = self.peek()
        if token is None:
            return self.unexpected("something more")
        self.at += 1
        return token

    def match(self, *words: str) -> bool:
        """Step over these words if they come next."""
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def match_type(self, kind: TokenType) -> Token | None:
        """Step over a token of ``kind`` if it comes next."""
        return self.advance() if self.is_type(kind) else None

    def expect(self, *words: str) -> None:
        """Step over these words.

        Raises:
            EddylineError: ``sql_syntax`` if anything else stands there.
        """
        for w in words:
            if not self.match(w):
                self.unexpected(w)

    def expect_type(self, kind: TokenType, what: str) -> Token:
        """Step over a token of ``kind``, called ``what`` in the error otherwise raised."""
        if not self.is_type(kind):
            self.unexpected(what)
        return self.advance()

    def l_paren(self) -> None:
        self.expect_type(TokenType.L_PAREN, "'('")

    def r_paren(self) -> None:
        self.expect_type(TokenType.R_PAREN, "')'")

    def comma(self) -> bool:
        """Step over a comma if one comes next."""
        return self.match_type(TokenType.COMMA) is not None

    # names and texts

    def is_name(self, ahead: int = 0) -> bool:
        """Whether a name may be read there."""
        if self.is_type(TokenType.IDENTIFIER, ahead):
            return True
        word = self.word(ahead)
        return bool(word) and word not in RESERVED

    def name(self, what: str = "a name") -> tuple[str, Span]:
        """An identifier and its place.

        Raises:
            EddylineError: ``sql_syntax``; for a reserved word the hint says to quote it.
        """
        word = self.word()
        if self.is_name():
            token = self.advance()
            return token.text, self.span_of(token)
        if word in RESERVED:
            token = self.advance()
            msg = f"{word} is a reserved word, expected {what}"
            hint = f"to use it as a name, write it in backticks: `{token.text}`"
            raise self.error(msg, self.span_of(token), hint)
        return self.unexpected(what)

    def string(self, what: str = "a text in single quotes") -> str:
        """A quoted text."""
        return self.expect_type(TokenType.STRING, what).text

    def integer(self, what: str = "a whole number") -> int:
        """An unsigned whole number."""
        if not (self.is_type(TokenType.NUMBER) and self.peek().text.isdigit()):  # type: ignore[union-attr]
            self.unexpected(what)
        return int(self.advance().text)

    # places and errors

    def span_of(self, token: Token) -> Span:
        """The place of one token."""
        return span_at(self.text, token.start, token.end + 1)

    def span_from(self, start: int) -> Span:
        """The place from token number ``start`` to the one before here."""
        first, last = self.tokens[start], self.tokens[max(start, self.at - 1)]
        return span_at(self.text, first.start, last.end + 1)

    def text_from(self, start: int) -> str:
        """The text from token number ``start`` to the one before here, as written."""
        return self.text[self.tokens[start].start : hint_end(self.tokens[self.at - 1], self.text)]

    def here(self) -> Span:
        """The place of the next token, or just after the last."""
        token = self.peek()
        if token:
            return self.span_of(token)
        if not self.tokens:
            return Span(1, 1)
        end = self.tokens[-1].end + 1
        return span_at(self.text, end, end + 1)

    def error(self, message: str, span: Span, hint: str | None = None) -> EddylineError:
        """A syntax error at ``span``."""
        return EddylineError("sql_syntax", message, hint=hint, span=span, source=self.text)

    def unsupported(self, what: str, span: Span, hint: str | None = None) -> EddylineError:
        """Valid Flink SQL that is not supported here."""
        msg = f"{what} is not supported yet"
        return EddylineError("sql_unsupported", msg, hint=hint, span=span, source=self.text)

    def unexpected(self, expected: str) -> NoReturn:
        """Raise: something else than ``wanted`` stands here."""
        token = self.peek()
        if token is None:
            raise self.error(f"expected {expected}, found {_END}", self.here())
        if token.text == '"':
            hint = "names are quoted with backticks (`a`), texts with single quotes ('a')"
            raise self.error("double quotes have no meaning in Flink SQL", self.here(), hint)
        hint = ""
        word = self.word()
        if word in RESERVED and word not in CALLABLE and word not in _CLAUSES:
            hint = f"{word} is a reserved word; as a name write it in backticks: `{token.text}`"
        shown = self.text[token.start : token.end + 1]
        raise self.error(f"expected {expected}, found {shown}", self.here(), hint or None)
