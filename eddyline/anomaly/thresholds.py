"""From score to grade: how far a score stands above what this key's scores usually are.

A grade needs both witnesses: the forest must find the point rare (a score above its key's usual
scores), and a column must be far from its usual value (``usual``). Either alone is a false alarm:
rare but tiny, or far but seen every hour.

Anomalous rows that follow one another, and the way back, are one episode: its first row alone is
an alert.
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.kernel import Bools, Doubles, Int64s, kernel

# A score below this is never anomalous; ordinary points score 0.7 to 1.
SCORE_MIN = 1.1
# How many mean deviations above its mean a score must lie.
DEVIATIONS = 3.0
# Rows that the running mean of scores looks back over.
_MEMORY = 512
# Distances from the usual value, in usual distances, that a column must be off.
ODD_MIN = 4.0


class Watch(NamedTuple):
    """Memory of M keys."""

    rows: Int64s  # (M,) scores seen
    mean: Doubles  # (M,) of scores
    stray: Doubles  # (M,) mean distance of scores from the mean
    quiet: Int64s  # (M,) ordinary rows still needed to end the episode; 0 outside one


def empty(models: int) -> Watch:
    """Memory of keys not yet seen."""
    return Watch(
        np.zeros(models, np.int64), np.zeros(models), np.zeros(models), np.zeros(models, np.int64)
    )


@kernel
def judge(
    watch: Watch,
    keys: Int64s,
    score: Doubles,
    odd: Doubles,
    samples: int,
    cool_down: int,
    grade: Doubles,
    alert: Bools,
) -> None:
    """Fill ``grade`` and ``alert`` (n,) from ``score`` (n,) and ``odd`` (n, d), then learn."""
    for r in range(len(keys)):
        m = keys[r]
        limit = max(SCORE_MIN, watch.mean[m] + DEVIATIONS * watch.stray[m])
        most = log2(min(watch.rows[m], samples) + 1.0)
        far = 0.0
        for j in range(odd.shape[1]):
            far = max(far, abs(odd[r, j]))
        grade[r] = 0.0
        if far > ODD_MIN and score[r] > limit:
            grade[r] = min(1.0, (score[r] - limit) / max(most - limit, 0.1))
        alert[r] = grade[r] > 0.0 and watch.quiet[m] == 0
        if grade[r] > 0.0:
            watch.quiet[m] = cool_down
        elif watch.quiet[m] > 0:
            watch.quiet[m] -= 1
        _learn(watch, m, score[r], limit)


@kernel
def _learn(watch: Watch, m: int, score: float, limit: float) -> None:
    """Running mean and distance; a score counts little beyond the limit, lest a burst hide more."""
    watch.rows[m] += 1
    pace = 1.0 / min(watch.rows[m], _MEMORY)
    value = min(score, 1.5 * limit)
    watch.stray[m] += pace * (abs(value - watch.mean[m]) - watch.stray[m])
    watch.mean[m] += pace * (value - watch.mean[m])
