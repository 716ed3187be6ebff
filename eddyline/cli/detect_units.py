"""Numbers with a unit or a currency: ``153 ms``, ``2.27 GiB``, ``CHF 1'608.00``, ``5.4M``.

One unit in a whole column is left away. Of several that measure the same, as dashboards write them,
all become the smallest of them; of a column with other texts behind its numbers nothing is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.anomaly.kernel import Doubles

_CURRENCIES = (
    "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|MXN|ZAR|KRW|RUB|TRY|"
    "SGD|HKD|ILS|AED|SAR"
)
_PARTS = (
    rf"^(?P<currency>(?:{_CURRENCIES}|R\$|[€$£¥₹₽₩₺₪])\s?)?"
    r"(?P<number>[+-]?(?:\d[\d.,'\s\x{a0}\x{202f}]*\d|\d|[.,]\d+)(?:[eE][+-]?\d+)?)"
    r"(?P<space>[\s\x{a0}\x{202f}]*)(?P<unit>\D.*)?$"
)
_BINARY = {f"{p}i": 1024.0**n for n, p in enumerate(("K", "M", "G", "T", "P"), 1)}
_DECIMAL = {p: 1000.0**n for n, p in ((1, "k"), (1, "K"), (2, "M"), (3, "G"), (4, "T"), (5, "P"))}
_PREFIXES = {"": 1.0, **_DECIMAL, **_BINARY}


def _prefixed(*units: str) -> dict[str, float]:
    return {f"{p}{unit}": factor for unit in units for p, factor in _PREFIXES.items()}


# Units that measure the same, with how many of the first one each is.
FAMILIES: tuple[dict[str, float], ...] = (
    {
        "s": 1.0, "ns": 1e-9, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ms": 1e-3, "sec": 1.0,
        "secs": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0, "minute": 60.0,
        "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86_400.0,
        "day": 86_400.0, "days": 86_400.0, "week": 604_800.0, "weeks": 604_800.0,
    },
    _prefixed("B"),
    _prefixed("B/s", "Bps"),
    _prefixed("b", "bit"),
    _prefixed("b/s", "bps", "bit/s"),
    {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "Mil": 1e6, "mn": 1e6, "B": 1e9, "Bil": 1e9, "bn": 1e9,
     "G": 1e9, "T": 1e12, "Tri": 1e12},
    _prefixed("W"), _prefixed("Wh"), _prefixed("Hz"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumbersWithUnits:
    """numbers: texts without their units. factors (n,): by which each is multiplied; None for all
    by 1. unit: in which the values then are, empty for none."""

    numbers: pa.ChunkedArray
    factors: Doubles | None
    unit: str


def without_units(texts: pa.ChunkedArray, present: pa.ChunkedArray) -> NumbersWithUnits | None:
    """Texts as numbers and units; None if their units differ in what they measure."""
    parts = pc.extract_regex(texts.combine_chunks(), _PARTS)
    known = pc.and_(pc.fill_null(parts.is_valid(), False), present.combine_chunks())
    if pc.sum(known).as_py() is None or not pc.any(known).as_py():
        return None
    units = pc.utf8_trim_whitespace(pc.fill_null(parts.field("unit"), ""))
    distinct = set(pc.unique(units.filter(known)).to_pylist())
    currencies = pc.utf8_trim_whitespace(pc.fill_null(parts.field("currency"), ""))
    if len(pc.unique(currencies.filter(known))) > 1:
        return None
    numbers = pc.if_else(known, parts.field("number"), texts.combine_chunks())
    whole = pa.chunked_array([numbers])
    if len(distinct) == 1:
        (unit,) = distinct
        spaced = pc.all(pc.not_equal(parts.field("space").filter(known), "")).as_py()
        is_unit = any(unit in family for family in FAMILIES) or unit in _CURRENCIES.split("|")
        return NumbersWithUnits(whole, None, unit) if is_unit or spaced else None
    for family in FAMILIES:
        if distinct <= family.keys():
            smallest = min(distinct, key=lambda one: family[one])
            by = {one: family[one] / family[smallest] for one in distinct}
            factors = np.array([by.get(one, 1.0) for one in units.to_pylist()])
            return NumbersWithUnits(whole, factors, smallest)
    return None
