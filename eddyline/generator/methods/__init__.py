"""The methods of the template language, one row each."""

from __future__ import annotations

from dataclasses import replace

from eddyline.generator.methods import (
    business,
    card,
    chance,
    checked,
    date,
    draw,
    file,
    internet,
    later,
    newer,
    person,
    place,
    series,
    session,
    things,
)
from eddyline.generator.methods.aliases import ALIASES
from eddyline.generator.methods.method import Method

TABLES = (
    chance, draw, series, file, date, internet, business, place, person, card, checked, later,
    session, things, newer,
)  # fmt: skip
METHODS: dict[str, Method] = {m.name: m for rows in TABLES for m in rows.METHODS}


def _alias(name: str, of: str) -> Method:
    """The row of another name of a method."""
    row = METHODS[of]
    example = name + row.example.removeprefix(of)
    return replace(row, name=name, doc=f"Another name of {of}.", example=example)


METHODS.update({name: _alias(name, of) for name, of in ALIASES.items()})

_NO_LIST = "there is no list of such words"

# Methods of other generators that are not here, and why.
UNSUPPORTED: dict[str, str] = {
    "unique": "use sequence.next, or random.uuid",
    "helpers.enumValue": "pass the values as a list to helpers.arrayElement",
    "helpers.uniqueArray": "use helpers.shuffle of the values, or sequence.next",
    "helpers.fake": "write the text with its tags into the template itself",
    "image.dataUri": "a picture is too long for a record",
    **{
        f"{module}.{name}": _NO_LIST
        for module, names in {
            "airline": "airline airplane airport",
            "book": "series",
            "color": "colorByCSSColorSpace cssSupportedFunction cssSupportedSpace lab lch",
            "food": "description",
            "location": "language",
            "finance": "currency transactionDescription",
            "music": "album artist songName",
            "science": "chemicalElement",
        }.items()
        for name in names.split()
    },
}


def resolved(name: str) -> str | None:
    """The name of the method that a tag calls; None if there is none.

    The public generator reads the first two parts of a name and ignores what follows, and published
    templates rely on it: ``random.number.float`` is ``random.number``.
    """
    if name in METHODS:
        return name
    first_two = ".".join(name.split(".")[:2])
    return first_two if first_two in METHODS else None
