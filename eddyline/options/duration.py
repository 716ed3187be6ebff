"""Durations as Flink's options write them: ``10 s``, ``5min``, ``200 ms``, ``1 d``."""

from __future__ import annotations

import re

_UNITS_MS = {
    "": 1, "ms": 1, "milli": 1, "millis": 1, "millisecond": 1, "milliseconds": 1,
    "s": 1000, "sec": 1000, "secs": 1000, "second": 1000, "seconds": 1000,
    "m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000,
    "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000,
    "d": 86_400_000, "day": 86_400_000, "days": 86_400_000,
}  # fmt: skip
# A thousand years: a sum of two such durations still fits every clock and column.
MAX_MS = 1000 * 366 * 86_400_000
_DURATION = re.compile(r"\s*([0-9]+)\s*([A-Za-z]*)\s*")


def milliseconds(text: str) -> int:
    """A duration in milliseconds; a bare number is milliseconds.

    Raises:
        ValueError: for a text that is not a duration.
    """
    match = _DURATION.fullmatch(text)
    unit = _UNITS_MS.get(match[2].lower()) if match else None
    if match is None or unit is None or int(match[1]) * unit > MAX_MS:
        raise ValueError(f"{text!r} is not a duration of at most a thousand years")
    return int(match[1]) * unit
