"""A moment written under a Java date pattern, as the Kinesis connector's options have it.

Only what such options use: the default ``yyyy-MM-dd'T'HH:mm:ss.SSSXXX`` and its neighbours, and
seconds since 1970 as a number.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re

from eddyline.errors import EddylineError

_DIRECTIVES = {
    "yyyy": "%Y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%f",
    "SSSSSS": "%f",
    "XXX": "%z",
    "XX": "%z",
    "X": "%z",
    "Z": "%z",
    "z": "%Z",
}
LATEST_MS = 253_402_300_799_999  # the end of the year 9999


def parse_moment(text: str, pattern: str | None) -> int:
    """Epoch milliseconds; a time without a zone is UTC.

    Raises:
        EddylineError: ``invalid_argument``.
    """
    with contextlib.suppress(ValueError, OverflowError):
        milliseconds = round(float(text) * 1000)
        if abs(milliseconds) <= LATEST_MS:
            return milliseconds
    try:
        if pattern is None:
            moment = dt.datetime.fromisoformat(text)
        else:
            moment = dt.datetime.strptime(text, _python(pattern))  # noqa: DTZ007
    except (ValueError, re.error):  # re.error: a field occurs twice in the pattern
        expected = pattern or "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
        hint = "for example 2026-01-01T00:00:00.000+00:00, or seconds since 1970"
        msg = f"{text!r} is not a time of the form {expected}"
        raise EddylineError("invalid_argument", msg, hint=hint) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return round(moment.timestamp() * 1000)


_TOKEN = re.compile(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>.)")


def _python(pattern: str) -> str:
    """The pattern as ``strptime`` writes it. Raises ValueError for letters without a meaning."""
    out = []
    for token in _TOKEN.finditer(pattern):
        if token["quoted"] is not None:
            out.append(token["quoted"].replace("%", "%%"))
        elif token["letters"] is not None:
            if token["letters"] not in _DIRECTIVES:
                raise ValueError(token["letters"])
            out.append(_DIRECTIVES[token["letters"]])
        else:
            out.append(token["other"].replace("%", "%%"))
    return "".join(out)
