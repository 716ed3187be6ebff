"""Patterns of AWS's models, which are written for Java, as patterns of Python's ``re``.

These differences occur in the models: categories of characters (``\\p{L}``), code points above
U+FFFF as two surrogates, the predefined classes (``\\w``, ``\\d``, ``\\s``), which mean ASCII in
Java, a hyphen after such a class, and flags at the beginning.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from itertools import groupby

_TOKEN = re.compile(
    r"\\(?P<sign>[pP])\{(?P<category>\w+)\}"
    r"|\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<escape>\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_FLAGS = re.compile(r"\(\?([imsx]+)\)")
# POSIX classes of Java, as bounds of ASCII.
_POSIX = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "0-9A-Za-z",
    "Alpha": "A-Za-z",
    "Digit": "0-9",
    "Graph": r"\x21-\x7e",
    "Lower": "a-z",
    "Print": r"\x20-\x7e",
    "Punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "Space": r"\x09-\x0d\x20",
    "Upper": "A-Z",
    "XDigit": "0-9A-Fa-f",
}
_PREDEFINED = frozenset("wWdDsS")


def translated(pattern: str) -> str:
    """A pattern for ``re`` that the whole text must match, as in Java's ``matches``.

    Raises:
        re.error: the pattern has something that is not translated.
    """
    flags = "a"
    leading = _FLAGS.match(pattern)
    if leading:
        flags += leading.group(1)
        pattern = pattern[leading.end() :]
    python_pattern = rf"^(?{flags}:{''.join(_parts(pattern))})\Z"
    re.compile(python_pattern)
    return python_pattern


def _parts(pattern: str) -> list[str]:
    out: list[str] = []
    in_class = False
    before = ""  # the token before, where it decides what a hyphen means
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if token["category"]:
            bounds = _bounds(token["category"], token["sign"] == "P")
            text = bounds if in_class else f"[{bounds}]"
            before = "class"
        elif token["high"]:
            text = _code_point(token["high"], token["low"])
            before = ""
        elif token["escape"]:
            before = "class" if text[1] in _PREDEFINED else ""
            text = r"\Z" if text == r"\z" else text
        else:
            if in_class and text == "[":
                text = r"\["
            elif text == "[":
                in_class = True
            elif text == "]":
                in_class = False
            elif in_class and text == "-" and before == "class":
                text = r"\-"
            before = ""
        out.append(text)
    return out


def _code_point(high: str, low: str) -> str:
    point = 0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00)
    return f"\\U{point:08x}"


@cache
def _bounds(category: str, negated: bool) -> str:
    """The characters of a category, or all others, as the inside of a class.

    Raises:
        re.error: there is no such category.
    """
    if category in _POSIX:
        runs = _runs_of_ascii(_POSIX[category])
    else:
        runs = [(c.startswith(category), a, b) for c, a, b in _runs()]
    if not any(inside for inside, _, _ in runs):
        raise re.error(f"unknown category \\p{{{category}}}")
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for inside, a, b in runs if inside is not negated)


def _runs_of_ascii(bounds: str) -> list[tuple[bool, int, int]]:
    one = re.compile(f"[{bounds}]")
    runs = [(bool(one.match(chr(n))), n, n) for n in range(128)]
    return [*runs, (False, 128, sys.maxunicode)]


@cache
def _runs() -> list[tuple[str, int, int]]:
    """(category, first, last) of successive code points of one Unicode category.

    It takes a fifth of a second, once in a process that needs it.
    """
    runs, first = [], 0
    for category, members in groupby(
        map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    ):
        count = sum(1 for _ in members)
        runs.append((category, first, first + count - 1))
        first += count
    return runs
