"""When each record of a run is due: absolute deadlines, so that no rate drifts.

Record ``i`` of a constant rate is due ``i / rate`` seconds after the start, whatever happened
before it. Bursts multiply the rate for a while; between their edges the count of due records is
a straight line, so both directions (how many by now, when is the next) are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

# Sums of float segments may fall short of a whole number by this much.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Burst:
    """From ``start_s`` for ``duration_s`` the rate is multiplied by ``factor`` (0 = silence)."""

    start_s: float
    duration_s: float
    factor: float


class Schedule(Protocol):
    """How many records are due by an instant, and when a record is due (seconds from start)."""

    def count(self, elapsed_s: float) -> int:
        """Records due at or before ``elapsed_s``."""

    def within(self, duration_s: float) -> int:
        """Records due before ``duration_s``: what a run of that length sends."""

    def due_s(self, first: int, n: int) -> npt.NDArray[np.float64]:
        """Deadlines of records ``first`` … ``first + n - 1``, shape (n,), not decreasing."""


class Constant:
    """A constant rate in records a second, times the factors of the bursts under way."""

    def __init__(self, rate: float, bursts: Sequence[Burst] = ()) -> None:
        edges = sorted({0.0, *(e for b in bursts for e in (b.start_s, b.start_s + b.duration_s))})
        self._edges = np.array(edges)
        self._rates = np.array([rate * _factor(bursts, e) for e in edges])
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
        # Rate 0 at the very start, or for ever: the records before it are due at its edge.
        ahead = np.divide(i - self._counts[k], rates, out=np.zeros(n), where=rates > 0)
        return self._edges[k] + np.where((rates > 0) | (i <= self._counts[k]), ahead, np.inf)

    def _due_until(self, t: float) -> float:
        k = int(np.searchsorted(self._edges, t, side="right")) - 1
        return float(self._counts[k] + (t - self._edges[k]) * self._rates[k])


def _factor(bursts: Sequence[Burst], t: float) -> float:
    return math.prod(b.factor for b in bursts if b.start_s <= t < b.start_s + b.duration_s)
