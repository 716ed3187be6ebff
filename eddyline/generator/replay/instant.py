"""Event times as files write them: read to milliseconds, moved by an offset, else left as is.

An offset is a whole number of seconds, so that fractions and zones keep their very text: moving
``2015-05-17T10:05:03.123456+02:00`` changes only what stands before the dot.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.generator.column import Integers
from eddyline.generator.moment import DAY_MS, compile_format
from eddyline.generator.replay.time_pattern import TimePattern

# Names a time is likely to go by, most likely first.
NAMES = (
    "event_time", "timestamp", "@timestamp", "time", "ts", "datetime", "date", "created_at",
    "eventtime", "event_timestamp", "rowtime", "occurred_at", "__realtime_timestamp",
)  # fmt: skip

_ISO = (
    r"^(?P<y>\d{4})-(?P<mo>\d\d)-(?P<d>\d\d)(?P<sep>[T ])(?P<h>\d\d):(?P<mi>\d\d)"
    r"(?::(?P<s>\d\d))?(?:\.(?P<f>\d{1,9}))?(?P<z>Z|[+-]\d\d:?\d\d)?$"
)
_EPOCH_S = r"^(?P<w>-?\d{9,10})(?P<f>\.\d+)?$"
_EPOCH_MS = r"^(?P<w>-?\d{12,13})(?P<f>\.\d+)?$"
_EPOCH_US = r"^(?P<w>-?\d{15,16})(?P<f>\.\d+)?$"
_EPOCH_NS = r"^(?P<w>-?\d{18,19})(?P<f>\.\d+)?$"
_DATE = compile_format("YYYY-MM-DD")
_CLOCK = compile_format("HH:mm:ss")
_CLOCK_SHORT = compile_format("HH:mm")


class Style(StrEnum):
    """How a file writes its times."""

    ISO = "ISO 8601"
    EPOCH_S = "epoch seconds"
    EPOCH_MS = "epoch milliseconds"
    EPOCH_US = "epoch microseconds"
    EPOCH_NS = "epoch nanoseconds"


PATTERNS = {
    Style.ISO: _ISO,
    Style.EPOCH_S: _EPOCH_S,
    Style.EPOCH_MS: _EPOCH_MS,
    Style.EPOCH_US: _EPOCH_US,
    Style.EPOCH_NS: _EPOCH_NS,
}
# How many of an epoch's units a second has.
_PER_SECOND = {
    Style.EPOCH_S: 1,
    Style.EPOCH_MS: 1000,
    Style.EPOCH_US: 1_000_000,
    Style.EPOCH_NS: 1_000_000_000,
}


def detect(texts: Sequence[str]) -> Style | None:
    """The style most of the sample's texts have; None if most have none."""
    sample = pa.array(list(texts), pa.string())
    for style, pattern in PATTERNS.items():
        hits = pc.sum(pc.match_substring_regex(sample, pattern)).as_py() or 0
        if hits * 2 > len(sample):
            return style
    return None


def detect_field(name: str, texts: Sequence[str], *, requested: bool) -> Style | None:
    """As ``detect``; a bare number is taken for a time only where the name says so, or the user."""
    style = detect(texts)
    if style in _PER_SECOND and not requested and name.lower() not in NAMES:
        return None
    return style


def read_times(texts: Any, style: Style | TimePattern) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """As ``parse``, also for times in a form of the user's own."""
    return style.parse(texts) if isinstance(style, TimePattern) else parse(texts, style)


def move_times(texts: Any, style: Style | TimePattern, offset_s: int) -> Any:
    """As ``move``, also for times in a form of the user's own."""
    if isinstance(style, TimePattern):
        return style.move(texts, offset_s)
    return move(texts, style, offset_s)


def parse(texts: Any, style: Style) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """A StringArray as epoch ms, and which rows could be read. Without a zone it is UTC."""
    fields = pc.extract_regex(texts, PATTERNS[style])
    valid = np.asarray(fields.is_valid())
    if style is not Style.ISO:
        whole = _numbers(fields, "w")
        if style is not Style.EPOCH_S:
            return whole // (_PER_SECOND[style] // 1000), valid
        return whole * 1000 + _fraction_ms(pc.utf8_slice_codeunits(fields.field("f"), 1)), valid
    days, real = days_of(*(_numbers(fields, k) for k in ("y", "mo", "d")))
    hour, minute, second = (_numbers(fields, k) for k in ("h", "mi", "s"))
    real &= (hour < 24) & (minute < 60) & (second < 61)
    seconds = (hour * 60 + minute) * 60 + second
    ms = days * DAY_MS + seconds * 1000 + _fraction_ms(fields.field("f"))
    return ms - _zone_ms(fields.field("z")), valid & real


def move(texts: Any, style: Style, offset_s: int) -> Any:
    """Times of one style, all rows readable, moved by whole seconds; the text's form stays."""
    fields = pc.extract_regex(texts, PATTERNS[style])
    if style is not Style.ISO:
        whole = pa.array(_numbers(fields, "w") + offset_s * _PER_SECOND[style]).cast(pa.string())
        return _join(whole, _or_empty(fields.field("f")))
    days, _ = days_of(*(_numbers(fields, k) for k in ("y", "mo", "d")))
    hour, minute, second = (_numbers(fields, k) for k in ("h", "mi", "s"))
    local = days * DAY_MS + (((hour * 60 + minute) * 60 + second) + offset_s) * 1000
    short = pc.equal(_or_empty(fields.field("s")), "")
    clock = pc.if_else(short, _CLOCK_SHORT.render(local, utc=True), _CLOCK.render(local, utc=True))
    fraction = _or_empty(fields.field("f"))
    dot = pc.if_else(pc.equal(fraction, ""), "", ".")
    zone = _or_empty(fields.field("z"))
    return _join(_DATE.render(local, utc=True), fields.field("sep"), clock, dot, fraction, zone)


def _join(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, "")


def _or_empty(texts: Any) -> Any:
    return pc.fill_null(texts, "")


def _numbers(fields: Any, name: str) -> Integers:
    """A group as whole numbers; 0 where it is absent."""
    texts = _or_empty(fields.field(name))
    return np.asarray(pc.if_else(pc.equal(texts, ""), "0", texts).cast(pa.int64()))


def _fraction_ms(texts: Any) -> Integers:
    """Digits after the point as milliseconds, cut after the third."""
    cut = pc.utf8_slice_codeunits(pc.utf8_rpad(_or_empty(texts), 3, "0"), 0, 3)
    return np.asarray(cut.cast(pa.int64()))


def _zone_ms(texts: Any) -> Integers:
    text = pc.utf8_rpad(pc.replace_substring(_or_empty(texts), ":", ""), 5, "0")
    text = pc.if_else(pc.match_substring_regex(text, "^[+-]"), text, "+0000")
    hours = np.asarray(pc.utf8_slice_codeunits(text, 1, 3).cast(pa.int64()))
    minutes = np.asarray(pc.utf8_slice_codeunits(text, 3, 5).cast(pa.int64()))
    west = np.asarray(pc.equal(pc.utf8_slice_codeunits(text, 0, 1), "-"))
    sign: Integers = np.where(west, -1, 1)
    east: Integers = sign * (hours * 60 + minutes) * 60_000
    return east


def days_of(
    year: Integers, month: Integers, day: Integers
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Days since 1970-01-01, and which of the dates exist."""
    months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    first = months.astype("M8[D]").astype(np.int64)
    after = (months + 1).astype("M8[D]").astype(np.int64)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= after - first)
    return first + day - 1, real
