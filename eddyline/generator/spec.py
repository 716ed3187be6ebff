"""What a generator is told to do: one frozen description, checked once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from eddyline.errors import EddylineError
from eddyline.generator.rate import Burst, Constant, Schedule

RATE_MAX = 100_000_000.0
DURATION_MAX_S = 10 * 365 * 86_400.0
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """A generator: what it sends, where to, how fast and for how long.

    ``target`` is ``stream:NAME`` (a local stream), ``kinesis:NAME`` (any Kinesis endpoint),
    ``file:PATH`` or ``-`` (standard output). ``rate`` is in records a second, None for as fast
    as possible. ``retries`` off leaves a request without an answer unrepeated, so that none of
    its records can be there twice. Records in files always end in a newline.
    """

    template: str
    target: str
    rate: float | None = 100.0
    total: int | None = None
    duration_s: float | None = None
    seed: int | None = None
    newline: bool = False
    partition_key: str = "random"
    endpoint: str | None = None
    region: str | None = None
    bursts: tuple[Burst, ...] = ()
    retries: bool = True

    def check(self) -> None:
        """Raise ``invalid_argument`` for a value that cannot be meant."""
        _within("rate", self.rate, 0, RATE_MAX, above=True)
        _within("total", self.total, 0, 2**62)
        _within("duration", self.duration_s, 0, DURATION_MAX_S)
        _within("seed", self.seed, 0, 2**64)
        for burst in self.bursts:
            _within("a burst's start", burst.start_s, 0, DURATION_MAX_S)
            _within("a burst's duration", burst.duration_s, 0, DURATION_MAX_S)
            _within("a burst's factor", burst.factor, 0, 1e6)
        if self.bursts and self.rate is None:
            raise EddylineError("invalid_argument", "a burst needs a rate", hint="give --rate N")
        parse_target(self.target)

    def schedule(self) -> Schedule | None:
        """When records are due; None for as fast as possible."""
        return None if self.rate is None else Constant(self.rate, self.bursts)

    def limit(self) -> int | None:
        """Records to send in all, where that is known beforehand."""
        known = [] if self.total is None else [self.total]
        schedule = self.schedule()
        if self.duration_s is not None and schedule is not None:
            known.append(schedule.within(self.duration_s))
        return min(known, default=None)


TARGETS = "stream:NAME, kinesis:NAME, file:PATH or -"


def parse_target(text: str) -> tuple[str, str]:
    """``kind, name`` of a target's text. Raises ``invalid_argument``."""
    if text == "-":
        return "stdout", "-"
    kind, _, name = text.partition(":")
    if kind in ("stream", "kinesis", "file") and name:
        return kind, name
    message = f"target {text!r} is none of {TARGETS}"
    hint = f"for the stream {text} write stream:{text}" if ":" not in text and text else None
    raise EddylineError("invalid_argument", message, hint=hint)


def parse_duration(text: str) -> float:
    """Seconds of ``500ms``, ``30s``, ``5m``, ``2h`` or ``1d``. Raises ``invalid_argument``."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        message = f"{text!r} is no duration"
        raise EddylineError("invalid_argument", message, hint="write it like 500ms, 30s, 5m, 2h")
    return float(found[1]) * _UNITS_S[found[2]]


def parse_rate(text: str) -> float | None:
    """Records a second of a number, None of ``max``. Raises ``invalid_argument``."""
    if text.strip().lower() == "max":
        return None
    try:
        return float(text)
    except ValueError:
        message = f"{text!r} is no rate"
        hint = "write records a second, as in 50 or 0.5, or max"
        raise EddylineError("invalid_argument", message, hint=hint) from None


def _within(
    name: str, value: float | None, low: float, high: float, *, above: bool = False
) -> None:
    if value is None:
        return
    if not math.isfinite(value) or value < low or value > high or (above and value == low):
        least = f"above {low:g}" if above else f"{low:g} or more"
        message = f"{name} is {value:g}; it must be {least} and at most {high:g}"
        raise EddylineError("invalid_argument", message)
