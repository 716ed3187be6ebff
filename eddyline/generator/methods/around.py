"""Columns around another column: null with a chance, lists of random length, JSON strings.

They are what the filters of the template language (``{{tag | null(0.1)}}``) and faker's
``helpers.maybe`` and ``helpers.multiple`` are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.arguments import Arguments, text_of
from eddyline.generator.column import (
    At,
    GeneratedColumn,
    Mapped,
    Texts,
    Uniforms,
    bytes_of,
    index,
    spread,
)
from eddyline.generator.json_text import quoted

# Elements of one list at most.
LIST_MAX = 1_000


class Perhaps:
    """A column, in whose place a constant text stands with a chance."""

    def __init__(self, inner: GeneratedColumn, chance: float, text: str) -> None:
        self._inner, self._chance, self._text = inner, chance, text
        self.slots = 1 + inner.slots
        self.width = max(inner.width, bytes_of(text))

    def build(self, u: Uniforms, at: At) -> Texts:
        texts = spread(self._inner.build(u[:, 1:], at), at.n)
        return pc.if_else(pa.array(u[:, 0] < self._chance), self._text, texts)


class ListColumn:
    """``low`` … ``high`` values of a column as a JSON list; the values are JSON already."""

    def __init__(self, inner: GeneratedColumn, low: int, high: int) -> None:
        self._inner, self._low, self._high = inner, low, high
        self.slots = 1 + high * inner.slots
        self.width = 2 + high * (inner.width + 1)

    def build(self, u: Uniforms, at: At) -> Texts:
        counts = self._low + index(u[:, 0], self._high - self._low + 1)
        if not self._high:
            return "[]"
        size = self._inner.slots
        columns = [
            spread(self._inner.build(u[:, 1 + k * size : 1 + (k + 1) * size], at), at.n)
            for k in range(self._high)
        ]
        # Element k of row r stands at k * n + r; the lists take them row by row.
        places = (np.arange(at.n)[:, None] + np.arange(self._high) * at.n)[
            np.arange(self._high) < counts[:, None]
        ]
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
        values = pa.concat_arrays(columns).take(pa.array(places))
        lists = pa.ListArray.from_arrays(pa.array(offsets), values)
        return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")


class Quoted:
    """A column's texts as JSON strings."""

    def __init__(self, inner: GeneratedColumn) -> None:
        self._inner = inner
        self.slots = inner.slots
        self.width = 6 * inner.width + 2  # a control character takes six bytes

    def build(self, u: Uniforms, at: At) -> Texts:
        return quoted(spread(self._inner.build(u, at), at.n))


def listed(args: Arguments, inner: GeneratedColumn, low: int, high: int) -> GeneratedColumn:
    """A list of that many values; more than ``LIST_MAX`` are an error."""
    if high > LIST_MAX:
        args.fail(f"a list has at most {LIST_MAX} elements, not {high}")
    return ListColumn(inner, low, high)


def _null(args: Arguments, inner: GeneratedColumn) -> GeneratedColumn:
    given = args.named("chance", "text")
    if "chance" not in given:
        args.fail("a chance is needed", "as in {{internet.ip | json | null(0.1)}}")
    chance = args.number(given, "chance", 0, 0, 1)
    return Perhaps(inner, chance, text_of(given.get("text", "null")))


def _array(args: Arguments, inner: GeneratedColumn) -> GeneratedColumn:
    given = args.named("min", "max")
    low = args.whole(given, "min", 0, 0, LIST_MAX)
    high = args.whole(given, "max", low if "min" in given else 3, low, LIST_MAX)
    return ListColumn(inner, low, high)


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """One row of the filters: how it is written, what it does, and an example without braces."""

    forms: str
    doc: str
    compile: Callable[[Arguments, GeneratedColumn], GeneratedColumn]
    example: str
    shape: str

    @property
    def arguments(self) -> int:
        """Most arguments it takes."""
        return self.forms.count(",") + 1 if self.forms else 0


def _mapped(
    change: Callable[[Any], Any],
) -> Callable[[Arguments, GeneratedColumn], GeneratedColumn]:
    return lambda _, inner: Mapped(inner, change, 3 * inner.width)


FILTERS: dict[str, TemplateFilter] = {
    "null": TemplateFilter(
        "(chance, text)",
        "With this chance null, or another text, in its place.",
        _null,
        "random.number(9) | null(0.2)",
        r"\d|null",
    ),
    "array": TemplateFilter(
        "(min, max)",
        "A JSON list of so many values; array(2) has always two.",
        _array,
        "random.number(9) | array(1,3)",
        r"\[\d(,\d){0,2}\]",
    ),
    "json": TemplateFilter(
        "",
        "The text as a JSON string, with quotes.",
        lambda _, inner: Quoted(inner),
        'random.arrayElement(["a","b"]) | json',
        '"[ab]"',
    ),
    "upper": TemplateFilter(
        "", "In upper case.", _mapped(pc.utf8_upper), "random.alpha | upper", "[A-Z]"
    ),
    "lower": TemplateFilter(
        "",
        "In lower case.",
        _mapped(pc.utf8_lower),
        'random.arrayElement(["A","B"]) | lower',
        "[ab]",
    ),
}
