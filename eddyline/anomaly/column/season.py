"""The daily and weekly shape of a column: by hour, kind of day, weekday, hour of the week, bin.

Each table refines the one before it and is drawn back to it by its own lack of evidence, so that
a cell seen once says little. A value that repeats what the same bin held the last time is learnt in
full; another one only up to the bounds the caller gives.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from eddyline.anomaly.column.places import BOD, HOD, HOW, KOD, SEASONS, STRAY, WD, WEEK_OFF
from eddyline.anomaly.kernel import Doubles, Singles, kernel

# Visits that a cell remembers, in days or weeks.
DAYS, WEEKS = 12.0, 5.0
# Prior variances of what a table adds to the one before it.
_PRIOR_HOD, _PRIOR_NEAR = 0.5, 0.02
_PRIOR_KOD, _PRIOR_KOD_HOUR = 0.3, 0.3
_PRIOR_WD, _PRIOR_HOW, _PRIOR_BOD = 0.05, 0.03, 0.1
# So many times as many events as chance asks for make a cell of few events believed.
_FEW_HOUR, _FEW_BIN = 10.0, 3.0
_WORKING_DAYS = 5
_SECOND_DAY, _FIRST_WEEKEND = 0.15, 0.5
_FIRST_SUNDAY, _FIRST_WEEK = 0.3, 0.1
# Of a fault so much is learnt for the same hour of the next week, and so many deviations at most,
# unless the hour was off on the same side a week before.
_OF_FAULT, _OF_FAULT_MOST = 0.25, 0.5
# At midnight one weekday's factor takes the place of another's: by what share that may be off for
# so many hours, and the weeks from which on more of them help.
_MIDNIGHT, _MIDNIGHT_HOURS, _MIDNIGHT_WEEKS = 0.06, 2.0, 3.0
# Days until each day of the week has been seen twice.
_BOTH_WEEKS = 14.0
_TINY = 1e-9


class Moment(NamedTuple):
    """When a row is: hour (0 to 24), weekday (0 Monday), bin of the day (0 to 287); rows in a day.
    weekday is -1 where time is not known. age: days since the column's first value; before: the
    same of the row before. density: share of the rows since then that have a value.
    week: number of the week."""

    hour: float
    weekday: int
    bin: int
    day_rows: float
    age: float
    before: float
    density: float
    week: float


@kernel
def stray_factor(c: Singles, moment: Moment) -> float:
    """By how much more (or less) values stray at this hour than at others: a variance ratio."""
    if moment.weekday < 0:
        return 1.0
    at = STRAY + 2 * int(moment.hour)
    doubt = 6.0 + 0.5 * moment.day_rows / 24.0
    return max((float(c[at]) + doubt) / (float(c[at + 1]) + doubt), 0.1)


@kernel
def learn_stray(c: Singles, moment: Moment, squared: float) -> None:
    """Add a squared standardised residual to its hour."""
    if moment.weekday < 0:
        return
    fade = 1.0 - 1.0 / (DAYS * max(moment.day_rows / 24.0, 1.0))
    at = STRAY + 2 * int(moment.hour)
    c[at] = float(c[at]) * fade + squared
    c[at + 1] = float(c[at + 1]) * fade + 1.0


@kernel
def _hour(c: Singles, multiply: bool, hour: int, mean: float, a: float) -> float:
    """The mean of an hour. Of few events neighbouring hours say more than the hour itself."""
    own, weight = float(c[HOD + 2 * hour]), float(c[HOD + 2 * hour + 1])
    if not multiply:
        return own / weight if weight > 0.0 else mean
    if mean <= 0.0:
        return mean
    total, rows = a / _PRIOR_HOD, a / _PRIOR_HOD / mean
    for i in range(-2, 3):
        at = HOD + 2 * ((hour + i + 24) % 24)
        share = 3.0 - abs(i)
        total += share * float(c[at])
        rows += share * float(c[at + 1])
    few = a / _PRIOR_NEAR
    return (own + few * total / (rows * mean)) / (weight + few / mean)


@kernel
def hour_curve(c: Singles, multiply: bool, hour: float, a: float) -> float:
    """The hour's factor (or offset), between the middles of its two nearest hours.

    a: variance of a count as a share of its mean.
    """
    total, count = 0.0, 0.0
    for i in range(24):
        weight = float(c[HOD + 2 * i + 1])
        if weight > 0.0:
            total += float(c[HOD + 2 * i]) / weight
            count += 1.0
    mean = total / max(count, 1.0)
    at = hour - 0.5
    first = floor(at)
    share = at - first
    va = _hour(c, multiply, int(first % 24), mean, a)
    vz = _hour(c, multiply, int((first + 1) % 24), mean, a)
    value = va + share * (vz - va)
    if multiply:
        return max(value, _TINY * abs(mean)) / mean if mean > 0.0 else 1.0
    return value - mean


@kernel
def weekday_factor(
    c: Singles, multiply: bool, weekday: int, a: float, b: float, scale: float
) -> float:
    """The weekday's factor (or offset) among days of its kind. a, b: variance of a value of mean 1
    is a / scale + b."""
    total, count = 0.0, 0.0
    weekend = weekday >= _WORKING_DAYS
    for i in range(_WORKING_DAYS if weekend else 0, 7 if weekend else _WORKING_DAYS):
        weight = float(c[WD + 2 * i + 1])
        if weight > 0.0:
            total += float(c[WD + 2 * i]) / weight
            count += 1.0
    weight = float(c[WD + 2 * weekday + 1])
    if count < 2.0 or weight <= 0.0:
        return 1.0 if multiply else 0.0
    mean = total / count
    own = float(c[WD + 2 * weekday]) / weight
    if multiply:
        if mean <= 0.0:
            return 1.0
        dev = own / mean - 1.0
        keep = _PRIOR_WD / (_PRIOR_WD + a / max(weight * mean, _TINY) + 8.0 * b / weight)
        return 1.0 + keep * dev
    return (own - mean) * weight / (weight + 8.0)


@kernel
def deviation(
    d: float, e: float, n: float, multiply: bool, prior: float, a: float, b: float
) -> float:
    """What a cell adds to its parent: a share of it (or an offset), drawn back to 0."""
    if n <= 0.0:
        return 0.0
    if multiply:
        if e <= 0.0:
            return 0.0
        keep = prior / (prior + a / e + b / n)
        return keep * d / e
    return d / n * n / (n + 0.5)


@kernel
def _kind_at(moment: Moment) -> int:
    weekend = 1 if moment.weekday >= _WORKING_DAYS else 0
    return KOD + 3 * (24 * weekend + int(moment.hour))


@kernel
def doubt(c: Singles, moment: Moment) -> float:
    """By what share the season may be off: on a key's second day, on its first weekend, and on
    days of the week that it has not seen."""
    if moment.weekday < 0 or moment.age < 1.0:
        return 0.0
    here = float(c[_kind_at(moment) + 2])
    hour = 0.9 * moment.day_rows / 24.0 * moment.density
    if moment.weekday >= _WORKING_DAYS and here < max(hour, 1.0):
        return _FIRST_WEEKEND
    if moment.age < 2.0:
        return _SECOND_DAY
    weeks = moment.age / 7.0
    if weeks < 1.0:
        return _FIRST_SUNDAY if moment.weekday >= _WORKING_DAYS else _FIRST_WEEK
    return _FIRST_WEEK * max(2.0 - weeks, 0.0)


@kernel
def midnight(moment: Moment) -> tuple[float, float, float]:
    """(share, rows, since): by what share the expectation may be off in the first so many rows of
    a day, and how many rows ago the day began."""
    if moment.weekday < 0 or moment.age < 2.0:
        return 0.0, 0.0, 0.0
    share = _MIDNIGHT * min(_MIDNIGHT_WEEKS * 7.0 / moment.age, 1.0)
    hour = moment.day_rows / 24.0
    return share, _MIDNIGHT_HOURS * hour, moment.hour * hour + 1.0


@kernel
def _again_this_week(c: Singles, at: int, moment: Moment, side: float) -> bool:
    """Whether the hour was off on the same side a week before; that it is off now is noted.

    c[at]: the week in which it was off last, as its number, negative for values too low, and a half
    more if it had been off the week before, too.
    """
    last, now = abs(0.0 + c[at]), moment.week + 1.0  # the sum is a double, whose floor is known
    if floor(last) == now:
        return bool(last > now)
    again = bool(floor(last) == now - 1.0 and side * float(c[at]) > 0.0)
    c[at] = side * (now + (0.5 if again else 0.0))
    return again


@kernel
def hours_spread(c: Singles) -> float:
    """How far the hours' means stray from the mean of all: a variance."""
    total, square, count = 0.0, 0.0, 0.0
    for i in range(24):
        weight = float(c[HOD + 2 * i + 1])
        if weight > 0.0:
            mean = float(c[HOD + 2 * i]) / weight
            total += mean
            square += mean * mean
            count += 1.0
    if count == 0.0:
        return 0.0
    return max(square / count - (total / count) ** 2, 0.0)


@kernel
def _of_kind(c: Singles, multiply: bool, moment: Moment, a: float, b: float, hour: float) -> float:
    """The hour's factor (or offset) on this kind of day: weekends may have their own curve."""
    at = _kind_at(moment)
    d, e, n = float(c[at]), float(c[at + 1]), float(c[at + 2])
    if not multiply:
        return hour + deviation(d, e, n, multiply, _PRIOR_KOD, a, 6.0 * b)
    # Of few events neighbouring hours say more than the hour itself.
    first = at - 3 * int(moment.hour)
    total_d, total_e, total_n = 0.0, 0.0, 0.0
    for i in range(-2, 3):
        cell = first + 3 * ((int(moment.hour) + i + 24) % 24)
        share = 3.0 - abs(i)
        total_d += share * float(c[cell])
        total_e += share * float(c[cell + 1])
        total_n += share * float(c[cell + 2])
    # With weights of 1, 2, 3, 2, 1 the sum of squares is 19 where the sum is 9.
    worth = 19.0 / 9.0
    near = deviation(total_d, total_e, total_n / worth, multiply, _PRIOR_KOD, a * worth, 6.0 * b)
    own = deviation(d - near * e, e, n, multiply, _PRIOR_KOD_HOUR, _FEW_HOUR * a, 6.0 * b)
    return max(hour * (1.0 + near + own), _TINY)


@kernel
def predict(
    c: Singles, multiply: bool, moment: Moment,
    variance: tuple[float, float, float], level: float, factor: Doubles,
) -> None:  # fmt: skip
    """Fill ``factor`` (SEASONS,): factors, or offsets, of each season at a moment."""
    factor[0] = 1.0 if multiply else 0.0
    if moment.weekday < 0 or moment.age < 1.0:
        for s in range(1, SEASONS):
            factor[s] = factor[0]
        return
    size = max(abs(level), _TINY)
    a, b = variance[1], variance[2] + variance[0] / (size * size)
    factor[1] = hour_curve(c, multiply, moment.hour, a)
    kind = _of_kind(c, multiply, moment, a, b, factor[1])
    factor[2] = kind
    if moment.age >= 2.0:
        w = weekday_factor(c, multiply, moment.weekday, a, b, size)
        factor[2] = kind * w if multiply else kind + w
    at = HOW + 3 * (moment.weekday * 24 + int(moment.hour))
    how = deviation(
        float(c[at]), float(c[at + 1]), float(c[at + 2]), multiply, _PRIOR_HOW, a, 6.0 * b
    )
    factor[3] = factor[2] * (1.0 + how) if multiply else factor[2] + how
    at = BOD + 4 * moment.bin
    bod = deviation(
        float(c[at]),
        float(c[at + 1]),
        float(c[at + 2]),
        multiply,
        _PRIOR_BOD,
        _FEW_BIN * a,
        3.0 * b,
    )
    factor[4] = factor[3] * (1.0 + bod) if multiply else factor[3] + bod
    if multiply:
        factor[3] = max(factor[3], _TINY)
        factor[4] = max(factor[4], _TINY)


@kernel
def learn(
    c: Singles, multiply: bool, moment: Moment, value: float, exposure: float,
    daily: bool, sigma: float, level: Doubles, factor: Doubles,
) -> None:  # fmt: skip
    """Add a value that was bounded. level, factor (SEASONS,): as they were before it. daily:
    whether it is learnt for this time of every day, too, and not of this weekday alone. sigma:
    how far values stray."""
    if moment.weekday < 0:
        return
    day = moment.day_rows
    fade_hod = 1.0 - 1.0 / (DAYS * max(day / 24.0, 1.0))
    at = HOD + 2 * int(moment.hour)
    if daily:
        c[at] = float(c[at]) * fade_hod + value
        c[at + 1] = float(c[at + 1]) * fade_hod + exposure
    if moment.age < 1.0:
        return
    at = _kind_at(moment)
    fade = 1.0 - 1.0 / (DAYS * max(day / 24.0, 1.0))
    size = max(abs(level[1]), _TINY)
    _cell(c, at, multiply, fade, value, exposure, level[1], factor[1])
    # Of a first weekend the kind of day knows before its weekday does.
    kind = _of_kind(c, multiply, moment, 1.0 / size, 0.01, factor[1])
    fade_wd = 1.0 - 1.0 / (WEEKS * max(day, 1.0))
    at = WD + 2 * moment.weekday
    if multiply:
        c[at] = float(c[at]) * fade_wd + value
        c[at + 1] = float(c[at + 1]) * fade_wd + exposure * kind
    else:
        c[at] = float(c[at]) * fade_wd + value - kind
        c[at + 1] = float(c[at + 1]) * fade_wd + 1.0
    at_hour = moment.weekday * 24 + int(moment.hour)
    most = _OF_FAULT_MOST * sigma
    at = HOW + 3 * at_hour
    fade = 1.0 - 1.0 / (WEEKS * max(day / 24.0, 1.0))
    seen = float(c[at + 2]) > 0.5
    parent, hourly = factor[2], factor[3]
    if moment.age < _BOTH_WEEKS:
        # What is new on a weekday is learnt by the kind of day, and not by all tables again.
        w = weekday_factor(c, multiply, moment.weekday, 1.0 / size, 0.01, size)
        parent = kind * w if multiply else kind + w
    if seen and not daily:
        usual = exposure * level[3] * factor[3] if multiply else level[3] + factor[3]
        off = value - usual
        side = 1.0 if off > 0.0 else -1.0
        if not _again_this_week(c, WEEK_OFF + at_hour, moment, side):
            value = usual + min(max(_OF_FAULT * off, -most), most)
    _cell(c, at, multiply, fade, value, exposure, level[2], parent)
    if not daily:
        return
    if moment.age < _BOTH_WEEKS:
        how = deviation(
            float(c[at]), float(c[at + 1]), float(c[at + 2]), multiply, _PRIOR_HOW, 1.0 / size, 0.06
        )
        hourly = parent * (1.0 + how) if multiply else parent + how
    at = BOD + 4 * moment.bin
    _cell(
        c,
        at,
        multiply,
        1.0 - 1.0 / (DAYS * max(day / 288.0, 1.0)),
        value,
        exposure,
        level[3],
        hourly,
    )


@kernel
def _cell(
    c: Singles, at: int, multiply: bool, fade: float, value: float, exposure: float,
    level: float, factor: float,
) -> None:  # fmt: skip
    expected = exposure * level * factor if multiply else level + factor
    c[at] = float(c[at]) * fade + value - expected
    c[at + 1] = float(c[at + 1]) * fade + expected
    c[at + 2] = float(c[at + 2]) * fade + 1.0
