"""Durations as Flink's options spell them: ``10 s``, ``5min``, ``200 ms``, ``1 d``."""

from __future__ import annotations

import re

from eddyline.errors import EddylineError

_UNITS = {
    "ms": 1,
    "milli": 1,
    "millis": 1,
    "millisecond": 1,
    "milliseconds": 1,
    "s": 1000,
    "sec": 1000,
    "secs": 1000,
    "second": 1000,
    "seconds": 1000,
    "m": 60_000,
    "min": 60_000,
    "minute": 60_000,
    "minutes": 60_000,
    "h": 3_600_000,
    "hour": 3_600_000,
    "hours": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "days": 86_400_000,
}
_PATTERN = re.compile(r"\s*(\d+)\s*([A-Za-z]*)\s*")


def milliseconds(text: str) -> float:
    """A duration option in milliseconds; a bare number is milliseconds.

    Raises:
        EddylineError: ``invalid_argument``.
    """
    match = _PATTERN.fullmatch(text)
    unit = _UNITS.get((match[2] or "ms").lower()) if match else None
    if not match or unit is None:
        hint = "write a number and a unit, such as '10 s' or '5 min'"
        raise EddylineError("invalid_argument", f"{text!r} is not a duration", hint=hint)
    return int(match[1]) * unit
