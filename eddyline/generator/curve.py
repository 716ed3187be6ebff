"""How many records are due by an instant, for rates that change: ramps, waves, weeks.

A curve is the running total of a rate, so that bursts and a simulated clock only scale it and
deadlines stay absolute. Instants are seconds from the start of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eddyline.generator.column import Integers, Uniforms
from eddyline.generator.moment import offsets
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine

HOURS = 168
BLOCK_S = 900
# Longest run that is planned for.
HORIZON_S = 10 * 366 * 86_400.0
# Between the first deadline and the last the others are sought from this many points.
GRID = 512
# How fine deadlines are, and how much less than a whole number of records will do.
FINE_S = 1e-6
NEARLY = 1e-9


class Curve(Protocol):
    """The running total of a rate."""

    def total(self, t: Uniforms) -> Uniforms:
        """Records due by each instant; never falls."""


@dataclass(frozen=True, slots=True)
class Flat:
    """A constant rate."""

    rate: float

    def total(self, t: Uniforms) -> Uniforms:
        return t * self.rate


@dataclass(frozen=True, slots=True)
class Ramping:
    """A rate that moves evenly from one to another."""

    rate: float
    ramp: Ramp

    def total(self, t: Uniforms) -> Uniforms:
        inside = np.minimum(t, self.ramp.over_s)
        slope = (self.ramp.to - self.rate) / self.ramp.over_s
        after: Uniforms = (t - inside) * self.ramp.to
        return self.rate * inside + slope * inside**2 / 2 + after


@dataclass(frozen=True, slots=True)
class Waving:
    """A rate that swings around its mean."""

    rate: float
    sine: Sine

    def total(self, t: Uniforms) -> Uniforms:
        turn = 2 * math.pi / self.sine.period_s
        swing: Uniforms = self.sine.share / turn * (1 - np.cos(turn * t))
        return self.rate * (t + swing)


class Weekly:
    """A week's table of rates, from the hour in which the run starts.

    Seconds are drawn in blocks, each from a seed of its own, so that the same seed gives the
    same rates in whatever order they are requested.
    """

    def __init__(self, table: Periodic, start_ms: int, seed: int) -> None:
        self._mean = np.array(table.mean, np.float64).ravel()
        spread = table.deviation or tuple((0.0,) * 24 for _ in range(7))
        self._deviation = np.array(spread, np.float64).ravel()
        self._smooth = table.smooth
        self._start_ms = start_ms
        self._seed = seed
        self._sums = [0.0]
        self._kept: dict[int, Uniforms] = {}

    def total(self, t: Uniforms) -> Uniforms:
        blocks = np.floor_divide(t, BLOCK_S).astype(np.int64)
        out = np.empty(len(t))
        for block in np.unique(blocks):
            rows = blocks == block
            sums = self._block(int(block))
            out[rows] = np.interp(t[rows] - block * BLOCK_S, np.arange(BLOCK_S + 1), sums)
        return out

    def rates(self, block: int) -> Uniforms:
        """Records a second in each second of a block, shape (BLOCK_S,)."""
        ms = self._start_ms + (block * BLOCK_S + np.arange(BLOCK_S, dtype=np.int64)) * 1000
        local_s = ms // 1000 + offsets(ms, None) * 60
        mean, deviation = self._at(self._mean, local_s), self._at(self._deviation, local_s)
        drawn = np.random.default_rng((self._seed, block)).standard_normal(BLOCK_S)
        return np.maximum(0.0, mean + deviation * drawn)

    def _at(self, table: Uniforms, local_s: Integers) -> Uniforms:
        hour = (local_s // 3600 + 72) % HOURS  # 1970 began on a Thursday
        if not self._smooth:
            return table[hour]
        share = local_s % 3600 / 3600
        between: Uniforms = table[hour] * (1 - share) + table[(hour + 1) % HOURS] * share
        return between

    def _block(self, block: int) -> Uniforms:
        """Running totals at the seconds of a block, shape (BLOCK_S + 1,)."""
        while len(self._sums) <= block + 1:
            step = self.rates(len(self._sums) - 1).sum()
            self._sums.append(self._sums[-1] + float(step))
        if block not in self._kept:
            if len(self._kept) > 8:
                self._kept.pop(next(iter(self._kept)))
            sums = np.concatenate(([0.0], np.cumsum(self.rates(block))))
            self._kept[block] = self._sums[block] + sums
        return self._kept[block]


class Bursting:
    """Another curve, its rate multiplied during bursts."""

    def __init__(self, curve: Curve, bursts: Sequence[Burst]) -> None:
        self._curve = curve
        edges = sorted({0.0, *(e for b in bursts for e in (b.start_s, b.start_s + b.duration_s))})
        self._edges = np.array(edges)
        self._factors = np.array([factor_at(bursts, e) for e in edges])
        base = curve.total(self._edges)
        self._base = base
        self._sums = np.concatenate(([0.0], np.cumsum(np.diff(base) * self._factors[:-1])))

    def total(self, t: Uniforms) -> Uniforms:
        k = np.searchsorted(self._edges, t, side="right") - 1
        ahead: Uniforms = (self._curve.total(t) - self._base[k]) * self._factors[k]
        return self._sums[k] + ahead


def factor_at(bursts: Sequence[Burst], t: float) -> float:
    """By how much bursts multiply the rate at an instant."""
    return math.prod(b.factor for b in bursts if b.start_s <= t < b.start_s + b.duration_s)


def inverse(curve: Curve, counts: Uniforms) -> Uniforms:
    """The first instant at which each count is due; ``counts`` do not fall. Never: infinity."""
    if not len(counts):
        return np.empty(0)
    first, last = _when(curve, float(counts[0])), _when(curve, float(counts[-1]))
    if len(counts) == 1 or first == last:
        return np.full(len(counts), first)
    if math.isinf(last):  # some of them never
        most = float(curve.total(np.array([HORIZON_S]))[0])
        known = int(np.searchsorted(counts, most - 1e-3, side="right"))
        rest = [_when(curve, float(c)) for c in counts[known : known + 3]]
        never = np.full(max(0, len(counts) - known - 3), np.inf)
        return np.concatenate([inverse(curve, counts[:known]), rest, never])
    grid = np.linspace(first, last, GRID)
    cells = np.searchsorted(curve.total(grid), counts - NEARLY, side="left")
    high = grid[np.minimum(cells, GRID - 1)]
    low = grid[np.maximum(cells - 1, 0)]
    for _ in range(max(0, math.ceil(math.log2((grid[1] - grid[0]) / FINE_S)))):
        middle = (low + high) / 2
        reached = curve.total(middle) >= counts - NEARLY
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    out: Uniforms = np.maximum.accumulate(high)
    return out


def _when(curve: Curve, count: float) -> float:
    """By bisection, to a microsecond."""

    def due(t: float) -> bool:
        return float(curve.total(np.array([t]))[0]) >= count - NEARLY

    if due(0.0):
        return 0.0
    high = 1.0
    while not due(high):
        if high >= HORIZON_S:
            return math.inf
        # The horizon itself is tried, because ``inverse`` counts on what is due by then.
        high = min(high * 2, HORIZON_S)
    low = high / 2 if high > 1 else 0.0
    while high - low > FINE_S * max(1.0, high * 1e-6):
        middle = (low + high) / 2
        low, high = (low, middle) if due(middle) else (middle, high)
    return high
