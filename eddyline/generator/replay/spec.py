"""The description of a replay's work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from eddyline.errors import EddylineError
from eddyline.generator.spec import parse_target

FORMATS = (
    "auto", "ndjson", "json", "csv", "parquet", "access-log", "w3c", "alb", "syslog", "log4j",
    "error-log",
)  # fmt: skip
SPEED_MAX = 1e9
_SPEED = re.compile(r"(\d+(?:\.\d+)?)x?")


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """A file as a stream.

    ``speed`` is how many seconds of the file pass in one, None for as fast as possible. With
    ``time="now"`` all event times are moved by one offset so that the first is the moment the
    replay starts. ``limit`` ends it after so many records. ``time_format`` is the form of the times
    where they are not recognised; ``date`` that of the first line of a log whose lines have a time
    of day alone; ``delimiter``, ``decimal``, ``header`` (None: detected), ``columns`` and
    ``encoding`` say how a file of columns is written.
    """

    path: str
    target: str
    speed: float | None = 1.0
    time: Literal["keep", "now"] = "keep"
    format: str = "auto"
    time_field: str | None = None
    limit: int | None = None
    partition_key: str = "random"
    newline: bool = False
    endpoint: str | None = None
    region: str | None = None
    retries: bool = True
    time_format: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header: bool | None = None
    columns: tuple[str, ...] | None = None
    encoding: str | None = None
    date: str | None = None

    def check(self) -> None:
        """Raise ``invalid_argument`` for a value that cannot be meant."""
        if self.speed is not None and not 0 < self.speed <= SPEED_MAX:
            message = f"speed is {self.speed:g}; it must be above 0 and at most {SPEED_MAX:g}"
            raise EddylineError("invalid_argument", message, hint="1x, 60x or max")
        if self.format not in FORMATS:
            message = f"format {self.format!r} is none of {', '.join(FORMATS)}"
            raise EddylineError("invalid_argument", message)
        if self.time not in ("keep", "now"):
            message = f"time {self.time!r} is neither keep nor now"
            raise EddylineError("invalid_argument", message)
        if self.decimal not in (None, ".", ","):
            message = f"the decimal mark {self.decimal!r} is neither a point nor a comma"
            raise EddylineError("invalid_argument", message)
        if self.delimiter is not None and (len(self.delimiter) != 1 or ord(self.delimiter) > 127):
            message = f"the delimiter {self.delimiter!r} is not one ASCII character"
            raise EddylineError("invalid_argument", message, hint="as in --delimiter ';' or tab")
        if self.date is not None:
            try:
                date.fromisoformat(self.date)
            except ValueError:
                message = f"{self.date!r} is no date"
                hint = "as in --date 2026-11-28"
                raise EddylineError("invalid_argument", message, hint=hint) from None
        if self.columns is not None and len(set(self.columns)) != len(self.columns):
            raise EddylineError("invalid_argument", "--columns names a column twice")
        if self.limit is not None and self.limit < 0:
            raise EddylineError("invalid_argument", f"limit is {self.limit}; it must be 0 or more")
        parse_target(self.target)


def parse_speed(text: str) -> float | None:
    """Seconds of the file a second of ``60x``, None of ``max``. Raises ``invalid_argument``."""
    lower = text.strip().lower()
    if lower == "max":
        return None
    match = _SPEED.fullmatch(lower)
    if match is None:
        message = f"{text!r} is no speed"
        raise EddylineError("invalid_argument", message, hint="write 1x, 60x or max")
    return float(match[1])
