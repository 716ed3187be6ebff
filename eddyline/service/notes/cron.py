"""Times of schedules: Quartz's cron expressions, as Zeppelin's notes keep them.

Six or seven fields: second, minute, hour, day of the month, month, day of the week, and a year;
five fields are minute to day of the week. Days of the week count from 1, Sunday, in six or seven
fields and from 0, Sunday, in five. All times are UTC.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from eddyline.errors import EddylineError

_MONTHS = {name.upper(): i for i, name in enumerate(calendar.month_abbr) if name}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_HINT = 'for example "0 0/5 * * * ?" each five minutes, "0 30 7 ? * MON-FRI" at 7:30 on weekdays'
_PART = re.compile(r"(\*|\?|\w+)(?:-(\w+))?(?:/(\d+))?")
# How far ahead a time is looked for.
DAYS_MAX = 366 * 8
EVERY = {"HOURLY": "0 0 * * * ?", "DAILY": "0 0 0 * * ?", "WEEKLY": "0 0 0 ? * SUN"}


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule: the values that each field allows.

    days and weekdays are None where the field allows all. last_day: the last of the month.
    nth: (day of the week, which one of the month); which is 0 for the last.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int] | None
    last_day: bool = False
    nth: tuple[int, int] | None = None

    def after(self, now_ms: int) -> int | None:
        """The next time after ``now_ms``, in epoch ms; None if there is none in eight years."""
        now = datetime.fromtimestamp(now_ms // 1000 + 1, UTC)
        day, first = now.date(), True
        for _ in range(DAYS_MAX):
            if self._allows(day):
                earliest = (now.hour, now.minute, now.second) if first else (0, 0, 0)
                time = self._time_from(earliest)
                if time is not None:
                    at = datetime(day.year, day.month, day.day, *time, tzinfo=UTC)
                    return round(at.timestamp()) * 1000
            day, first = day + timedelta(days=1), False
        return None

    def _allows(self, day: date) -> bool:
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        last = calendar.monthrange(day.year, day.month)[1]
        weekday = day.isoweekday() % 7 + 1
        allowed = []
        if self.days is not None or self.last_day:
            allowed.append(day.day in (self.days or ()) or (self.last_day and day.day == last))
        if self.weekdays is not None:
            allowed.append(weekday in self.weekdays)
        if self.nth is not None:
            nth_weekday, which = self.nth
            is_nth = day.day + 7 > last if which == 0 else (day.day - 1) // 7 + 1 == which
            allowed.append(weekday == nth_weekday and is_nth)
        return any(allowed) if allowed else True

    def _time_from(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        for hour in self.hours:
            if hour < earliest[0]:
                continue
            for minute in self.minutes:
                if (hour, minute) < earliest[:2]:
                    continue
                for second in self.seconds:
                    if (hour, minute, second) >= earliest:
                        return hour, minute, second
        return None


def parse(text: str) -> Cron:
    """A schedule. Raises ``invalid_argument``, naming the field that is wrong."""
    words = text.split()
    if len(words) == 1 and words[0].upper().lstrip("@") in EVERY:
        words = EVERY[words[0].upper().lstrip("@")].split()
    unix = len(words) == 5
    if unix:
        words = ["0", *words]
    if len(words) not in (6, 7):
        raise _wrong(text, f"it has {len(text.split())} fields, not five, six or seven")
    last_day = words[3].upper() in ("L", "LW")
    if words[3].upper() == "LW" or "W" in words[3].upper():
        raise _wrong(text, "the nearest weekday (W) is not supported")
    weekday, nth = _nth(words[5].upper(), text)
    days = None if last_day or words[3] in "*?" else _values(words[3], 1, 31, {}, "day", text)
    weekdays = None if nth or weekday in ("*", "?") else _weekdays(weekday, text, unix=unix)
    years = words[6] if len(words) == 7 else "*"
    return Cron(
        _values(words[0], 0, 59, {}, "second", text),
        _values(words[1], 0, 59, {}, "minute", text),
        _values(words[2], 0, 23, {}, "hour", text),
        None if days is None else frozenset(days),
        frozenset(_values(words[4], 1, 12, _MONTHS, "month", text)),
        None if weekdays is None else frozenset(weekdays),
        None if years == "*" else frozenset(_values(years, 1970, 2199, {}, "year", text)),
        last_day,
        nth,
    )


def _nth(word: str, text: str) -> tuple[str, tuple[int, int] | None]:
    """The third Friday (``FRI#3``) or the last one (``6L``)."""
    match = re.fullmatch(r"(\w+)#([1-5])|(\w+)L", word)
    if match is None:
        return word, None
    day, which = (match[1], int(match[2])) if match[1] else (match[3], 0)
    (value,) = _values(day, 1, 7, _DAYS, "day of the week", text)
    return word, (value, which)


def _weekdays(word: str, text: str, *, unix: bool) -> tuple[int, ...]:
    if not unix:
        return _values(word, 1, 7, _DAYS, "day of the week", text)
    names = {name: value - 1 for name, value in _DAYS.items()}
    values = _values(word, 0, 7, names, "day of the week", text)
    return tuple(sorted({value % 7 + 1 for value in values}))


def _values(
    word: str, low: int, high: int, names: Mapping[str, int], field: str, text: str
) -> tuple[int, ...]:
    """The values of a field: ``*``, ``5``, ``1-5``, ``MON-FRI``, ``0/15``, and lists of them."""
    values: set[int] = set()
    for part in word.upper().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _wrong(text, f"{part} is no {field}")
        first, last, step = match.groups()
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _value(first, names, field, text)
            end = _value(last, names, field, text) if last else high if step else start
        inside = low <= start <= high and low <= end <= high
        if not inside or (step is not None and int(step) == 0):
            raise _wrong(text, f"{part} is no {field} of {low} to {high}")
        if start > end:  # over midnight, or FRI-MON
            values.update(range(start, high + 1, int(step or 1)), range(low, end + 1))
        else:
            values.update(range(start, end + 1, int(step or 1)))
    return tuple(sorted(values))


def _value(word: str, names: Mapping[str, int], field: str, text: str) -> int:
    if word in names:
        return names[word]
    if not word.isdecimal():
        raise _wrong(text, f"{word} is no {field}")
    return int(word)


def _wrong(text: str, why: str) -> EddylineError:
    msg = f"{text!r} is no schedule: {why}"
    return EddylineError("invalid_argument", msg, hint=_HINT)
