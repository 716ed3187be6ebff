"""What value a column should have now: seasons weighted by their past errors, then local experts.

A season predicts level times (or plus) its shape. The mixture of seasons is the slow expectation;
experts that follow the last minutes or hours correct it to the quick one. Each is used as far as it
has predicted better than the others.
"""

from __future__ import annotations

from math import exp, log, sqrt

from eddyline.anomaly.column.places import (
    AR_XX,
    AR_XY,
    COUNT,
    EXPERT_LOSS,
    EXPERTS,
    FILTER_D,
    FILTER_E,
    FILTERS,
    HIGH,
    HOLT_LEVEL,
    HOLT_TREND,
    LAST_M,
    LAST_X,
    LAW,
    LEVEL_F,
    LEVEL_X,
    LOSS_ROWS,
    LOW,
    ROWS,
    SEASON_LOSS,
    SEASONS,
    VAR_A,
    VAR_B,
    VAR_C,
    WHOLE,
    WINDOW_Q,
    WINDOWS,
)
from eddyline.anomaly.column.season import Moment, hours_spread, learn, predict
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Rows that the filters remember.
_MEMORY = (6.0, 36.0, 288.0)
# How decided the choice of experts is, in rows of evidence; rows that losses look back over.
_DECIDED = 60.0
_LOSS_MEMORY = 600.0
_LEVEL_DAYS = 8.0
_LOSS_MOST = 4.0
# Counts of a smaller mean have too few events nearby to follow.
SPARSE = 0.1


@kernel
def variance_of(h: Doubles, track: int, mean: float) -> float:
    """The variance of a value around an expectation."""
    m = max(mean, 0.0) if h[LAW] == COUNT else abs(mean)
    least = (1e-3 if h[LOW] == h[HIGH] else 1e-9) * m
    total = h[VAR_C + track] + h[VAR_A + track] * m + h[VAR_B + track] * m * m
    if h[LAW] == COUNT and h[WHOLE] > 0.0 and m < 1.0:
        total = max(total, m * (1.0 - m))  # no whole number of this mean strays less
    return float(total + least * least + 1e-30)


@kernel
def slack(h: Doubles) -> float:
    """By how much a bound of some deviations is widened: whole counts come in steps of one."""
    return 2.0 if h[LAW] == COUNT and h[WHOLE] > 0.0 else 0.0


@kernel
def weights(h: Doubles, first: int, count: int, out: Doubles) -> None:
    """Weights (count,) of experts by their running losses."""
    rows = min(h[LOSS_ROWS], _DECIDED)
    least = h[first]
    for i in range(1, count):
        least = min(least, h[first + i])
    total = 0.0
    for i in range(count):
        out[i] = exp(-0.5 * rows * log((h[first + i] + 1e-3) / (least + 1e-3)))
        total += out[i]
    for i in range(count):
        out[i] /= total


@kernel
def expect(
    h: Doubles, c: Singles, moment: Moment, exposure: float, factor: Doubles, level: Doubles,
    season: Doubles, expert: Doubles, weight: Doubles,
) -> tuple[float, float]:  # fmt: skip
    """(slow, quick) expectation of the next value; fills what ``follow`` will need.

    factor, level, season (SEASONS,): shapes, levels, predictions. expert (EXPERTS,).
    """
    multiply = h[LAW] == COUNT
    for s in range(SEASONS):
        f = h[LEVEL_F + s]
        level[s] = h[LEVEL_X + s] / f if f > 0.0 else 0.0
    variance = (h[VAR_C + 1], h[VAR_A + 1], h[VAR_B + 1])
    predict(c, multiply, moment, variance, level[0], factor)
    for s in range(SEASONS):
        season[s] = exposure * level[s] * factor[s] if multiply else level[s] + factor[s]
    weights(h, SEASON_LOSS, SEASONS, weight)
    slow = 0.0
    for s in range(SEASONS):
        slow += weight[s] * season[s]
    _experts(h, multiply, slow, expert)
    weights(h, EXPERT_LOSS, EXPERTS, weight)
    quick = 0.0
    for i in range(EXPERTS):
        quick += weight[i] * expert[i]
    if multiply:
        if h[LEVEL_X] < SPARSE * h[LEVEL_F]:
            quick = slow
        slow, quick = max(slow, 1e-9), max(quick, 1e-9)
    return slow, quick


@kernel
def turn_to_season(h: Doubles, c: Singles) -> None:
    """A day is known: from the next row on the season counts, where the hours differ.

    What the local experts know is relative to a level without seasons, and so are the slow
    expectation's windows and its variance; both begin anew.
    """
    mean = h[LEVEL_X] / h[LEVEL_F] if h[LEVEL_F] > 0.0 else 0.0
    h[SEASON_LOSS] = h[SEASON_LOSS + 1] + hours_spread(c) / max(variance_of(h, 0, mean), 1e-300)
    for i in range(FILTERS):
        h[FILTER_D + i], h[FILTER_E + i] = 0.0, 0.0
    h[LAST_X], h[LAST_M], h[AR_XY], h[AR_XX] = 0.0, 0.0, 0.0, 0.0
    h[HOLT_LEVEL], h[HOLT_TREND] = 0.0, 0.0
    h[VAR_C + 1], h[VAR_A + 1], h[VAR_B + 1] = h[VAR_C], h[VAR_A], h[VAR_B]
    for i in range(WINDOWS):
        h[WINDOW_Q + WINDOWS + i] = h[WINDOW_Q + i]


@kernel
def _experts(h: Doubles, multiply: bool, slow: float, expert: Doubles) -> None:
    expert[0] = slow
    damp = h[AR_XY] / h[AR_XX] if h[AR_XX] > 0.0 else 0.0
    damp = min(max(damp, -1.0), 1.0)
    if multiply:
        # A ratio is drawn back to 1 by as many counts as noise takes to say nothing.
        doubt = 4.0 * max(h[VAR_A], 0.05)
        for i in range(FILTERS):
            expert[1 + i] = slow * (1.0 + h[FILTER_D + i] / (h[FILTER_E + i] + doubt))
        ratio = min(h[LAST_X] / max(h[LAST_M], 1e-9), 50.0) if h[LAST_M] > 0.0 else 1.0
        expert[4] = slow * ratio
        expert[5] = slow * max(1.0 + damp * (ratio - 1.0), 0.0)
        expert[6] = slow * min(max(1.0 + h[HOLT_LEVEL] + h[HOLT_TREND], 0.0), 50.0)
        return
    for i in range(FILTERS):
        expert[1 + i] = slow + h[FILTER_D + i] / max(h[FILTER_E + i], 1.0)
    expert[4] = slow + h[LAST_X] - h[LAST_M]
    expert[5] = slow + damp * (h[LAST_X] - h[LAST_M])
    expert[6] = slow + h[HOLT_LEVEL] + h[HOLT_TREND]


@kernel
def follow(
    h: Doubles, c: Singles, moment: Moment, exposure: float, value: float, bounded: float,
    usual: float, slow: float, quick: float, frozen: bool, again: bool, factor: Doubles,
    level: Doubles, season: Doubles, expert: Doubles,
) -> None:  # fmt: skip
    """Learn a value; ``bounded`` is the same within bounds of what was expected, ``usual`` within
    those of the season, too.

    frozen: during an episode errors teach no weights, and what does not repeat the day before
    (``again``) moves neither the level nor what is usual at this time of every day, so that a
    fault at night is not expected again on the next one.
    """
    multiply = h[LAW] == COUNT
    if not frozen:
        _losses(h, value, slow, quick, season, expert)
    daily = not frozen or again
    memory = max(min(h[ROWS] + 1.0, max(_LEVEL_DAYS * moment.day_rows, 64.0), 5000.0), 1.0)
    fade = 1.0 - 1.0 / memory
    for s in range(SEASONS):
        if not daily:
            break
        if multiply:
            h[LEVEL_X + s] = h[LEVEL_X + s] * fade + usual
            h[LEVEL_F + s] = h[LEVEL_F + s] * fade + exposure * factor[s]
        else:
            h[LEVEL_X + s] = h[LEVEL_X + s] * fade + usual - factor[s]
            h[LEVEL_F + s] = h[LEVEL_F + s] * fade + 1.0
    sigma = sqrt(variance_of(h, 1, slow))
    learn(c, multiply, moment, usual, exposure, daily, sigma, level, factor)
    _local(h, multiply, value, bounded, slow)


@kernel
def _losses(
    h: Doubles, value: float, slow: float, quick: float, season: Doubles, expert: Doubles
) -> None:
    h[LOSS_ROWS] += 1.0
    pace = 1.0 / min(h[LOSS_ROWS] + 4.0, _LOSS_MEMORY)
    v = max(variance_of(h, 0, quick), 1e-300)
    most = _LOSS_MOST * sqrt(v) + slack(h)
    for s in range(SEASONS):
        off = min(abs(value - season[s]), most)
        h[SEASON_LOSS + s] += pace * (off * off / v - h[SEASON_LOSS + s])
    for i in range(EXPERTS):
        off = min(abs(value - expert[i]), most)
        h[EXPERT_LOSS + i] += pace * (off * off / v - h[EXPERT_LOSS + i])


@kernel
def _local(h: Doubles, multiply: bool, value: float, bounded: float, slow: float) -> None:
    off = bounded - slow
    for i in range(FILTERS):
        fade = 1.0 - 1.0 / _MEMORY[i]
        h[FILTER_D + i] = h[FILTER_D + i] * fade + off
        h[FILTER_E + i] = h[FILTER_E + i] * fade + (slow if multiply else 1.0)
    scale = slow if multiply else 1.0
    before = h[LAST_X] - h[LAST_M]
    if multiply:
        before /= max(h[LAST_M], 1e-9)
    now = (value - slow) / max(scale, 1e-9)
    if multiply:
        before, now = min(before, 50.0), min(now, 50.0)
    h[AR_XY] = h[AR_XY] * 0.995 + before * now
    h[AR_XX] = h[AR_XX] * 0.995 + before * before + 1e-12 * now * now
    target = off / max(scale, 1e-9)
    gone = target - h[HOLT_LEVEL] - h[HOLT_TREND]
    h[HOLT_LEVEL] += h[HOLT_TREND] + 0.4 * gone
    h[HOLT_TREND] += 0.05 * gone
    h[LAST_X], h[LAST_M] = value, slow
