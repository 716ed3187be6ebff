"""What value a key usually has: the median of its newest rows, and how far they stray from it.

A forest knows which points are rare, not which are far enough off to matter: over a constant
series every tremor is rare. So each column also has a yardstick of its own, the median of the
last rows and the median distance from it, neither of which a burst can bend at once.
"""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.kernel import Doubles, Int64s, kernel

# Rows the median is taken over; and rows needed before anything can be unusual.
WINDOW = 32
ROWS_MIN = 10
# Median distance to standard deviation, for a normal distribution.
_SIGMA = 1.4826


class Usual(NamedTuple):
    """Memory of M keys over d columns."""

    ring: Doubles  # (M, d, WINDOW) in order of arrival
    rank: Doubles  # (M, d, WINDOW) the same values sorted
    rows: Int64s  # (M,) rows seen


def empty(models: int, columns: int) -> Usual:
    """Memory of keys not yet seen."""
    shape = (models, columns, WINDOW)
    return Usual(np.zeros(shape), np.zeros(shape), np.zeros(models, np.int64))


@kernel
def measure(
    usual: Usual, keys: Int64s, points: Doubles, tolerance: float, expected: Doubles, odd: Doubles
) -> None:
    """Fill ``expected`` (n, d) and ``odd`` (n, d), then learn the rows.

    expected: the usual value, NaN before the key's tenth row. odd: signed distance from it beyond
    the tolerated share, in usual distances; 0 within.
    """
    for r in range(len(keys)):
        m = keys[r]
        held = min(usual.rows[m], WINDOW)
        for j in range(points.shape[1]):
            rank, value = usual.rank[m, j], points[r, j]
            expected[r, j] = nan
            odd[r, j] = 0.0
            if held >= ROWS_MIN:
                middle = rank[held // 2]
                expected[r, j] = middle
                beyond = abs(value - middle) - tolerance * abs(middle)
                if beyond > 0.0:
                    stray = max(_SIGMA * _stray(rank, held), 1e-9 * abs(middle) + 1e-300)
                    odd[r, j] = beyond / stray if value > middle else -beyond / stray
            _learn(usual.ring[m, j], rank, held, usual.rows[m] % WINDOW, value)
        usual.rows[m] += 1


@kernel
def _stray(rank: Doubles, held: int) -> float:
    """Median distance of sorted values from their median: a walk outwards from the middle."""
    middle = rank[held // 2]
    low, high, distance = held // 2, held // 2 + 1, 0.0
    for _ in range(held // 2 + 1):
        below = middle - rank[low] if low >= 0 else np.inf
        above = rank[high] - middle if high < held else np.inf
        if below <= above:
            distance = below
            low -= 1
        else:
            distance = above
            high += 1
    return distance


@kernel
def _learn(ring: Doubles, rank: Doubles, held: int, at: int, value: float) -> None:
    """Put a value in place of the oldest one, and keep the sorted copy sorted."""
    i = held
    if held == WINDOW:
        old = ring[at]
        i = int(np.searchsorted(rank, old))
    ring[at] = value
    while i > 0 and rank[i - 1] > value:
        rank[i] = rank[i - 1]
        i -= 1
    while i + 1 < held and rank[i + 1] < value:
        rank[i] = rank[i + 1]
        i += 1
    rank[i] = value
