"""From score to grade: how far a score stands above what is ordinary for such a forest.

A grade needs two witnesses. The forest must find the point rare: its score must pass a share of
the highest possible one, a share that falls with the size of the sample and with the number of
dimensions, and must pass the key's own usual scores. And a column must be far from its usual
value (``usual``). Either alone is a false alarm: rare but tiny, or far but seen every hour.

Anomalous rows that follow one another, and the way back to normal, are one episode of the columns
that are off, and its first row is the alert. Within it there is another alert only if a column
goes from one side of what was usual before to the other (a burst, then silence), or if a column
that had been quiet is now the one that is farthest off (many requests, later many errors).
"""

from __future__ import annotations

from math import log2
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.kernel import Bools, Doubles, Int64s, kernel

# The share of the highest score, log2(size + 1), that is ordinary: _SHARE - _FALL * log2(size + 1)
# in one dimension. A line through the best shares for samples of 12 to 1000 on half of the Numenta
# benchmark's files; the exponent likewise, over shingles of 1 to 8. Columns are less alike than
# neighbours in time, so one that is off alone lifts the score less: theirs leaves about one false
# grade in fifteen hundred rows of four Poisson columns.
_SHARE, _FALL = 1.03, 0.078
_SHINGLE, _COLUMNS = -0.25, -0.33
# How many mean distances above the mean of its scores a key's score must lie: one column, several.
_DISTANCES, _DISTANCES_MANY = 5.0, 4.0
# Rows that the running mean of scores looks back over.
_MEMORY = 1000
# Usual distances from the usual value that a column must be off.
ODD_MIN = 1.0


class Watch(NamedTuple):
    """Memory of M keys over d columns."""

    rows: Int64s  # (M,) rows seen
    scored: Int64s  # (M,) of them those that a forest which had learnt something could score
    mean: Doubles  # (M,) of scores
    stray: Doubles  # (M,) mean distance of scores from the mean
    quiet: Int64s  # (M, d) ordinary rows still needed to end a column's episode; 0 outside one
    before: Doubles  # (M, d) usual values when the column's episode began
    side: Doubles  # (M, d) where the episode's columns lie: 1 above, -1 below, 0 neither yet


def empty(models: int, columns: int) -> Watch:
    """Memory of keys not yet seen."""
    return Watch(
        np.zeros(models, np.int64),
        np.zeros(models, np.int64),
        np.zeros(models),
        np.zeros(models),
        np.zeros((models, columns), np.int64),
        np.zeros((models, columns)),
        np.zeros((models, columns)),
    )


class Row(NamedTuple):
    """What is known of n rows over d columns before they are judged."""

    keys: Int64s  # (n,)
    points: Doubles  # (n, d)
    expected: Doubles  # (n, d)
    odd: Doubles  # (n, d)
    score: Doubles  # (n,)


@kernel
def judge(
    watch: Watch,
    rows: Row,
    shape: tuple[int, int],
    tolerance: float,
    cool_down: int,
    grade: Doubles,
    alert: Bools,
) -> None:
    """Fill ``grade`` and ``alert`` (n,), then learn. ``shape``: samples a tree, and shingle."""
    samples, shingle = shape
    columns = rows.points.shape[1]
    factor = float(shingle) ** _SHINGLE * float(columns) ** _COLUMNS
    distances = _DISTANCES if columns == 1 else _DISTANCES_MANY
    for r in range(len(rows.keys)):
        m, score = rows.keys[r], rows.score[r]
        most = log2(min(max(watch.rows[m] - shingle + 1, 0), samples) + 1.0)
        limit = most * (_SHARE - _FALL * most) * factor
        limit = max(limit, watch.mean[m] + distances * watch.stray[m])
        grade[r], alert[r], far = 0.0, False, 0.0
        for j in range(columns):
            far = max(far, abs(rows.odd[r, j]))
        if far > ODD_MIN and score > limit:
            grade[r] = min(1.0, (score - limit) / max(most - limit, 0.1))
            alert[r] = _enter(watch, rows, m, r, tolerance, cool_down, far)
        else:
            for j in range(columns):
                watch.quiet[m, j] = max(watch.quiet[m, j] - 1, 0)
        _learn(watch, m, min(score, limit), columns)


@kernel
def _enter(
    watch: Watch, rows: Row, m: int, r: int, tolerance: float, cool_down: int, far: float
) -> bool:
    """Whether an anomalous row begins an episode of its farthest column, or turns one around."""
    news = False
    for j in range(rows.points.shape[1]):
        off = abs(rows.odd[r, j])
        if off <= ODD_MIN:
            watch.quiet[m, j] = max(watch.quiet[m, j] - 1, 0)
            continue
        if watch.quiet[m, j] == 0:
            watch.before[m, j], watch.side[m, j] = rows.expected[r, j], 0.0
            news |= off == far
        watch.quiet[m, j] = cool_down
        distance = rows.points[r, j] - watch.before[m, j]
        if abs(distance) <= tolerance * abs(watch.before[m, j]):
            continue
        side = 1.0 if distance > 0.0 else -1.0
        news |= watch.side[m, j] == -side
        watch.side[m, j] = side
    return news


@kernel
def _learn(watch: Watch, m: int, score: float, columns: int) -> None:
    """Running mean and mean distance of a key's scores.

    The first distance is that from 0, which makes the judge of a young forest careful. Columns
    wait until their units are known, and by then the forest has learnt.
    """
    watch.rows[m] += 1
    if score == 0.0:
        return
    watch.scored[m] += 1
    pace = 1.0 / min(watch.scored[m], _MEMORY)
    if columns == 1 or watch.scored[m] > 1:
        watch.stray[m] += pace * (abs(score - watch.mean[m]) - watch.stray[m])
    watch.mean[m] += pace * (score - watch.mean[m])
