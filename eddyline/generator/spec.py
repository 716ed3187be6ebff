"""The description of a generator's work: frozen, checked once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from eddyline.errors import EddylineError
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine

if TYPE_CHECKING:
    from eddyline.generator.rate import Schedule

RATE_MAX = 100_000_000.0
DURATION_MAX_S = 10 * 365 * 86_400.0
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


FAULTS = ("drop", "duplicate", "late", "torn", "outlier")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A clock for ``date.simTime``: from ``start_ms`` to ``end_ms`` (epoch), ``speed`` times as
    fast as ours, or as fast as records can be made (None). Rates count its seconds.
    """

    start_ms: int
    end_ms: int | None = None
    speed: float | None = 1.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong on purpose, with a chance per record, from ``start_s`` for ``duration_s``.

    ``drop`` leaves a record out, ``duplicate`` sends it twice, ``late`` holds it back for
    ``delay_s``, ``torn`` cuts it off, ``outlier`` multiplies the number in ``field`` (of a JSON
    record) by ``factor``.
    """

    kind: str
    chance: float = 0.001
    field: str | None = None
    factor: float = 10.0
    delay_s: float = 10.0
    start_s: float = 0.0
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """A generator: what it sends, where to, how fast and for how long.

    ``target`` is ``stream:NAME`` (a local stream), ``kinesis:NAME`` (any Kinesis endpoint),
    ``kafka:TOPIC``, ``file:PATH`` or ``-`` (standard output). ``rate`` is in records a second,
    None for as fast as possible; ``ramp``, ``sine`` or ``periodic`` change it over time, ``bursts``
    multiply it, and with ``arrivals="poisson"`` records come by chance. ``retries`` off leaves a
    request without an answer unrepeated, so that none of its records can be there twice. Records
    in files always end in a newline. ``labels`` is a target for what ``faults`` and bursts did.
    ``outputs`` are the targets of the names that the template's ``record.next`` sends records to.
    A run that takes up another, which began at ``begun_ms``, begins after its ``first_turn`` turns
    and ``first_record`` records.
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
    gzip: bool = False
    ramp: Ramp | None = None
    sine: Sine | None = None
    periodic: Periodic | None = None
    arrivals: Literal["even", "poisson"] = "even"
    simulated: Simulated | None = None
    faults: tuple[Fault, ...] = ()
    labels: str | None = None
    first_turn: int = 0
    first_record: int = 0
    begun_ms: int | None = None
    outputs: tuple[tuple[str, str], ...] = ()

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
        if self.bursts and self.rate is None and self.periodic is None:
            raise EddylineError("invalid_argument", "a burst needs a rate", hint="give --rate N")
        self._check_shape()
        for fault in self.faults:
            _check_fault(fault)
        parse_target(self.target)
        if self.labels is not None:
            parse_target(self.labels)
        for _, target in self.outputs:
            parse_target(target)

    def _check_shape(self) -> None:
        shapes = [s for s in (self.ramp, self.sine, self.periodic) if s is not None]
        if len(shapes) > 1:
            raise EddylineError("invalid_argument", "ramp, sine and periodic exclude each other")
        if self.rate is None and (self.ramp or self.sine or self.arrivals != "even"):
            message = "ramp, sine and poisson arrivals need a rate"
            raise EddylineError("invalid_argument", message, hint="give --rate N")
        if self.arrivals not in ("even", "poisson"):
            message = f"arrivals {self.arrivals!r} is neither even nor poisson"
            raise EddylineError("invalid_argument", message)
        if self.ramp is not None:
            _within("the ramp's end", self.ramp.to, 0, RATE_MAX)
            _within("the ramp's duration", self.ramp.over_s, 0, DURATION_MAX_S, above=True)
        if self.sine is not None:
            _within("the sine's share", self.sine.share, 0, 1)
            _within("the sine's period", self.sine.period_s, 0, DURATION_MAX_S, above=True)
        if self.periodic is not None:
            _check_week(self.periodic)
        clock = self.simulated
        if clock is not None:
            _within("the simulated clock's speed", clock.speed, 0, 1e9, above=True)
            if clock.end_ms is not None and clock.end_ms <= clock.start_ms:
                raise EddylineError("invalid_argument", "the simulated clock ends before it starts")

    @property
    def timed(self) -> bool:
        """Whether records have deadlines in real time."""
        fast = self.simulated is not None and self.simulated.speed is None
        return not fast and (self.rate is not None or self.periodic is not None)

    @property
    def speed(self) -> float:
        """Seconds of the plan that pass in one of ours."""
        return (self.simulated and self.simulated.speed) or 1.0

    def plan(self, start_ms: int = 0, seed: int | None = None) -> Schedule | None:
        """When records are due on the simulated clock, or ours where there is none.

        ``start_ms`` is the instant of the start, which decides where in the week it is; ``seed``
        stands for that of the spec where it has none.
        """
        from eddyline.generator.plan import plan

        return plan(self, start_ms, seed)

    def schedule(self, start_ms: int = 0, seed: int | None = None) -> Schedule | None:
        """When records are due in real time; None for as fast as possible."""
        from eddyline.generator.rate import Scaled

        plan = self.plan(start_ms, seed) if self.timed else None
        return Scaled(plan, self.speed) if plan is not None and self.speed != 1.0 else plan

    def limit(self) -> int | None:
        """Records to send in all, where that is known beforehand."""
        known = [] if self.total is None else [self.total]
        plan = None if self.periodic is not None else self.plan()
        if plan is not None:
            spans = (
                [] if self.duration_s is None or not self.timed else [self.duration_s * self.speed]
            )
            if self.simulated is not None and self.simulated.end_ms is not None:
                spans.append((self.simulated.end_ms - self.simulated.start_ms) / 1000)
            counts = (plan.within(s) for s in spans)
            known += [n for n in counts if n is not None]
        return min(known, default=None)


def _check_fault(fault: Fault) -> None:
    if fault.kind not in FAULTS:
        message = f"fault {fault.kind!r} is none of {', '.join(FAULTS)}"
        raise EddylineError("invalid_argument", message)
    _within("a fault's chance", fault.chance, 0, 1)
    _within("a fault's delay", fault.delay_s, 0, DURATION_MAX_S)
    _within("a fault's start", fault.start_s, 0, DURATION_MAX_S)
    _within("a fault's duration", fault.duration_s, 0, DURATION_MAX_S)
    _within("a fault's factor", abs(fault.factor), 0, 1e12)
    if fault.kind == "outlier" and not fault.field:
        hint = "as in outlier:current_temperature"
        raise EddylineError("invalid_argument", "an outlier needs a field", hint=hint)


def _check_week(table: Periodic) -> None:
    for name, rows in (("mean", table.mean), ("deviation", table.deviation)):
        if not rows and name == "deviation":
            continue
        if len(rows) != 7 or any(len(row) != 24 for row in rows):
            message = f"the {name} of a periodic rate needs 7 rows of 24 numbers"
            raise EddylineError("invalid_argument", message, hint="Monday first, hours from 0")
        for value in (v for row in rows for v in row):
            _within(f"a {name} of the periodic rate", value, 0, RATE_MAX)
    if not any(v > 0 for row in table.mean for v in row):
        message = "every mean of the periodic rate is zero"
        raise EddylineError("invalid_argument", message, hint="give at least one hour a rate")


TARGETS = "stream:NAME, kinesis:NAME, kafka:TOPIC, file:PATH or -"


def parse_target(text: str) -> tuple[str, str]:
    """``kind, name`` of a target's text. Raises ``invalid_argument``."""
    if text == "-":
        return "stdout", "-"
    kind, _, name = text.partition(":")
    if kind in ("stream", "kinesis", "kafka", "file") and name:
        return kind, name
    message = f"target {text!r} is none of {TARGETS}"
    hint = f"for the stream {text} write stream:{text}" if ":" not in text and text else None
    raise EddylineError("invalid_argument", message, hint=hint)


def parse_duration(text: str) -> float:
    """Seconds of ``500ms``, ``30s``, ``5m``, ``2h`` or ``1d``. Raises ``invalid_argument``."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        message = f"{text!r} is no duration"
        raise EddylineError("invalid_argument", message, hint="write it like 500ms, 30s, 5m, 2h")
    return float(match[1]) * _UNITS_S[match[2]]


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
