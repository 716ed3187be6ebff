"""Verdicts under a stated rate of false alarms: seasons, silence on noise, cuts and restarts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from eddyline.anomaly.choices import Choices
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions, Verdicts
from eddyline.anomaly.rates import FalseAlarms
from eddyline.errors import EddylineError

Doubles = npt.NDArray[np.float64]
START_MS, BIN_MS, DAY = 1_767_571_200_000, 300_000, 288


def options(false_alarms: str, timed: bool = True) -> DetectorOptions:
    return DetectorOptions(ForestOptions(2, 10), false_alarms=false_alarms, timed=timed)


def judged(points: Doubles, chosen: DetectorOptions) -> Verdicts:
    """One key's verdicts over a series of five-minute rows."""
    points = points.reshape(len(points), -1)
    times = START_MS + np.arange(len(points)) * BIN_MS
    detectors = Detectors(chosen, points.shape[1])
    return detectors.process(np.zeros(len(points), np.int64), points, times)


def daily(rng: np.random.Generator, days: int) -> tuple[Doubles, Doubles]:
    """Counts with a daily curve of 2 to 82, and their mean."""
    hours = (np.arange(days * DAY) % DAY) / 12
    mean = 40 * (1.05 + np.cos(2 * np.pi * (hours - 15) / 24))
    return rng.poisson(mean).astype(float), mean


@pytest.mark.parametrize(
    ("text", "rate", "per_week"),
    [("0.1/week", 0.1, True), ("2/day", 14.0, True), (" 10 / 10000 rows", 0.001, False)],
)
def test_a_rate_has_a_unit(text: str, rate: float, per_week: bool) -> None:
    allowed = FalseAlarms.parse(text)
    assert allowed.rate == pytest.approx(rate)
    assert allowed.per_week is per_week


@pytest.mark.parametrize("text", ["", "often", "1", "0/week", "5/rows", "-1/week", 3])
def test_a_rate_without_a_unit_is_refused(text: object) -> None:
    with pytest.raises(EddylineError, match="false_alarms is") as caught:
        FalseAlarms.parse(text)
    assert caught.value.code == "invalid_argument"
    assert caught.value.hint is not None


@pytest.mark.parametrize(("hour", "level"), [(3, 80), (15, 13)])
def test_values_of_another_hour_are_an_alert(hour: int, level: int) -> None:
    """Night traffic at the level of noon, and a peak that falls to a sixth."""
    rng = np.random.default_rng(3)
    counts, _ = daily(rng, 21)
    at = 14 * DAY + hour * 12
    counts[at : at + 12] = rng.poisson(level, 12)
    verdicts = judged(counts, options("0.1/week"))
    assert np.flatnonzero(verdicts.alert)[0] in range(at, at + 3)
    assert verdicts.expected[at, 0] == pytest.approx(2.0 if hour == 3 else 82.0, rel=0.5)


def test_a_season_without_a_fault_is_silent() -> None:
    counts, mean = daily(np.random.default_rng(3), 21)
    verdicts = judged(counts, options("0.1/week"))
    assert not verdicts.alert.any()
    last_week = slice(14 * DAY, None)
    off = np.abs(verdicts.expected[last_week, 0] - mean[last_week])
    assert off.mean() < 0.1 * mean.mean()


def test_noise_gives_no_more_alerts_than_allowed() -> None:
    noise = np.random.default_rng(5).normal(100, 5, 20_000)
    assert judged(noise, options("0.5/10000 rows", timed=False)).alert.sum() <= 3


def test_a_step_of_a_constant_is_one_alert() -> None:
    rates = np.full(40, 100.0)
    rates[25:28] = 400.0
    verdicts = judged(rates, options("10/10000 rows"))
    assert np.flatnonzero(verdicts.alert).tolist() == [25]
    assert verdicts.attribution_high[25, 0] > 0 == verdicts.attribution_low[25, 0]


def test_neither_cuts_nor_restarts_nor_other_keys_change_a_verdict() -> None:
    rng = np.random.default_rng(7)
    n = 900
    keys = rng.integers(0, 3, n)
    points = rng.poisson(20, (n, 2)).astype(float)
    points[600:606, 1] = 90.0
    times = START_MS + np.arange(n) * 100_000
    chosen = options("10/10000 rows")
    whole = Detectors(chosen, 2).process(keys, points, times)
    detectors, parts = Detectors(chosen, 2), []
    for a, z in ((0, 1), (1, 250), (250, 601), (601, 602), (602, n)):
        parts.append(detectors.process(keys[a:z], points[a:z], times[a:z]))
        detectors = Detectors.loads(detectors.dumps())
    alone = Detectors(chosen, 2).process(keys[keys == 2] * 0, points[keys == 2], times[keys == 2])
    assert whole.alert.any()
    for name in Verdicts.__dataclass_fields__:
        joined = np.concatenate([getattr(p, name) for p in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)
        np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[keys == 2])


@pytest.mark.parametrize(
    ("usual", "other", "rows"),
    [
        (0, 100, 50),
        (100, 0, 50),
        (5, 0, 50),
        (-3, 4, 50),
        (0, 5, 300),
        (0, 1, 450),
        (0.5, 0.7, 450),
    ],
)
def test_a_column_that_was_constant_alarms_when_it_changes(
    usual: float, other: float, rows: int
) -> None:
    """Once: its return is no news. A small change needs more rows than one by half."""
    x = np.full(rows + 20, float(usual))
    x[rows] = other
    verdicts = judged(x, options("0.5/10000 rows", timed=False))
    assert np.flatnonzero(verdicts.alert).tolist() == [rows]
    assert verdicts.expected[rows, 0] == pytest.approx(usual, abs=1e-6)
    assert bool(verdicts.attribution_high[rows, 0] > 0.0) is (other > usual)


@pytest.mark.parametrize("columns", [1, 3, 30])
def test_a_constant_column_alarms_beside_busy_ones_as_alone(columns: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(100, 4, (400, columns))
    x[:, 0] = 0.0
    x[350, 0] = 6.0
    verdicts = judged(x, options("0.5/10000 rows", timed=False))
    assert np.flatnonzero(verdicts.alert).tolist() == [350]
    assert verdicts.lead[350] == 0
    high = verdicts.attribution_high[350]
    assert high[0] > 0.9 * (high.sum() + verdicts.attribution_low[350].sum())


def test_an_ordinary_column_is_not_to_blame() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(100, 4, (400, 3))
    x[300, 2] = 0.0
    verdicts = judged(x, options("0.5/10000 rows", timed=False))
    assert verdicts.alert[300]
    shares = verdicts.attribution_high[300] + verdicts.attribution_low[300]
    assert shares[2] > 0.95 * shares.sum()
    assert verdicts.attribution_high[300, 2] == 0.0


def test_a_great_drop_within_a_faint_episode_is_an_alert_of_its_own() -> None:
    rng = np.random.default_rng(8)
    counts, mean = daily(rng, 21)
    counts = rng.poisson(60 * mean).astype(float)
    faint, drop = 15 * DAY + 110, 15 * DAY + 130
    counts[faint:drop] *= 0.965
    counts[drop : drop + 24] = 0.0
    alerts = np.flatnonzero(judged(counts, options("1/week")).alert)
    assert ((alerts >= faint) & (alerts < drop)).any()
    assert ((alerts >= drop) & (alerts < drop + 3)).any()


def test_one_great_count_of_rare_events_is_an_alert() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(0.5, 21 * DAY).astype(float)
    counts[17 * DAY] = 15.0
    assert judged(counts, options("0.1/week")).alert[17 * DAY]


def test_a_column_with_gaps_knows_its_week_by_the_clock() -> None:
    """A latency that three rows in four lack: its third week is no first one."""
    rng = np.random.default_rng(4)
    latency = 60.0 + rng.normal(0, 12, 16 * DAY)
    shift = slice(15 * DAY, 15 * DAY + 120)
    latency[shift] += 16.0
    latency[rng.random(16 * DAY) < 0.75] = np.nan
    busy = rng.poisson(50, 16 * DAY).astype(float)
    alert = judged(np.column_stack([busy, latency]), options("0.1/week")).alert
    assert alert[shift].any()


def test_a_fault_is_not_expected_again_a_week_later() -> None:
    rng = np.random.default_rng(6)
    _, mean = daily(rng, 24)
    counts = rng.poisson(40 * mean).astype(float)
    fault = 14 * DAY + 150
    counts[fault : fault + 36] *= 0.4
    verdicts = judged(counts, options("0.1/week"))
    week = slice(fault + 7 * DAY, fault + 7 * DAY + 36)
    assert np.abs(verdicts.expected[week, 0] / (40 * mean[week]) - 1).mean() < 0.03
    assert not verdicts.alert[week].any()


def test_a_sawtooth_is_an_alert_once() -> None:
    rng = np.random.default_rng(3)
    teeth = np.arange(2000) % 50 + rng.normal(0, 0.5, 2000)
    assert judged(teeth, options("0.5/10000 rows", timed=False)).alert.sum() == 1


def test_the_first_day_of_office_hours_is_an_alert_once() -> None:
    for seed in (2, 4):
        rng = np.random.default_rng(seed)
        row = np.arange(7 * DAY)
        busy = (row % DAY >= 96) & (row % DAY < 216) & (row < 5 * DAY)
        counts = rng.poisson(np.where(busy, 80.0, 3.0)).astype(float)
        assert np.flatnonzero(judged(counts, options("0.5/10000 rows")).alert).tolist() == [96]


def flat_in_a_wave() -> Doubles:
    """A sine that is flat for 40 rows, within its own range."""
    rng = np.random.default_rng(9)
    wave = 50 + 20 * np.sin(2 * np.pi * np.arange(3000) / 60) + rng.normal(0, 1.5, 3000)
    wave[2400:2440] = 50 + rng.normal(0, 1.5, 40)
    return np.asarray(wave)


def test_where_many_alerts_are_allowed_kinds_of_evidence_are_heard_together() -> None:
    """No value of the flat part is off; its shape and its level are."""
    alerts = judged(flat_in_a_wave(), options("10/10000 rows", timed=False)).alert
    assert alerts[2400:2445].any()
    assert alerts[:2400].sum() <= 5


@pytest.mark.parametrize("change", ["0:60", "0:200%"])
def test_no_kind_of_evidence_speaks_of_a_change_that_is_too_small(change: str) -> None:
    chosen = replace(options("10/10000 rows", timed=False), choices=Choices(minimum_change=change))
    assert not judged(flat_in_a_wave(), chosen).alert.any()


@pytest.mark.parametrize("gap", [100, 300, 600])
@pytest.mark.parametrize(
    ("at", "first", "second"), [(600, 300, 300), (600, 300, 20), (1500, 300, 200)]
)
def test_a_fault_does_not_hide_the_next_one(at: int, first: int, second: int, gap: int) -> None:
    """How far values stray is learnt from a single outlier only within bounds."""
    values = np.random.default_rng(1).normal(100.0, 3.0, at + gap + 20)
    values[at], values[at + gap] = first, second
    alerts = judged(values, options("0.1/week")).alert
    assert np.flatnonzero(alerts).tolist() == [at, at + gap]
