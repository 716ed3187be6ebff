"""Random texts that match a regular expression, built by column.

The pattern is parsed into the columns of :mod:`eddyline.generator.column`: literals, character
classes, groups, alternatives and repetitions. An open repetition (``*``, ``+``, ``{2,}``) ends
after ``OPEN_REPEATS`` more. Anchors match nothing and are dropped; what looks around or back
(``(?=…)``, ``\\1``) cannot be generated and is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.column import (
    At,
    Chars,
    Either,
    GeneratedColumn,
    Joined,
    Pick,
    SameText,
    Texts,
    Uniforms,
    index,
    spread,
)

OPEN_REPEATS = 8
REPEATS_MAX = 10_000
PATTERN_CHARS_MAX = 2_000
DEPTH_MAX = 50
# What ``.`` and negated classes choose from: printable ASCII.
PRINTABLE = "".join(chr(code) for code in range(32, 127))
_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
CLASSES = {
    "d": _DIGITS,
    "w": _DIGITS + _LETTERS + _LETTERS.upper() + "_",
    "s": " ",
    "D": "".join(c for c in PRINTABLE if c not in _DIGITS),
    "W": "".join(c for c in PRINTABLE if not (c.isalnum() or c == "_")),
    "S": PRINTABLE.replace(" ", ""),
}
POSIX = {
    "Alpha": _LETTERS + _LETTERS.upper(),
    "Digit": _DIGITS,
    "Alnum": _DIGITS + _LETTERS + _LETTERS.upper(),
    "Upper": _LETTERS.upper(),
    "Lower": _LETTERS,
    "Punct": "".join(c for c in PRINTABLE if not c.isalnum() and c != " "),
    "XDigit": _DIGITS + "abcdefABCDEF",
    "IsAlphabetic": _LETTERS + _LETTERS.upper(),
    "IsDigit": _DIGITS,
    "L": _LETTERS + _LETTERS.upper(),
    "Lu": _LETTERS.upper(),
    "Ll": _LETTERS,
    "N": _DIGITS,
    "Nd": _DIGITS,
}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
# Escapes and anchors that match a position, not a character.
_POSITIONS = "bBAzZG"


class TemplatePatternError(ValueError):
    """A pattern that is malformed, or that cannot be turned into text."""


@dataclass(frozen=True, slots=True)
class CharRun:
    """``low`` … ``high`` characters of one class of single-byte characters."""

    alphabet: str
    low: int
    high: int

    @property
    def slots(self) -> int:
        return self.high + 1

    @property
    def width(self) -> int:
        return self.high

    def build(self, u: Uniforms, at: At) -> Texts:
        table = np.frombuffer(self.alphabet.encode("ascii"), np.uint8)
        lengths = self.low + index(u[:, 0], self.high - self.low + 1)
        kept = np.arange(self.high) < lengths[:, None]
        letters = table[index(u[:, 1:], len(table))][kept]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
        return pa.StringArray.from_buffers(at.n, pa.py_buffer(offsets), pa.py_buffer(letters))


class Repeated:
    """``low`` … ``high`` texts of a column one after the other."""

    def __init__(self, inner: GeneratedColumn, low: int, high: int) -> None:
        self._inner, self._low, self._high = inner, low, high
        self.slots = 1 + high * inner.slots
        self.width = high * inner.width

    def build(self, u: Uniforms, at: At) -> Texts:
        counts = self._low + index(u[:, 0], self._high - self._low + 1)
        parts = []
        for place in range(self._high):
            share = u[:, 1 + place * self._inner.slots : 1 + (place + 1) * self._inner.slots]
            texts = spread(self._inner.build(share, at), at.n)
            parts.append(pc.if_else(pa.array(counts > place), texts, ""))
        return pc.binary_join_element_wise(*parts, "") if parts else ""


def compile_pattern(pattern: str) -> GeneratedColumn:
    """The column of a regular expression.

    Raises:
        PatternError: for a pattern that cannot be parsed or generated.
    """
    if len(pattern) > PATTERN_CHARS_MAX:
        raise TemplatePatternError(f"the pattern has more than {PATTERN_CHARS_MAX} characters")
    return _Parser(pattern).parse()


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    def parse(self) -> GeneratedColumn:
        column = self._alternatives()
        if self._at < len(self._text):
            self._fail("a group is closed that was not opened")
        return column

    def _alternatives(self) -> GeneratedColumn:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._fail(f"groups are nested deeper than {DEPTH_MAX}")
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        self._depth -= 1
        if len(options) == 1:
            return options[0]
        if all(isinstance(o, SameText) for o in options):
            return Pick([o.text for o in options if isinstance(o, SameText)])
        return Either(*options)

    def _sequence(self) -> GeneratedColumn:
        parts: list[GeneratedColumn] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            item = self._item()
            if item is None:
                continue
            item = self._repetition(item)
            if isinstance(item, SameText) and parts and isinstance(parts[-1], SameText):
                parts[-1] = SameText(parts[-1].text + item.text)
            else:
                parts.append(item)
        if not parts:
            return SameText("")
        return parts[0] if len(parts) == 1 else Joined(*parts)

    def _item(self) -> GeneratedColumn | None:
        char = self._text[self._at]
        self._at += 1
        handlers: dict[str, Callable[[], GeneratedColumn | None]] = {
            "(": self._group,
            "[": lambda: self._one_of(self._class()),
            "\\": self._escape,
            ".": lambda: Chars(PRINTABLE, 1),
            "^": lambda: None,
            "$": lambda: None,
        }
        if char in handlers:
            return handlers[char]()
        if char in "*+?":
            self._fail(f"nothing stands before {char}")
        return SameText(char)

    def _group(self) -> GeneratedColumn:
        if self._take("?"):
            self._group_head()
        inner = self._alternatives()
        if not self._take(")"):
            self._fail("a group is not closed")
        return inner

    def _group_head(self) -> None:
        """Read ``:``, ``<name>`` or ``P<name>`` after ``(?``."""
        if self._take(":"):
            return
        self._take("P")
        if self._take("<") and self._text[self._at : self._at + 1] not in ("=", "!"):
            end = self._text.find(">", self._at)
            if end > 0:
                self._at = end + 1
                return
        self._fail("only plain, named and non-capturing groups can be generated")

    def _escape(self) -> GeneratedColumn | None:
        if self._at >= len(self._text):
            self._fail("the pattern ends in a backslash")
        if self._text[self._at] in _POSITIONS:
            self._at += 1
            return None
        return self._one_of(self._escaped())

    def _escaped(self) -> str:
        """The characters an escape stands for; the backslash is read already."""
        char = self._text[self._at]
        self._at += 1
        if char in CLASSES:
            return CLASSES[char]
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "p" and (name := self._braced("the name of a class")):
            if name not in POSIX:
                self._fail(f"the class {name} is not known")
            return POSIX[name]
        if char in "ux":
            return self._code(4 if char == "u" else 2)
        if char.isalnum():
            self._fail(f"\\{char} cannot be generated")
        return char

    def _code(self, digits: int) -> str:
        text = self._text[self._at : self._at + digits]
        try:
            code = int(text, 16) if len(text) == digits else -1
        except ValueError:
            code = -1
        if code < 0 or 0xD800 <= code < 0xE000:
            self._fail(f"{digits} hexadecimal digits of a character are needed")
        self._at += digits
        return chr(code)

    def _braced(self, what: str) -> str:
        end = self._text.find("}", self._at)
        if self._text[self._at : self._at + 1] != "{" or end < 0:
            self._fail(f"{what} is needed in braces")
        name = self._text[self._at + 1 : end]
        self._at = end + 1
        return name

    def _class(self) -> str:
        """The characters of ``[…]``; the opening bracket is read already."""
        negated = self._take("^")
        chars: dict[str, None] = {}
        first = True
        while True:
            if self._at >= len(self._text):
                self._fail("a character class is not closed")
            if self._text[self._at] == "]" and not first:
                self._at += 1
                break
            first = False
            chars.update(dict.fromkeys(self._class_item()))
        members = "".join(c for c in PRINTABLE if c not in chars) if negated else "".join(chars)
        if not members:
            self._fail("a character class is empty")
        return members

    def _class_item(self) -> str:
        start = self._class_char()
        dash = self._text[self._at : self._at + 1] == "-"
        if not dash or self._text[self._at + 1 : self._at + 2] in ("]", "") or len(start) > 1:
            return start
        self._at += 1
        end = self._class_char()
        if len(end) > 1 or ord(end) < ord(start):
            self._fail(f"the range {start}-{end[:5]} is not one")
        if ord(end) - ord(start) > 5_000:
            self._fail(f"the range {start}-{end} has more than 5000 characters")
        return "".join(chr(c) for c in range(ord(start), ord(end) + 1) if not 0xD800 <= c < 0xE000)

    def _class_char(self) -> str:
        char = self._text[self._at]
        self._at += 1
        if char != "\\":
            return char
        if self._at >= len(self._text):
            self._fail("the pattern ends in a backslash")
        return self._escaped()

    def _one_of(self, chars: str) -> GeneratedColumn:
        if len(chars) == 1:
            return SameText(chars)
        return Chars(chars, 1) if chars.isascii() else Pick(list(chars))

    def _repetition(self, item: GeneratedColumn) -> GeneratedColumn:
        counts = self._counts()
        if counts is None:
            return item
        self._take("?") or self._take("+")  # lazy and possessive forms generate the same
        low, high = counts
        if self._text[self._at : self._at + 1] in ("*", "+") or high > REPEATS_MAX:
            self._fail(f"a repetition is repeated, or is above {REPEATS_MAX}")
        if low == high == 1:
            return item
        if isinstance(item, Chars) and item.count == 1:
            return Chars(item.alphabet, low) if low == high else CharRun(item.alphabet, low, high)
        if isinstance(item, SameText) and low == high:
            return SameText(item.text * low)
        return Repeated(item, low, high)

    def _counts(self) -> tuple[int, int] | None:
        for char, counts in {
            "?": (0, 1),
            "*": (0, OPEN_REPEATS),
            "+": (1, 1 + OPEN_REPEATS),
        }.items():
            if self._take(char):
                return counts
        if self._text[self._at : self._at + 1] != "{":
            return None
        least, comma, most = self._braced("a repetition").partition(",")
        try:
            low = int(least or 0)
            high = low if not comma else int(most) if most.strip() else low + OPEN_REPEATS
        except ValueError:
            self._fail("a repetition is written {2}, {2,} or {2,5}")
        if not 0 <= low <= high:
            self._fail(f"a repetition of {low} to {high} is not one")
        return low, high

    def _take(self, char: str) -> bool:
        if self._text[self._at : self._at + 1] != char:
            return False
        self._at += 1
        return True

    def _fail(self, message: str) -> NoReturn:
        raise TemplatePatternError(f"{message} (character {self._at + 1} of the pattern)")
