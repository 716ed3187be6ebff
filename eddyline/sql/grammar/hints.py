"""Hints (``/*+ … */``): each is applied, answered with a warning, or an error; none is dropped.

The tokenizer attaches a comment to the token before it. ``OPTIONS`` belongs behind a table's name,
where the table's reader takes it; ``STATE_TTL`` is for the statement's joins and groupings; hints
about how to execute a join change no result and are answered with a warning; every other hint is
refused, because leaving it out could change results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from eddyline.errors import EddylineError, nearest
from eddyline.sql.dialect import Token, span_at

_HINT = re.compile(r"\s*(\w+)\s*(\((?:'(?:[^']|'')*'|[^'()])*\))?\s*,?")
_PAIR = re.compile(r"\s*'((?:[^']|'')*)'\s*=\s*'((?:[^']|'')*)'\s*(?:,|$)")
# How Flink executes a join; one machine has one way.
_EXECUTION = (
    "BROADCAST",
    "SHUFFLE_HASH",
    "SHUFFLE_MERGE",
    "NEST_LOOP",
    "MULTI_JOIN",
    "LOOKUP",
    "NO_MULTI_JOIN",
)
_STATE_TTL = "STATE_TTL"


def hint_end(token: Token, text: str) -> int:
    """The position behind a token and the hints that follow it."""
    end = token.end + 1
    for comment in token.comments:
        at = text.find("/*" + comment + "*/", end)
        if comment.startswith("+") and at >= 0 and not text[end:at].strip():
            end = at + len(comment) + 4
    return end


def table_options(token: Token, text: str) -> tuple[tuple[str, str], ...]:
    """The options of the OPTIONS hints behind a table's name.

    Raises:
        EddylineError: ``sql_syntax`` for one that is not ``OPTIONS('key' = 'value', …)``.
    """
    options: list[tuple[str, str]] = []
    for name, arguments in _hints(token, text):
        if name == "OPTIONS":
            options += _pairs(arguments, token, text, "OPTIONS('key' = 'value', …)")
    return tuple(options)


def state_ttls(tokens: list[Token], text: str) -> tuple[tuple[str, str], ...]:
    """Tables and durations of the STATE_TTL hints of a statement.

    Raises:
        EddylineError: ``sql_syntax`` for one that is not ``STATE_TTL('table' = '1 d', …)``.
    """
    form = "STATE_TTL('table' = '1 d', …)"
    return tuple(
        pair
        for token in tokens
        for name, arguments in _hints(token, text)
        if name == _STATE_TTL
        for pair in _pairs(arguments, token, text, form)
    )


def _pairs(arguments: str | None, token: Token, text: str, form: str) -> list[tuple[str, str]]:
    """The keys and values between a hint's parentheses."""
    inner = (arguments or "")[1:-1]
    at, pairs = 0, []
    while at < len(inner) and (match := _PAIR.match(inner, at)):
        pairs.append((match[1].replace("''", "'"), match[2].replace("''", "'")))
        at = match.end()
    if not pairs or inner[at:].strip():
        raise _malformed(token, text, form)
    return pairs


def execution_hints(tokens: list[Token], tables: set[int], text: str) -> tuple[str, ...]:
    """The hints of a statement that change no result.

    tables: positions in ``tokens`` of table names, whose OPTIONS hints are taken already.

    Raises:
        EddylineError: ``sql_unsupported`` for a hint that would change something.
    """
    names = []
    for place, token in enumerate(tokens):
        for name, _ in _hints(token, text):
            if name in _EXECUTION:
                names.append(name)
            elif name != _STATE_TTL and (name != "OPTIONS" or place not in tables):
                raise _refusal(name, token, text)
    return tuple(names)


def _hints(token: Token, text: str) -> Iterator[tuple[str, str | None]]:
    for comment in token.comments:
        if not comment.startswith("+") or f"/*{comment}*/" not in text:
            continue
        body, at = comment[1:].rstrip(), 0
        while at < len(body):
            match = _HINT.match(body, at)
            if match is None:
                raise _malformed(token, text, "/*+ NAME(…) */")
            yield match[1].upper(), match[2]
            at = match.end()


def _malformed(token: Token, text: str, form: str) -> EddylineError:
    span = span_at(text, token.start, token.end + 1)
    message = "the hint behind this cannot be read"
    return EddylineError("sql_syntax", message, hint=f"write {form}", span=span, source=text)


def _refusal(name: str, token: Token, text: str) -> EddylineError:
    span = span_at(text, token.start, token.end + 1)
    if name == "OPTIONS":
        message, hint = "the OPTIONS hint stands here behind no table", "write FROM t /*+ … */"
    else:
        near = nearest(name, ["OPTIONS", _STATE_TTL, *_EXECUTION])
        message = f"there is no hint {name}"
        hint = f"did you mean {near[0]}?" if near else "OPTIONS is supported; remove this one"
    return EddylineError("sql_unsupported", message, hint=hint, span=span, source=text)
