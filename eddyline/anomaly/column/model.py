"""One column of one key, row by row: what it expects, how far off a value is, what it learns."""

from __future__ import annotations

from math import floor, log, log10, sqrt

from eddyline.anomaly.column import birth
from eddyline.anomaly.column.birth import begin, best_law, forget_tails
from eddyline.anomaly.column.expectation import (
    expect,
    follow,
    slack,
    turn_to_season,
    variance_of,
)
from eddyline.anomaly.column.law import evidence
from eddyline.anomaly.column.places import (
    AGE,
    AUTO,
    BOD,
    BORN,
    COUNT,
    EXPERTS,
    FIRST_S,
    HIGH,
    HIGH_SEEN,
    HIGH_TAIL,
    LAW,
    LONG_END,
    LOW,
    LOW_SEEN,
    LOW_TAIL,
    ON_TRACK,
    ORIGIN,
    POSITIVE,
    RECENT,
    RECENT_ROWS,
    RESIDUAL,
    ROWS,
    SEASONS,
    SEEN,
    SUM_E,
    SUM_X,
    TAIL,
    TIME,
    TIMES,
    USUAL,
    WHOLE,
)
from eddyline.anomaly.column.season import Moment, doubt, learn_stray, midnight, stray_factor
from eddyline.anomaly.column.similarity import remember
from eddyline.anomaly.column.surprise import bounded, learn
from eddyline.anomaly.column.windows import forget_windows, freedom, settle, spread, worst
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# A value may move what is learnt by so many standard deviations.
_BOUND = 4.0
# After so many days a season learns no more than what strays so far from it, unless it comes again.
_LEARNT_DAYS = 14.0
# Rows after a long episode in which the recent past may still be its.
_AFTERMATH = 288.0
# Rows before which an episode does not keep a model from learning how far values stray.
FREEZE_ROWS = 400.0
# Decades of evidence per decade of rows that a column can support: constant so far, and varied.
_SUPPORT, _SUPPORT_VARIED = 1.6, 3.0
# Decades of rarity, per decade of rows, of the first value of a column that was constant so far: as
# rare as stated by default after 400 rows, which a binary column of one in a hundred seldom begins
# with.
_DEPARTURE = 1.67
# A constant of so much is no rare event's count, and a change of it by half is believed at once.
_COUNTED = 3.0
# So many values may differ from the others before their return to the usual one can be news.
_FEW = 3.0
# Of a column with gaps so many rows count for each that has a value.
_SPARSE = 4.0
DAY_S, HOUR_S, BIN_S = 86_400.0, 3_600.0, 300.0
# Of the scratch array: seasons' factors, levels, predictions, experts, weights.
_LEVEL, _SEASON = SEASONS, 2 * SEASONS
_EXPERT, _WEIGHT = 3 * SEASONS, 3 * SEASONS + EXPERTS
SCRATCH = 3 * SEASONS + 2 * EXPERTS
# Of a judged value: signed evidence of the quick and the slow track, windows, expected value,
# standard deviation, deviations off; greatest score of the windows that began the episode; degrees
# of freedom of a single value; whether a count is off by more than half; decades of rarity of the
# first value that differs from a constant.
QUICK, SLOW, QUICK_WINDOW, SLOW_WINDOW, EXPECTED, SIGMA, OFF, SHORT = 0, 1, 2, 3, 4, 5, 6, 7
FREEDOM, GREAT, DEPARTURE = 8, 9, 10
JUDGED = 11


@kernel
def moment_of(h: Doubles, local_s: float, weekday: int, day_rows: float, timed: bool) -> Moment:
    """When a row is. local_s: seconds of local time; weekday: in place of its own, or -1."""
    if not timed:
        return Moment(0.0, -1, 0, day_rows, 0.0, 0.0, 1.0, 0.0)
    # A column with few values knows its days by them, so many at least.
    before = h[AGE]
    h[AGE] = max(before, min((local_s - h[FIRST_S]) / DAY_S, _SPARSE * h[ROWS] / day_rows))
    density = min(h[ROWS] / max(h[AGE] * day_rows, 1.0), 1.0)
    days = floor(local_s / DAY_S)
    inside = local_s - days * DAY_S
    if weekday < 0:
        weekday = int((days + 3.0) % 7.0)
    return Moment(
        inside / HOUR_S, weekday, int(inside / BIN_S), day_rows, h[AGE], before, density,
        float(floor((days + 3.0) / 7.0)),
    )  # fmt: skip


@kernel
def judge_value(
    h: Doubles, c: Singles, value: float, exposure: float, local_s: float, weekday: int,
    day_rows: float, timed: bool, chosen: int, shared: bool, hot: bool, scratch: Doubles,
    out: Doubles,
) -> None:  # fmt: skip
    """Judge a value, then learn it. out: (JUDGED,)."""
    for i in range(JUDGED):
        out[i] = 0.0
    if h[SEEN] == 0.0:
        h[ORIGIN], h[FIRST_S], h[LOW], h[HIGH] = value, local_s, value, value
        h[WHOLE] = 1.0
    if h[BORN] > 0.0:
        moment = moment_of(h, local_s, weekday, day_rows, timed)
        _judge(h, c, value, exposure, moment, hot, scratch, out)
    _meet(h, c, value, exposure, local_s)
    if not _is_time(h[SEEN]):
        return
    if shared or chosen != AUTO:
        if h[BORN] == 0.0:
            _begin_plain(h, c, COUNT if shared else chosen)
        return
    n = int(h[RECENT_ROWS])
    law = best_law(h, c, n)
    if h[BORN] == 0.0 or law != h[LAW]:
        _again(h, c, law, n, day_rows, timed, scratch, out)


@kernel
def _is_time(seen: float) -> bool:
    return seen == birth.FIRST or seen == birth.SECOND or seen == birth.THIRD


@kernel
def _meet(h: Doubles, c: Singles, value: float, exposure: float, local_s: float) -> None:
    """What is kept of every value, whatever the law."""
    h[LOW], h[HIGH] = min(h[LOW], value), max(h[HIGH], value)
    if value < 0.0 or value != floor(value):
        h[WHOLE] = 0.0
    seen = int(h[SEEN])
    if seen < TIMES:
        c[TIME + seen] = local_s - h[FIRST_S]
        h[SUM_X] += value
        h[SUM_E] += exposure
    h[SEEN] += 1.0
    h[USUAL] += 1.0 if value == h[ORIGIN] else 0.0
    remember(h, c, value)


@kernel
def _begin_plain(h: Doubles, c: Singles, law: int) -> None:
    """A model of a law that was given, from the first values alone."""
    n = int(h[RECENT_ROWS])
    total, off, last = 0.0, 0.0, 0.0
    for i in range(n):
        x = h[ORIGIN] + float(c[RECENT + i])
        if law == POSITIVE:
            x = log(max(x, 1e-300))
        total += x
        if i > 0:
            off += abs(x - last)
        last = x
    exposure = h[SUM_E] / h[SEEN]
    begin(h, c, law, total / n, exposure, off / (n - 1) / 1.1547)


@kernel
def _again(
    h: Doubles, c: Singles, law: int, n: int, day_rows: float, timed: bool, scratch: Doubles,
    out: Doubles,
) -> None:  # fmt: skip
    """Begin anew under another law and learn what has been seen once more."""
    _begin_plain(h, c, law)
    for i in range(n):
        moment = moment_of(h, h[FIRST_S] + float(c[TIME + i]), -1, day_rows, timed)
        _judge(h, c, h[ORIGIN] + float(c[RECENT + i]), 1.0, moment, False, scratch, out)
    keep = out[EXPECTED]
    for i in range(JUDGED):
        out[i] = 0.0
    out[EXPECTED] = keep


@kernel
def _judge(
    h: Doubles, c: Singles, value: float, exposure: float, moment: Moment, hot: bool,
    scratch: Doubles, out: Doubles,
) -> None:  # fmt: skip
    factor, level, season = scratch[:_LEVEL], scratch[_LEVEL:_SEASON], scratch[_SEASON:_EXPERT]
    expert, weight = scratch[_EXPERT:_WEIGHT], scratch[_WEIGHT:]
    y = value
    if h[LAW] == POSITIVE:
        y = log(max(value, 0.1 * h[LOW] if h[LOW] > 0.0 else 1e-9))
    if moment.weekday >= 0 and moment.age >= 1.0 > moment.before:
        turn_to_season(h, c)
        forget_windows(h)
    if moment.weekday >= 0 and moment.age >= 2.0 > moment.before:
        forget_tails(h, c)  # of days that had no season yet
    slow, quick = expect(h, c, moment, exposure, factor, level, season, expert, weight)
    u0, u1 = variance_of(h, 0, quick), variance_of(h, 1, slow)
    stray = stray_factor(c, moment)
    v0, v1 = u0 * stray, u1 * stray
    unsure, step = doubt(c, moment), midnight(moment)
    z0, w0, short0 = worst(h, c, 0, y, quick, v0, unsure, step)
    z1, w1, short1 = worst(h, c, 1, y, slow, v1, unsure, step)
    # An episode is over when what began it is, and the season's level holds again.
    out[SHORT] = max(short0, short1) if h[ON_TRACK] == 0.0 else short1
    most = _cap(h, y, quick)
    out[GREAT] = 1.0 if most >= 300.0 and h[LAW] == COUNT else 0.0
    e0, e1 = min(evidence(z0), most), min(evidence(z1), most)
    out[QUICK], out[QUICK_WINDOW] = e0 if z0 > 0.0 else -e0, w0
    out[SLOW], out[SLOW_WINDOW] = e1 if z1 > 0.0 else -e1, w1
    if h[LOW] == h[HIGH] and value != h[LOW]:
        out[DEPARTURE] = _DEPARTURE * log10(h[SEEN] + 1.0)
        if h[WHOLE] > 0.0 and h[LOW] == 0.0:  # the more events at once, the rarer
            out[DEPARTURE] += min(log10(max(value, 1.0)), 1.0)
    elif value == h[ORIGIN] and h[USUAL] < h[SEEN] <= h[USUAL] + _FEW:
        out[QUICK], out[SLOW] = 0.0, 0.0
    out[EXPECTED], out[SIGMA], out[FREEDOM] = quick, sqrt(v0), freedom(h, 0, quick)
    out[OFF] = (y - quick) / sqrt(v0)
    h[RESIDUAL] = out[OFF]
    hot = hot and h[ROWS] > FREEZE_ROWS
    if not hot:
        _learn_strays(h, c, moment, y, slow, quick, stray)
    bounded, usual, again = _bounds(h, c, moment, y, slow, quick, sqrt(v1), sqrt(v0))
    follow(
        h, c, moment, exposure, y, bounded, usual, slow, quick, hot, again, factor, level, season,
        expert,
    )  # fmt: skip
    h[ROWS] += 1.0


@kernel
def _learn_strays(
    h: Doubles, c: Singles, moment: Moment, y: float, slow: float, quick: float, stray: float
) -> None:
    """Learn how far values stray from what was expected."""
    u0, u1 = variance_of(h, 0, quick), variance_of(h, 1, slow)
    near, far = (y - quick) / sqrt(u0 * stray), (y - slow) / sqrt(u1 * stray)
    settle(h, 0)
    settle(h, 1)
    spread(h, 0, (y - quick) / sqrt(stray), quick, u0)
    spread(h, 1, (y - slow) / sqrt(stray), slow, u1)
    most = 3.0 * sqrt(u0 * stray) + slack(h)
    off = min(abs(y - quick), most)
    learn_stray(c, moment, off * off / u0)
    _tail(h, 0, near)
    both = abs(near)
    if h[LONG_END] > 0.0 and h[SEEN] - h[LONG_END] < _AFTERMATH:
        # What a long episode left nearby is off, and says nothing of single values.
        both = min(both, abs(far))
    if near > 0.0:
        learn(h, HIGH_SEEN, c, HIGH_TAIL, bounded(h, HIGH_SEEN, c, HIGH_TAIL, both))
    else:
        learn(h, LOW_SEEN, c, LOW_TAIL, bounded(h, LOW_SEEN, c, LOW_TAIL, both))
    _tail(h, 1, far)


@kernel
def _bounds(
    h: Doubles, c: Singles, moment: Moment, y: float, slow: float, quick: float, far: float,
    near: float,
) -> tuple[float, float, bool]:  # fmt: skip
    """(bounded, usual, again): a value within bounds of what was expected, within those of the
    season, too; and whether it is as far off as the day before at this time.

    far, near: standard deviations of the two expectations. What comes again is in no bounds.
    """
    margin = _BOUND * near + slack(h)
    low, high = quick - margin, quick + margin
    again, usual = False, y
    if moment.weekday >= 0:
        last = BOD + 4 * moment.bin + 3
        before = float(c[last])
        if moment.age > 1.0:
            again = (before > high and y > high) or (before < low and y < low)
            low, high = min(low, before), max(high, before)
        if moment.age > _LEARNT_DAYS:
            margin = _BOUND * max(far, near) + slack(h)
            usual = min(max(y, min(slow - margin, before)), max(slow + margin, before))
        c[last] = y
    return min(max(y, low), high), min(max(usual, low), high), again


@kernel
def _cap(h: Doubles, y: float, expected: float) -> float:
    """Evidence that so few rows can support; a great change needs no such support."""
    off = abs(y - expected)
    great = 0.7 if h[LAW] == POSITIVE else 0.5 * abs(expected)
    constant = h[LOW] == h[HIGH]
    if h[WHOLE] > 0.0 and not (constant and expected >= _COUNTED):
        great = max(great, 10.0)
    if off > great and great > 0.0:
        return 300.0
    support = _SUPPORT if constant else _SUPPORT_VARIED
    return support * log10(h[SEEN] + 1.0)


@kernel
def _tail(h: Doubles, track: int, z: float) -> None:
    """Whether single values follow a heavy-tailed law: t of 4 degrees and unit variance."""
    if abs(z) < 0.05:  # values that repeat say nothing about a tail
        return
    z2 = z * z
    gain = 0.5 * z2 - (2.5 * log(1.0 + 0.5 * z2) - 0.2877)
    h[TAIL + track] = min(max(h[TAIL + track] + min(max(gain, -2.0), 2.0), -30.0), 60.0)
