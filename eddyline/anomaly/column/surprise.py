"""How rare a distance is in a key's past: counts in logarithmic bins, a tail beyond the top 2 %."""

from __future__ import annotations

from math import exp, floor, log, log2, log10

from eddyline.anomaly.column.places import BINS
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Distances of a first few rows set the bins; no surprise before so many rows of the key.
WARM = 50
_TOP = 0.02
MOST = 6.0
_STEP = 4.0
_SIDE = BINS // 2
# Sums of greater distances would not fit their single precision.
_GREATEST = 1e30
# A bounded value lies at most so many mean excesses beyond the top, more where the top has more:
# what an exponential tail shows by chance.
_BOUND = 4.0


@kernel
def surprise(h: Doubles, at: int, c: Singles, bins: int, value: float) -> float:
    """Decades of rarity of a distance among those before it; then the distance is one of them.

    h[at]: how many there are; h[at + 1]: the distance in the middle bin. c[bins:]: counts of
    ``BINS`` quarter octaves, then sums.
    """
    if not value >= 0.0:  # not a number: a distance of values beyond what can be squared
        return 0.0
    value = min(value, _GREATEST)
    count, out = h[at], 0.0
    if count >= WARM:
        share = tail(c, bins, value, bin_of(value, h[at + 1]), count, h[at + 1])
        out = min(max(-log10(max(share, 1e-300)), 0.0), MOST)
    learn(h, at, c, bins, value)
    return out


@kernel
def learn(h: Doubles, at: int, c: Singles, bins: int, value: float) -> None:
    """One distance more, as ``surprise`` has them."""
    if not value >= 0.0:
        return
    value = min(value, _GREATEST)
    count = h[at]
    if count == 0.0:
        h[at + 1] = max(value, 1e-300)
    elif count < WARM:
        _recentre(h, at, c, bins, value)
    i = bin_of(value, h[at + 1])
    c[bins + i] = float(c[bins + i]) + 1.0
    c[bins + BINS + i] = float(c[bins + BINS + i]) + value
    h[at] = count + 1.0
    if h[at] >= 40000.0:
        h[at] *= 0.5
        for j in range(2 * BINS):
            c[bins + j] = float(c[bins + j]) * 0.5


@kernel
def bounded(h: Doubles, at: int, c: Singles, bins: int, value: float) -> float:
    """A number of deviations as it may be learnt: one far beyond all others counts for less, so
    that a single fault does not hide the next one. Where such values recur, the bound grows with
    each of them."""
    count = h[at]
    if count < WARM:
        return min(value, _BOUND + log(count + 1.0))
    above, edge, excess = _top(c, bins, count, h[at + 1])
    return min(value, edge + (_BOUND + log(above + 1.0)) * excess)


@kernel
def _recentre(h: Doubles, at: int, c: Singles, bins: int, value: float) -> None:
    """While there are few distances, a greater one moves the bins up."""
    ratio = min(max(value, 1e-300) / h[at + 1], 1e300)
    shift = floor(_STEP * log2(ratio)) - _SIDE // 4
    if shift <= 0:
        return
    for part in range(2):
        first = bins + part * BINS
        lost = 0.0
        for j in range(BINS):
            if j < shift:
                lost += float(c[first + j])
            else:
                c[first + j - shift] = c[first + j]
        for j in range(max(BINS - shift, 0), BINS):
            c[first + j] = 0.0
        c[first] = float(c[first]) + lost
    h[at + 1] *= 2.0 ** (shift / _STEP)


@kernel
def bin_of(value: float, reference: float) -> int:
    """The bin of a distance; the outermost ones take all beyond."""
    ratio = value / reference
    if ratio <= 2.0 ** (-_SIDE / _STEP):
        return 0
    if ratio >= 2.0 ** (_SIDE / _STEP):  # an infinite ratio has no whole logarithm
        return BINS - 1
    return min(floor(_STEP * log2(ratio)) + _SIDE, BINS - 1)


@kernel
def tail(c: Singles, bins: int, value: float, i: int, count: float, reference: float) -> float:
    """The share of distances that are as great or greater."""
    above, edge, excess = _top(c, bins, count, reference)
    if value > edge:
        return (above + 1.0) / (count + 1.0) * exp(-(value - edge) / excess)
    above, j = 0.0, BINS - 1
    while j > i:
        above += float(c[bins + j])
        j -= 1
    low = reference * 2.0 ** ((i - _SIDE) / _STEP)
    high = low * 2.0 ** (1.0 / _STEP)
    inside = min(max((high - value) / (high - low), 0.0), 1.0)
    return float((above + inside * float(c[bins + i]) + 1.0) / (count + 1.0))


@kernel
def _top(c: Singles, bins: int, count: float, reference: float) -> tuple[float, float, float]:
    """The greatest 2 % of the distances: how many, where they begin, and how far beyond they lie
    in the mean."""
    above, sums, j = 0.0, 0.0, BINS - 1
    most = _TOP * count
    while j >= 0 and above + float(c[bins + j]) <= most:
        above += float(c[bins + j])
        sums += float(c[bins + BINS + j])
        j -= 1
    edge = reference * 2.0 ** ((j + 1 - _SIDE) / _STEP)
    excess = max((sums - edge * above) / above if above > 0.0 else 0.19 * edge, 1e-300)
    return above, edge, excess
