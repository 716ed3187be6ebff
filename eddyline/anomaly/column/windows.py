"""Residuals, alone and summed over windows: how many normal deviations the worst of them is off."""

from __future__ import annotations

from math import sqrt

import numpy as np

from eddyline.anomaly.column.expectation import slack
from eddyline.anomaly.column.law import count_score, normal_score, student_score
from eddyline.anomaly.column.places import (
    COUNT,
    EXACT,
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
    TRACKS,
    UNIT,
    VAR_A,
    VAR_B,
    VAR_C,
    WHOLE,
    WINDOW_M,
    WINDOW_N,
    WINDOW_Q,
    WINDOW_RING,
    WINDOW_S,
    WINDOW_V,
    WINDOWS,
)
from eddyline.anomaly.column.surprise import WARM, bin_of, tail
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Rows of each window. The longest is a fading sum, which needs no list of its rows.
LENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 288.0)
# Of what the exact windows hold in single precision, in units; its square must fit, too.
_FAR = 1e15
_SPREAD_MEMORY, _SPREAD_WINDOWS, _SPREAD_MOST = 2000.0, 40.0, 2.5
# In a sum a value counts for so many deviations at most, so that one alone does not make it.
_CLIP = 4.0
# Counts of smaller means have tails that their own law explains.
_FEW = 10.0
# Degrees of freedom while a season may still be off.
_UNKNOWN_HOURS = 8.0
# Of a window of fewer events what was seen so far does not say that they stray less than by chance.
_RARE = 3.0
# Rows that a level remembers at most, or nearly so.
_EVENT_MEMORY = 2304.0
# Advantage of the heavy-tailed law, in nats, from which it is taken; one value gives 2 at most.
# Few rows must show more: so many nats over their number.
_HEAVY, _HEAVY_YOUNG = 4.0, 200.0


@kernel
def worst(
    h: Doubles,
    c: Singles,
    track: int,
    value: float,
    mean: float,
    variance: float,
    doubt: float,
    step: tuple[float, float, float],
) -> tuple[float, int, float]:
    """(score, window) of the window that is farthest off, with the value in it; and the greatest
    absolute score of the windows up to the one that began the column's episode.

    doubt: by what share the expectation may be off in all rows alike (``season.doubt``). step: the
    same for the first rows of a day (``season.midnight``).

    The sums are updated; ``settle`` then learns how far sums usually stray.
    """
    count, positive = h[LAW] == COUNT, h[LAW] == POSITIVE
    # In a key's first week values may stray farther at hours that are still to come.
    young = doubt > 0.0 and not count
    degrees = freedom(h, track, mean)
    if young:
        degrees = min(degrees, _UNKNOWN_HOURS)
    heavy = is_heavy(h, track, mean) or positive
    best, at, short = 0.0, 0, 0.0
    off, sigma = value - mean, sqrt(variance)
    most = _CLIP * sigma + 2.0 * slack(h)
    _add(h, c, track, off, min(max(off, -most), most), mean, variance)
    for w in range(WINDOWS):
        i = track * WINDOWS + w
        unit = h[UNIT] if 0 < w < WINDOWS - 1 else 1.0
        s, v, m = h[WINDOW_S + i] * unit, h[WINDOW_V + i] * unit * unit, h[WINDOW_M + i] * unit
        least = 0.5 if w == 0 else 0.7
        if count and h[WHOLE] > 0.0 and m < _RARE:
            least = 1.0
        spread = v * max(h[WINDOW_Q + i], least)
        rows = min(LENGTHS[w], h[WINDOW_N + track])
        if doubt > 0.0:
            unsure = doubt * (m if count else rows * (0.3 if positive else 3.0 * sigma))
            spread += unsure * unsure
        if step[0] > 0.0:
            hit = max(min(step[2], step[1]) - max(step[2] - rows, 0.0), 0.0)
            unsure = step[0] * (
                m * hit / rows if count else hit * (0.3 if positive else 3.0 * sigma)
            )
            spread += unsure * unsure
        if count:
            # As if one more event had been seen: few events bear out no exact mean.
            least = m + rows / (min(h[ROWS], _EVENT_MEMORY) + 1.0)
            spread += least - m + least * least / (h[LEVEL_X] + 1.0)
            score = count_score(m + s, least, max(spread / least, 0.02))
        else:
            score = s / sqrt(spread + 1e-300)
        if w == 0:
            score = own_score(h, c, track, student_score(score, degrees), off / sigma)
        else:
            # A sum of heavy-tailed values is the less heavy-tailed the more of them there are.
            own = 4.0 * LENGTHS[w] + 2.0 if heavy else (_UNKNOWN_HOURS if young else 400.0)
            score = student_score(score, min(h[ROWS] - 1.0, own))
        if abs(score) > abs(best):
            best, at = score, w
        if w <= h[ON_WINDOW]:
            short = max(short, abs(score))
    return best, at, short


@kernel
def _add(
    h: Doubles, c: Singles, track: int, off: float, bounded: float, mean: float, variance: float
) -> None:
    """Move the windows on by a row; ``bounded`` is its residual for all but the first of them."""
    first = track * WINDOWS
    n, unit = int(h[WINDOW_N + track]), h[UNIT]
    ring = WINDOW_RING + track * EXACT * 3
    s = np.float32(min(max(bounded / unit, -_FAR), _FAR))
    v = np.float32(min(max(variance / unit / unit, 1.0 / _FAR), _FAR * _FAR))
    m = np.float32(min(max(mean / unit, -_FAR), _FAR))
    h[WINDOW_S + first], h[WINDOW_V + first], h[WINDOW_M + first] = off, variance, mean
    for w in range(1, WINDOWS - 1):
        i, rows = first + w, int(LENGTHS[w])
        h[WINDOW_S + i] += float(s)
        h[WINDOW_V + i] += float(v)
        h[WINDOW_M + i] += float(m)
        if n >= rows:
            old = ring + 3 * ((n - rows) % EXACT)
            h[WINDOW_S + i] -= float(c[old])
            h[WINDOW_V + i] -= float(c[old + 1])
            h[WINDOW_M + i] -= float(c[old + 2])
    new = ring + 3 * (n % EXACT)
    c[new], c[new + 1], c[new + 2] = s, v, m
    i = first + WINDOWS - 1
    fade = 1.0 - 1.0 / LENGTHS[WINDOWS - 1]
    h[WINDOW_S + i] = h[WINDOW_S + i] * fade + bounded
    h[WINDOW_V + i] = h[WINDOW_V + i] * fade * fade + variance
    h[WINDOW_M + i] = h[WINDOW_M + i] * fade + mean
    h[WINDOW_N + track] = n + 1.0
    if (n + 1) % EXACT == 0:
        _sum_again(h, c, first, ring)


@kernel
def _sum_again(h: Doubles, c: Singles, first: int, ring: int) -> None:
    """The exact windows anew from a full ring, so that rounding does not add up."""
    s, v, m, w = 0.0, 0.0, 0.0, 1
    for back in range(EXACT):
        at = ring + 3 * (EXACT - 1 - back)
        s += float(c[at])
        v += float(c[at + 1])
        m += float(c[at + 2])
        if back + 1 == int(LENGTHS[w]):
            i = first + w
            h[WINDOW_S + i], h[WINDOW_V + i], h[WINDOW_M + i] = s, v, m
            w += 1


@kernel
def forget_windows(h: Doubles) -> None:
    """Begin all windows anew."""
    for t in range(TRACKS):
        h[WINDOW_N + t] = 0.0
    for i in range(TRACKS * WINDOWS):
        h[WINDOW_S + i], h[WINDOW_V + i], h[WINDOW_M + i] = 0.0, 0.0, 0.0


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
    for w in range(WINDOWS):
        # What a long window shows lasts; a fault must not excuse itself before it is seen.
        pace = 1.0 / min(h[ROWS] + 10.0, max(_SPREAD_MEMORY, _SPREAD_WINDOWS * LENGTHS[w]))
        i = track * WINDOWS + w
        unit = h[UNIT] if 0 < w < WINDOWS - 1 else 1.0
        v = max(h[WINDOW_V + i], 1e-300)
        most = _SPREAD_MOST * sqrt(v * h[WINDOW_Q + i]) + slack(h) / unit
        q = min(h[WINDOW_S + i] ** 2, most * most) / v
        h[WINDOW_Q + i] += pace * (q - h[WINDOW_Q + i])


@kernel
def freedom(h: Doubles, track: int, mean: float) -> float:
    """Degrees of freedom: few while little is known, and where single values stray far."""
    return float(max(min(4.0 if is_heavy(h, track, mean) else 200.0, h[ROWS] - 1.0), 2.0))


@kernel
def is_heavy(h: Doubles, track: int, mean: float) -> bool:
    """Whether single values follow a heavy-tailed law, which few counts seem to do anyway."""
    if h[LAW] == COUNT and mean < _FEW:
        return False
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
