"""A column of texts as what it holds: numbers, times, truth values, or texts that stay.

Numbers may have a decimal comma, thousands separators, a unit, a currency or percent sign. A column
is one of numbers if nearly all its texts are; the others have no value, and a note says which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.cli.detect_dates import read_dates
from eddyline.cli.detect_units import without_units

# What stands between groups of three digits, beside the comma or the point that is not the decimal
# sign: an apostrophe, a space, and the two spaces at which no line breaks.
SEPARATORS = "' \u00a0\u202f"
# Texts that stand for no value.
ABSENT = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", "missing")
_ENDLESS = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", "∞", "-∞")
_SIGNS = "%€$£¥"
_A_SIGN = rf"(?P<sign>[{_SIGNS}])"
_IN_BRACKETS = rf"^\(\s*([{_SIGNS}]?\s?\d[\d.,' ]*[{_SIGNS}]?)\s*\)$"
# At least this share of a column's texts, and so many, must be numbers for the others to be left
# out; with fewer the column is one of texts.
_ENOUGH, _ENOUGH_ROWS = 0.9, 20
# A code, such as a post code, whose leading zero a number would lose.
_CODE = r"^0\d+$"


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """What a column holds: values, its own texts where a value may not show them, and remarks."""

    values: pa.ChunkedArray
    texts: pa.ChunkedArray | None = None
    notes: tuple[str, ...] = ()
    is_code: bool = False


def read_values(name: str, texts: pa.ChunkedArray, decimal: str) -> ValueColumn:
    """A column of texts as what it holds. decimal: the file's decimal sign, a comma or a point."""
    plain = pc.fill_null(pc.utf8_trim_whitespace(texts), "")
    lower = pc.utf8_lower(plain)
    present = pc.invert(pc.is_in(lower, value_set=pa.array(ABSENT)))
    count = pc.sum(present).as_py() or 0
    if not count:
        return ValueColumn(texts)
    word = pc.is_in(lower, value_set=pa.array(["true", "false"]))
    if pc.all(pc.equal(word, present)).as_py():
        truth = pc.equal(lower, "true")
        return ValueColumn(pc.if_else(present, truth, pa.scalar(None, pa.bool_())))
    plain = _signed(plain)
    signs = pc.unique(pc.struct_field(pc.extract_regex(plain, _A_SIGN), "sign").drop_null())
    numbers = None if len(signs) > 1 else _numbers(plain, lower, present, count, decimal)
    if numbers is not None:
        return _number_column(name, texts, numbers, present)
    times = read_dates(pc.if_else(present, plain, ""))
    if times is not None and times.null_count <= len(texts) * (1 - _ENOUGH):
        return ValueColumn(times, texts)
    return _with_units(name, texts, plain, present, decimal) or ValueColumn(texts)


def _signed(plain: pa.ChunkedArray) -> pa.ChunkedArray:
    """With a minus where bookkeepers write brackets, and no currency between it and the number."""
    plain = pc.replace_substring_regex(plain, _IN_BRACKETS, r"-\1")
    return pc.replace_substring_regex(plain, rf"^([+-])\s*[{_SIGNS}]\s*", r"\1")


def _with_units(
    name: str, texts: pa.ChunkedArray, plain: pa.ChunkedArray, present: pa.ChunkedArray,
    decimal: str,
) -> ValueColumn | None:  # fmt: skip
    """Numbers that stand with a unit, with a remark; None if these are none."""
    apart = without_units(plain, present)
    if apart is None:
        return None
    count = pc.sum(present).as_py()
    numbers = _numbers(apart.numbers, pc.utf8_lower(apart.numbers), present, count, decimal)
    if numbers is None:
        return None
    if apart.factors is not None:
        numbers = pc.multiply(numbers.cast(pa.float64()), pa.array(apart.factors))
    column = _number_column(name, texts, numbers, present)
    unit = f" in {apart.unit}" if apart.unit else ""
    note = f"column {name} holds numbers with a unit, read as numbers{unit}"
    return ValueColumn(column.values, texts, (note, *column.notes))


def _number_column(
    name: str, texts: pa.ChunkedArray, numbers: pa.ChunkedArray, present: pa.ChunkedArray
) -> ValueColumn:
    """With remarks on texts that are no numbers, and on numbers without end."""
    odd = np.asarray(pc.and_(present, pc.is_null(numbers)))
    notes = []
    if odd.any():
        first = int(np.argmax(odd))
        was = "1 value is no number" if odd.sum() == 1 else f"{odd.sum():,} values are no numbers"
        notes.append(
            f"column {name}: {was}, the first is {texts[first].as_py()!r} in row {first + 1:,}; "
            "no value there"
        )
    code = pc.any(pc.match_substring_regex(pc.utf8_trim_whitespace(texts), _CODE)).as_py()
    shown = texts if odd.any() or code else None
    return ValueColumn(numbers, shown, tuple(notes), bool(code))


def _numbers(
    plain: pa.ChunkedArray, lower: pa.ChunkedArray, present: pa.ChunkedArray, count: int,
    decimal: str,
) -> pa.ChunkedArray | None:  # fmt: skip
    """The texts as numbers; null where there is none. None if too few of them are numbers."""
    bare = pc.utf8_trim(plain, _SIGNS + " \u00a0")
    endless = pc.is_in(lower, value_set=pa.array(_ENDLESS))
    best, most = None, 0
    for sign, separator in _manners(decimal):
        fits = pc.match_substring_regex(bare, _pattern(sign, separator))
        fits = pc.and_(present, pc.or_(fits, endless))
        matched = pc.sum(fits).as_py() or 0
        if sign != decimal and (matched < count or _may_be_thousands(bare)):
            continue
        if matched > most:
            best, most = (sign, separator, fits), matched
    few = most < _ENOUGH * count or count < _ENOUGH_ROWS
    if best is None or (most < count and few):
        return None
    sign, separator, fits = best
    cut = pc.replace_substring(bare, separator, "") if separator else bare
    for what, instead in ((sign, "."), ("+", ""), ("∞", "inf")):
        cut = pc.replace_substring(cut, what, instead, max_replacements=1)
    return _cast(pc.if_else(fits, cut, pa.scalar(None, pa.string())))


def _manners(decimal: str) -> list[tuple[str, str]]:
    """(decimal sign, separator of thousands). In quotes a comma may be the decimal sign even where
    it is the delimiter."""
    other = "." if decimal == "," else ","
    manners = [(decimal, ""), *((decimal, separator) for separator in (*SEPARATORS, other))]
    return [*manners, (other, "")] if decimal == "." else manners


def _may_be_thousands(bare: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(bare, r",\d{3}$")).as_py())


def _pattern(sign: str, separator: str) -> str:
    point = re.escape(sign)
    if not separator:
        return rf"^[+-]?(?:\d+(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"
    group = re.escape(separator)
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+"
    return rf"^[+-]?(?:{grouped}|\d+)(?:{point}\d+)?$"


def _cast(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers if all are, and fit."""
    whole = pc.all(pc.match_substring_regex(texts.drop_null(), r"^-?\d{1,18}$")).as_py()
    return texts.cast(pa.int64() if whole else pa.float64())
