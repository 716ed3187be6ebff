"""Columns that go together: each column's residual against what the others' residuals foretell.

A fading covariance of the standardised residuals, inverted now and then, gives each column's
conditional mean and variance; where the others explain a quarter of it or more, what they do not
explain is summed over windows and judged as values are.
"""

from __future__ import annotations

from math import sqrt

from eddyline.anomaly.column.law import evidence, student_score
from eddyline.anomaly.kernel import Doubles, kernel

MEMORY = 1000.0
_EVERY = 32
# Rows before anything is said; the least share explained; a ridge, in variances.
_LEAST_ROWS, _EXPLAINED, _RIDGE = 192.0, 0.25, 1e-5
_CLIP = 6.0
WINDOWS = (1.0, 4.0, 16.0, 64.0)
# Doubles: rows; then covariance and its inverse (d, d); sums and spreads (d, windows).
_ROWS = 0


def doubles(columns: int) -> int:
    """How many float64 a relation takes."""
    return 1 + 2 * columns * columns + 2 * columns * len(WINDOWS)


@kernel
def forget_relation(h: Doubles, at: int, columns: int) -> None:
    """Begin anew: before a season was known, columns went together by it alone."""
    for i in range(1 + 2 * columns * columns + 2 * columns * len(WINDOWS)):
        h[at + i] = 0.0


@kernel
def judge_relation(
    h: Doubles, at: int, residual: Doubles, solid: Doubles, hot: bool, work: Doubles
) -> tuple[float, int, float]:
    """(evidence, column, side) of the column that is farthest from what the others foretell.

    residual (d,): standardised. solid (d,): 0 where a column's counts are too small to take part.
    work (d, d): room.
    """
    d = len(residual)
    cov, inv = at + 1, at + 1 + d * d
    sums = inv + d * d
    best, column, side = 0.0, 0, 1.0
    rows = h[at + _ROWS]
    if rows >= _LEAST_ROWS:
        for j in range(d):
            p = h[inv + j * d + j]
            if p <= 0.0 or solid[j] == 0.0:
                continue
            total = 0.0
            for i in range(d):
                if solid[i] > 0.0:
                    total += h[inv + j * d + i] * residual[i]
            explained = 1.0 - 1.0 / max(p * (h[cov + j * d + j] + _RIDGE), 1.0)
            if explained < _EXPLAINED:
                continue
            z = total / sqrt(p)
            for w in range(len(WINDOWS)):
                i = sums + 2 * (j * len(WINDOWS) + w)
                h[i] = h[i] * (1.0 - 1.0 / WINDOWS[w]) + z
                scale = WINDOWS[w] / (2.0 - 1.0 / WINDOWS[w])
                spread = max(h[i + 1], 1.0)
                score = student_score(h[i] / sqrt(scale * spread), min(rows, 30.0))
                if not hot:
                    q = min(h[i] * h[i] / scale, 9.0 * spread)
                    h[i + 1] += (q - h[i + 1]) / min(rows, 2000.0)
                e = evidence(score)
                if e > best:
                    best, column, side = e, j, 1.0 if score > 0.0 else -1.0
    if not hot:
        _learn(h, at, residual, solid)
        if int(h[at + _ROWS]) % _EVERY == 0 and h[at + _ROWS] >= _LEAST_ROWS - _EVERY:
            _invert(h, cov, inv, d, work)
    return best, column, side


@kernel
def _learn(h: Doubles, at: int, residual: Doubles, solid: Doubles) -> None:
    d, cov = len(residual), at + 1
    h[at + _ROWS] += 1.0
    pace = 1.0 / min(h[at + _ROWS], MEMORY)
    for i in range(d):
        a = min(max(residual[i], -_CLIP), _CLIP)
        for j in range(i + 1):
            b = min(max(residual[j], -_CLIP), _CLIP)
            value = h[cov + i * d + j]
            value += pace * (a * b - value)
            h[cov + i * d + j] = value
            h[cov + j * d + i] = value


@kernel
def _invert(h: Doubles, cov: int, inv: int, d: int, work: Doubles) -> None:
    """The covariance's inverse by Gauss and Jordan; it is positive definite by its ridge."""
    for i in range(d):
        for j in range(d):
            work[i, j] = h[cov + i * d + j] + (_RIDGE if i == j else 0.0)
            h[inv + i * d + j] = 1.0 if i == j else 0.0
    for k in range(d):
        pivot = work[k, k]
        if pivot < 1e-12:
            pivot = 1e-12
        for j in range(d):
            work[k, j] /= pivot
            h[inv + k * d + j] /= pivot
        for i in range(d):
            factor = work[i, k]
            if i == k or factor == 0.0:
                continue
            for j in range(d):
                work[i, j] -= factor * work[k, j]
                h[inv + i * d + j] -= factor * h[inv + k * d + j]
