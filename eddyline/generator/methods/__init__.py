"""The methods of the template language, one row each."""

from __future__ import annotations

from eddyline.generator.methods import (
    business,
    card,
    chance,
    checked,
    date,
    draw,
    internet,
    later,
    person,
    place,
    session,
)
from eddyline.generator.methods.method import Method

TABLES = (chance, draw, date, internet, business, place, person, card, checked, later, session)
METHODS: dict[str, Method] = {m.name: m for rows in TABLES for m in rows.METHODS}

_NO_LIST = "no list of such words stands behind it"

# Methods of other generators that are not here, and why: known, not forgotten.
UNSUPPORTED: dict[str, str] = {
    "unique": "use sequence.next, or random.uuid",
    **{
        f"{module}.{name}": _NO_LIST
        for module, names in {
            "animal": "bear bird cat cetacean cow crocodilia dog fish horse insect lion rabbit "
            "snake type",
            "database": "column collation engine type",
            "git": "commitEntry",
            "music": "genre",
            "vehicle": "bicycle color fuel manufacturer model type vehicle",
        }.items()
        for name in names.split()
    },
}
