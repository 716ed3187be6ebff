"""The beginning of a column's model: which law its first values follow, and how far they stray."""

from __future__ import annotations

from math import log, sqrt

from eddyline.anomaly.column.places import (
    BINS,
    BORN,
    COUNT,
    EXPERT_LOSS,
    EXPERTS,
    HIGH_SEEN,
    HIGH_TAIL,
    HOD,
    LAST_M,
    LAST_X,
    LAW,
    LEVEL_F,
    LEVEL_X,
    LOW,
    LOW_SEEN,
    LOW_TAIL,
    ORIGIN,
    POSITIVE,
    REAL,
    RECENT,
    ROWS,
    SEASON_LOSS,
    SEASONS,
    SHAPE_TAIL,
    TAIL,
    TRACKS,
    UNIT,
    VAR_A,
    VAR_B,
    VAR_C,
    WHOLE,
    WINDOW_Q,
    WINDOWS,
)
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Rows at which the law is chosen, or chosen anew; what was learnt is then learnt again under it.
FIRST, SECOND, THIRD = 12, 40, 150
# By how many nats a value another law must be better than the plain one.
_MARGIN = 0.03
_SIGMA = 1.2533  # mean distance to standard deviation, for a normal distribution


@kernel
def best_law(h: Doubles, c: Singles, n: int) -> int:
    """The law of the newest ``n`` values, by the likelihood of their distances from neighbours."""
    if h[LOW] < 0.0:
        return REAL
    real, count, positive, size, logs = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(1, n - 1):
        a, b, d = _value(h, c, i - 1), _value(h, c, i), _value(h, c, i + 1)
        off = abs(b - 0.5 * (a + d))
        mean = max((a + b + d) / 3.0, 1e-12)
        real += off
        count += off / sqrt(mean)
        size += 0.5 * log(mean)
        if h[LOW] > 0.0:
            positive += abs(log(b) - 0.5 * (log(a) + log(d)))
            logs += log(b)
    m = max(n - 2, 1)
    if real <= 0.0:
        return COUNT if h[WHOLE] > 0.0 else REAL
    real, count = log(real / m), log(count / m) + size / m
    best, law = real, REAL
    if h[WHOLE] > 0.0 or (h[LOW] == 0.0 and count < real - _MARGIN):
        best, law = count, COUNT
    if h[LOW] > 0.0 and (h[WHOLE] == 0.0 or h[LOW] >= 5.0):
        positive = log(positive / m + 1e-12) + logs / m
        if positive < best - _MARGIN - 1.0 / m:
            law = POSITIVE
    return law


@kernel
def _value(h: Doubles, c: Singles, i: int) -> float:
    return float(h[ORIGIN] + float(c[RECENT + i]))


@kernel
def begin(h: Doubles, c: Singles, law: int, mean: float, exposure: float, spread: float) -> None:
    """An empty model of a law, for values of this mean and mean distance from their neighbours.

    mean, spread: of logarithms where the law is POSITIVE. exposure: mean denominator of a share.
    """
    for i in range(ROWS, BORN):
        h[i] = 0.0
    for i in range(LEVEL_X, WINDOW_Q):
        h[i] = 0.0
    for i in range(HOD, SHAPE_TAIL):
        c[i] = 0.0
    forget_tails(h, c)
    h[LAW], h[BORN] = law, 1.0
    sigma = _SIGMA * spread / sqrt(1.5)
    variance = sigma * sigma
    for t in range(TRACKS):
        h[TAIL + t] = 0.0
        _parts(h, t, law, mean, variance)
    for s in range(SEASONS):
        h[SEASON_LOSS + s] = 1.0
        h[LEVEL_X + s], h[LEVEL_F + s] = mean, exposure
    for i in range(EXPERTS):
        h[EXPERT_LOSS + i] = 1.0
    for i in range(TRACKS * WINDOWS):
        h[WINDOW_Q + i] = 1.0
    h[UNIT] = sqrt(max(h[VAR_C] + h[VAR_A] * abs(mean) + h[VAR_B] * mean * mean, 1e-300))
    h[LAST_X], h[LAST_M] = mean, mean


@kernel
def forget_tails(h: Doubles, c: Singles) -> None:
    """Begin anew with how far single values stray on either side."""
    for i in range(HIGH_TAIL, LOW_TAIL + 2 * BINS):
        c[i] = 0.0
    h[HIGH_SEEN], h[LOW_SEEN] = 0.0, 0.0


@kernel
def _parts(h: Doubles, track: int, law: int, mean: float, variance: float) -> None:
    """Where the variance comes from, before that is known: a, b and c each a share of it."""
    m = max(abs(mean), 1e-9)
    if law == POSITIVE:
        h[VAR_C + track] = max(variance, 1e-4)
        return
    if variance <= 0.0:
        variance = (0.02 * m) ** 2
    if law == REAL:
        h[VAR_C + track] = variance
        return
    if h[WHOLE] > 0.0 and (m < 10.0 or variance > 0.2 * m):
        h[VAR_C + track], h[VAR_A + track] = 0.02, 1.0
        h[VAR_B + track] = max(0.003, (variance - m) / (m * m))
        return
    h[VAR_C + track] = 0.2 * variance
    h[VAR_A + track] = 0.4 * variance / m
    h[VAR_B + track] = 0.4 * variance / (m * m)
