"""Values over time: a level that walks, trends and follows seasons, with noise, for each key.

``series.value`` adds up its parts: the base, a deviation of the key's own, a trend, seasons, a
random walk and noise. Trend and seasons follow the simulated clock, or the record's instant where
none is set. A walk takes one step per record of its key and remembers each key's place from batch
to batch; everything else follows from the instant and the key alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from eddyline.errors import EddylineError
from eddyline.generator.arguments import Arguments, shown, text_of
from eddyline.generator.column import At, GeneratedColumn, Integers, Texts, Uniforms, spread
from eddyline.generator.iso import parse_iso
from eddyline.generator.methods.method import Method
from eddyline.generator.methods.rounding import NUMBER_WIDTH, rounded
from eddyline.generator.moment import DAY_MS, DAYS, Zone, offsets, zone_named
from eddyline.generator.spec import parse_duration

# Keys whose walk is remembered; later ones stay at their first value.
KEYS_MAX = 1_000_000
WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS  # the first Monday after 1970-01-01
VALUE_MAX = 1e12
LAWS = ("normal", "uniform", "laplace", "student", "exponential", "logNormal")


@dataclass(frozen=True, slots=True)
class Season:
    """A sine of ``swing`` around zero that is highest at ``peak_ms`` of each period."""

    swing: float
    period_ms: float
    peak_ms: float

    def at(self, ms: Integers) -> Uniforms:
        """What it adds at instants of local time."""
        share = ((ms - self.peak_ms) % self.period_ms) / self.period_ms
        added: Uniforms = self.swing * np.cos(2 * math.pi * share)
        return added


@dataclass(frozen=True, slots=True)
class Profile:
    """What is added in each part of a period: 24 numbers of a day, or 7 of a week."""

    values: Uniforms
    period_ms: float
    start_ms: float = 0

    def at(self, ms: Integers) -> Uniforms:
        """What it adds at instants of local time; between the middles of two parts a line."""
        share = ((ms - self.start_ms) % self.period_ms) / self.period_ms * len(self.values) - 0.5
        ends = np.concatenate([self.values[-1:], self.values, self.values[:1]])
        line: Uniforms = np.interp(share, np.arange(-1, len(self.values) + 1), ends)
        return line


@dataclass(frozen=True, slots=True)
class Noise:
    """Chance around zero, of one law and size; ``freedom`` is that of Student's law."""

    law: str
    size: float
    freedom: float = 3.0

    @property
    def slots(self) -> int:
        """Uniform numbers it takes."""
        return 0 if not self.size else 2

    def drawn(self, u: Uniforms) -> Uniforms:
        """Values for pairs of uniform numbers, shape (n, 2)."""
        first, second = u[:, 0], u[:, 1]
        radius = np.sqrt(-2 * np.log1p(-first))
        turn = np.cos(2 * math.pi * second)
        laws: dict[str, Callable[[], Uniforms]] = {
            "normal": lambda: radius * turn,
            "uniform": lambda: 2 * first - 1,
            "laplace": lambda: np.where(second < 0.5, -1, 1) * -np.log1p(-first),
            # Bailey's method: the radius of a Student pair.
            "student": lambda: (
                np.sqrt(self.freedom * ((1 - first) ** (-2 / self.freedom) - 1)) * turn
            ),
            "exponential": lambda: -np.log1p(-first),
            "logNormal": lambda: np.exp(radius * turn),
        }
        return self.size * laws[self.law]()


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """Random steps: each value keeps ``1 - revert`` of the last distance and adds a step."""

    noise: Noise
    revert: float = 0.0


@dataclass(slots=True)
class KeyNumbers:
    """Numbers of the keys seen so far, and the walk's place of each."""

    numbers: dict[str, int] = field(default_factory=dict)
    places: Uniforms = field(default_factory=lambda: np.full(16, np.nan))

    def number(self, texts: Any) -> Integers:
        """The number of each row's key, shape (n,); ``KEYS_MAX`` for one too many."""
        encoded = texts.dictionary_encode()
        numbers = self.numbers
        known = np.empty(len(encoded.dictionary), np.int64)
        for at, key in enumerate(encoded.dictionary.to_pylist()):
            number = numbers.get(key)
            if number is None:
                number = min(len(numbers), KEYS_MAX)
                if number < KEYS_MAX:
                    numbers[key] = number
            known[at] = number
        if len(self.places) <= len(numbers):
            more = np.full(len(numbers) + 1, np.nan)
            self.places = np.concatenate([self.places, more])
        numbers_of_rows: Integers = known[encoded.indices.to_numpy(zero_copy_only=False)]
        return numbers_of_rows


class Series:
    """The values of one tag; see the module."""

    stateful = True

    def __init__(
        self, args: Arguments, level: tuple[float, float], bounds: tuple[float, float], step: float
    ) -> None:
        self.base, self.deviation = level
        self.low, self.high = bounds
        self.step = step
        self.width = NUMBER_WIDTH
        self.key: str | None = None
        self.trend_per_ms = 0.0
        self.from_ms: int | None = None
        self.seasons: list[Season | Profile] = []
        self.zone: Zone = zone_named("UTC")
        self.walk: RandomWalk | None = None
        self.noise = Noise("normal", 0.0)
        self._keys = KeyNumbers()
        self._next = -1
        self._deviations: dict[str, float] = {}

    @property
    def slots(self) -> int:
        """Uniform numbers per row: for the walk's step and for the noise."""
        return (self.walk.noise.slots if self.walk else 0) + self.noise.slots

    def build(self, u: Uniforms, at: At) -> Texts:
        if at.first != self._next:  # another run
            self._keys = KeyNumbers()
        self._next = at.first + at.n
        keys = None if self.key is None else spread(at.values[self.key], at.n)
        values = np.full(at.n, float(self.base))
        if self.deviation:
            values += self._own(keys)
        if self.trend_per_ms:
            origin_ms = at.origin_ms if self.from_ms is None else self.from_ms
            values += self.trend_per_ms * (at.sim_ms - origin_ms)
        if self.seasons:
            local_ms = at.sim_ms + offsets(at.sim_ms, self.zone) * 60_000
            for season in self.seasons:
                values += season.at(local_ms)
        used = 0
        if self.walk is not None:
            used = self.walk.noise.slots
            values = self._walked(values, keys, u[:, :used])
        if self.noise.slots:
            values += self.noise.drawn(u[:, used:])
        return rounded(np.clip(values, self.low, self.high), self.step)

    def _own(self, keys: Any) -> Uniforms:
        """The deviation of each row's key, which follows from the key alone."""
        encoded = keys.dictionary_encode()
        own = np.array([self._own_of(key) for key in encoded.dictionary.to_pylist()])
        drawn: Uniforms = own[encoded.indices.to_numpy(zero_copy_only=False)]
        return drawn

    def _own_of(self, key: str) -> float:
        if key not in self._deviations and len(self._deviations) < KEYS_MAX:
            rng = np.random.default_rng(zlib.crc32(key.encode()))
            self._deviations[key] = float(rng.standard_normal()) * self.deviation
        return self._deviations.get(key, 0.0)

    def _walked(self, level: Uniforms, keys: Any, u: Uniforms) -> Uniforms:
        assert self.walk is not None
        steps = self.walk.noise.drawn(u) if self.walk.noise.slots else np.zeros(len(u))
        numbers = np.zeros(len(u), np.int64) if keys is None else self._keys.number(keys)
        out = np.empty(len(u))
        bounds = self.low, self.high
        _walk()(numbers, steps, level, self.walk.revert, *bounds, KEYS_MAX, self._keys.places, out)
        return out


@cache
def _walk() -> Callable[..., None]:
    """The kernel, compiled when the first template needs it."""
    from numba import njit

    kernel: Callable[..., None] = njit(cache=True, nogil=True)(_steps)
    return kernel


def _steps(codes, steps, level, revert, low, high, most, places, out):  # type: ignore[no-untyped-def]
    """One step per row, reflected at the bounds; ``places`` (keys,) is what each key has walked."""
    for row in range(len(codes)):
        key = codes[row]
        if key >= most:
            out[row] = level[row]
            continue
        walked = places[key]
        walked = 0.0 if np.isnan(walked) else walked * (1 - revert) + steps[row]
        value = level[row] + walked
        if value > high:
            value = max(low, 2 * high - value)
        elif value < low:
            value = min(high, 2 * low - value)
        places[key] = value - level[row]
        out[row] = value


def _series(args: Arguments, given: dict[str, Any], precision: float) -> Series:
    """What all methods share: level, bounds, key, precision."""
    low = args.number(given, "min", -VALUE_MAX, -VALUE_MAX, VALUE_MAX)
    high = args.number(given, "max", VALUE_MAX, -VALUE_MAX, VALUE_MAX)
    if high < low:
        args.fail(f"max {high:g} is below min {low:g}")
    base = args.number(given, "base", _middle(low, high), -VALUE_MAX, VALUE_MAX)
    deviation = args.number(given, "deviation", 0, 0, VALUE_MAX)
    step = args.number(given, "precision", precision, 1e-6, 1e9)
    column = Series(args, (base, deviation), (low, high), step)
    if "key" in given:
        assert args.scope is not None
        column.key = text_of(given["key"])
        args.scope.value(column.key, args)
    elif deviation:
        args.fail("a deviation needs a key", 'as in "key":"sensor" for {{sensor = …}}')
    return column


def _middle(low: float, high: float) -> float:
    return (low + high) / 2 if low > -VALUE_MAX and high < VALUE_MAX else 0.0


def value(args: Arguments) -> GeneratedColumn:
    """All parts together."""
    given = args.named(*VALUE_NAMES)
    column = _series(args, given, 0.01)
    _trend(args, given, column)
    zone = text_of(given.get("zone", "UTC"))
    try:
        column.zone = zone_named(zone)
    except ValueError:
        args.fail(f"no zone is called {zone[:40]!r}", "write UTC, local or a name as Europe/Berlin")
    if "daily" in given:
        column.seasons.append(_season(args, given["daily"], "daily", DAY_MS, 24, 0))
    if "weekly" in given:
        column.seasons.append(_season(args, given["weekly"], "weekly", WEEK_MS, 7, MONDAY_MS))
    if "season" in given:
        column.seasons += _own_seasons(args, given["season"])
    if "walk" in given:
        column.walk = _walk_of(args, given["walk"])
    if "noise" in given:
        column.noise = _noise(args, given["noise"], "noise")
    return column


def walk(args: Arguments) -> GeneratedColumn:
    """A random walk alone."""
    given = args.named(*WALK_NAMES)
    if "start" in given:
        given["base"] = given["start"]
    column = _series(args, given, 0.01)
    if "start" in given:
        args.number(given, "start", 0, column.low, column.high)
    column.walk = _walk_of(args, {k: given[k] for k in ("step", "law", "revert") if k in given})
    return column


def _trend(args: Arguments, given: dict[str, Any], column: Series) -> None:
    """``5`` (per day) or ``{"by":5,"per":"1h","from":"2020-01-01"}``."""
    trend = given.get("trend", 0)
    parts = _object(args, trend, "trend", "by", ("by", "per", "from"))
    per_ms = _duration(args, parts.get("per", "1d"), "trend: per") * 1000
    column.trend_per_ms = args.number(parts, "by", 0, -VALUE_MAX, VALUE_MAX) / per_ms
    if "from" in parts:
        column.from_ms = parse_iso(text_of(parts["from"]))
        if column.from_ms is None:
            hint = 'write ISO 8601, as in "2020-01-01T00:00:00Z"'
            args.fail(f"trend: from {shown(parts['from'])} is no date", hint)


def _season(
    args: Arguments, given: Any, name: str, period_ms: float, parts: int, start_ms: float
) -> Season | Profile:
    """A swing, ``{"swing":10,"peak":"14:00"}``, or a number for each hour or weekday."""
    if isinstance(given, list):
        if len(given) != parts:
            what = "hour from 0" if parts == 24 else "weekday from Monday"
            args.fail(f"{name} has {len(given)} numbers", f"there is one for each {what}: {parts}")
        numbers = [args.number({name: v}, name, 0, -VALUE_MAX, VALUE_MAX) for v in given]
        return Profile(np.array(numbers, np.float64), period_ms, start_ms)
    settings = _object(args, given, name, "swing", ("swing", "peak"))
    swing = args.number(settings, "swing", 0, -VALUE_MAX, VALUE_MAX)
    usual = "14:00" if parts == 24 else "Wednesday"
    peak_ms = _peak(args, settings.get("peak", usual), name, parts)
    return Season(swing, period_ms, start_ms + peak_ms)


def _peak(args: Arguments, given: Any, name: str, parts: int) -> float:
    """The milliseconds into a day or week of ``"14:30"``, an hour, or a weekday's noon."""
    text = text_of(given)
    if parts == 7:
        days = [d for d in range(7) if DAYS[(d + 1) % 7].lower().startswith(text.lower())]
        if len(days) == 1:
            return days[0] * DAY_MS + DAY_MS / 2
        args.fail(f"{name}: peak {text[:20]!r} is no weekday", f"as in {', '.join(DAYS)}")
    hour, _, minute = text.partition(":")
    try:
        ms = (float(hour) * 60 + float(minute or 0)) * 60_000
    except ValueError:
        ms = -1.0
    if not 0 <= ms <= DAY_MS:
        args.fail(f"{name}: peak {text[:20]!r} is no time of day", 'write it like "14:30"')
    return ms


def _own_seasons(args: Arguments, given: Any) -> list[Season | Profile]:
    """One or several of ``{"swing":2,"period":"10m","peak":"2m"}``."""
    seasons: list[Season | Profile] = []
    for one in given if isinstance(given, list) else [given]:
        settings = _object(args, one, "season", None, ("swing", "period", "peak"))
        period_ms = _duration(args, settings.get("period", "1h"), "season: period") * 1000
        peak = settings.get("peak")
        peak_ms = 0 if peak is None else _duration(args, peak, "season: peak") * 1000
        swing = args.number(settings, "swing", 1, -VALUE_MAX, VALUE_MAX)
        seasons.append(Season(swing, period_ms, peak_ms))
    return seasons


def _walk_of(args: Arguments, given: Any) -> RandomWalk:
    """A step, or ``{"step":0.5,"law":"normal","revert":0.01}``."""
    settings = _object(args, given, "walk", "step", ("step", "law", "revert"))
    size = args.number(settings, "step", 1, 0, VALUE_MAX)
    law = {"law": settings.get("law", "normal"), "size": size}
    return RandomWalk(_noise(args, law, "walk"), args.number(settings, "revert", 0, 0, 1))


def _noise(args: Arguments, given: Any, name: str) -> Noise:
    """A size, or ``{"law":"student","size":1,"freedom":3}``."""
    settings = _object(args, given, name, "size", ("law", "size", "freedom"))
    law = text_of(settings.get("law", "normal"))
    if law not in LAWS:
        args.fail(f"{name}: the law {law[:20]!r} is not known", f"laws are {', '.join(LAWS)}")
    size = args.number(settings, "size", 1, 0, VALUE_MAX)
    return Noise(law, size, args.number(settings, "freedom", 3, 0.5, 1000))


def _object(
    args: Arguments, given: Any, name: str, bare: str | None, names: Sequence[str]
) -> dict[str, Any]:
    """An object with some of these members; a bare number stands for the member ``bare``."""
    if not isinstance(given, dict):
        if bare is None or isinstance(given, bool) or not isinstance(given, (int, float)):
            args.fail(f"{name} is {shown(given)}", f"write an object of {', '.join(names)}")
        return {bare: given}
    for member in given:
        if member not in names:
            args.fail(f"{name} has no {member[:20]}", f"it has {', '.join(names)}")
    return {k: v for k, v in given.items() if v is not None}


def _duration(args: Arguments, given: Any, name: str) -> float:
    """Seconds of ``"10m"`` or of a number of seconds."""
    try:
        seconds = (
            float(given) if isinstance(given, (int, float)) else parse_duration(text_of(given))
        )
    except EddylineError as error:
        args.fail(f"{name}: {error.message}", error.hint)
    if not 0 < seconds <= 1e10:
        args.fail(f"{name} is {shown(given)}; it must be above 0")
    return seconds


VALUE_NAMES = (
    "base", "min", "max", "precision", "key", "deviation", "trend", "daily", "weekly", "season",
    "walk", "noise", "zone",
)  # fmt: skip
WALK_NAMES = ("start", "step", "min", "max", "precision", "key", "deviation", "revert", "law")

METHODS = (
    Method("series.value", f"({{{','.join(VALUE_NAMES)}}})",
           "A number over time: a base with trend, seasons, walk and noise, for each key.", value,
           'series.value({"base":20,"daily":5,"noise":0.5,"min":0,"precision":0.1})',
           r"\d+\.\d"),
    Method("series.walk", f"({{{','.join(WALK_NAMES)}}})",
           "A number that moves by a random step per record of its key.", walk,
           'series.walk({"start":50,"step":1,"min":0,"max":100,"precision":1})', r"\d{1,3}"),
)  # fmt: skip
