"""Residuals, alone and summed over windows: how many normal deviations the worst of them is off."""

from __future__ import annotations

from math import sqrt

from eddyline.anomaly.column.expectation import slack
from eddyline.anomaly.column.law import count_score, normal_score, student_score
from eddyline.anomaly.column.places import (
    COUNT,
    HIGH_SEEN,
    HIGH_TAIL,
    LAW,
    LEVEL_X,
    LOW_SEEN,
    LOW_TAIL,
    ON_WINDOW,
    POSITIVE,
    ROWS,
    TAIL,
    VAR_A,
    VAR_B,
    VAR_C,
    WINDOW_M,
    WINDOW_Q,
    WINDOW_S,
    WINDOW_V,
    WINDOWS,
)
from eddyline.anomaly.column.surprise import WARM, bin_of, tail
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Rows that each window remembers: fading sums, so that a window needs no list of its rows.
MEMORY = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 288.0)
_SPREAD_MEMORY = 2000.0
# In a sum a value counts for so many deviations at most, so that one alone does not make it.
_CLIP = 4.0
# Counts of smaller means have tails that their own law explains.
_FEW = 10.0
# Advantage of the heavy-tailed law, in nats, from which it is taken; one value gives 2 at most.
# Few rows must show more: so many nats over their number.
_HEAVY, _HEAVY_YOUNG = 4.0, 200.0


@kernel
def worst(
    h: Doubles, c: Singles, track: int, value: float, mean: float, variance: float, doubt: float
) -> tuple[float, int, float]:
    """(score, window) of the window that is farthest off, with the value in it; and the greatest
    absolute score of the windows up to the one that began the column's episode.

    doubt: by what share the expectation may be off in all rows alike (``season.doubt``).

    The sums are updated; ``settle`` then learns how far sums usually stray.
    """
    count, positive = h[LAW] == COUNT, h[LAW] == POSITIVE
    degrees = freedom(h, track)
    heavy = (is_heavy(h, track) and not (count and mean < _FEW)) or positive
    best, at, short = 0.0, 0, 0.0
    off = value - mean
    most = _CLIP * sqrt(variance) + 2.0 * slack(h)
    for w in range(WINDOWS):
        i = track * WINDOWS + w
        fade = 1.0 - 1.0 / MEMORY[w]
        s = h[WINDOW_S + i] * fade + (off if w == 0 else min(max(off, -most), most))
        v = h[WINDOW_V + i] * fade * fade + variance
        m = h[WINDOW_M + i] * fade + mean
        h[WINDOW_S + i], h[WINDOW_V + i], h[WINDOW_M + i] = s, v, m
        spread = v * max(h[WINDOW_Q + i], 0.5 if w == 0 else 0.7)
        rows = min(MEMORY[w], h[ROWS] + 1.0)
        if doubt > 0.0:
            unsure = doubt * (m if count else rows * (0.3 if positive else 3.0 * sqrt(variance)))
            spread += unsure * unsure
        if count:
            # So many rows without an event bear out no smaller mean, and few events no exact one.
            least = max(m, rows / (h[ROWS] + 1.0))
            spread += least - m + least * least / (h[LEVEL_X] + 1.0)
            score = count_score(m + s, least, max(spread / least, 0.02))
        else:
            score = s / sqrt(spread + 1e-300)
        if w == 0:
            score = own_score(h, c, track, student_score(score, degrees), off / sqrt(variance))
        else:
            # A sum of heavy-tailed values is the less heavy-tailed the more of them there are.
            own = 4.0 * MEMORY[w] + 2.0 if heavy else 400.0
            score = student_score(score, min(h[ROWS] - 1.0, own))
        if abs(score) > abs(best):
            best, at = score, w
        if w <= h[ON_WINDOW]:
            short = max(short, abs(score))
    return best, at, short


@kernel
def own_score(h: Doubles, c: Singles, track: int, score: float, off: float) -> float:
    """A single value's score, as far as the column's own past bears it out.

    Laws are rarely what they seem in the tail; past residuals on the same side say how often one
    goes as far.
    """
    up = off > 0.0
    at = HIGH_SEEN if up else LOW_SEEN
    bins = HIGH_TAIL if up else LOW_TAIL
    count = h[at]
    if count < WARM:
        return score
    size = abs(off)
    share = tail(c, bins, size, bin_of(size, h[at + 1]), count, h[at + 1])
    own = normal_score(0.5 * share)
    return min(score, own) if up else max(score, -own)


@kernel
def settle(h: Doubles, track: int) -> None:
    """Learn how far sums stray."""
    pace = 1.0 / min(h[ROWS] + 10.0, _SPREAD_MEMORY)
    for w in range(WINDOWS):
        i = track * WINDOWS + w
        v = max(h[WINDOW_V + i], 1e-300)
        most = 3.0 * sqrt(v * h[WINDOW_Q + i]) + slack(h)
        q = min(h[WINDOW_S + i] ** 2, most * most) / v
        h[WINDOW_Q + i] += pace * (q - h[WINDOW_Q + i])


@kernel
def freedom(h: Doubles, track: int) -> float:
    """Degrees of freedom: few while little is known, and where single values stray far."""
    return float(max(min(4.0 if is_heavy(h, track) else 200.0, h[ROWS] - 1.0), 2.0))


@kernel
def is_heavy(h: Doubles, track: int) -> bool:
    """Whether single values follow a heavy-tailed law."""
    return bool(h[TAIL + track] > _HEAVY + _HEAVY_YOUNG / max(h[ROWS], 1.0))


@kernel
def spread(h: Doubles, track: int, off: float, mean: float, variance: float) -> None:
    """Learn the variance: its parts share what a residual says as they share the variance."""
    pace = 1.0 / min(h[ROWS] + 8.0, 1500.0)
    most = 3.0 * sqrt(variance) + slack(h)
    r2 = min(off * off, most * most)
    m = max(mean, 1e-9) if h[LAW] == COUNT else abs(mean)
    parts = (h[VAR_C + track], h[VAR_A + track] * m, h[VAR_B + track] * m * m)
    scale = (1.0, m, m * m)
    at = (VAR_C, VAR_A, VAR_B)
    for i in range(3):
        if parts[i] <= 0.0:
            continue
        share = parts[i] / variance
        target = share * share * r2 + parts[i] * (1.0 - share)
        now = h[at[i] + track]
        h[at[i] + track] = now + pace * (target / scale[i] - now)
