"""Random cut forests against an independent implementation and the documented sample."""

from __future__ import annotations

import json
from collections.abc import Callable

import krcf
import numpy as np
import numpy.typing as npt
import pytest
from check_detector import rank_correlation

from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions, explanation_json
from eddyline.anomaly.forest import ForestBank

Doubles = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator], Doubles]
ROWS = 1500


def scores(points: Doubles, options: ForestOptions) -> Doubles:
    bank = ForestBank(options, points.shape[1])
    return bank.score(np.zeros(len(points), np.int64), points).score


def oracle(points: Doubles, options: ForestOptions) -> Doubles:
    """The open-source library's scores, scored before learnt; 0 until the shingle is full."""
    k = options.shingle_size
    forest = krcf.RandomCutForest(
        {
            "dimensions": points.shape[1] * k,
            "shingle_size": 1,
            "num_trees": options.number_of_trees,
            "sample_size": options.sub_sample_size,
            "output_after": 1,
            "random_seed": options.seed,
            "lambda": 1.0 / options.time_decay,
            "internal_shingling": True,
        }
    )
    out = [0.0] * (k - 1)
    for at in range(k, len(points) + 1):
        row = points[at - k : at].ravel().tolist()
        out.append(forest.score(row))
        forest.update(row)
    return np.array(out)


def gaussian(rng: np.random.Generator) -> Doubles:
    return rng.normal(0, 1, (ROWS, 1))


def clusters(rng: np.random.Generator) -> Doubles:
    centres = np.array([[0, 0, 0, 0], [8, 8, 0, 0], [0, 8, 8, 4]])
    return centres[rng.integers(0, 3, ROWS)] + rng.normal(0, 1, (ROWS, 4))


def season(rng: np.random.Generator) -> Doubles:
    x = 10 * np.sin(np.arange(ROWS) / 8) + rng.normal(0, 1, ROWS)
    x[rng.integers(0, ROWS, 8)] += 30
    return x[:, None]


def heavy(rng: np.random.Generator) -> Doubles:
    return rng.standard_t(2, (ROWS, 2)) + 1000


@pytest.mark.parametrize(
    ("make", "shingle"), [(gaussian, 1), (clusters, 1), (season, 4), (heavy, 1)]
)
def test_scores_rank_as_the_open_source_library_ranks(make: Maker, shingle: int) -> None:
    """As nearly as two forests of the library rank alike; two seeds each, to calm the noise."""
    points = make(np.random.default_rng(7))
    options = [ForestOptions(100, 256, 100_000, shingle, seed=s) for s in (1, 2)]
    ours = [scores(points, o)[300:] for o in options]
    theirs = [oracle(points, o)[300:] for o in options]
    assert rank_correlation(sum(ours), sum(theirs)) > 0.93
    assert rank_correlation(ours[0], theirs[0]) > rank_correlation(*theirs) - 0.05
    assert rank_correlation(*ours) > rank_correlation(*theirs) - 0.05
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.08)


def test_the_documented_sample() -> None:
    """Blood pressure: ordinary rows 0.7 to 0.8, the high row far above, both columns HIGH."""
    rng = np.random.default_rng(11)
    points = np.column_stack([rng.normal(111, 6, 2000), rng.normal(74, 5, 2000)]).round()
    points[-1] = (144, 123)
    detectors = Detectors(DetectorOptions(ForestOptions()), 2, explain="all")
    verdicts = detectors.process(np.zeros(2000, np.int64), points)
    near = np.abs(points - (111, 74)).max(axis=1) <= 3
    near[:500] = False
    assert 0.6 < np.median(verdicts.score[near]) < 0.85
    assert verdicts.score[-1] > 2.5
    assert verdicts.score[-1] == verdicts.score.max()
    text = explanation_json(
        ["SYSTOLIC", "DIASTOLIC"], verdicts.attribution_high[-1], verdicts.attribution_low[-1]
    )
    why = json.loads(text)
    assert list(why) == ["SYSTOLIC", "DIASTOLIC"]
    assert {part["DIRECTION"] for part in why.values()} == {"HIGH"}
    parts = [float(part["ATTRIBUTION_SCORE"]) for part in why.values()]
    assert sum(parts) == pytest.approx(verdicts.score[-1], abs=1e-3)
    assert parts[1] > parts[0] > 0.5
    assert all(part["STRENGTH"] == f"{float(part['STRENGTH']):.4f}" for part in why.values())


def test_attribution_points_at_the_guilty_column() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (600, 5))
    points[-1, 3] = -40.0
    verdicts = Detectors(DetectorOptions(ForestOptions(50, 128)), 5, explain="all").process(
        np.zeros(600, np.int64), points
    )
    low = verdicts.attribution_low[-1]
    assert low.argmax() == 3
    assert low[3] > 0.9 * verdicts.score[-1]


def test_a_score_does_not_teach() -> None:
    """Scores of a row depend on the rows before it alone."""
    rng = np.random.default_rng(5)
    points = rng.normal(0, 1, (400, 2))
    other = points.copy()
    other[300:] = 99.0
    options = ForestOptions(20, 64)
    np.testing.assert_array_equal(scores(points, options)[:301], scores_of_first(other, points))


def scores_of_first(other: Doubles, points: Doubles) -> Doubles:
    """Row 300 is scored against the same past, whatever comes after it."""
    bank = ForestBank(ForestOptions(20, 64), 2)
    zero = np.zeros
    past = bank.score(zero(300, np.int64), other[:300]).score
    last = bank.score(zero(1, np.int64), points[300:301]).score
    return np.concatenate([past, last])


def test_large_numbers_keep_their_small_changes() -> None:
    """Epoch milliseconds, say: single precision alone would not tell them apart."""
    rng = np.random.default_rng(1)
    small = rng.normal(0, 1, (800, 1))
    options = ForestOptions(30, 64)
    far = scores(small + 1.7e12, options)
    assert rank_correlation(far[64:], scores(small, options)[64:]) > 0.95


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4, 5, 8, 9, 16, 30])
def test_padding_changes_nothing(dimensions: int) -> None:
    """A column that never changes is the same as none."""
    rng = np.random.default_rng(dimensions)
    points = rng.normal(0, 1, (300, dimensions))
    options = ForestOptions(5, 32)
    more = np.column_stack([points, np.full(300, 3.0)])
    if dimensions < 30:
        np.testing.assert_allclose(scores(more, options), scores(points, options), rtol=1e-5)
    assert (scores(points, options)[32:] > 0).all()
