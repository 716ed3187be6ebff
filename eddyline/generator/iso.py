"""Dates and times as ISO 8601 writes them."""

from __future__ import annotations

import re
from datetime import date

_ISO = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?"
    r"(Z|[+-]\d\d:?\d\d)?"
)
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
# Days of 400 years, after which the calendar repeats.
_CYCLE = 146_097


def parse_iso(text: str) -> int | None:
    """Epoch ms of an ISO 8601 date or time (UTC without an offset); None if it is none."""
    m = _ISO.fullmatch(text.strip())
    if m is None:
        return None
    year, month, day, hour, minute, second = (
        int(g or d) for g, d in zip(m.groups(), (0, 1, 1, 0, 0, 0), strict=False)
    )
    try:
        days = _days(year, month, day)
    except ValueError:
        return None
    if hour > 24 or minute > 59 or second > 60:
        return None
    milli = int(((m[7] or "") + "000")[:3])
    return days * _DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milli - _zone_ms(m[8])


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970; the year 0, which Python's dates lack, is as the year 400."""
    cycles, rest = divmod(year, 400)
    return date(rest + 400, month, day).toordinal() - _EPOCH + (cycles - 1) * _CYCLE


def _zone_ms(text: str | None) -> int:
    if text is None or text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return (-1 if text[0] == "-" else 1) * minutes * 60_000
