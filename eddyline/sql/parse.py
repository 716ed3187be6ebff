"""From a script to its statements: split at ``;``, then parse one at a time.

A whole script is tokenised once, so that every place in an error is a place in the text the user
wrote, whichever statement it belongs to. Each statement is parsed only when it is its turn: a
statement that cannot be parsed does not keep those before it from running, as in Flink's client
and in Zeppelin.
"""

from __future__ import annotations

from collections.abc import Iterator

from eddyline.errors import EddylineError
from eddyline.record.types import DataType
from eddyline.sql import syntax
from eddyline.sql.dialect import Token, TokenType, tokenize, unclosed_at
from eddyline.sql.grammar.statements import StatementGrammar, first_words
from eddyline.sql.statement import Statement


def statements(text: str) -> Iterator[Statement]:
    """The statements of ``text`` in order, each parsed when it is asked for.

    A text of only comments gives none.

    Raises:
        EddylineError: ``sql_syntax`` or ``sql_unsupported`` when the faulty statement is reached.
    """
    failure: EddylineError | None = None
    try:
        tokens = tokenize(text)
    except EddylineError as error:  # a quote is never closed: what ends before it is sound
        failure, tokens = error, tokenize(text[: unclosed_at(text)])
    ended, rest = _split(tokens)
    for piece in ended:
        yield StatementGrammar(piece, text).statement()
    if failure is not None:
        raise failure
    if rest:
        yield StatementGrammar(rest, text).statement()


def parse_script(text: str) -> list[Statement]:
    """All statements of ``text``; raises as ``statements``."""
    return list(statements(text))


def parse_expression(text: str) -> syntax.Expression:
    """One expression on its own (a computed column or watermark kept as text in the catalog)."""
    grammar = StatementGrammar(tokenize(text), text)
    expression = grammar.expression()
    if not grammar.done:
        grammar.unexpected("the end of the expression")
    return expression


def parse_type(text: str) -> DataType:
    """One type on its own (the result type of a Python function)."""
    grammar = StatementGrammar(tokenize(text), text)
    kind = grammar.data_type()
    if not grammar.done:
        grammar.unexpected("the end of the type")
    return kind


def parse_query(text: str) -> syntax.Query:
    """One query on its own (a view kept as text in the catalog)."""
    grammar = StatementGrammar(tokenize(text), text)
    query = grammar.query()
    if not grammar.done:
        grammar.unexpected("the end of the query")
    return query


def _split(tokens: list[Token]) -> tuple[list[list[Token]], list[Token]]:
    """The statements that a semicolon ends, and the tokens after the last semicolon.

    BEGIN STATEMENT SET … END stays in one piece.
    """
    ended: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON and not _inside_set(current):
            if current:
                ended.append(current)
            current = []
        else:
            current.append(token)
    return ended, current


def _inside_set(tokens: list[Token]) -> bool:
    """Whether the tokens hold a statement set whose END is still to come."""
    words = first_words(tokens)
    if not words or words[0] not in _BEFORE_SETS:
        return False
    place = next((n for n in range(len(words)) if words[n : n + 2] == ("STATEMENT", "SET")), None)
    if place is None:
        return False
    begins = words[place - 1] == "BEGIN" or words[place + 2 : place + 3] == ("BEGIN",)
    return begins and not _ends_set(tokens)


def _ends_set(tokens: list[Token]) -> bool:
    """Whether the last token is the END of the set, and not that of a CASE."""
    words = [t.text.upper() for t in tokens if t.token_type is TokenType.VAR]
    return tokens[-1].text.upper() == "END" and words.count("END") > words.count("CASE")


# The words a statement set, or a statement about one, begins with.
_BEFORE_SETS = ("BEGIN", "EXECUTE", "EXPLAIN", "COMPILE")
