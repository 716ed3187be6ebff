"""What the text of a column means: numbers in any country's notation, or instants.

A number may have a decimal comma, and thousands separated by commas, points, blanks, apostrophes
or underscores. An instant is ISO 8601, a date with points or strokes, or seconds or milliseconds
since 1970.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.anomaly.kernel import Doubles, Int64s

_EMPTY = ("", "null", "none", "nan", "na", "n/a", "-", "nil", "?")
_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_GROUPS = r"[+-]?[0-9]{1,3}(?:[ _'’\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?"
_COMMA_GROUPS = r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"
_POINT_GROUPS = r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?"
_COMMA = r"[+-]?(?:[0-9]+,[0-9]*|[0-9]*,[0-9]+)(?:[eE][+-]?[0-9]+)?"
_ANY = re.compile("|".join((_PLAIN, _GROUPS, _COMMA_GROUPS, _POINT_GROUPS, _COMMA)))
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"\s*(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_FORMATS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%Y/%m/%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y%m%d%H%M%S", "%Y%m%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z",
    "%d %b %Y %H:%M:%S", "%Y-%m-%d-%H:%M:%S",
)  # fmt: skip
# Years that an epoch number is believed to mean: 1990 to 2070.
_EPOCH = (631_152_000, 3_155_760_000)
# A column with so few texts among numbers is one of numbers.
_MISREAD = 0.05


@dataclass(frozen=True, slots=True)
class Numbers:
    """values (n,): NaN where there is none. how: the notation in words, empty for plain numbers.
    misread: rows whose text is no number."""

    values: Doubles
    how: str
    misread: list[int]


@dataclass(frozen=True, slots=True)
class Times:
    """ms (n,): local time of the file, as if it were UTC, epoch ms; how: the notation in words."""

    ms: Int64s
    how: str


def is_number_text(text: str) -> bool:
    """Whether a cell may be a number."""
    return _ANY.fullmatch(text.strip()) is not None


def is_time_text(text: str) -> bool:
    """Whether a cell is an instant in words (an epoch number is a number)."""
    text = text.strip()
    return _ISO.fullmatch(text) is not None or any(_parsed(text, f) for f in _FORMATS)


def numbers_of(column: pa.ChunkedArray) -> Numbers | None:
    """A column as numbers; None if it holds something else."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
        return Numbers(values, "", [])
    if not pa.types.is_string(kind):
        return None
    text = pc.utf8_trim_whitespace(pc.fill_null(column, "")).combine_chunks()
    empty = pc.is_in(pc.utf8_lower(text), pa.array(_EMPTY))
    many = len(text) - (pc.sum(empty).as_py() or 0)
    if many == 0:
        return None
    for pattern, how, change in _notations(text):
        fits = pc.match_substring_regex(text, f"^(?:{pattern})$")
        right = pc.sum(pc.and_(fits, pc.invert(empty))).as_py() or 0
        if right < many * (1 - _MISREAD) or right == 0:
            continue
        for old, new in change:
            text = pc.replace_substring_regex(text, old, new)
        values = pc.if_else(fits, text, None).cast(pa.float64())
        wrong = pc.and_(pc.invert(fits), pc.invert(empty)).to_numpy(zero_copy_only=False)
        numbers = pc.fill_null(values, float("nan")).to_numpy(zero_copy_only=False)
        return Numbers(np.array(numbers), how, np.flatnonzero(wrong).tolist())
    return None


def _notations(text: pa.Array) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Patterns to be tried, their names, and what makes a plain number of a match."""
    comma = (_COMMA, "decimal comma", [(",", ".")])
    either = f"{_PLAIN}|{_COMMA}"
    points = (f"{_POINT_GROUPS}|[+-]?[0-9]+(?:,[0-9]*)?", "decimal comma, thousands with points")
    commas = (f"{_COMMA_GROUPS}|{_PLAIN}", "thousands with commas", [(",", "")])
    blanks = (f"{_GROUPS}|{_PLAIN}|{_COMMA}", "separated thousands")
    # 1,234 alone is a thousand and more; 1,23 or 1.234,5 in any row is a decimal comma.
    has = pc.match_substring_regex(text, r",(?:[0-9]{1,2}|[0-9]{4,})$")
    decimal = bool(pc.any(has).as_py()) or bool(
        pc.any(pc.match_substring_regex(text, r"^[+-]?0,[0-9]+$")).as_py()
    )
    both = bool(pc.any(pc.match_substring_regex(text, r"\.[0-9]{3},[0-9]")).as_py())
    twice = bool(pc.any(pc.match_substring_regex(text, r"\.[0-9]{3}\.[0-9]{3}")).as_py())
    plain = (_PLAIN, "", list[tuple[str, str]]())
    dotted = (*points, [(r"\.", ""), (",", ".")])
    spaced = (*blanks, [(r"[ _'’\u00a0\u202f]", ""), (",", ".")])
    percent = (rf"(?:{either})\s*%", "percent", [("%", ""), (r"\s", ""), (",", ".")])
    if both or twice:
        return [dotted, spaced, percent]
    if decimal:
        return [plain, (either, comma[1], comma[2]), dotted, spaced, percent]
    return [plain, commas, (either, comma[1], comma[2]), dotted, spaced, percent]


def times_of(column: pa.ChunkedArray, numbers: Numbers | None) -> Times | None:
    """A column as instants; None if it holds something else, or an instant is missing."""
    kind = column.type
    if column.null_count:
        return None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        ms = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy()
        return Times(ms, "timestamps")
    if numbers is not None:
        return _epoch(numbers.values)
    if not pa.types.is_string(kind):
        return None
    texts = pc.utf8_trim_whitespace(column).to_pylist()
    if all(_ISO.fullmatch(t) for t in texts):
        try:
            return Times(np.array([_local(t) for t in texts], np.int64), "ISO times")
        except ValueError:
            return None
    for form in _FORMATS:
        if not _parsed(texts[0], form):
            continue
        found = [_parsed(t, form) for t in texts]
        if all(x is not None for x in found):
            ms = np.array([_ms(x) for x in found if x is not None], np.int64)
            return Times(ms, f"times like {texts[0]}")
    return None


def _epoch(values: Doubles) -> Times | None:
    if not np.isfinite(values).all():
        return None
    for unit, factor in (("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000)):
        low, high = _EPOCH[0] * factor, _EPOCH[1] * factor
        if ((values >= low) & (values <= high)).all():
            ms: Int64s = np.floor(values / factor * 1000.0).astype(np.int64)
            return Times(ms, f"{unit} since 1970")
    return None


def _local(text: str) -> int:
    """Epoch ms of the local reading of an ISO time: its offset from UTC is left out."""
    text = re.sub(r"\s*UTC$", "Z", text.replace(",", "."))
    text = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", text)
    return _ms(datetime.datetime.fromisoformat(text))


def _ms(moment: datetime.datetime) -> int:
    plain = moment.replace(tzinfo=datetime.UTC)
    return round(plain.timestamp() * 1000)


def _parsed(text: str, form: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return None
