"""Each option of a detector that is written as text changes what is said of the same rows."""

from __future__ import annotations

import datetime

import numpy as np
import numpy.typing as npt

from eddyline.anomaly.choices import Choices
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions, Verdicts

Doubles = npt.NDArray[np.float64]
BIN_MS, DAY = 300_000, 288


def judged(
    points: Doubles, start: datetime.date = datetime.date(2026, 1, 5), **text: str
) -> Verdicts:
    """One key of five-minute rows from UTC midnight of a day, columns n, m."""
    points = points.reshape(len(points), -1)
    names = ("n", "m")[: points.shape[1]]
    options = DetectorOptions(ForestOptions(2, 10), timed=True, choices=Choices(**text))
    first = (start - datetime.date(1970, 1, 1)).days * 86_400_000
    times = first + np.arange(len(points)) * BIN_MS
    detectors = Detectors(options, len(names), columns=names)
    return detectors.process(np.zeros(len(points), np.int64), points, times)


def daily(days: int, shift: int = 0) -> Doubles:
    """The mean of a daily curve of 20 to 420, from row ``shift`` of the day on."""
    hours = ((np.arange(days * DAY) + shift) % DAY) / 12
    return np.asarray(220 + 200 * np.cos(2 * np.pi * (hours - 15) / 24))


def test_season_none_learns_no_curve() -> None:
    mean = daily(8)
    mean[-1] = mean[-1 - DAY // 2]  # the last value is that of another time of day
    x = np.random.default_rng(1).poisson(mean).astype(float)
    usual, none = judged(x), judged(x, season="none")
    stray = [np.abs(v.expected[5 * DAY : -1, 0] - mean[5 * DAY : -1]).mean() for v in (usual, none)]
    assert stray[0] < 0.8 * stray[1]


def test_a_share_goes_with_its_denominator() -> None:
    rng = np.random.default_rng(2)
    shown = rng.poisson(1000, 600).astype(float)
    shown[500:503] = 3000
    x = np.column_stack([rng.binomial(shown.astype(np.int64), 0.1), shown])
    own, share = judged(x), judged(x, shares="n/m")
    assert own.expected[500, 0] < 150
    assert 270 < share.expected[500, 0] < 330


def test_a_positive_law_has_positive_bounds() -> None:
    x = np.random.default_rng(3).lognormal(1, 0.9, 400)
    assert judged(x, laws="n:real").lower[200:, 0].min() < 0
    assert judged(x, laws="n:positive").lower[200:, 0].min() > 0


def test_a_change_below_the_minimum_is_no_alert() -> None:
    x = np.random.default_rng(4).normal(100, 1, 600)
    x[500] = 130.0
    assert judged(x).alert[500]
    for enough in ("n:50%", "n:40", "n:-"):
        assert not judged(x, minimum_change=enough).alert[500]
    for less in ("n:20%", "n:20", "n:+"):
        assert judged(x, minimum_change=less).alert[500]


def test_a_zone_moves_the_curve_with_daylight_saving() -> None:
    """Clocks in Berlin go forward on 29 March 2026; the people who make the curve do, too."""
    mean = np.concatenate([daily(13, 12), daily(2, 24)])
    x = np.random.default_rng(5).poisson(mean).astype(float)
    start = datetime.date(2026, 3, 16)
    after = slice(13 * DAY + DAY // 4, 14 * DAY)

    def strays(zone: str) -> float:
        verdicts = judged(x, start, time_zone=zone)
        return float(verdicts.rarity[after].mean())

    assert strays("Europe/Berlin") < strays("UTC")


def test_a_holiday_is_like_a_sunday() -> None:
    day = np.arange(24 * DAY) // DAY
    mean = daily(24) * np.where(day % 7 == 6, 0.3, 1.0)
    mean[23 * DAY :] *= 0.3  # a Wednesday
    x = np.random.default_rng(6).poisson(mean).astype(float)
    first = 23 * DAY
    usual, holiday = judged(x), judged(x, holidays="2026-01-28")
    assert usual.expected[first, 0] > 1.5 * mean[first]
    assert abs(holiday.expected[first, 0] - mean[first]) < abs(
        usual.expected[first, 0] - mean[first]
    )
    assert holiday.rarity[first : first + 6].max() < usual.rarity[first : first + 6].max()
