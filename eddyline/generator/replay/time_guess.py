"""Recognises times that are neither ISO 8601 nor epochs, where they can mean only one thing.

``28.11.2026 10:00`` has its day first everywhere. ``11/28/2026`` can only be November; of a column
in which no number is above 12, nobody can tell, and the user is asked for ``--time-format``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa

from eddyline.generator.replay.time_pattern import TimePattern, time_pattern

_SHAPES = {
    "%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%H": r"\d{1,2}", "%I": r"\d{1,2}",
    "%M": r"\d\d", "%S": r"\d\d", "%f": r"\d{1,6}", "%p": "(?:AM|PM|am|pm)", "%b": "[A-Z][a-z]{2}",
    "%B": "[A-Z][a-z]{3,8}", "%a": "[A-Z][a-z]{2}", "%z": r"[+-]\d{4}",
}  # fmt: skip
_DATES = (
    "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y-%m-%d",
)  # fmt: skip
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f", "%H:%M:%S,%f")
_WHOLE = (
    *(f"{date}{between}{clock}" for clock in _CLOCKS for between in (" ", ", ") for date in _DATES),
    "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Y",
    "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S UTC",
)  # fmt: skip
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?")


def guessed(
    texts: Sequence[str], others: Callable[[], list[list[str]]], *, dates: bool
) -> list[TimePattern]:
    """The forms that all of a column's texts have; more than one if nobody can tell.

    Mere ``dates`` count only where they are expected (others may be birthdays), and if none of the
    ``others`` is a column of times of day.
    """
    sample = [text for text in texts if text]
    if not sample or not any(c.isdigit() for c in sample[0]):
        return []
    forms = _fitting(sample, _WHOLE)
    if forms or not dates or any(_are_clocks(other) for other in others()):
        return forms
    return _fitting(sample, _DATES)


def are_dates(texts: Sequence[str]) -> bool:
    """Whether a column holds dates without a time of day."""
    sample = [text for text in texts if text]
    return bool(sample) and bool(_fitting(sample, _DATES))


def _are_clocks(texts: Sequence[str]) -> bool:
    return bool(texts) and all(_CLOCK.fullmatch(text) for text in texts)


def _fitting(sample: list[str], forms: Sequence[str]) -> list[TimePattern]:
    shaped = [form for form in forms if all(_shape(form).fullmatch(text) for text in sample)]
    patterns = [time_pattern(form) for form in shaped]
    texts = pa.array(sample, pa.string())
    return [pattern for pattern in patterns if pattern.parse(texts)[1].all()]


def _shape(form: str) -> re.Pattern[str]:
    parts = re.split("(%[A-Za-z])", form)
    return re.compile("".join(_SHAPES.get(part) or re.escape(part) for part in parts))
