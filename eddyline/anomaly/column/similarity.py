"""Has the column looked like this before? The nearest earlier shape, and the nearest earlier level.

The shape is the newest eight values; its distance to each earlier stretch is Euclidean and not
normalised, and the second nearest counts, so that a fault seen once is still news. The level is the
mean of the newest 24 values, compared with every sixth such mean; the third nearest counts.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from eddyline.anomaly.column.places import (
    HISTORY,
    MEAN_ORDER,
    MEAN_RING,
    MEANS,
    MEANS_KEPT,
    ORIGIN,
    RECENT,
    RECENT_ROWS,
    ROOM,
    SEEN,
)
from eddyline.anomaly.kernel import Doubles, Singles, kernel

LENGTH = 8
LEAST_LAG = 48
LEVEL_ROWS, EVERY = 24, 6
_FAR = 1e18


@kernel
def remember(h: Doubles, c: Singles, value: float) -> None:
    """Append a value to the history."""
    n = int(h[RECENT_ROWS])
    if n == ROOM:
        for i in range(HISTORY):
            c[RECENT + i] = c[RECENT + ROOM - HISTORY + i]
        n = HISTORY
    c[RECENT + n] = np.float32(min(max(value - h[ORIGIN], -_FAR), _FAR))
    h[RECENT_ROWS] = n + 1


@kernel
def shape_distance(h: Doubles, c: Singles, scratch: Singles) -> float:
    """Distance of the newest values to the second nearest stretch; -1 while there are too few.

    scratch: (HISTORY,) room.
    """
    n = int(h[RECENT_ROWS])
    lags = min(n - LENGTH - LEAST_LAG + 1, HISTORY - LENGTH - LEAST_LAG)
    if lags < 2:
        return -1.0
    last = RECENT + n - LENGTH  # where the newest stretch begins
    first = last - LEAST_LAG - lags + 1
    recent = c[last : last + LENGTH]
    a0, a1, a2, a3 = recent[0], recent[1], recent[2], recent[3]
    a4, a5, a6, a7 = recent[4], recent[5], recent[6], recent[7]
    past = c[first : first + lags + LENGTH]
    for i in range(lags):
        d0, d1, d2, d3 = past[i] - a0, past[i + 1] - a1, past[i + 2] - a2, past[i + 3] - a3
        d4, d5, d6, d7 = past[i + 4] - a4, past[i + 5] - a5, past[i + 6] - a6, past[i + 7] - a7
        scratch[i] = ((d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)) + (
            (d4 * d4 + d5 * d5) + (d6 * d6 + d7 * d7)
        )
    best, second = scratch[0], scratch[1]
    if second < best:
        best, second = second, best
    for i in range(2, lags):
        d = scratch[i]
        if d < second:
            if d < best:
                best, second = d, best
            else:
                second = d
    return sqrt(float(second))


@kernel
def place_distance(h: Doubles, c: Singles) -> float:
    """Distance of the newest level to the third nearest earlier one; -1 while there are too few."""
    n = int(h[RECENT_ROWS])
    if n < LEVEL_ROWS:
        return -1.0
    total = 0.0
    for i in range(LEVEL_ROWS):
        total += float(c[RECENT + n - LEVEL_ROWS + i])
    mean = total / LEVEL_ROWS
    kept = int(min(h[MEANS], MEANS_KEPT))
    # Means that share rows with the newest one are not earlier ones.
    overlapping = min(kept, LEVEL_ROWS // EVERY)
    out = _third(c, kept, overlapping, int(h[MEANS]), mean)
    if int(h[SEEN]) % EVERY == 0:
        _keep(h, c, np.float32(mean))
    return out


@kernel
def _third(c: Singles, kept: int, overlapping: int, written: int, mean: float) -> float:
    if kept - overlapping < 3:
        return -1.0
    order = c[MEAN_ORDER : MEAN_ORDER + kept]
    up = _where(order, kept, mean)
    down = up - 1
    passed, skipped, distance = 0, 0, 0.0
    while passed < 3:
        below = mean - float(order[down]) if down >= 0 else 1e300
        above = float(order[up]) - mean if up < kept else 1e300
        if below <= above:
            distance, value = below, order[down]
            down -= 1
        else:
            distance, value = above, order[up]
            up += 1
        if skipped < overlapping and _is_newest(c, value, overlapping, written):
            skipped += 1
        else:
            passed += 1
    return max(distance, 0.0)


@kernel
def _is_newest(c: Singles, value: np.float32, overlapping: int, written: int) -> bool:
    for i in range(overlapping):  # noqa: SIM110
        if c[MEAN_RING + (written - 1 - i) % MEANS_KEPT] == value:
            return True
    return False


@kernel
def _keep(h: Doubles, c: Singles, mean: np.float32) -> None:
    """Put a mean into the ring and into the order, in place of the oldest."""
    written = int(h[MEANS])
    kept = min(written, MEANS_KEPT)
    at = written % MEANS_KEPT
    order = c[MEAN_ORDER : MEAN_ORDER + MEANS_KEPT]
    i = kept
    if kept == MEANS_KEPT:
        i = _where(order, kept, float(c[MEAN_RING + at]))
        kept -= 1
    while i > 0 and order[i - 1] > mean:
        order[i] = order[i - 1]
        i -= 1
    while i < kept and order[i + 1] < mean:
        order[i] = order[i + 1]
        i += 1
    order[i] = mean
    c[MEAN_RING + at] = mean
    h[MEANS] = written + 1


@kernel
def _where(order: Singles, count: int, value: float) -> int:
    """The first place of an ascending order whose value is not less."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if float(order[middle]) < value:
            low = middle + 1
        else:
            high = middle
    return low
