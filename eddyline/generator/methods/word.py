"""Words made up of syllables: pronounceable, never out of a list.

The project keeps no word list of its own; names, domains and filler text are built from these
until a library's lists are asked for.
"""

from __future__ import annotations

import pyarrow.compute as pc

from eddyline.generator.column import Either, Joined, Mapped

ONSETS = [
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z",
    "br", "cl", "dr", "fl", "gr", "pl", "st", "tr",
]  # fmt: skip
VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
CODAS = ["", "", "", "n", "l", "r", "s", "th"]

_syllable = (ONSETS, VOWELS)
WORD = Either(Joined(*_syllable, *_syllable, CODAS), Joined(*_syllable, ONSETS, VOWELS, CODAS, "e"))
NAME = Mapped(Joined(*_syllable, *_syllable, CODAS), pc.utf8_capitalize)
SURNAME = Mapped(Joined(*_syllable, CODAS, *_syllable, CODAS), pc.utf8_capitalize)
CAPITAL_WORD = Mapped(WORD, pc.utf8_capitalize)

SLUG_SHAPE = "[a-z]+"
NAME_SHAPE = "[A-Z][a-z]+"


def words(count: int, between: str = " ") -> Joined:
    """``count`` words with ``between`` in between."""
    parts: list[Joined | Either | str] = [WORD]
    for _ in range(count - 1):
        parts += [between, WORD]
    return Joined(*parts)


def sentence(count: int) -> Joined:
    """``count`` words, the first with a capital, a full stop at the end."""
    rest = [" ", words(count - 1)] if count > 1 else []
    return Joined(CAPITAL_WORD, *rest, ".")  # type: ignore[arg-type]
