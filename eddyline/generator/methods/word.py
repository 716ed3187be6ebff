"""Words, names, numbers in patterns and JSON objects, as columns that methods are built from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import (
    At,
    Chars,
    GeneratedColumn,
    Integers,
    Joined,
    Mapped,
    Pick,
    Texts,
    Uniforms,
    bytes_of,
    index,
)
from eddyline.generator.methods import lists

DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
ALPHANUMERIC = DIGITS + LOWER
HEX = "0123456789abcdef"
NAME_SHAPE = r"[A-Z][A-Za-z'-]+"
WORD_SHAPE = r"[\w'/-]+"
SENTENCE_SHAPE = r"[A-Z][a-z]*( [a-z]+)*\."


def drawn(table: Callable[[], list[str]]) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a method that picks from a list, which is loaded at its first use."""
    return lambda _: Pick(table())


def built(column: Callable[[], GeneratedColumn]) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a method without arguments, built at its first use."""
    return lambda _: column()


def latin_words(count: int) -> GeneratedColumn:
    """``count`` words of filler text."""
    word = Pick(lists.latin())
    parts: list[GeneratedColumn | str] = [word]
    for _ in range(count - 1):
        parts += [" ", word]
    return Joined(*parts)


class Prose:
    """Sentences of filler text, the first word of each with a capital.

    Drawn as one flat run of words that is folded into sentences and these into texts, so that
    short texts do not pay for the longest.
    """

    def __init__(
        self, low: int, high: int, least: int = 3, most: int = 10, between: str = " "
    ) -> None:
        words = lists.latin()
        self._sentences = (low, high)
        self._words = (least, most)
        self._between = between
        self._table = pa.array([*words, *(w.capitalize() for w in words)])
        self._size = len(words)
        self.slots = 1 + high * (1 + most)
        longest = max(len(w) for w in words) + 1
        self.width = high * (most * longest + 1 + bytes_of(between))

    def build(self, u: Uniforms, at: At) -> Texts:
        low, high = self._sentences
        least, most = self._words
        count = low + index(u[:, 0], high - low + 1)
        drawn = u[:, 1:].reshape(at.n, high, 1 + most)[np.arange(high) < count[:, None]]
        length = least + index(drawn[:, 0], most - least + 1)
        places = index(drawn[:, 1:], self._size)
        places[:, 0] += self._size
        words = self._table.take(pa.array(places[np.arange(most) < length[:, None]]))
        sentences_of_rows = pc.binary_join_element_wise(_folded(words, length, " "), ".", "")
        return sentences_of_rows if high == 1 else _folded(sentences_of_rows, count, self._between)


def _folded(texts: Any, counts: Integers, between: str) -> Any:
    """Runs of ``counts`` texts each joined into one."""
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), between)


def sentence(count: int) -> GeneratedColumn:
    """A sentence of ``count`` words."""
    return Prose(1, 1, count, count)


def some_sentence(low: int = 3, high: int = 10) -> GeneratedColumn:
    """A sentence of ``low`` … ``high`` words."""
    return Prose(1, 1, low, high)


def sentences(count: int, between: str = " ") -> GeneratedColumn:
    """``count`` sentences of filler text."""
    return Prose(count, count, between=between)


def replaced(symbols: Mapping[str, str], template: str) -> GeneratedColumn:
    """A text in which each symbol stands for one random character of its alphabet."""
    parts: list[GeneratedColumn | str] = []
    for run in re.finditer(r"(.)\1*", template, re.DOTALL):
        alphabet = symbols.get(run[1])
        parts.append(Chars(alphabet, len(run[0])) if alphabet else run[0])
    return Joined(*parts)


def full_name() -> GeneratedColumn:
    """First and last name."""
    return Joined(Pick(lists.first_names()), " ", Pick(lists.last_names()))


def lower(column: GeneratedColumn) -> GeneratedColumn:
    """A column's texts in lower case."""
    return Mapped(column, pc.utf8_lower)


def record(fields: Mapping[str, GeneratedColumn | str]) -> GeneratedColumn:
    """A JSON object: a column is a JSON value as it stands; a text is written as JSON."""
    parts: list[GeneratedColumn | str] = []
    for place, (name, value) in enumerate(fields.items()):
        parts.append(("," if place else "{") + json.dumps(name) + ":")
        parts.append(json.dumps(value) if isinstance(value, str) else value)
    return Joined(*parts, "}")


def quoted(column: GeneratedColumn | str) -> GeneratedColumn:
    """A column's texts as JSON strings; they hold nothing that needs escaping."""
    return Joined('"', column, '"')
