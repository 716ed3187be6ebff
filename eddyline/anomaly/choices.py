"""The options of a detector that are written as text: one table for SQL, command line and docs.

Each is checked against the columns that are judged, and becomes numbers for the kernels.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eddyline.anomaly.column.places import AUTO, COUNT, POSITIVE, REAL
from eddyline.errors import EddylineError

LAWS = {"real": REAL, "count": COUNT, "positive": POSITIVE, "auto": AUTO}
SEASONS = ("day,week", "day", "none")
NOW = "now"
_CHANGE = re.compile(r"([+-]?)([0-9]*\.?[0-9]*)(%?)")


@dataclass(frozen=True, slots=True)
class Choice:
    """An option: its name, what it does in one sentence, and an example."""

    name: str
    summary: str
    example: str


CHOICES = (
    Choice("false_alarms", "Allowed per key: a count per time or per rows.", "0.1/week"),
    Choice("season", "Seasons that may be used: day,week (default), day or none.", "day"),
    Choice("shares", "Columns that are a share of another one.", "clicks/impressions"),
    Choice("laws", "Law of a column: real, count, positive or auto.", "latency:positive"),
    Choice(
        "minimum_change", "Least change that matters, absolute or in %; + or - for one side.",
        "errors:0.01,latency:10%,clicks:-",
    ),
    Choice("time_zone", "Zone of the day and the week; default UTC.", "Europe/Berlin"),
    Choice("holidays", "Days that are like a Sunday.", "2026-12-25,2026-12-26"),
    Choice(
        "live_from", "Rows before this time only teach; now: those before the job's start.",
        "2026-03-01 00:00",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """The options as text; empty for the default."""

    season: str = ""
    shares: str = ""
    laws: str = ""
    minimum_change: str = ""
    time_zone: str = ""
    holidays: str = ""
    live_from: str = ""

    def validate(self) -> None:
        """Raises EddylineError ``invalid_argument`` for what does not depend on columns."""
        season_of(self.season)
        zone_of(self.time_zone)
        days_of(self.holidays)
        if self.live_from.strip().lower() != NOW:
            live_from_ms(self)


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """law: of ``places``. share_of: number of the denominator's column, -1 for none. least,
    least_share: the least change that matters, absolute and as a share of the expected value.
    side: 1 if only what is too high matters, -1 if only what is too low does, 0 for both."""

    law: int = AUTO
    share_of: int = -1
    least: float = 0.0
    least_share: float = 0.0
    side: float = 0.0


def of_columns(choices: Choices, columns: list[str], tolerance: float) -> list[ColumnChoice]:
    """What the options state for each column.

    Raises:
        EddylineError: ``invalid_argument`` naming the option and what is wrong with it.
    """
    by_column = [ColumnChoice(least_share=tolerance) for _ in columns]
    for part in _parts(choices.laws):
        name, _, law = part.partition(":")
        if law.strip().lower() not in LAWS:
            raise _wrong("laws", part, f"a law is one of {', '.join(LAWS)}")
        at = _place("laws", name, columns)
        by_column[at] = replace(by_column[at], law=LAWS[law.strip().lower()])
    for part in _parts(choices.shares):
        name, slash, of = part.partition("/")
        if not slash:
            raise _wrong("shares", part, "for example 'clicks/impressions'")
        at, whole = _place("shares", name, columns), _place("shares", of, columns)
        if at == whole:
            raise _wrong("shares", part, "a column is no share of itself")
        by_column[at] = replace(by_column[at], share_of=whole, law=COUNT)
    for part in _parts(choices.minimum_change):
        name, _, change = part.partition(":")
        match = _CHANGE.fullmatch(change.strip())
        if match is None or not change.strip() or match[2] == ".":
            hint = "for example 'errors:0.01', 'latency:10%', 'clicks:-' or 'errors:+5'"
            raise _wrong("minimum_change", part, hint)
        at = _place("minimum_change", name, columns)
        side = {"+": 1.0, "-": -1.0, "": 0.0}[match[1]]
        by_column[at] = replace(by_column[at], side=side)
        if match[2] and match[3]:
            by_column[at] = replace(by_column[at], least_share=float(match[2]) / 100)
        elif match[2]:
            by_column[at] = replace(by_column[at], least=float(match[2]))
    return by_column


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _place(option: str, name: str, columns: list[str]) -> int:
    name = name.strip()
    if name not in columns:
        raise _wrong(option, name, f"the columns that are judged are {', '.join(columns)}")
    return columns.index(name)


def season_of(text: str) -> str:
    season = ",".join(sorted(_parts(text.lower()))) or SEASONS[0]
    if season not in SEASONS:
        raise _wrong("season", text, f"one of {' | '.join(SEASONS)}")
    return season


def zone_of(text: str) -> ZoneInfo | None:
    if not text or text.upper() == "UTC":
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("time_zone", text, "for example 'Europe/Berlin'") from None


def days_of(text: str) -> frozenset[int]:
    out = set()
    for part in _parts(text):
        try:
            day = datetime.date.fromisoformat(part)
        except ValueError:
            raise _wrong("holidays", part, "for example '2026-12-25,2026-12-26'") from None
        out.add((day - datetime.date(1970, 1, 1)).days)
    return frozenset(out)


def live_from_ms(choices: Choices) -> int | None:
    """Epoch ms before which rows only teach, None for no such time: in the zone of ``time_zone``
    unless the text has one."""
    text = choices.live_from.strip()
    if not text:
        return None
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise _wrong("live_from", text, "for example '2026-03-01 00:00' or 'now'") from None
    zone = zone_of(choices.time_zone) or datetime.UTC
    return round((time if time.tzinfo else time.replace(tzinfo=zone)).timestamp() * 1000)


def begun(choices: Choices, now_ms: int) -> Choices:
    """The choices of a job that starts now."""
    if choices.live_from.strip().lower() != NOW:
        return choices
    now = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
    return replace(choices, live_from=now.isoformat())


def _wrong(option: str, text: str, hint: str) -> EddylineError:
    return EddylineError("invalid_argument", f"{option} is not understood: {text!r}", hint=hint)
