"""Evidence made honest: how often a key itself has shown as much, by the greatest of each block.

The greatest evidence of 144 rows follows Gumbel's law, whatever the law of single values, if its
tail falls off exponentially. Place and scale are taken from quantiles of the newest blocks, so that
single faults do not move them and what recurs does; they begin at what an exact model would show.
"""

from __future__ import annotations

from eddyline.anomaly.column.places import BLOCKS
from eddyline.anomaly.kernel import Doubles, Singles, kernel

BLOCK = 144
# Place and scale of the greatest evidence of a block before a key has shown its own, and the
# decades that a young key needs beyond; more of them against the season, which it does not know.
QUICK_PRIOR, SLOW_PRIOR = (2.6, 0.45, 1.5), (2.6, 0.45, 3.0)
# A change by more than half is believed sooner.
GREAT_PRIOR = (2.6, 0.45, 0.3)
NOVEL_PRIOR, TOGETHER_PRIOR = (2.1, 0.48, 1.5), (2.5, 0.45, 1.5)
# Blocks that the beginning counts for; blocks after which a key is no longer young. A prior is the
# place and the scale of the greatest evidence of a block, and the decades that a young key must
# show beyond.
_PRIOR_BLOCKS, _YOUNG_BLOCKS = 12.0, 10.0
_PRIOR_SCALE, _LEAST_SCALE = 30.0, 0.2
_TALK_YOUNG = 0.8
# One block of fewer would move the upper quantile; its greatest evidence counts for so many decades
# at most, so that a fault of the first days does not hide the next one.
_FEW_BLOCKS, _FEW_MOST = 6, 6.0
LN10 = 2.302585092994046
_LOG_BLOCK = 2.1583624920952498  # log10(144)
# Doubles of a calibration: rows in the block, its greatest, blocks so far, place, scale.
_ROWS, _GREATEST, _BLOCKS, _PLACE, _SCALE = 0, 1, 2, 3, 4


@kernel
def talkative(prior: tuple[float, float, float], talk: float) -> tuple[float, float, float]:
    """A prior where many false alarms are allowed (talk 1): young keys, too, may have theirs."""
    return prior[0], prior[1], prior[2] * (1.0 - _TALK_YOUNG * talk)


@kernel
def calibrated(h: Doubles, at: int, prior: tuple[float, float, float], evidence: float) -> float:
    """Decades of rarity of this evidence: -log10 of the share of rows that show as much."""
    place, scale = _now(h, at, prior)
    return (evidence - place) / (scale * LN10) + _LOG_BLOCK


@kernel
def as_exact(prior: tuple[float, float, float], evidence: float) -> float:
    """Decades of rarity of this evidence if the model is exact."""
    return (evidence - prior[0]) / (prior[1] * LN10) + _LOG_BLOCK


@kernel
def needed(h: Doubles, at: int, prior: tuple[float, float, float], rarity: float) -> float:
    """The evidence that is as rare as this: the inverse of ``calibrated``."""
    place, scale = _now(h, at, prior)
    return (rarity - _LOG_BLOCK) * scale * LN10 + place


@kernel
def _now(h: Doubles, at: int, prior: tuple[float, float, float]) -> tuple[float, float]:
    blocks = h[at + _BLOCKS]
    if blocks == 0.0:
        return prior[0] + prior[2], prior[1]
    return h[at + _PLACE] + prior[2] * max(1.0 - blocks / _YOUNG_BLOCKS, 0.0), h[at + _SCALE]


@kernel
def note(
    h: Doubles, at: int, c: Singles, ring: int, prior: tuple[float, float, float], evidence: float
) -> None:
    """Learn from a row's evidence. c[ring:]: the greatest of the newest blocks."""
    h[at + _GREATEST] = max(h[at + _GREATEST], evidence)
    h[at + _ROWS] += 1.0
    if h[at + _ROWS] < BLOCK:
        return
    done = int(h[at + _BLOCKS])
    if done < _FEW_BLOCKS:
        h[at + _GREATEST] = min(h[at + _GREATEST], needed(h, at, prior, _FEW_MOST))
    c[ring + done % BLOCKS] = h[at + _GREATEST]
    h[at + _BLOCKS] = done + 1.0
    h[at + _ROWS], h[at + _GREATEST] = 0.0, 0.0
    n = min(done + 1, BLOCKS)
    middle, high = _quantile(c, ring, n, 0.4), _quantile(c, ring, n, 0.8)
    scale = (high - middle) / 1.41252
    scale = max(prior[1] + n / (n + _PRIOR_SCALE) * (scale - prior[1]), _LEAST_SCALE)
    place = 0.5 * (high + middle) - 0.79368 * scale
    share = n / (n + _PRIOR_BLOCKS)
    h[at + _SCALE] = scale
    h[at + _PLACE] = prior[0] + share * (place - prior[0])


@kernel
def _quantile(c: Singles, ring: int, n: int, share: float) -> float:
    at = share * (n - 1)
    low = int(at)
    a = ranked(c, ring, n, low)
    z = ranked(c, ring, n, min(low + 1, n - 1))
    return a + (at - low) * (z - a)


@kernel
def ranked(c: Singles, first: int, n: int, rank: int) -> float:
    """The value of a rank, from 0, among the ``n`` from ``first`` on."""
    for i in range(n):
        value, less, same = c[first + i], 0, 0
        for j in range(n):
            less += int(c[first + j] < value)
            same += int(c[first + j] == value)
        if less <= rank < less + same:
            return float(value)
    return 0.0
