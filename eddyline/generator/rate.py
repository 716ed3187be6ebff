"""When each record of a run is due: absolute deadlines, so that no rate drifts.

Record ``i`` of a constant rate is due ``i / rate`` seconds after the start, whatever happened
before it. Bursts multiply the rate for a while; between their edges the count of due records is
a straight line, so both directions (how many by now, when is the next) are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from eddyline.generator.curve import Curve, factor_at, inverse
from eddyline.generator.pattern import Burst

# Sums of float segments may fall short of a whole number by this much.
ROUNDING = 1e-9
# Deadlines computed at once, and kept at most.
AHEAD = 2048
AHEAD_MAX = 1_000_000


class Schedule(Protocol):
    """How many records are due by an instant, and when a record is due (seconds from start)."""

    def count(self, elapsed_s: float) -> int:
        """Records due at or before ``elapsed_s``."""

    def within(self, duration_s: float) -> int | None:
        """Records due before ``duration_s``: what a run of that length sends, if known."""

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        """Deadlines of records ``first`` … ``first + n - 1``, shape (n,), not decreasing."""


class Constant:
    """A constant rate in records a second, times the factors of the bursts under way."""

    def __init__(self, rate: float, bursts: Sequence[Burst] = ()) -> None:
        edges = sorted({0.0, *(e for b in bursts for e in (b.start_s, b.start_s + b.duration_s))})
        self._edges = np.array(edges)
        self._rates = np.array([rate * factor_at(bursts, e) for e in edges])
        spans = np.diff(self._edges) * self._rates[:-1]
        self._counts = np.concatenate(([0.0], np.cumsum(spans)))

    def count(self, elapsed_s: float) -> int:
        if elapsed_s < 0:
            return 0
        return math.floor(self._due_until(elapsed_s) + ROUNDING) + 1

    def within(self, duration_s: float) -> int:
        return math.ceil(self._due_until(duration_s) - ROUNDING)

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        i = np.arange(first, first + n, dtype=np.float64)
        k = np.maximum(np.searchsorted(self._counts, i, side="left") - 1, 0)
        rates = self._rates[k]
        # Rate 0 at the very start, or forever: the records before it are due at its edge.
        ahead = np.divide(i - self._counts[k], rates, out=np.zeros(n), where=rates > 0)
        return self._edges[k] + np.where((rates > 0) | (i <= self._counts[k]), ahead, np.inf)

    def _due_until(self, t: float) -> float:
        k = int(np.searchsorted(self._edges, t, side="right")) - 1
        return float(self._counts[k] + (t - self._edges[k]) * self._rates[k])


class Varying:
    """Records spaced evenly along a curve."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve
        self._first = 0
        self._due = np.empty(0)

    def count(self, elapsed_s: float) -> int:
        if elapsed_s < 0:
            return 0
        return math.floor(self._total(elapsed_s) + ROUNDING) + 1

    def within(self, duration_s: float) -> int | None:
        return math.ceil(self._total(duration_s) - ROUNDING)

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        if not self._first <= first <= first + n <= self._first + len(self._due):
            self._first = first
            self._due = inverse(self._curve, _range(first, max(n, AHEAD)))
        place = first - self._first
        return self._due[place : place + n]

    def _total(self, t: float) -> float:
        return float(self._curve.total(np.array([t]))[0])


def _range(first: int, n: int) -> npt.NDArray[np.float64]:
    return np.arange(first, first + n, dtype=np.float64)


class Poisson:
    """Records that come independently of each other, as often as a curve says on average.

    The gaps are drawn in blocks as they are needed; what is before the first record asked for
    last is forgotten, so a run may only go forward.
    """

    def __init__(self, curve: Curve, rng: np.random.Generator) -> None:
        self._curve = curve
        self._rng = rng
        self._first = 0
        self._due = np.empty(0)
        self._last = 0.0

    def count(self, elapsed_s: float) -> int:
        if elapsed_s < 0:
            return 0
        while len(self._due) < AHEAD_MAX and (not len(self._due) or self._due[-1] <= elapsed_s):
            self._more()
        return self._first + int(np.searchsorted(self._due, elapsed_s, side="right"))

    def within(self, duration_s: float) -> int | None:
        return None

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        while self._first + len(self._due) < first + n:
            self._more()
        if first > self._first:
            self._due = self._due[first - self._first :]
            self._first = first
        return self._due[:n]

    def _more(self) -> None:
        marks = self._last + np.cumsum(self._rng.exponential(size=AHEAD))
        self._due = np.concatenate([self._due, inverse(self._curve, marks)])
        self._last = float(marks[-1])


class Scaled:
    """Another schedule, whose seconds pass ``speed`` times as fast."""

    def __init__(self, inner: Schedule, speed: float) -> None:
        self._inner = inner
        self._speed = speed

    def count(self, elapsed_s: float) -> int:
        return self._inner.count(elapsed_s * self._speed)

    def within(self, duration_s: float) -> int | None:
        return self._inner.within(duration_s * self._speed)

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        return self._inner.due_s(first, n) / self._speed
