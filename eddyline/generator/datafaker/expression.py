"""Datafaker's expressions as columns: ``#{Name.fullName}``, ``#{number.numberBetween '0','50'}``.

An expression is a text with any number of ``#{provider.method 'argument','argument'}``. Names are
the same in any case and with or without underscores, as in Datafaker (``harry_potter.character`` is
``HarryPotter.character``). The reference: https://www.datafaker.net/documentation/expressions/
"""

from __future__ import annotations

import re
from typing import NoReturn

from eddyline.errors import EddylineError, nearest
from eddyline.generator.arguments import Arguments
from eddyline.generator.column import GeneratedColumn, Joined, Pick
from eddyline.generator.datafaker.fiction import FICTION, texts
from eddyline.generator.datafaker.providers import CALLS, METHOD_NAMES
from eddyline.generator.methods import METHODS, things

EXPRESSION_CHARS_MAX = 10_000
_CALL = re.compile(r"#\{\s*([A-Za-z_][\w.]*)\s*((?:'(?:[^']|'')*'|[^'}])*)\}")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def compile_expression(text: str) -> GeneratedColumn:
    """The column of an expression.

    Raises:
        EddylineError: ``invalid_argument`` for a provider that is not known, or bad arguments.
    """
    if len(text) > EXPRESSION_CHARS_MAX:
        message = f"an expression has at most {EXPRESSION_CHARS_MAX} characters"
        raise EddylineError("invalid_argument", message)
    parts: list[GeneratedColumn | str] = []
    place = 0
    for call in _CALL.finditer(text):
        parts += [text[place : call.start()], _called(call[1], _arguments(call[2]))]
        place = call.end()
    rest = text[place:]
    if "#{" in rest:
        message = f"the expression {text[:80]!r} has a #{{ without its end"
        hint = "as in #{number.numberBetween '0','50'}"
        raise EddylineError("invalid_argument", message, hint=hint)
    columns = [part for part in [*parts, rest] if part != ""]
    return Joined(*columns) if len(columns) != 1 else Joined(columns[0])


def _arguments(text: str) -> list[str]:
    """What stands in quotes, or between commas where nothing does.

    Published tables leave out commas and add a closing parenthesis; Datafaker reads past both.
    """
    quoted = [m[1].replace("''", "'") for m in _QUOTED.finditer(text)]
    if quoted or not text.strip(" ,()"):
        return quoted
    return [part.strip() for part in text.strip(" ()").split(",")]


def _called(name: str, arguments: list[str]) -> GeneratedColumn:
    key = name.replace("_", "").lower()
    key = key.removeprefix("faker.")
    if (call := CALLS.get(key)) is not None:
        args = Arguments(f"#{{{name}}}", tuple(arguments))
        try:
            return call(args)
        except EddylineError as error:
            raise EddylineError("invalid_argument", error.message, hint=error.hint) from None
    if key in FICTION:
        return Pick(texts(key))
    if (method := METHOD_NAMES.get(key)) is not None:
        return METHODS[method].compile(Arguments(f"#{{{name}}}", ()))
    if key not in _THINGS:
        _unknown(name, key)
    return Pick(things.words(_THINGS[key]))


_THINGS = {name.lower(): name for name in things.WORDS}


def _unknown(name: str, key: str) -> NoReturn:
    known = {k: k for k in (*CALLS, *FICTION, *METHOD_NAMES, *_THINGS)}
    near = nearest(key, list(known))
    hint = f"did you mean {' or '.join(near)}?" if near else "see the list in the documentation"
    raise EddylineError("invalid_argument", f"no provider is called {name}", hint=hint)
