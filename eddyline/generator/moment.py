"""Dates written by moment.js's format tokens, for whole arrays of instants at once.

The public generator's templates use these tokens. The meaning of each is the one published in
moment's documentation (https://momentjs.com/docs/#/displaying/format/), English locale. A format
compiles once into a tuple of parts; an instant is an epoch millisecond.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa

from eddyline.generator.column import Integers, join, padded

# None is the machine's own zone.
Zone: TypeAlias = tzinfo | None
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first and last second of Python's calendar, a day within its ends for zones.
CALENDAR_S = (-62_135_510_400, 253_402_214_400)
ISO_LOCAL = "YYYY-MM-DDTHH:mm:ssZ"
ISO_UTC = "YYYY-MM-DDTHH:mm:ss[Z]"
# How JavaScript writes a date that is made into a text.
JS_DATE = "ddd MMM DD YYYY HH:mm:ss [GMT]ZZ"

MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]


class CalendarFields:
    """The calendar fields of instants in one zone, each computed at its first use.

    ``zone`` is None for the machine's own.
    """

    def __init__(self, ms: Integers, zone: Zone) -> None:
        self.ms = ms
        self.zone = zone

    @cached_property
    def offset_min(self) -> Integers:
        return np.zeros(len(self.ms), np.int64) if self.zone is UTC else offsets(self.ms, self.zone)

    @cached_property
    def _local(self) -> Integers:
        return self.ms + self.offset_min * 60_000

    @cached_property
    def days(self) -> Integers:
        return self._local // DAY_MS

    @cached_property
    def _day_ms(self) -> Integers:
        return self._local % DAY_MS

    @cached_property
    def hour(self) -> Integers:
        return self._day_ms // 3_600_000

    @cached_property
    def minute(self) -> Integers:
        return self._day_ms // 60_000 % 60

    @cached_property
    def second(self) -> Integers:
        return self._day_ms // 1000 % 60

    @property
    def milli(self) -> Integers:
        return self._day_ms % 1000

    @property
    def hour12(self) -> Integers:
        return (self.hour + 11) % 12 + 1

    @cached_property
    def year(self) -> Integers:
        return _year(self.days)

    @cached_property
    def month(self) -> Integers:
        """1 … 12."""
        months = self.days.astype("M8[D]").astype("M8[M]").astype(np.int64)
        return months % 12 + 1

    @cached_property
    def day(self) -> Integers:
        dates = self.days.astype("M8[D]")
        first = dates.astype("M8[M]").astype("M8[D]")
        return self.days - first.astype(np.int64) + 1

    @property
    def year_day(self) -> Integers:
        return _year_day(self.days)

    @cached_property
    def weekday(self) -> Integers:
        """0 = Sunday."""
        return (self.days + 4) % 7

    @property
    def quarter(self) -> Integers:
        return (self.month + 2) // 3

    @cached_property
    def thursday(self) -> Integers:
        """The day that decides an ISO week's year."""
        return self.days - (self.weekday + 6) % 7 + 3

    @cached_property
    def saturday(self) -> Integers:
        """The day that decides an English week's year: week 1 holds January 1st."""
        return self.days - self.weekday + 6


def _year(days: Integers) -> Integers:
    return days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970


def _year_day(days: Integers) -> Integers:
    new_year = days.astype("M8[D]").astype("M8[Y]").astype("M8[D]")
    return days - new_year.astype(np.int64) + 1


def _week(deciding_day: Integers) -> Integers:
    return (_year_day(deciding_day) - 1) // 7 + 1


def offsets(ms: Integers, zone: Zone) -> Integers:
    """Minutes east of UTC in a zone, instant by instant."""
    quarters = ms // 900_000  # zones change on quarter hours
    if len(quarters) and quarters[0] == quarters[-1] and (quarters == quarters[0]).all():
        return np.full(len(ms), _offset(int(quarters[0]), zone))
    unique, inverse = np.unique(quarters, return_inverse=True)
    return np.array([_offset(int(q), zone) for q in unique], np.int64)[inverse]


def _offset(quarter: int, zone: Zone) -> int:
    if zone is None:
        return time.localtime(quarter * 900).tm_gmtoff // 60
    shift = _at(quarter, zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds()) // 60


def _at(quarter: int, zone: tzinfo) -> datetime:
    """A quarter hour's begin in a zone; what lies outside of the calendar as its nearest day."""
    seconds = min(max(quarter * 900, CALENDAR_S[0]), CALENDAR_S[1])
    return (EPOCH + timedelta(seconds=seconds)).astimezone(zone)


def zone_named(name: str) -> Zone:
    """The zone ``local``, ``UTC`` or of a name such as ``Europe/Berlin``. Raises ``ValueError``."""
    if name.lower() == "local":
        return None
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(name) from None


Texts = Callable[[CalendarFields], Any]


def _plain(read: Callable[[CalendarFields], Integers]) -> Texts:
    return lambda f: pa.array(read(f)).cast(pa.string())


def _pad(width: int, read: Callable[[CalendarFields], Integers]) -> Texts:
    return lambda f: padded(read(f), width)


def _name(names: list[str], read: Callable[[CalendarFields], Integers]) -> Texts:
    table = pa.array(names)
    return lambda f: table.take(pa.array(read(f)))


def _ordinal_text(k: int) -> str:
    teen = k % 100 // 10 == 1
    return f"{k}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(k % 10, 'th')}"


def _nth(read: Callable[[CalendarFields], Integers]) -> Texts:
    return _name([_ordinal_text(k) for k in range(367)], read)


def _fraction(digits: int) -> Texts:
    if digits <= 3:
        return _pad(digits, lambda f: f.milli // 10 ** (3 - digits))
    return _pad(digits, lambda f: f.milli * 10 ** (digits - 3))


def _zone(colon: str) -> Texts:
    def texts(f: CalendarFields) -> Any:
        size = np.abs(f.offset_min)
        sign = pa.array(np.where(f.offset_min < 0, "-", "+"))
        return join(len(size), [sign, padded(size // 60, 2), colon, padded(size % 60, 2)])

    return texts


def _year_text(f: CalendarFields) -> Any:
    plus = pa.array(np.where(f.year > 9999, "+", ""))
    return join(len(f.ms), [plus, pa.array(f.year).cast(pa.string())])


def _year_signed(f: CalendarFields) -> Any:
    sign = pa.array(np.where(f.year < 0, "-", "+"))
    return join(len(f.ms), [sign, padded(np.abs(f.year), 6)])


def _zone_name(utc: str) -> Texts:
    """The name of the zone: moment knows it of UTC alone; of a zone that was named we know it."""

    def texts(f: CalendarFields) -> Any:
        if f.zone is None or f.zone is UTC:
            return utc if f.zone is UTC else ""
        unique, inverse = np.unique(f.ms // 900_000, return_inverse=True)
        names = [_at(int(q), f.zone).tzname() or "" for q in unique]
        return pa.array(names).take(pa.array(inverse))

    return texts


def _joined(*parts: Texts) -> Texts:
    return lambda f: join(len(f.ms), [p(f) for p in parts])


_MM = _pad(2, lambda f: f.minute)
_SS = _pad(2, lambda f: f.second)

# Every token of moment 2.17 and its column.
TOKENS: dict[str, Texts] = {
    "M": _plain(lambda f: f.month),
    "Mo": _nth(lambda f: f.month),
    "MM": _pad(2, lambda f: f.month),
    "MMM": _name(["", *(m[:3] for m in MONTHS)], lambda f: f.month),
    "MMMM": _name(["", *MONTHS], lambda f: f.month),
    "Q": _plain(lambda f: f.quarter),
    "Qo": _nth(lambda f: f.quarter),
    "D": _plain(lambda f: f.day),
    "Do": _nth(lambda f: f.day),
    "DD": _pad(2, lambda f: f.day),
    "DDD": _plain(lambda f: f.year_day),
    "DDDo": _nth(lambda f: f.year_day),
    "DDDD": _pad(3, lambda f: f.year_day),
    "d": _plain(lambda f: f.weekday),
    "do": _nth(lambda f: f.weekday),
    "dd": _name([d[:2] for d in DAYS], lambda f: f.weekday),
    "ddd": _name([d[:3] for d in DAYS], lambda f: f.weekday),
    "dddd": _name(DAYS, lambda f: f.weekday),
    "e": _plain(lambda f: f.weekday),
    "E": _plain(lambda f: (f.weekday + 6) % 7 + 1),
    "w": _plain(lambda f: _week(f.saturday)),
    "wo": _nth(lambda f: _week(f.saturday)),
    "ww": _pad(2, lambda f: _week(f.saturday)),
    "W": _plain(lambda f: _week(f.thursday)),
    "Wo": _nth(lambda f: _week(f.thursday)),
    "WW": _pad(2, lambda f: _week(f.thursday)),
    "YY": _pad(2, lambda f: f.year % 100),
    "YYYY": _pad(4, lambda f: f.year),
    "YYYYY": _pad(5, lambda f: f.year),
    "YYYYYY": _year_signed,
    "Y": _year_text,
    "gg": _pad(2, lambda f: _year(f.saturday) % 100),
    "gggg": _pad(4, lambda f: _year(f.saturday)),
    "ggggg": _pad(5, lambda f: _year(f.saturday)),
    "GG": _pad(2, lambda f: _year(f.thursday) % 100),
    "GGGG": _pad(4, lambda f: _year(f.thursday)),
    "GGGGG": _pad(5, lambda f: _year(f.thursday)),
    "A": _name(["AM", "PM"], lambda f: f.hour // 12),
    "a": _name(["am", "pm"], lambda f: f.hour // 12),
    "H": _plain(lambda f: f.hour),
    "HH": _pad(2, lambda f: f.hour),
    "h": _plain(lambda f: f.hour12),
    "hh": _pad(2, lambda f: f.hour12),
    "k": _plain(lambda f: (f.hour + 23) % 24 + 1),
    "kk": _pad(2, lambda f: (f.hour + 23) % 24 + 1),
    "hmm": _joined(_plain(lambda f: f.hour12), _MM),
    "hmmss": _joined(_plain(lambda f: f.hour12), _MM, _SS),
    "Hmm": _joined(_plain(lambda f: f.hour), _MM),
    "Hmmss": _joined(_plain(lambda f: f.hour), _MM, _SS),
    "m": _plain(lambda f: f.minute),
    "mm": _MM,
    "s": _plain(lambda f: f.second),
    "ss": _SS,
    **{"S" * k: _fraction(k) for k in range(1, 10)},
    "Z": _zone(":"),
    "ZZ": _zone(""),
    "z": _zone_name("UTC"),
    "zz": _zone_name("Coordinated Universal Time"),
    "x": _plain(lambda f: f.ms),
    "X": _plain(lambda f: f.ms // 1000),
}

# Tokens that stand for a whole format.
LONG: dict[str, str] = {
    "LT": "h:mm A",
    "LTS": "h:mm:ss A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}

_PIECE = re.compile(
    r"\[(?P<kept>[^\[]*?)\]|\\(?P<escaped>.)|(?P<token>"
    + "|".join(sorted([*TOKENS, *LONG], key=len, reverse=True))
    + ")|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A compiled format: constant texts and token columns in order."""

    text: str
    parts: tuple[str | Texts, ...]

    @property
    def width(self) -> int:
        """Most bytes a date takes: no token is longer than 26."""
        return sum(
            len(p.encode("utf-8", "replace")) if isinstance(p, str) else 26 for p in self.parts
        )

    def render(self, ms: Integers, *, utc: bool = False, zone: Zone = None) -> Any:
        """Instants (epoch ms, shape (n,)) as a StringArray, in UTC or in a zone."""
        fields = CalendarFields(ms, UTC if utc else zone)
        return join(len(ms), [p if isinstance(p, str) else p(fields) for p in self.parts])

    def render_sorted(self, ms: Integers, *, utc: bool = False, zone: Zone = None) -> Any:
        """As ``render``, but each distinct neighbour is written once; one text if all are equal."""
        zone = UTC if utc else zone
        if len(ms) == 0 or ms[0] == ms[-1]:
            return self.render(ms[:1], zone=zone)[0].as_py() if len(ms) else ""
        changed = np.flatnonzero(np.diff(ms)) + 1
        starts = np.concatenate(([0], changed))
        if len(starts) * 2 > len(ms):
            return self.render(ms, zone=zone)
        lengths = np.diff(np.concatenate((starts, [len(ms)])))
        rows = np.repeat(np.arange(len(starts)), lengths)
        return self.render(ms[starts], zone=zone).take(pa.array(rows))


def compile_format(text: str) -> TimeFormat:
    """Compile a moment format; every text is a format, what is no token stands for itself."""
    return TimeFormat(text, tuple(_merge(_parts(text))))


def _parts(text: str) -> list[str | Texts]:
    out: list[str | Texts] = []
    for m in _PIECE.finditer(text):
        token = m["token"]
        if token in LONG:
            out += _parts(LONG[token])
        elif token:
            out.append(TOKENS[token])
        else:
            out.append(m["kept"] or m["escaped"] or m["other"] or "")
    return out


def _merge(parts: list[str | Texts]) -> list[str | Texts]:
    out: list[str | Texts] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        else:
            out.append(part)
    return out
