"""Java's date patterns (``yyyy-MM-dd HH:mm:ss.SSS``) as DuckDB's formats."""

from __future__ import annotations

import re

from eddyline.errors import EddylineError

_PRINT = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yy": "%y", "uu": "%y",
    "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "LL": "%m",
    "dd": "%d", "d": "%-d", "DDD": "%j", "D": "%-j",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I",
    "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
    "a": "%p", "E": "%a", "EEE": "%a", "EE": "%a", "EEEE": "%A", "e": "%u",
    "XXX": "+00:00", "X": "Z", "VV": "UTC", "z": "UTC", "xxx": "+00:00", "Z": "+0000",
}  # fmt: skip
# Weeks begin on Sunday, and the first one has the 1st of January, as in Java's default locale. A
# week's year and number are those of its Saturday. {t} is the time.
_SATURDAY = "({t} + to_days(CAST(6 - dayofweek({t}) AS INTEGER)))"
_WEEK = f"((dayofyear({_SATURDAY}) - 1) // 7 + 1)"
_WEEKS = {
    "YYYY": f"lpad(CAST(year({_SATURDAY}) AS VARCHAR), 4, '0')",
    "YY": f"right(CAST(year({_SATURDAY}) AS VARCHAR), 2)",
    "ww": f"lpad(CAST({_WEEK} AS VARCHAR), 2, '0')",
    "w": f"CAST({_WEEK} AS VARCHAR)",
}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")


def pieces(pattern: str) -> list[tuple[str, str]]:
    """(kind, value) pieces: ``text`` as it is, ``field`` a DuckDB format, ``fraction`` digits,
    ``week`` a key of ``_WEEKS``.

    Raises:
        EddylineError: ``sql_unsupported`` for a letter that has no counterpart.
    """
    parts: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(pattern):
        word = match.group(0)
        if match.group(3) is not None:
            parts.append(("text", word))
        elif word.startswith("'"):
            parts.append(("text", match.group(1).replace("''", "'") or "'"))
        elif word.startswith("S"):
            parts.append(("fraction", str(len(word))))
        elif word in _WEEKS:
            parts.append(("week", word))
        elif word in _PRINT:
            parts.append(("field", _PRINT[word]))
        else:
            msg = f"the date pattern '{pattern}' has {word}, which is not supported"
            raise EddylineError("sql_unsupported", msg, hint="for example 'yyyy-MM-dd HH:mm:ss'")
    return parts


def literal(text: str) -> str:
    """``text`` as a DuckDB string inside a template (braces doubled)."""
    escaped = text.replace("'", "''").replace("{", "{{").replace("}", "}}")
    return f"'{escaped}'"


def printed(time: str, pattern: str) -> str:
    """DuckDB text that prints the timestamp ``time`` by ``pattern``."""
    parts: list[str] = []
    run = ""
    for kind, value in pieces(pattern):
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
            if kind == "week":
                parts.append(_WEEKS[value].replace("{t}", time))
                continue
            parts.append(f"left(rpad(strftime({time}, '%f'), 9, '0'), {value})")
    if run or not parts:
        parts.append(f"strftime({time}, {literal(run)})")
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def parsed(text: str, pattern: str) -> str:
    """DuckDB text that reads a timestamp from ``text`` by ``pattern``; NULL if it does not fit."""
    run = ""
    for kind, value in pieces(pattern):
        if kind == "text":
            run += value.replace("%", "%%")
        elif kind == "week":
            msg = f"the date pattern '{pattern}' has {value}, by which no time can be read"
            raise EddylineError("sql_unsupported", msg, hint="weeks can only be printed")
        elif kind == "fraction":
            run += "%g" if value == "3" else "%f"
        else:
            run += value.replace("%-", "%")
    return f"try_strptime({text}, {literal(run)})"
