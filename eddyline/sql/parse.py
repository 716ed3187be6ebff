"""From a script to its statements: split at ``;``, then read each.

A whole paragraph is tokenised once, so that every place in an error is a place in the text the
user wrote, whichever statement it belongs to.
"""

from __future__ import annotations

from eddyline.sql import syntax
from eddyline.sql.dialect import Token, TokenType, tokenize
from eddyline.sql.grammar.statements import StatementGrammar, first_words
from eddyline.sql.statement import Statement


def parse_script(text: str) -> list[Statement]:
    """The statements of ``text`` in order; a text of only comments gives none.

    Raises:
        EddylineError: ``sql_syntax`` or ``sql_unsupported`` of the first statement that fails.
    """
    return [StatementGrammar(tokens, text).statement() for tokens in _split(tokenize(text))]


def parse_expression(text: str) -> syntax.Expression:
    """One expression on its own (a computed column or watermark kept as text in the catalog)."""
    grammar = StatementGrammar(tokenize(text), text)
    expression = grammar.expression()
    if not grammar.done:
        grammar.unexpected("the end of the expression")
    return expression


def parse_query(text: str) -> syntax.Query:
    """One query on its own (a view kept as text in the catalog)."""
    grammar = StatementGrammar(tokenize(text), text)
    query = grammar.query()
    if not grammar.done:
        grammar.unexpected("the end of the query")
    return query


def _split(tokens: list[Token]) -> list[list[Token]]:
    """The tokens between semicolons; BEGIN STATEMENT SET … END stays in one piece."""
    found: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens:
        ends = token.token_type is TokenType.SEMICOLON
        if ends and not _inside_set(current):
            found.append(current)
            current = []
        else:
            current.append(token)
    found.append(current)
    return [f for f in found if f]


def _inside_set(tokens: list[Token]) -> bool:
    words = first_words(tokens)
    begins = words == ("BEGIN", "STATEMENT", "SET") or words == ("EXECUTE", "STATEMENT", "SET")
    return begins and tokens[-1].text.upper() != "END"
