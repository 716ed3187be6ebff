"""Java's date patterns (``yyyy-MM-dd HH:mm:ss.SSS``) as DuckDB's formats and functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

from eddyline.errors import EddylineError
from eddyline.functions.java.date_reader import OFFSETS, TOKEN, prefix_reader, whole_reader
from eddyline.record.types import timestamp
from eddyline.record.vector import by_distinct_row, define

_PRINT = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yyy": "%Y", "yy": "%y", "uu": "%y",
    "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "LL": "%m", "L": "%-m", "LLL": "%b",
    "LLLL": "%B", "dd": "%d", "d": "%-d", "DDD": "%j", "D": "%-j",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I",
    "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
    "a": "%p", "E": "%a", "EEE": "%a", "EE": "%a", "EEEE": "%A",
    "eee": "%a", "eeee": "%A", "ccc": "%a", "cccc": "%A",
    "XXX": "+00:00", "X": "Z", "VV": "UTC", "z": "UTC", "xxx": "+00:00", "Z": "+0000",
}  # fmt: skip
# What SimpleDateFormat, by which FROM_UNIXTIME prints, means otherwise.
_SIMPLE = {
    "XXX": ("field", "Z"), "MMMMM": ("field", "%B"), "u": ("field", "%u"),
    "F": ("computed", "week of the month"),
}  # fmt: skip
# Weeks begin on Sunday, and the first one has the 1st of January, as in Java's default locale. A
# week's year and number are those of its Saturday. {t} is the time.
_SATURDAY = "({t} + to_days(CAST(6 - dayofweek({t}) AS INTEGER)))"
_WEEK = f"((dayofyear({_SATURDAY}) - 1) // 7 + 1)"
_MONTH_WEEK = "((day({t}) + 5 - (dayofweek({t}) + 6) % 7) // 7 + 1)"
_NANOS = "((epoch_us({t}) % 1000000) * 1000)"
_OF_DAY = "((epoch_us({t}) % 86400000000 + 86400000000) % 86400000000)"


def _text(value: str, digits: int = 0) -> str:
    text = f"CAST({value} AS VARCHAR)"
    return f"lpad({text}, {digits}, '0')" if digits else text


# What strftime has no directive for.
_COMPUTED = {
    "YYYY": _text(f"year({_SATURDAY})", 4), "Y": _text(f"year({_SATURDAY})"),
    "YY": f"right({_text(f'year({_SATURDAY})')}, 2)",
    "ww": _text(_WEEK, 2), "w": _text(_WEEK), "W": _text(_MONTH_WEEK),
    "F": _text("((day({t}) - 1) % 7 + 1)"), "week of the month": _text("((day({t}) - 1) // 7 + 1)"),
    "Q": _text("quarter({t})"), "q": _text("quarter({t})"), "QQ": _text("quarter({t})", 2),
    "QQQ": f"('Q' || {_text('quarter({t})')})",
    "QQQQ": "(['1st', '2nd', '3rd', '4th'][quarter({t})] || ' quarter')",
    "G": "'AD'", "GG": "'AD'", "GGG": "'AD'", "GGGG": "'Anno Domini'",
    "k": _text("(hour({t}) + 23) % 24 + 1"), "kk": _text("(hour({t}) + 23) % 24 + 1", 2),
    "K": _text("hour({t}) % 12"), "KK": _text("hour({t}) % 12", 2),
    "n": _text(_NANOS), "N": _text(f"({_OF_DAY} * 1000)"), "A": _text(f"({_OF_DAY} // 1000)"),
    "e": _text("dayofweek({t}) + 1"), "ee": _text("dayofweek({t}) + 1", 2),
    "c": _text("dayofweek({t}) + 1"), "DD": _text("dayofyear({t})", 2),
    "MMMMM": "left(strftime({t}, '%b'), 1)", "EEEEE": "left(strftime({t}, '%a'), 1)",
    "yyyyy": _text("year({t})", 5),
}  # fmt: skip
# What is read by strptime, and which texts may be: others are read as Java does, one by one.
_READ = {
    "yyyy": ("%Y", "[0-9]{{4}}"), "MM": ("%m", "[0-9]{{2}}"), "M": ("%m", "[0-9]{{1,2}}"),
    "dd": ("%d", "[0-9]{{2}}"), "d": ("%d", "[0-9]{{1,2}}"), "HH": ("%H", "[0-9]{{2}}"),
    "H": ("%H", "[0-9]{{1,2}}"), "mm": ("%M", "[0-9]{{2}}"), "ss": ("%S", "[0-9]{{2}}"),
    "SSS": ("%g", "[0-9]{{3}}"), "SSSSSS": ("%f", "[0-9]{{6}}"),
    "MMM": ("%b", "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
}  # fmt: skip


def pieces(pattern: str, *, simple: bool = False) -> list[tuple[str, str]]:
    """(kind, value) pieces: ``text`` as it is, ``field`` a DuckDB format, ``fraction`` digits,
    ``computed`` a key of ``_COMPUTED``; ``simple`` as SimpleDateFormat means them.

    Raises:
        EddylineError: ``sql_unsupported`` for a letter that has no counterpart.
    """
    out: list[tuple[str, str]] = []
    for match in TOKEN.finditer(pattern):
        word = match.group(0)
        if match.group(3) is not None:
            if simple or word not in "[]":  # brackets have a meaning in reading only
                out.append(("text", word))
        elif word.startswith("'"):
            out.append(("text", match.group(1).replace("''", "'") or "'"))
        elif simple and word in _SIMPLE:
            out.append(_SIMPLE[word])
        elif word.startswith("S"):
            out.append(("fraction", str(len(word))))
        elif word in _COMPUTED:
            out.append(("computed", word))
        elif word in _PRINT:
            out.append(("field", _PRINT[word]))
        else:
            msg = f"the date pattern '{pattern}' has {word}, which is not supported"
            raise EddylineError("sql_unsupported", msg, hint="for example 'yyyy-MM-dd HH:mm:ss'")
    return out


def literal(text: str) -> str:
    """``text`` as a DuckDB string inside a template (braces doubled)."""
    escaped = text.replace("'", "''").replace("{", "{{").replace("}", "}}")
    return f"'{escaped}'"


def printed(time: str, pattern: str, *, simple: bool = False) -> str:
    """DuckDB text that prints the timestamp ``time`` by ``pattern``."""
    parts: list[str] = []
    run = ""
    for kind, value in pieces(pattern, simple=simple):
        if kind == "text":
            run += value.replace("%", "%%")
        elif kind == "field":
            run += value
        elif kind == "fraction" and value in ("3", "6"):
            run += {"3": "%g", "6": "%f"}[value]
        else:
            if run:
                parts.append(f"strftime({time}, {literal(run)})")
                run = ""
            if kind == "computed":
                parts.append(_COMPUTED[value].replace("{t}", time))
                continue
            parts.append(f"left(rpad(strftime({time}, '%f'), 9, '0'), {value})")
    if run:
        parts.append(f"strftime({time}, {literal(run)})")
    if not parts:
        return f"CASE WHEN {time} IS NOT NULL THEN '' END"
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def parsed(text: str, pattern: str) -> str:
    """DuckDB text that reads a timestamp as DateTimeFormatter does; NULL if it does not fit."""
    return _read(text, pattern, "whole", whole_reader(pattern))


def parsed_leniently(text: str, pattern: str) -> str:
    """DuckDB text that reads a timestamp as SimpleDateFormat does: in UTC if it has a zone."""
    return _read(text, pattern, "prefix", prefix_reader(pattern))


def _read(text: str, pattern: str, way: str, reader: Callable[[str], datetime | None]) -> str:
    """By strptime where it means the same, otherwise by ``reader``."""
    name = f"read_{way}_{hashlib.sha256(pattern.encode()).hexdigest()[:16]}"
    slow = f"{define(name, timestamp(6), by_distinct_row(reader, timestamp(6)))}({text})"
    # A whole reader passes over the zone, which mostly ends the text.
    zone = next((z for z in sorted(OFFSETS, key=len, reverse=True) if pattern.endswith(z)), "")
    zone = zone if way == "whole" else ""
    quick = _quick(pattern.removesuffix(zone))
    if quick is None:
        return slow
    directives, shape = quick
    rest = OFFSETS[zone].replace("{", "{{").replace("}", "}}") if zone else ""
    part = f"regexp_extract({text}, '^({shape})(?:{rest})$', 1)"
    return f"coalesce(try_strptime({part}, {literal(directives)}), {slow})"


def _quick(pattern: str) -> tuple[str, str] | None:
    """The pattern for strptime, and for the texts that it reads as Java does; None without one."""
    directives = shape = ""
    words = [match[0] for match in TOKEN.finditer(pattern)]
    letters = [word[0] for word in words if word[0].isalpha()]
    if "yyyy" not in words or len(set(letters)) < len(letters):
        return None
    for match in TOKEN.finditer(pattern):
        word = match[0]
        if match[2]:
            if word not in _READ:
                return None
            directives += _READ[word][0]
            shape += _READ[word][1]
            continue
        if word in "[]":
            return None
        plain = word if match[3] else (match[1] or "").replace("''", "'") or "'"
        directives += plain.replace("%", "%%")
        shape += re.escape(plain).replace("'", "''").replace("{", "{{").replace("}", "}}")
    return directives, shape
