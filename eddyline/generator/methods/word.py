"""Words, names, numbers in patterns and JSON objects, as columns that methods are built from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import pyarrow.compute as pc

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import Chars, Column, Either, Joined, Mapped, Pick
from eddyline.generator.methods import lists

DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
ALPHANUMERIC = DIGITS + LOWER
HEX = "0123456789abcdef"
NAME_SHAPE = r"[A-Z][A-Za-z'-]+"
WORD_SHAPE = r"[\w'/-]+"
SENTENCE_SHAPE = r"[A-Z][a-z]*( [a-z]+)*\."


def drawn(table: Callable[[], list[str]]) -> Callable[[Arguments], Column]:
    """The compiler of a method that picks from a list, which is loaded when it is asked for."""
    return lambda _: Pick(table())


def built(column: Callable[[], Column]) -> Callable[[Arguments], Column]:
    """The compiler of a method without arguments, built when it is asked for."""
    return lambda _: column()


def latin_words(count: int) -> Column:
    """``count`` words of filler text."""
    word = Pick(lists.latin())
    parts: list[Column | str] = [word]
    for _ in range(count - 1):
        parts += [" ", word]
    return Joined(*parts)


def sentence(count: int) -> Column:
    """``count`` words, the first with a capital, a full stop at the end."""
    head = Pick([w.capitalize() for w in lists.latin()])
    rest: list[Column | str] = [" ", latin_words(count - 1)] if count > 1 else []
    return Joined(head, *rest, ".")


def some_sentence(low: int = 3, high: int = 10) -> Column:
    """A sentence of ``low`` … ``high`` words."""
    return Either(*(sentence(k) for k in range(low, high + 1)))


def sentences(count: int, between: str = " ") -> Column:
    """``count`` sentences of filler text."""
    one = some_sentence()
    parts: list[Column | str] = [one]
    for _ in range(count - 1):
        parts += [between, one]
    return Joined(*parts)


def replaced(symbols: Mapping[str, str], template: str) -> Column:
    """A text in which each symbol stands for one random character of its alphabet."""
    parts: list[Column | str] = []
    for run in re.finditer(r"(.)\1*", template, re.DOTALL):
        alphabet = symbols.get(run[1])
        parts.append(Chars(alphabet, len(run[0])) if alphabet else run[0])
    return Joined(*parts)


def full_name() -> Column:
    """First and last name."""
    return Joined(Pick(lists.first_names()), " ", Pick(lists.last_names()))


def lower(column: Column) -> Column:
    """A column's texts in lower case."""
    return Mapped(column, pc.utf8_lower)


def record(fields: Mapping[str, Column | str]) -> Column:
    """A JSON object: a column is a JSON value as it stands; a text is written as JSON."""
    parts: list[Column | str] = []
    for place, (name, value) in enumerate(fields.items()):
        parts.append(("," if place else "{") + json.dumps(name) + ":")
        parts.append(json.dumps(value) if isinstance(value, str) else value)
    return Joined(*parts, "}")


def quoted(column: Column | str) -> Column:
    """A column's texts as JSON strings; they hold nothing that needs escaping."""
    return Joined('"', column, '"')
