"""Instants in answers: each protocol writes them in its own way, headers in HTTP's."""

from __future__ import annotations

from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Instant:
    """Milliseconds since 1970; JSON has it as seconds, CBOR as tagged milliseconds."""

    __slots__ = ("ms",)

    def __init__(self, ms: int) -> None:
        self.ms = ms


def http_date(ms: int) -> str:
    """An instant as HTTP has it, in whole seconds: ``Wed, 25 Nov 2026 13:19:44 GMT``."""
    t = datetime.fromtimestamp(ms / 1000, UTC)
    day, month = _DAYS[t.weekday()], _MONTHS[t.month - 1]
    return f"{day}, {t.day:02d} {month} {t.year:04d} {t.hour:02d}:{t.minute:02d}:{t.second:02d} GMT"
