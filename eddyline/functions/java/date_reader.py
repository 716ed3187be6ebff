"""Reads times by Java's date patterns, as ``DateTimeFormatter`` and ``SimpleDateFormat`` do.

Flink reads TO_TIMESTAMP with the first, which takes a text as a whole and cuts the 30th of February
to the last of the month, and TO_DATE and UNIX_TIMESTAMP with the second, which takes numbers of any
length, carries the 30th of February over into March, and passes over what follows.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from eddyline.errors import EddylineError

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")
ZONES = "XxZzOV"
_PLAIN = re.compile(
    r"\s*(\d{1,4})-(\d{1,2})-(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?\s*"
)
OFFSETS = {
    "X": r"Z|[+-]\d\d(?:\d\d)?", "XX": r"Z|[+-]\d{4}", "XXX": r"Z|[+-]\d\d:\d\d",
    "x": r"[+-]\d\d(?:\d\d)?", "xx": r"[+-]\d{4}", "xxx": r"[+-]\d\d:\d\d",
    "Z": r"[+-]\d{4}", "ZZ": r"[+-]\d{4}", "ZZZ": r"[+-]\d{4}",
    "ZZZZ": r"GMT(?:[+-]\d\d:\d\d)?", "ZZZZZ": r"Z|[+-]\d\d:\d\d", "O": r"GMT(?:[+-]\d{1,2})?",
    "OOOO": r"GMT(?:[+-]\d\d:\d\d)?", "VV": r"[A-Za-z][\w/+:-]*|[+-]\d\d:\d\d",
}  # fmt: skip
_ZONE_NAME = r"[A-Za-z][\w/+:-]*"
# The field that a letter stands for, with its bounds.
_FIELDS = {
    "y": ("year", 0, 999_999_999), "u": ("year", 0, 999_999_999), "M": ("month", 1, 12),
    "L": ("month", 1, 12), "d": ("day", 1, 31), "D": ("day_of_year", 1, 366), "H": ("hour", 0, 23),
    "k": ("hour", 1, 24), "h": ("half", 1, 12), "K": ("half", 0, 11), "m": ("minute", 0, 59),
    "s": ("second", 0, 59), "S": ("fraction", 0, 10**9), "n": ("fraction", 0, 10**9),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _PatternField:
    """One group of the regular expression: which field its text gives."""

    letters: str
    field: str


def unsupported(pattern: str, word: str) -> EddylineError:
    """The error for letters that stand for nothing here."""
    msg = f"the date pattern '{pattern}' has {word}, by which no time can be read"
    return EddylineError("sql_unsupported", msg, hint="for example 'yyyy-MM-dd HH:mm:ss'")


def names_zone(pattern: str) -> bool:
    """Whether a text of this pattern has a time zone."""
    return any(m[2] and m[2] in ZONES for m in TOKEN.finditer(pattern))


def whole_reader(pattern: str) -> Callable[[str], datetime | None]:
    """``DateTimeFormatter``: the whole text, or a plain date or time; a zone is passed over.

    Raises:
        EddylineError: ``sql_unsupported``.
    """
    expression, parts = _compiled(pattern, _exact)

    def read(text: str) -> datetime | None:
        match = expression.fullmatch(text)
        values = None if match is None else _values(parts, match, strict=True)
        moment = None if values is None else _resolved(values)
        return plain_time(text, carried=True) if moment is None and match is None else moment

    return read


def prefix_reader(pattern: str) -> Callable[[str], datetime | None]:
    """``SimpleDateFormat``: a prefix of the text, leniently; in UTC if the pattern has a zone.

    Raises:
        EddylineError: ``sql_unsupported``.
    """
    expression, parts = _compiled(pattern, _lenient)

    def read(text: str) -> datetime | None:
        match = expression.match(text)
        values = None if match is None else _values(parts, match, strict=False)
        return None if values is None else _carried(values)

    return read


def plain_time(text: str, *, carried: bool = False) -> datetime | None:
    """``2024-2-3 1:02:03.5`` or a date; a day beyond its month is the month's last, or carried."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    values: dict[str, int] = {"year": year, "month": month, "day": day, "hour": hour}
    values |= {"minute": minute, "second": second}
    values["micros"] = int((match[7] or "").ljust(6, "0")[:6])
    if carried and ("T" in text or (match[4] and not match[6])):
        return None
    bounded = 1 <= month <= 12 and 1 <= day <= 31 and hour <= 24 and minute < 60 and second < 60
    if not bounded:
        return None
    return _carried(values) if carried else _resolved(values)


def _exact(letters: str, _adjacent: bool) -> str | None:
    """What DateTimeFormatter takes for letters."""
    letter, size = letters[0], len(letters)
    if letter in "yu":
        return r"\d{2}" if size == 2 else r"\d{1,9}" if size == 1 else rf"\d{{{size}}}"
    if letter in "ML" and size >= 3:
        return _named(MONTHS, size)
    if letter == "E":
        return _named(DAYS, size)
    if letter == "D":
        return {1: r"\d{1,3}", 2: r"\d{2,3}", 3: r"\d{3}"}.get(size)
    if letter == "n":
        return r"\d{1,9}"
    if letter == "S":
        return rf"\d{{{size}}}" if size <= 9 else None
    if letter in "MLdHkhKms":
        return {1: r"\d{1,9}", 2: r"\d{2}"}.get(size)
    if letter == "a" and size == 1:
        return "AM|PM"
    if letter == "G" and size <= 3:
        return "AD"
    return _ZONE_NAME if letter == "z" and size <= 4 else OFFSETS.get(letters)


def _lenient(letters: str, adjacent: bool) -> str | None:
    """What SimpleDateFormat takes for letters."""
    letter, size = letters[0], len(letters)
    if letter in "ML" and size >= 3:
        return f"(?i:{_named(MONTHS, 4)}|{_named(MONTHS, 3)})"
    if letter == "E":
        return f"(?i:{_named(DAYS, 4)}|{_named(DAYS, 3)})"
    if letter in "yMLdDHkhKmsS":
        return rf"\s*\d{{{size}}}" if adjacent else r"\s*\d{1,9}"
    if letter in "XZz":
        return rf"Z|[+-]\d\d:?\d\d|[+-]\d\d|GMT[+-]\d{{1,2}}(?::?\d\d)?|{_ZONE_NAME}"
    return {"a": "(?i:AM|PM)", "G": "(?i:AD)"}.get(letter)


def _named(names: tuple[str, ...], size: int) -> str:
    return "|".join(name if size == 4 else name[:3] for name in names)


@lru_cache(maxsize=256)
def _compiled(
    pattern: str, form: Callable[[str, bool], str | None]
) -> tuple[re.Pattern[str], list[_PatternField]]:
    text, parts = "", []
    tokens = list(TOKEN.finditer(pattern))
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        word = token[0]
        if token[2]:
            adjacent = bool(after and after[2] and after[2] in "yMdDHkhKmsS")
            piece = form(word, adjacent)
            if piece is None:
                raise unsupported(pattern, word)
            text += f"({piece})"
            parts.append(_PatternField(word, _field(word)))
        elif word.startswith("'"):
            text += re.escape((token[1] or "").replace("''", "'") or "'")
        elif form is _exact and word in "[]":
            text += "(?:" if word == "[" else ")?"
        else:
            text += re.escape(word)
    try:
        return re.compile(text, re.ASCII), parts
    except re.error:
        raise unsupported(pattern, "an open bracket") from None


def _field(letters: str) -> str:
    letter = letters[0]
    if letter in ZONES:
        return "zone"
    return {"E": "weekday", "a": "noon", "G": "era"}.get(letter) or _FIELDS[letter][0]


def _values(
    parts: list[_PatternField], match: re.Match[str], *, strict: bool
) -> dict[str, int] | None:
    """The fields of a text; None if one is out of its bounds, or two contradict each other."""
    values: dict[str, int] = {}
    for part, text in zip(parts, match.groups(), strict=True):
        if text is None or part.field == "era":
            continue
        value = _value(part, text.strip(), strict)
        if value is None or (strict and values.get(part.field, value) != value):
            return None
        values["micros" if part.field == "fraction" else part.field] = value
    if "half" in values and ("noon" in values or not strict):
        values.setdefault("hour", values["half"] % 12 + 12 * values.get("noon", 0))
    return values


def _value(part: _PatternField, text: str, strict: bool) -> int | None:
    letter = part.letters[0]
    if part.field == "zone":
        return _offset_minutes(text)
    if part.field == "noon":
        return int(text.upper() == "PM")
    if part.field == "weekday":
        return [d[:3].lower() for d in DAYS].index(text[:3].lower())
    if not text.isdigit():
        return [m[:3].lower() for m in MONTHS].index(text[:3].lower()) + 1
    value = int(text)
    _, low, high = _FIELDS[letter]
    if letter in "yu" and len(part.letters) == 2 and len(text) == 2:
        value += 2000 if strict or value < 47 else 1900
    if strict and not (low <= value <= high or (letter == "H" and value == 24)):
        return None
    if letter == "k":
        return value % 24
    if letter == "S":  # a fraction there, a number of milliseconds with SimpleDateFormat
        return int(text.ljust(6, "0")[:6]) if strict else value * 1000
    return value // 1000 if letter == "n" else value


def _offset_minutes(text: str) -> int:
    match = re.search(r"([+-])(\d{1,2}):?(\d\d)?$", text)
    if match is None:
        return 0
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return -minutes if match[1] == "-" else minutes


def _resolved(values: dict[str, int]) -> datetime | None:
    """The moment; the day is cut to the month's last if year and month are given."""
    year, month, day = (values.get(k, d) for k, d in (("year", 1970), ("month", 1), ("day", 1)))
    hour, minute, second = (values.get(k, 0) for k in ("hour", "minute", "second"))
    try:
        if {"year", "month", "day"} <= values.keys():
            day = min(day, calendar.monthrange(year, month)[1])
        start = datetime(year, month, day)  # noqa: DTZ001 (a local time)
        if "day_of_year" in values and "year" in values and "day" not in values:
            start = datetime(year, 1, 1) + timedelta(values["day_of_year"] - 1)  # noqa: DTZ001
        if values.get("weekday", start.weekday()) != start.weekday() or start.year != year:
            return None
        if hour == 24 and (minute or second or values.get("micros")):
            return None
        return start + timedelta(
            hours=hour, minutes=minute, seconds=second, microseconds=values.get("micros", 0)
        )
    except (ValueError, OverflowError):
        return None


def _carried(values: dict[str, int]) -> datetime | None:
    """The moment; what is too large is carried over. In UTC, if there was a zone."""
    month = values.get("month", 1) - 1
    try:
        start = datetime(values.get("year", 1970) + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
        return start + timedelta(
            days=values.get("day", values.get("day_of_year", 1)) - 1,
            hours=values.get("hour", 0),
            minutes=values.get("minute", 0) - values.get("zone", 0),
            seconds=values.get("second", 0),
            microseconds=values.get("micros", 0),
        )
    except (ValueError, OverflowError):
        return None
