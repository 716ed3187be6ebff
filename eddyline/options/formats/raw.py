"""The raw format."""

from __future__ import annotations

import codecs
from enum import StrEnum

from eddyline.options.connector import Format
from eddyline.options.option import Option, OptionKind, choice


class Endianness(StrEnum):
    """The order of a number's bytes."""

    BIG = "big-endian"
    LITTLE = "little-endian"


def _charset(text: str) -> str:
    """Python's name of a character set."""
    try:
        return codecs.lookup(text.strip()).name
    except LookupError:
        raise ValueError(text) from None


CHARSET = Option(
    "charset",
    OptionKind("charset", _charset, "the name of a character set, as in 'UTF-8' or 'ISO-8859-1'"),
    "UTF-8",
    "How a text is encoded.",
)
ENDIANNESS = Option(
    "endianness", choice(Endianness), "big-endian", "The order of a number's bytes."
)

RAW = Format("raw", "The record is the value of the one column.", (CHARSET, ENDIANNESS))
