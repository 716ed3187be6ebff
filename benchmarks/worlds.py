"""Clickstreams with known faults: counts, errors and latencies per key, in bins of a fixed width.

A world is a set of keys, each with a daily and a weekly curve, a volume per bin and noise; faults
are put in after the first two weeks, with their place, kind and size known. Everything follows
from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
DAY_MS = 86_400_000
VOLUMES = (0.3, 3.0, 30.0, 300.0, 3000.0)
# Monday, 2026-01-05, 00:00 UTC.
START_MS = 1_767_571_200_000
COLUMNS = ("requests", "errors", "latency")
SHARED = ("missing shard", "holiday")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its key, kind, first row and the row after its last one."""

    key: int
    kind: str
    start: int
    stop: int
    volume: float


@dataclass(slots=True)
class World:
    """times (n,): epoch ms of each bin. values (k, n, 3): requests, errors, latency (NaN where
    there was no request). rate (k, n): the true mean of requests, without faults. volume (k,)."""

    times: npt.NDArray[np.int64]
    values: Doubles
    rate: Doubles
    share: Doubles
    middle: Doubles
    width: Doubles
    volume: Doubles
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What kind of world. wander: standard deviation per day of a random walk of the log rate.
    dispersion: variance beyond Poisson as a share of the squared mean (negative binomial).
    growth: share per week. weekend_curve: Saturdays and Sundays have a daily curve of their own."""

    bin_minutes: int = 5
    weeks: int = 4
    quiet_weeks: int = 2
    wander: float = 0.0
    dispersion: float = 0.0004
    growth: float = 0.0
    weekend_curve: bool = False


RECIPES = {
    "plain": Recipe(),
    "weekend": Recipe(weekend_curve=True),
    "wandering": Recipe(wander=0.15),
    "negative binomial": Recipe(dispersion=0.05),
    "growth": Recipe(growth=0.25),
    "all together": Recipe(weekend_curve=True, wander=0.15, dispersion=0.05, growth=0.25),
    "minutes": Recipe(bin_minutes=1, weeks=3),
}


def curve(rng: np.random.Generator, hours: Doubles) -> Doubles:
    """A smooth daily curve of mean about 1 with a deep night."""
    depth, peak = rng.uniform(0.5, 0.95), rng.uniform(11, 21)
    second, at = rng.uniform(0.0, 0.35), rng.uniform(0, 24)
    a = 2 * np.pi * (hours - peak) / 24
    b = 4 * np.pi * (hours - at) / 24
    return np.asarray(np.maximum(1 + depth * np.cos(a) + second * depth * np.cos(b), 0.02))


def rates(rng: np.random.Generator, recipe: Recipe, volume: float, n: int) -> Doubles:
    """(n,): the true mean of a key's requests."""
    per_day = 24 * 60 // recipe.bin_minutes
    t = np.arange(n)
    hours, day = (t % per_day) * 24 / per_day, t // per_day
    weekday = np.concatenate([rng.uniform(0.9, 1.1, 5), rng.uniform(0.5, 0.95, 2)])
    shape = curve(rng, hours) * weekday[day % 7]
    if recipe.weekend_curve:
        own = curve(rng, hours) * weekday[day % 7]
        shape = np.where(day % 7 >= 5, own, shape)
    growth = (1 + recipe.growth) ** (t / (7 * per_day))
    steps = rng.normal(0, recipe.wander / np.sqrt(per_day), n)
    pull = 1 - 1 / (3 * per_day)
    walk = np.zeros(n)
    for i in range(1, n):
        walk[i] = pull * walk[i - 1] + steps[i]
    return np.asarray(volume * shape * growth * np.exp(walk))


def drawn(rng: np.random.Generator, mean: Doubles, dispersion: float) -> Doubles:
    """Counts of a negative binomial law with variance mean + dispersion * mean ** 2."""
    if dispersion <= 0:
        return rng.poisson(mean).astype(float)
    shape = 1 / dispersion
    return rng.poisson(rng.gamma(shape, np.maximum(mean, 1e-12) / shape)).astype(float)


@dataclass(slots=True)
class Plan:
    """What multiplies a key's law row by row: requests, error share, latency, and spread."""

    rate: Doubles
    errors: Doubles
    latency: Doubles
    spread: Doubles


def span(rng: np.random.Generator, hours: tuple[float, float], per_hour: float) -> int:
    return max(1, round(rng.uniform(*hours) * per_hour))


def apply(kind: str, rng: np.random.Generator, plan: Plan, base: Doubles, at: int,
          per_hour: float) -> int:  # fmt: skip
    """Put a fault into a plan at row ``at``; returns the row after its last one."""
    longer = 4.0 if base.mean() < 1 else 1.0
    hours = {
        "drop to zero": (1.0 * longer, 4.0 * longer), "half drop": (2.0 * longer, 8.0 * longer),
        "spike": (0.05, 0.15), "level up": (3.0 * longer, 10.0 * longer),
        "slow drift": (18.0, 36.0), "bot burst": (0.4, 1.5), "wrong hour": (3.0, 6.0),
        "variance": (3.0, 8.0), "latency shift": (1.0 * longer, 4.0 * longer),
        "error burst": (0.5 * longer, 2.0 * longer), "correlation break": (2.0, 6.0),
        "holiday": (24.0, 24.0), "silent key": (6.0 * longer, 12.0 * longer),
        "missing shard": (2.0, 8.0), "one of a thousand": (1.0 * longer, 3.0 * longer),
    }[kind]  # fmt: skip
    stop = min(at + span(rng, hours, per_hour), len(base))
    here = slice(at, stop)
    n = stop - at
    if kind in ("drop to zero", "silent key"):
        plan.rate[here] = 0.0
    elif kind == "half drop":
        plan.rate[here] *= rng.uniform(0.4, 0.55)
    elif kind == "missing shard":
        plan.rate[here] *= rng.choice([0.5, 0.67, 0.75])
    elif kind == "spike":
        plan.rate[here] = plan.rate[here] * rng.uniform(3, 6) + 8 / np.maximum(base[here], 0.5)
    elif kind in ("level up", "one of a thousand"):
        plan.rate[here] *= rng.uniform(1.5, 2.5)
    elif kind == "slow drift":
        plan.rate[here] *= 1 + rng.uniform(0.6, 1.2) * np.linspace(0, 1, n) * rng.choice([1, -0.6])
    elif kind == "bot burst":
        plan.rate[here] = plan.rate[here] * rng.uniform(2.5, 5) + 4 / np.maximum(base[here], 0.5)
    elif kind == "wrong hour":
        shift = round(rng.uniform(6, 12) * per_hour)
        plan.rate[here] = base[at - shift : at - shift + n] / np.maximum(base[here], 1e-9)
    elif kind == "variance":
        plan.spread[here] = rng.uniform(0.5, 0.8)
    elif kind == "latency shift":
        plan.latency[here] *= rng.uniform(1.4, 2.5)
    elif kind == "error burst":
        plan.errors[here] *= rng.uniform(5, 15)
    elif kind == "correlation break":
        plan.rate[here] *= rng.uniform(1.3, 1.6)
        plan.errors[here] *= rng.uniform(0.05, 0.2)
    elif kind == "holiday":
        plan.rate[here] *= rng.uniform(0.35, 0.6)
    return stop


KINDS = (
    "drop to zero", "half drop", "spike", "level up", "slow drift", "bot burst", "wrong hour",
    "variance", "latency shift", "error burst", "holiday", "silent key", "missing shard",
    "one of a thousand",
)  # fmt: skip


def world(seed: int, keys: int, recipe: Recipe, faults_a_key: int = 1) -> World:
    """A world of so many keys, each with so many faults after the quiet weeks."""
    rng = np.random.default_rng(seed)
    per_hour = 60 / recipe.bin_minutes
    n = round(recipe.weeks * 7 * 24 * per_hour)
    times = START_MS + np.arange(n) * recipe.bin_minutes * 60_000
    out = World(times, np.empty((keys, n, 3)), np.empty((keys, n)), np.empty(keys),
                np.empty((keys, n)), np.empty(keys), np.empty(keys))  # fmt: skip
    for key in range(keys):
        volume = VOLUMES[key % len(VOLUMES)] * recipe.bin_minutes / 5
        base = rates(rng, recipe, volume, n)
        plan = Plan(np.ones(n), np.ones(n), np.ones(n), np.zeros(n))
        for at, kind in _places(rng, recipe, faults_a_key, n, per_hour, key):
            stop = apply(kind, rng, plan, base, at, per_hour)
            out.faults.append(Fault(key, kind, at, stop, VOLUMES[key % len(VOLUMES)]))
        law = Law(rng.uniform(0.003, 0.03), rng.uniform(20, 400), rng.uniform(0.2, 0.6))
        out.values[key], out.middle[key] = _observed(rng, recipe, plan, base, law)
        out.share[key], out.width[key] = law.share, law.width
        out.rate[key], out.volume[key] = base, VOLUMES[key % len(VOLUMES)]
    return out


def _places(
    rng: np.random.Generator, recipe: Recipe, count: int, n: int, per_hour: float, key: int
) -> list[tuple[int, str]]:
    """Rows and kinds of a key's faults, three days apart at least. By day for kinds that are
    nothing at night; the kinds take turns over keys."""
    first, last = round(recipe.quiet_weeks * 168 * per_hour), n - round(48 * per_hour)
    starts = np.linspace(first, last, count + 1)
    places = []
    for i in range(count):
        at = int(rng.uniform(starts[i], max(starts[i] + 1, starts[i + 1] - 72 * per_hour)))
        kind = KINDS[(key // len(VOLUMES) + i * 5) % len(KINDS)]
        day = round(24 * per_hour)
        if kind == "holiday":
            at = at // day * day
            while (at // day) % 7 >= 5:
                at += day
        places.append((at, kind))
    return places


@dataclass(frozen=True, slots=True)
class Law:
    """A key's share of errors, median latency, and width of a single latency's logarithm."""

    share: float
    latency: float
    width: float


def _observed(
    rng: np.random.Generator, recipe: Recipe, plan: Plan, base: Doubles, law: Law
) -> tuple[Doubles, Doubles]:
    """(n, 3): requests, errors and latency as they would be seen; (n,): true log latency."""
    n = len(base)
    wild = np.exp(rng.normal(0, 1, n) * plan.spread - plan.spread**2 / 2)
    requests = drawn(rng, base * plan.rate * wild, recipe.dispersion)
    share = np.minimum(law.share * plan.errors, 0.95)
    errors = rng.binomial(requests.astype(np.int64), share).astype(float)
    noise = rng.normal(0, 1, n) * law.width / np.sqrt(np.clip(requests, 1, 50))
    slow = 0.03 * np.sin(2 * np.pi * np.arange(n) / n * 3 + rng.uniform(0, 6))
    middle = np.log(law.latency * (1 + 0.1 * base / base.max())) + slow
    latency = np.exp(middle + noise) * plan.latency
    latency[requests == 0] = np.nan
    return np.column_stack([requests, errors, latency]), middle
