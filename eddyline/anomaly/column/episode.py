"""When a column's episode begins and ends, and how a level that has come to stay is learnt."""

from __future__ import annotations

from math import floor

from eddyline.anomaly.column.model import (
    EXPECTED,
    OFF,
    QUICK,
    QUICK_WINDOW,
    SHORT,
    SIGMA,
    SLOW,
    SLOW_WINDOW,
)
from eddyline.anomaly.column.places import (
    COUNT,
    EVENT_OFF,
    EVENT_ROW,
    EVENTS,
    FILTER_D,
    FILTER_E,
    FILTERS,
    LAW,
    LEVEL_F,
    LEVEL_X,
    LONG_END,
    ON,
    ON_EXPECTED,
    ON_FILTER,
    ON_QUIET,
    ON_ROWS,
    ON_SIDE,
    ON_SIGMA,
    ON_TRACK,
    ON_WINDOW,
    SEASONS,
    SEEN,
    VAR_A,
)
from eddyline.anomaly.column.windows import forget_windows
from eddyline.anomaly.kernel import Doubles, kernel

# A column is calm when the windows that began its episode are within so many deviations, for so
# many rows.
_CALM, _CALM_ROWS = 2.0, 3.0
# After an episode of so many rows, which may have left another level behind, calm must last longer.
_LONG_ROWS, _CALM_LONG_ROWS = 36.0, 12.0
# A filter over fewer events says little of where a level is.
_FEW = 20.0
# Events fewer rows apart are one; how uneven their distances and sizes may be, as shares.
_ONE_EVENT, _UNEVEN, _UNLIKE = 3.0, 0.1, 0.3
# So many distances may lie between two of them, if what is between them was no alert.
_PASSED_OVER = 4.0
# The first window, of 16 rows, that tells of a mean rather than of a few values.
_LONG_WINDOW = 4.0
# A column of fewer rows is young; within so many deviations a value is back where it was.
_YOUNG_ROWS, _BACK = 400.0, 4.0


@kernel
def recurs(h: Doubles, judged: Doubles) -> bool:
    """Whether a single value is the third of its size at equal distances; it is remembered.

    The drop of a sawtooth and a job at every hour are learnt so before any season knows them. Of a
    young column the second one will do, if there was no room for another one before the first.
    """
    off = judged[OFF] * judged[SIGMA]
    row, last, before = h[SEEN], h[EVENT_ROW], h[EVENT_ROW + 1]
    if last > 0.0 and row - last <= _ONE_EVENT:
        return False
    gap = last - before
    if before > 0.0:
        less, more = min(gap, row - last), max(gap, row - last)
        times = min(floor(more / less + 0.5), _PASSED_OVER)
        out = abs(more - times * less) <= max(_UNEVEN * less, 1.0)
    else:
        out = row < _YOUNG_ROWS and 0.0 < last <= (1.0 + _UNEVEN) * (row - last)
    for i in range(EVENTS if before > 0.0 else 1):
        out = out and abs(off - h[EVENT_OFF + i]) <= _UNLIKE * abs(off)
    h[EVENT_ROW + 1], h[EVENT_OFF + 1] = last, h[EVENT_OFF]
    h[EVENT_ROW], h[EVENT_OFF] = row, off
    return bool(out)


@kernel
def known(h: Doubles, judged: Doubles, side: float, track: int) -> bool:
    """Whether a young column goes back to the level from which its last episode led away: it knows
    no season yet in which the one would be as usual as the other. That its mean over all rows
    lags behind the new level is no news, either."""
    if h[SEEN] > _YOUNG_ROWS or h[ON_SIGMA] <= 0.0:
        return False
    if h[ON_SIDE] * side > 0.0:
        return bool(track == 1 and judged[SLOW_WINDOW] >= _LONG_WINDOW)
    value = judged[EXPECTED] + judged[OFF] * judged[SIGMA]
    return bool(abs(value - h[ON_EXPECTED]) <= _BACK * h[ON_SIGMA])


@kernel
def begin(h: Doubles, judged: Doubles, track: int) -> None:
    """The column's evidence has passed what is allowed."""
    h[ON], h[ON_ROWS], h[ON_QUIET] = 1.0, 0.0, 0.0
    h[ON_EXPECTED], h[ON_SIGMA] = judged[EXPECTED], judged[SIGMA]
    h[ON_TRACK] = track
    h[ON_WINDOW] = judged[QUICK_WINDOW] if track == 0 else judged[SLOW_WINDOW]
    for i in range(FILTERS):
        h[ON_FILTER + i] = _filtered(h, i)
    h[ON_SIDE] = 1.0 if (judged[QUICK] if track == 0 else judged[SLOW]) > 0.0 else -1.0


@kernel
def go_on(h: Doubles, judged: Doubles, most_rows: float) -> None:
    """One row more of an episode; it may be its end."""
    h[ON_ROWS] += 1.0
    h[ON_QUIET] = h[ON_QUIET] + 1.0 if judged[SHORT] < _CALM else 0.0
    long = h[ON_ROWS] >= _LONG_ROWS
    if h[ON_QUIET] >= (_CALM_LONG_ROWS if long else _CALM_ROWS):
        _return(h)
        if long:
            _accept(h, 0)
        _end(h)
    elif h[ON_ROWS] >= most_rows:
        few = h[LAW] == COUNT and h[FILTER_E + 1] < _FEW
        _accept(h, 2 if few else 1)
        _end(h)


@kernel
def _filtered(h: Doubles, which: int) -> float:
    e = h[FILTER_E + which]
    return h[FILTER_D + which] / e if e > 0.0 else 0.0


@kernel
def _return(h: Doubles) -> None:
    """The season's level holds again: filters that followed the episode go back to where they were
    before, unless the newest rows are nearer to where they are now."""
    newest = _filtered(h, 0)
    blind = h[LAW] == COUNT and h[FILTER_E] < _FEW
    for i in range(FILTERS):
        before = h[ON_FILTER + i]
        if blind or abs(newest - before) < abs(newest - _filtered(h, i)):
            h[FILTER_D + i] = before * h[FILTER_E + i]


@kernel
def _end(h: Doubles) -> None:
    """The windows forget, so that an episode that is over is no evidence of another one."""
    if h[ON_ROWS] >= _LONG_ROWS:
        h[LONG_END] = h[SEEN]
    h[ON], h[ON_WINDOW] = 0.0, 0.0
    forget_windows(h)


@kernel
def _accept(h: Doubles, which: int) -> None:
    """What has lasted is the new level: the season's levels move to where a filter is.

    A filter over few events moves them little.
    """
    if h[FILTER_E + which] <= 0.0:
        return
    few = _FEW * h[VAR_A] if h[LAW] == COUNT else 0.0
    move = h[FILTER_D + which] / (h[FILTER_E + which] + few)
    for s in range(SEASONS):
        if h[LAW] == COUNT:
            h[LEVEL_X + s] *= max(1.0 + move, 0.0)
        else:
            h[LEVEL_X + s] += move * h[LEVEL_F + s]
    for i in range(FILTERS):
        h[FILTER_D + i], h[FILTER_E + i] = 0.0, 0.0
