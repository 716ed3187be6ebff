"""Texts as times: the forms in which files write dates, with or without a time of day and a zone.

What stands before the fraction of a second and the zone is read in one of ``FORMS``; fraction and
zone are read apart from it. Month and day in an order that both are possible (01/02/2026) are read
in the order in which the file's dates rise, and left as text if that does not decide it.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

_CLOCKS = (" %H:%M:%S", " %H:%M", "")
FORMS = (
    *(f"%Y-%m-%d{clock}" for clock in _CLOCKS),
    *(f"%Y/%m/%d{clock}" for clock in _CLOCKS),
    *(f"%d.%m.%Y{clock}" for clock in _CLOCKS),
    *(f"%d.%m.%y{clock}" for clock in _CLOCKS),
    *(f"%d %b %Y{clock}" for clock in _CLOCKS),
    *(f"%b %d %Y{clock}" for clock in _CLOCKS),
    *(f"%d-%b-%Y{clock}" for clock in _CLOCKS),
    "%d/%b/%Y:%H:%M:%S",
    "%a %d %b %Y %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%Y-%m-%d %H",
)
# (day first, month first): which of the two it is, the dates themselves must show.
_EITHER = tuple(
    (f"%d{sign}%m{sign}{year}{clock}", f"%m{sign}%d{sign}{year}{clock}")
    for sign, year in (("/", "%Y"), ("-", "%Y"), ("/", "%y"))
    for clock in (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "")
)
_PARTS = (
    r"^\s*\[?(?P<base>.*?\d)(?:[.,](?P<fraction>\d{1,9}))?(?P<half>\s*[AaPp][Mm])?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?\]?\s*$"
)
# What ends in a day of the month has no zone: 2026-01-31, 31-01-2026.
_DAY = r"^\s*\d{1,4}-[0-9A-Za-z]{1,3}-\d{1,4}\s*$"
# A date of digits and dots has no fraction: 31.12.2026.
_DOTTED = r"^\s*\d{1,2}\.\d{1,2}\.(\d{2}){1,2}\s*$"
_HAS_CLOCK = r"\d:\d\d|\d \d{6}|\d{4}-\d\d-\d\d \d\d$"
# A year, or a month's name: what has neither is no date, and needs no further look.
_LIKELY = r"\d{4}|[A-Za-z]{3}|^\d{1,2}([/.])\d{1,2}[/.]\d\d( |$)"
# A year of two digits, which the form of four would take for one of the first century.
_SHORT_YEAR = r"^\d{1,2}[/.]\d{1,2}[/.]\d\d( |$)"
# Whole numbers that are days, hours, minutes or seconds: 20260131, 2026013123.
_COMPACT = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d([0-5]\d)?)?)?"
)
# At least this share of a column's texts must be times.
ENOUGH = 0.9
_EVEN_STEPS = 12


def read_dates(texts: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A column of texts as timestamps in milliseconds, of UTC if they have a zone; as days if they
    have no time of day; None if they are no times. What cannot be read is null."""
    texts = pc.utf8_trim_whitespace(texts.combine_chunks())
    present = np.asarray(pc.fill_null(pc.not_equal(texts, ""), False))
    if not present.any() or not _likely(texts.filter(pa.array(present)).slice(0, 20)):
        return None
    parts = pc.extract_regex(texts, _PARTS)
    bare = pc.or_(pc.match_substring_regex(texts, _DOTTED), pc.match_substring_regex(texts, _DAY))
    bare = pc.fill_null(bare, False)
    base = pc.if_else(bare, texts, parts.field("base"))
    base = pc.utf8_trim_whitespace(pc.binary_join_element_wise(base, parts.field("half"), " "))
    for sign, instead in (("T", " "), (",", " "), ("  ", " ")):
        pattern = rf"(\d){sign}(\d)" if sign == "T" else sign
        base = pc.replace_substring_regex(base, pattern, r"\1 \2" if sign == "T" else instead)
    seconds = _seconds(base, present)
    if seconds is None:
        return None
    known = np.asarray(seconds.is_valid())
    if not pc.any(pc.match_substring_regex(base, _HAS_CLOCK)).as_py():
        return pa.chunked_array([seconds.cast(pa.date32())])
    ms = np.asarray(pc.fill_null(seconds.cast(pa.int64()), 0)) * 1000
    ms += np.where(np.asarray(bare), 0, _fraction_ms(parts.field("fraction")))
    zones = pc.if_else(bare, "", pc.fill_null(parts.field("zone"), ""))
    zoned = np.asarray(pc.not_equal(zones, "")) & known
    ms -= _east_ms(zones)
    kind = pa.timestamp("ms", "UTC") if zoned.any() else pa.timestamp("ms")
    return pa.chunked_array([pa.array(ms, mask=~known).cast(kind)])


def compact_dates(numbers: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Whole numbers such as 20260131 as days, with an hour behind as times; None if they are none,
    or fewer than two."""
    texts = numbers.combine_chunks().cast(pa.string())
    written = texts.drop_null().to_pylist()
    size = len(written[0]) if written else 0
    if len(set(written)) < 2 or any(len(t) != size or not _COMPACT.fullmatch(t) for t in written):
        return None
    cuts = [pc.utf8_slice_codeunits(texts, a, a + 2) for a in range(8, 14, 2)]
    clock = [pc.if_else(pc.equal(cut, ""), "00", cut) for cut in cuts]
    day = pc.utf8_slice_codeunits(texts, 0, 8)
    seconds = _parsed(pc.binary_join_element_wise(day, *clock, ""), "%Y%m%d%H%M%S")
    if seconds is None or _count(seconds) < len(written):
        return None
    if not pc.all(pc.equal(pc.strftime(seconds, format="%Y%m%d"), day)).as_py():
        return None  # the 30th of February
    return pa.chunked_array([seconds.cast(pa.date32() if size == 8 else pa.timestamp("ms"))])


def _likely(texts: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, _LIKELY)).as_py())


def _seconds(base: pa.Array, present: Bools) -> pa.Array | None:
    """Whole seconds since 1970 as timestamps, in the one form that nearly all texts have."""
    need = ENOUGH * int(present.sum())
    sample = base.filter(pa.array(present)).slice(0, 200)
    for form in FORMS:
        if (first := _parsed(sample, form)) is not None and _count(first) >= ENOUGH * len(sample):
            out = _parsed(base, form)
            if out is not None and _count(out) >= need:
                return out
    for forms in _EITHER:
        both = [out for f in forms if (out := _parsed(base, f)) is not None and _count(out) >= need]
        if len(both) == 1:
            return both[0]
        for shows in (_rises, _even):
            if len(both) == 2 and shows(both[0]) != shows(both[1]):
                return both[0] if shows(both[0]) else both[1]
    return None


def _parsed(texts: pa.Array, form: str) -> pa.Array | None:
    if "%Y" in form:
        texts = pc.if_else(pc.match_substring_regex(texts, _SHORT_YEAR), "", texts)
    try:
        return pc.strptime(texts, format=form, unit="s", error_is_null=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _count(times: pa.Array) -> int:
    return int(len(times) - times.null_count)


def _rises(times: pa.Array) -> bool:
    """Whether times never go back, or never go on: the newest row may come first."""
    steps = np.diff(times.drop_null().cast(pa.int64()).to_numpy())
    return bool((steps >= 0).all() or (steps <= 0).all())


def _even(times: pa.Array) -> bool:
    """Whether many times lie equally far apart, which those read in the wrong order never do."""
    steps = np.diff(times.drop_null().cast(pa.int64()).to_numpy())
    return len(steps) >= _EVEN_STEPS and bool((steps == steps[0]).all())


def _fraction_ms(digits: pa.Array) -> Int64s:
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.fill_null(digits, ""), 3, "0"), 0, 3)
    out: Int64s = np.asarray(padded.cast(pa.int64()))
    return out


def _east_ms(zones: pa.Array) -> Int64s:
    """How far zones are east of Greenwich."""
    digits = pc.utf8_rpad(pc.replace_substring(zones, ":", ""), 5, "0")
    digits = pc.if_else(pc.match_substring_regex(digits, "^[+-]"), digits, "+0000")
    hours, minutes = (
        np.asarray(pc.utf8_slice_codeunits(digits, a, z).cast(pa.int64()))
        for a, z in ((1, 3), (3, 5))
    )
    west = np.asarray(pc.equal(pc.utf8_slice_codeunits(digits, 0, 1), "-"))
    out: Int64s = np.where(west, -1, 1) * (hours * 60 + minutes) * 60_000
    return out
