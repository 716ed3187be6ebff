"""Detectors: the battery over many shapes, and what a person would expect of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from check_detector import check_detector
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions, Verdicts, warm
from eddyline.anomaly.options import COLUMNS_MAX
from eddyline.errors import EddylineError

Doubles = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[2]


def options(
    trees: int = 100, samples: int = 12, shingle: int = 1, **more: float
) -> DetectorOptions:
    forest = ForestOptions(trees, samples, int(more.pop("decay", 100_000)), shingle, seed=5)
    return DetectorOptions(forest, **more)  # type: ignore[arg-type]


def one(points: Doubles, chosen: DetectorOptions) -> Verdicts:
    """One key's verdicts over a series."""
    points = points.reshape(len(points), -1)
    return Detectors(chosen, points.shape[1]).process(np.zeros(len(points), np.int64), points)


@pytest.mark.parametrize(
    ("columns", "trees", "samples", "shingle", "decay"),
    [
        (1, 10, 10, 1, 100),
        (1, 30, 32, 1, 100_000),
        (3, 60, 32, 1, 100_000),
        (2, 5, 16, 1, 50),
        (3, 7, 10, 2, 1000),
        (1, 5, 20, 8, 1),
        (4, 3, 11, 4, 2**31 - 1),
        (30, 2, 10, 1, 100),
        (1, 1, 10, 30, 100),
    ],
)
def test_battery(columns: int, trees: int, samples: int, shingle: int, decay: int) -> None:
    rng = np.random.default_rng(columns * shingle)
    n = 240
    keys = rng.integers(0, 3, n)
    points = rng.normal(50, 4, (n, columns)).round(1)
    points[::37] *= 5
    check_detector(options(trees, samples, shingle, decay=decay, tolerance=0.1), keys, points)


@pytest.mark.parametrize(("columns", "shingle"), [(2, 1), (4, 1), (3, 4)])
def test_battery_of_columns_in_their_own_units(columns: int, shingle: int) -> None:
    rng = np.random.default_rng(columns)
    n = 300
    keys = rng.choice(4, n, p=[0.5, 0.35, 0.1, 0.05])  # the last key has fewer rows than it needs
    points = rng.normal(50, 4, (n, columns)) * 10.0 ** np.arange(columns)
    points[::37] *= 5
    check_detector(options(10, 40, shingle, normalize=True), keys, points)


def test_own_units_let_a_small_column_be_heard() -> None:
    """Three visitors instead of forty, beside bytes that stray by millions."""
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.lognormal(2, 1.2, 300) * 1e6, rng.normal(40, 6, 300).round()])
    points[250] = (8e6, 3)
    raw = one(points, options(samples=64)).score
    verdicts = one(points, options(samples=64, normalize=True))
    assert (raw[100:250] > raw[250]).mean() > 0.1
    assert verdicts.score[250] > verdicts.score[100:250].max()
    assert verdicts.alert[250]
    low = verdicts.attribution_low[250]
    assert low.argmax() == 1
    assert low[1] > 0.6 * verdicts.score[250]


def test_own_units_do_not_depend_on_the_unit() -> None:
    rng = np.random.default_rng(8)
    points = rng.normal(0, 1, (200, 2)) + 20
    chosen = options(20, 40, normalize=True)
    a, b = one(points, chosen), one(points * [1024.0, 1.0], chosen)
    np.testing.assert_array_equal(a.score, b.score)
    assert (a.score[40:] > 0).all()


@settings(max_examples=15, deadline=None)
@given(
    values=st.lists(
        st.floats(-1e300, 1e300) | st.sampled_from([0.0, -0.0, 1e-320, 7.0]),
        min_size=45,
        max_size=60,
    ),
    shingle=st.integers(1, 3),
    columns=st.integers(1, 3),
)
def test_battery_over_any_numbers(values: list[float], shingle: int, columns: int) -> None:
    rows = len(values) // columns
    points = np.array(values[: rows * columns]).reshape(rows, columns)
    chosen = options(3, 10, shingle, decay=20)
    keys = np.arange(rows) % 2
    verdicts = Detectors(chosen, columns).process(keys, points)
    assert np.isfinite(verdicts.score).all()
    assert np.isfinite(verdicts.grade).all()
    assert verdicts.score.max(initial=0.0) <= np.log2(11)


def test_another_seed_is_another_forest_of_the_same_opinion() -> None:
    x = np.random.default_rng(0).normal(10, 1, 300)
    a, b = (one(x, DetectorOptions(ForestOptions(50, 64, seed=s))) for s in (1, 2))
    assert not np.array_equal(a.score, b.score)
    assert 0.8 < np.corrcoef(a.score[64:], b.score[64:])[0, 1] < 0.99


def test_a_constant_is_silent_and_a_step_is_one_alert() -> None:
    x = np.full(200, 100.0)
    x[120:123] = 400.0
    verdicts = one(x, options())
    assert np.flatnonzero(verdicts.alert).tolist() == [120]
    assert not verdicts.grade[:120].any()
    assert verdicts.score[120] > 2.0
    assert verdicts.expected[120, 0] == pytest.approx(100.0)
    assert verdicts.attribution_high[120, 0] > 10 * verdicts.attribution_low[120, 0]


def test_a_tremor_of_a_constant_is_silent() -> None:
    x = np.full(200, 100.0)
    x[120] = 100.001
    assert not one(x, options()).grade.any()


def test_a_level_that_stays_is_one_alert_and_then_usual() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(100, 2, 300), rng.normal(160, 2, 600)])
    verdicts = one(x, options(50, 64))
    alerts = np.flatnonzero(verdicts.alert).tolist()
    assert alerts[0] == 300
    assert len(alerts) <= 2
    assert not verdicts.grade[600:].any()
    assert verdicts.expected[-1, 0] == pytest.approx(160, abs=2)


def test_old_points_fade_as_time_decay_says() -> None:
    """After a change of level, a quick decay finds the new level ordinary sooner."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0, 1, 1000), rng.normal(30, 1, 400)])[:, None]
    after = {}
    for decay in (100, 100_000):
        verdicts = one(x, options(50, 64, decay=decay))
        after[decay] = float(verdicts.score[1100:1200].mean())
    assert after[100] < 0.95
    assert after[100_000] > 1.15 * after[100]


def test_a_shingle_sees_a_wrong_shape_of_right_values() -> None:
    t = np.arange(600)
    x = 10 + np.sin(2 * np.pi * t / 12)
    x[500:506] = x[506:512][::-1]
    still = one(x, options(50, 128, 1)).score
    moving = one(x, options(50, 128, 6)).score
    inside = slice(500, 512)
    assert moving[inside].max() > 1.2 * moving[200:500].max()
    assert still[inside].max() < 1.05 * still[200:500].max()


def rates(rng: np.random.Generator, kind: str, per_window: int, windows: int) -> Doubles:
    """Click-through rate in percent, a window at a time, with its burst at three quarters."""
    clicks = np.full(windows, float(per_window))
    clicks[3 * windows // 4 : 3 * windows // 4 + 3] *= 4
    if kind == "poisson":
        clicks = rng.poisson(clicks).astype(float)
    return 100.0 * clicks / per_window


@pytest.mark.parametrize("kind", ["constant", "poisson"])
@pytest.mark.parametrize(("per_window", "samples"), [(50, 12), (10, 12), (50, 32)])
def test_the_rate_lab_one_alert_a_burst(kind: str, per_window: int, samples: int) -> None:
    """Windows of 1 s at 50 clicks/s, and of 10 s at 1/s."""
    wrong = []
    for seed in range(60):
        x = rates(np.random.default_rng(seed), kind, per_window, 60)
        alert_rows = np.flatnonzero(one(x, options(50, samples)).alert).tolist()
        wrong += [(seed, alert_rows)] if alert_rows != [45] else []
    # Of ten clicks a window a burst after 45 windows is no certainty at so low a rate of alerts.
    most = {"constant": 0, "poisson": 2 if per_window == 50 else 12}[kind]
    assert len(wrong) <= most, wrong


@pytest.mark.parametrize("kind", ["constant", "poisson"])
@pytest.mark.parametrize("per_window", [50, 10])
def test_the_rate_lab_is_silent_without_a_burst(kind: str, per_window: int) -> None:
    alerts = 0
    for seed in range(40):
        x = rates(np.random.default_rng(seed), kind, per_window, 600)[:440]
        alerts += int(one(x, options()).alert.sum())
    assert alerts <= (2 if kind == "poisson" else 0)  # of 17,600 windows


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_silence_is_an_alert(kind: str) -> None:
    wrong = []
    for seed in range(20):
        x = rates(np.random.default_rng(seed), kind, 50, 400)[:250]
        x[200:204] = 0.0
        verdicts = one(x, options())
        alerts = np.flatnonzero(verdicts.alert).tolist()
        low = bool(alerts) and verdicts.attribution_low[alerts[0], 0] > 0.0
        if not low or len(alerts) != 1 or alerts[0] - 200 > (kind == "poisson"):
            wrong.append((seed, np.flatnonzero(verdicts.alert).tolist()))
    assert len(wrong) <= (1 if kind == "poisson" else 0), wrong


def test_a_burst_then_silence_are_one_episode() -> None:
    x = rates(np.random.default_rng(4), "constant", 50, 400)[:250]
    x[200:203], x[203:206] = 400.0, 0.0
    verdicts = one(x, options(50))
    assert np.flatnonzero(verdicts.alert).tolist() == [200]
    assert (verdicts.episode[200:206] == 1).all()
    assert verdicts.grade[203] > 0
    assert verdicts.attribution_low[203, 0] > 0 == verdicts.attribution_high[203, 0]


def test_a_column_that_was_quiet_begins_its_own_alert() -> None:
    """Many requests, and an hour later many errors; the second burst of either is no news."""
    rng = np.random.default_rng(6)
    x = np.column_stack([rng.normal(100, 4, 400), rng.normal(5, 0.3, 400)])
    x[300:303, 0], x[320:323, 1] = 500.0, 40.0
    verdicts = one(x, options(50, 64, normalize=True))
    assert (verdicts.grade[[300, 320]] > 0).all()
    assert np.flatnonzero(verdicts.alert).tolist() == [300, 320]


def test_columns_that_go_off_together_are_one_alert() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(100, 4, (400, 3))
    x[300:304] = (400.0, 500.0, 300.0)
    assert np.flatnonzero(one(x, options(50, 64, normalize=True)).alert).tolist() == [300]


def test_many_keys_take_bounded_memory_a_key() -> None:
    detectors = Detectors(options(10, 16), 1)
    keys = np.repeat(np.arange(500), 40)
    verdicts = detectors.process(keys, np.random.default_rng(0).normal(5, 1, (len(keys), 1)))
    assert (verdicts.score[(np.arange(len(keys)) % 40) >= 16] > 0).all()
    assert len(detectors.dumps()) / 500 < 8_000


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (ForestOptions(number_of_trees=0), "number_of_trees is 0"),
        (ForestOptions(sub_sample_size=9), "sub_sample_size is 9"),
        (ForestOptions(time_decay=2**31), "time_decay is"),
        (ForestOptions(shingle_size=31), "shingle_size is 31"),
    ],
)
def test_an_option_out_of_range_is_named(bad: ForestOptions, words: str) -> None:
    with pytest.raises(EddylineError, match=words) as caught:
        Detectors(DetectorOptions(bad), 1)
    assert caught.value.code == "invalid_argument"
    assert caught.value.hint is not None


@pytest.mark.parametrize("columns", [0, COLUMNS_MAX + 1])
def test_columns_have_a_bound(columns: int) -> None:
    with pytest.raises(EddylineError, match="between 1 and 30"):
        Detectors(options(), columns)


def test_shapes_that_do_not_fit_are_refused() -> None:
    detectors = Detectors(options(), 2)
    with pytest.raises(EddylineError, match="do not fit 2 columns"):
        detectors.process(np.zeros(3, np.int64), np.zeros((3, 1)))
    with pytest.raises(EddylineError, match="negative"):
        detectors.process(np.array([-1]), np.zeros((1, 2)))


def test_a_column_without_a_value_does_not_keep_the_others_from_being_judged() -> None:
    rng = np.random.default_rng(9)
    x = np.column_stack([rng.poisson(30, 300), rng.normal(5, 0.3, 300)])
    x[200:204, 0], x[200:204, 1] = 0.0, np.nan
    verdicts = one(x, options(20, 64, normalize=True))
    (alert,) = np.flatnonzero(verdicts.alert).tolist()
    assert alert in (200, 201)
    assert verdicts.lead[alert] == 0
    assert verdicts.score[200] == 0.0 < verdicts.score[199]
    assert np.isnan(verdicts.expected[200, 1])


def test_the_shipped_machine_code_is_that_of_the_sources() -> None:
    """``make kernels`` was run after the last change of a kernel."""
    from eddyline.anomaly import kernel

    warm()
    assert kernel.shipped(kernel.digest(), Path()) is not None


_FIRST_USE = """
import sys
import numpy as np
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
points = np.random.default_rng(1).normal(size=(300, 3))
options = DetectorOptions(ForestOptions(4, 16), timed=True, normalize=True)
for columns in (1, 3):
    keys, times = np.zeros(300, np.int64), np.arange(300) * 60_000
    detectors = Detectors(options, columns)
    detectors.process(keys, np.ascontiguousarray(points[:, :columns]), times)
    Detectors.loads(detectors.dumps())
print("numba" in sys.modules)
"""


def test_a_first_use_needs_no_compiler(tmp_path: Path) -> None:
    """With an empty cache the shipped code is made into machine code; numba, which would take more
    than a minute to compile the kernels, is not even loaded."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _FIRST_USE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert len(list(tmp_path.rglob("*.o"))) == 1


def test_arrays_that_the_machine_code_cannot_take_are_refused(tmp_path: Path) -> None:
    from eddyline.anomaly import kernel

    code = kernel.shipped(kernel.digest(), tmp_path)
    assert code is not None
    singles = np.zeros((1, 10), np.float32)
    rest = (10, np.zeros((1, 2), np.float32), np.zeros(20, np.int64))
    with pytest.raises(TypeError, match="regrow: float64 where f4"):
        code.function("regrow")(4, np.zeros((1, 10)), np.zeros((1, 10), np.int16), *rest)
    with pytest.raises(TypeError, match=r"regrow: an array of shape \(5, 1\)"):
        code.function("regrow")(4, singles.reshape(5, 2)[:, :1], singles, *rest)


@pytest.mark.parametrize("seed", range(3))
def test_values_at_the_ends_of_their_range_disturb_no_other_key(seed: int) -> None:
    """Distances of such values are infinite or no numbers; each once led outside of a table."""
    random = np.random.default_rng(seed)
    ends = np.array([0.0, 1.0, 1e-300, 1e155, -1e155, 1e300, -1e300])
    keys = np.arange(240) % 2
    points = random.poisson(9.0, 240).astype(float)
    wild = points.copy()
    wild[keys == 1] = ends[random.integers(0, len(ends), 120)]
    chosen = options(3, 10)

    def scores(values: Doubles) -> tuple[Doubles, Doubles]:
        verdicts = Detectors(chosen, 1).process(keys, values.reshape(-1, 1))
        return verdicts.score[keys == 0], verdicts.grade[keys == 0]

    np.testing.assert_array_equal(scores(wild), scores(points))
