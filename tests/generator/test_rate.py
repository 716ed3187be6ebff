"""When records are due: exact sums, whatever the rate does."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.generator.curve import Bursting, Curve, Flat, Ramping, Waving, Weekly, inverse
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine
from eddyline.generator.rate import Constant, Poisson, Scaled, Varying
from eddyline.generator.spec import GeneratorSpec, Simulated, parse_duration, parse_rate

MONDAY_MS = 1_763_942_400_000  # 2025-11-24T00:00:00Z
TABLE = Periodic(tuple(tuple(float(24 * d + h) for h in range(24)) for d in range(7)))


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def total(curve: Curve, t: float) -> float:
    return float(curve.total(np.array([t]))[0])


def test_a_constant_rate_does_not_drift() -> None:
    schedule = Constant(3)
    assert schedule.due_s(3_000_000, 2).tolist() == [1_000_000.0, pytest.approx(1_000_000 + 1 / 3)]
    assert schedule.within(10) == 30
    assert [schedule.count(t) for t in (-1, 0, 0.33, 1 / 3)] == [0, 1, 1, 2]


def test_a_burst_multiplies_and_silence_skips() -> None:
    schedule = Constant(10, [Burst(2, 1, 5), Burst(4, 1, 0)])
    counts = [schedule.within(t) for t in range(8)]
    assert np.diff(counts).tolist() == [10, 10, 50, 10, 0, 10, 10]


curves = st.one_of(
    st.floats(0.1, 1e5).map(Flat),
    st.builds(Ramping, st.floats(0, 1e4), st.builds(Ramp, st.floats(0, 1e4), st.floats(0.5, 500))),
    st.builds(Waving, st.floats(0.1, 1e4), st.builds(Sine, st.floats(0, 1), st.floats(0.5, 500))),
)
bursts = st.lists(
    st.builds(Burst, st.floats(0, 100), st.floats(0, 50), st.sampled_from([0.0, 0.5, 3.0])),
    max_size=3,
)


@settings(max_examples=80, deadline=None)
@given(curves, bursts, st.integers(0, 10_000), st.integers(1, 300))
def test_deadlines_and_counts_are_two_sides_of_one_thing(
    curve: Curve, added: list[Burst], first: int, n: int
) -> None:
    planned = Bursting(curve, added) if added else curve
    schedule = Varying(planned)
    due = schedule.due_s(first, n)
    assert (np.diff(due[np.isfinite(due)]) >= 0).all()
    for k in {0, n // 2, n - 1}:
        at = float(due[k])
        if math.isinf(at) or at > 1e6:
            continue
        slack = max(1e-4, at * 1e-6)
        # The bound is taken from the planned curve: bursts multiply the records within the slack.
        before, after = planned.total(np.array([max(0.0, at - slack), at + slack]))
        assert abs(schedule.count(at + slack) - (first + k + 1)) <= after - before + 1


def test_a_count_due_shortly_before_the_horizon_has_a_deadline() -> None:
    # The count becomes due between the last power of two and the horizon, the next one never.
    curve = Flat(100 / 300e6)
    due = inverse(curve, np.array([1.0, 100.0, 200.0]))
    assert due[:2] == pytest.approx([3e6, 300e6], rel=1e-5)
    assert math.isinf(due[2])


@settings(max_examples=60, deadline=None)
@given(curves)
def test_a_curve_never_falls(curve: Curve) -> None:
    assert (np.diff(curve.total(np.linspace(0, 1000, 5000))) >= -1e-6).all()


def test_a_ramp_ends_at_its_rate() -> None:
    curve = Ramping(0, Ramp(100, 10))
    assert total(curve, 10) == pytest.approx(500)
    assert total(curve, 12) == pytest.approx(700)
    assert total(Ramping(100, Ramp(0, 10)), 99) == pytest.approx(500)
    assert math.isinf(inverse(Ramping(100, Ramp(0, 10)), np.array([501.0]))[0])


def test_a_wave_keeps_its_mean() -> None:
    curve = Waving(50, Sine(1, 60))
    assert total(curve, 60) == pytest.approx(3000)
    assert total(curve, 30) > 2300


def weekly(table: Periodic, start_ms: int = MONDAY_MS, seed: int = 1) -> Weekly:
    return Weekly(table, start_ms, seed)


def rate_at(curve: Weekly, t: float) -> float:
    return total(curve, t + 1) - total(curve, t)


@pytest.mark.parametrize("hour", [0, 1, 21, 22, 23, 24, 47, 166, 167])
def test_a_week_is_its_table_at_every_full_hour_and_even_between(hour: int) -> None:
    curve = weekly(TABLE)
    table = [float(v) for row in TABLE.mean for v in row]
    here, after = table[hour], table[(hour + 1) % 168]
    assert rate_at(curve, hour * 3600) == pytest.approx(here, abs=0.05)
    assert rate_at(curve, hour * 3600 + 1800) == pytest.approx((here + after) / 2, abs=0.1)
    assert rate_at(curve, hour * 3600 + 3599) == pytest.approx(after, abs=0.1)


def test_without_smoothing_an_hour_is_even() -> None:
    curve = weekly(Periodic(TABLE.mean, smooth=False))
    for hour, second in itertools.product((3, 22, 23), (0, 1800, 3598)):
        assert rate_at(curve, hour * 3600 + second) == pytest.approx(hour, abs=1e-6)


def test_a_week_follows_the_clock_it_starts_at() -> None:
    thursday_noon = MONDAY_MS + (3 * 24 + 12) * 3_600_000
    assert rate_at(weekly(TABLE, thursday_noon), 0) == pytest.approx(84, abs=0.05)
    assert rate_at(weekly(TABLE, MONDAY_MS - 1_800_000), 0) == pytest.approx(83.5, abs=0.1)


def test_a_deviation_is_drawn_each_second_from_the_seed() -> None:
    rows = tuple((100.0,) * 24 for _ in range(7))
    table = Periodic(rows, tuple((10.0,) * 24 for _ in range(7)))
    curve = weekly(table)
    rates = np.diff(curve.total(np.arange(0, 7201, dtype=np.float64)))
    assert abs(rates.mean() - 100) < 0.6
    assert abs(rates.std() - 10) < 0.5
    late_first = weekly(table)
    assert total(late_first, 7000) == total(curve, 7000)
    assert total(weekly(table, seed=2), 7000) != total(curve, 7000)


def test_poisson_gaps_are_exponential_and_follow_the_rate() -> None:
    schedule = Poisson(Ramping(50, Ramp(150, 100)), np.random.default_rng(5))
    due = np.concatenate([schedule.due_s(k, 500) for k in range(0, 10_000, 500)])
    assert (np.diff(due) >= 0).all()
    assert abs(due[-1] - 100) < 4
    even = Poisson(Flat(100), np.random.default_rng(5))
    gaps = np.diff(even.due_s(0, 8000))
    assert abs(gaps.mean() - 0.01) < 5e-4
    assert abs(gaps.std() - 0.01) < 8e-4
    seconds = np.bincount(np.floor(even.due_s(0, 8000)).astype(int))[:-1]
    assert 0.6 < seconds.var() / seconds.mean() < 1.5


def test_poisson_counts_agree_with_its_deadlines() -> None:
    schedule = Poisson(Flat(10), np.random.default_rng(5))
    first = schedule.due_s(0, 20)
    assert schedule.count(float(first[9]) + 1e-6) == 10
    assert schedule.due_s(5, 3).tolist() == pytest.approx(first[5:8].tolist(), abs=3e-6)
    assert schedule.within(10) is None


def test_a_faster_clock_brings_records_sooner() -> None:
    schedule = Scaled(Constant(2), 60)
    assert schedule.within(1) == 120
    assert schedule.due_s(120, 1)[0] == pytest.approx(1.0)
    assert schedule.count(0.5) == 61


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (GeneratorSpec("a", "-", rate=-1), "rate is -1"),
        (GeneratorSpec("a", "-", rate=float("nan")), "rate is nan"),
        (GeneratorSpec("a", "-", rate=None, ramp=Ramp(1, 1)), "need a rate"),
        (GeneratorSpec("a", "-", ramp=Ramp(1, 0)), "duration is 0"),
        (GeneratorSpec("a", "-", sine=Sine(1.5, 1)), "share"),
        (GeneratorSpec("a", "-", ramp=Ramp(1, 1), sine=Sine(0, 1)), "exclude"),
        (GeneratorSpec("a", "-", periodic=Periodic(((1.0,) * 24,))), "7 rows of 24"),
        (GeneratorSpec("a", "-", periodic=Periodic(((0.0,) * 24,) * 7)), "is zero"),
        (GeneratorSpec("a", "-", simulated=Simulated(5, 4)), "ends before"),
        (GeneratorSpec("a", "stream"), "none of stream:NAME"),
        (GeneratorSpec("a", "-", labels="b"), "none of stream:NAME"),
    ],
)
def test_what_cannot_be_meant_is_told(spec: GeneratorSpec, message: str) -> None:
    with pytest.raises(EddylineError) as caught:
        spec.check()
    assert caught.value.code == "invalid_argument"
    assert message in caught.value.message


def test_durations_and_rates_are_read() -> None:
    durations = [parse_duration(t) for t in ("500ms", "30s", "5m", "2h", "1d")]
    assert durations == [0.5, 30, 300, 7200, 86_400]
    assert parse_rate("max") is None
    assert parse_rate("0.5") == 0.5
    for text in ("", "soon", "5 weeks"):
        with pytest.raises(EddylineError):
            parse_duration(text)
