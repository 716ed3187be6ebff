"""What to hold a detector's recall against: a seasonal z, forests, a ceiling that knows the law.

All give each row of a key evidence, the greater the farther off the row is. Their threshold is one
for all keys, at which the stated rate of false alarms is just kept; no user could know it in
advance.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.worlds import Recipe, World
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions

Doubles = npt.NDArray[np.float64]
# Rows over which the ceiling sums up what it sees.
WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128, 288)
# The seasonal z looks at the same time of the week, so many bins to either side.
SIDE_BINS = 6
# Deviations that a robust scale is at least, in units of the transform.
_LEAST_COUNT, _LEAST_LOG = 1.0, 0.02


def seasonal_z(one: World, key: int, recipe: Recipe) -> Doubles:
    """(n,): the greatest robust z of a key's columns against the same time of earlier weeks."""
    del recipe
    requests, errors, latency = one.values[key].T
    week = round(7 * 86_400_000 / (one.times[1] - one.times[0]))
    columns = (
        (2 * np.sqrt(requests + 0.375), _LEAST_COUNT),
        (2 * np.sqrt(errors + 0.375), _LEAST_COUNT),
        (np.log(latency), _LEAST_LOG),
    )
    return np.max([_robust_z(x, week, least) for x, least in columns], axis=0)


def _robust_z(x: Doubles, week: int, least: float) -> Doubles:
    """(n,): absolute deviations from the median of the same time of all earlier weeks, in units of
    how far values strayed from it at that hour of the days of the week before."""
    n = len(x)
    off, out = np.full(n, np.nan), np.zeros(n)
    for first in range(week, n, week):
        rows = np.arange(first, min(first + week, n))
        back = np.arange(1, first // week + 1)[:, None] * week
        near = np.arange(-SIDE_BINS, SIDE_BINS + 1)[None, :]
        at = rows[:, None, None] - back[None] + near[None]
        past = x[np.clip(at, 0, n - 1)].reshape(len(rows), -1)
        there = ~np.isnan(past).all(axis=1)
        middle = np.full(len(rows), np.nan)
        middle[there] = np.nanmedian(past[there], axis=1)
        before = off[first - week : first]
        own = past - middle[:, None] if first == week else before[:, None]
        hour = rows * 168 // week % 24
        scale = np.full(len(rows), least)
        for h in range(24):
            some = np.abs(own[: len(rows)][hour == h])
            if np.isfinite(some).any():
                scale[hour == h] = max(1.4826 * float(np.nanmedian(some)), least)
        off[rows] = x[rows] - middle
        out[rows] = np.nan_to_num(np.abs(off[rows]) / scale)
    return out


def ceiling(one: World, key: int, recipe: Recipe) -> Doubles:
    """(n,): greatest normal score of a key's columns over all windows, with the true law known."""
    requests, errors, latency = one.values[key].T
    base, share = one.rate[key], one.share[key]
    z = np.zeros(len(base))
    square = recipe.dispersion * base**2
    known = ~np.isnan(latency)
    off = np.where(known, np.log(np.where(known, latency, 1.0)) - one.middle[key], 0.0)
    spread = one.width[key] / np.sqrt(np.clip(requests, 1, 50))
    for rows in WINDOWS:
        mean = np.maximum(_summed(base, rows), 1e-12)
        some = count_scores(_summed(requests, rows), mean, 1 + _summed(square, rows) / mean)
        z = np.maximum(z, np.abs(some))
        mean = np.maximum(_summed(share * requests, rows), 1e-12)
        some = count_scores(_summed(errors, rows), mean, np.full(len(mean), 1 - share))
        z = np.maximum(z, np.abs(some))
        weight = np.where(known, 1 / spread**2, 0.0)
        total = _summed(off * weight, rows)
        z = np.maximum(z, np.abs(total) / np.sqrt(np.maximum(_summed(weight, rows), 1e-12)))
    return z


def _summed(x: Doubles, rows: int) -> Doubles:
    """(n,): sums over the newest so many rows."""
    total = np.concatenate([np.zeros(rows), np.cumsum(x)])
    return np.asarray(total[rows:] - total[:-rows])


def count_scores(total: Doubles, mean: Doubles, dispersion: Doubles) -> Doubles:
    """Normal scores of counts, by Wilson and Hilferty (as ``eddyline.anomaly.column.law``)."""
    x, m = np.maximum(total, 0) / dispersion + 0.5, mean / dispersion
    return np.asarray(3 * np.sqrt(x) * (1 - 1 / (9 * x) - np.cbrt(m / x)))


def _whole(one: World, key: int) -> Doubles:
    """(n, d): a key's columns; where a latency is absent, the one before."""
    values = one.values[key].copy()
    known = np.maximum.accumulate(np.where(np.isnan(values[:, 2]), 0, np.arange(len(values))))
    values[:, 2] = np.nan_to_num(values[known, 2])
    return np.asarray(values)


def plain_forest(one: World, key: int, recipe: Recipe) -> Doubles:
    """(n,): scores of RANDOM_CUT_FOREST as it is by default, over the columns as they are."""
    del recipe
    detectors = Detectors(DetectorOptions(ForestOptions()), 3)
    return detectors.process(np.zeros(len(one.times), np.int64), _whole(one, key)).score


def half_space_trees(one: World, python: str) -> list[Doubles]:
    """For each key (n,): scores of river's half-space trees, by a Python that has river."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/world.npz"
        np.savez(path, values=np.stack([_whole(one, key) for key in range(len(one.values))]))
        script = str(Path(__file__).with_name("half_space.py"))
        subprocess.run([python, script, path], check=True)
        return list(np.load(f"{path}.scores.npy"))


YARDSTICKS = {"seasonal z": seasonal_z, "plain forest": plain_forest, "ceiling": ceiling}
HALF_SPACE = "half-space trees"
