"""What every detector must keep to, whatever its options: one battery, run over many shapes."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from eddyline.anomaly.detector import DetectorOptions, Detectors, Verdicts
from eddyline.anomaly.units import WINDOW
from eddyline.errors import EddylineError

Doubles = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


def check_detector(options: DetectorOptions, keys: Int64s, points: Doubles) -> None:
    """All promises of ``Detectors`` over these rows."""
    whole = judged(options, keys, points)
    assert whole.score.shape == whole.grade.shape == (len(keys),)
    check_same(judged(options, keys, points), whole)
    check_cuts(options, keys, points, whole)
    check_saved(options, keys, points, whole)
    check_keys(options, keys, points, whole)
    check_columns(options, keys, points, whole)
    check_bad_values(options, keys, points, whole)
    check_explained(options, keys, points, whole)
    check_bounds(options, keys, whole)


def judged(options: DetectorOptions, keys: Int64s, points: Doubles) -> Verdicts:
    return Detectors(options, points.shape[1]).process(keys, points)


def check_same(got: Verdicts, expected: Verdicts) -> None:
    """Bit for bit."""
    for name in Verdicts.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)


def joined(parts: list[Verdicts]) -> Verdicts:
    fields = {n: [getattr(p, n) for p in parts] for n in Verdicts.__dataclass_fields__}
    return Verdicts(**{name: np.concatenate(parts) for name, parts in fields.items()})


def cut(detectors: Detectors, keys: Int64s, points: Doubles, cuts: list[int]) -> list[Verdicts]:
    edges = [0, *cuts, len(keys)]
    pairs = itertools.pairwise(edges)
    return [detectors.process(keys[a:z], points[a:z]) for a, z in pairs]


def check_cuts(options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts) -> None:
    """However rows are cut into calls, an empty call among them."""
    n = len(keys)
    rng = np.random.default_rng(3)
    some = sorted(rng.integers(0, n, 5).tolist())
    for cuts in (list(range(1, n)), [n // 2, n // 2], some):
        check_same(joined(cut(Detectors(options, points.shape[1]), keys, points, cuts)), whole)


def check_saved(options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts) -> None:
    """Saved and restored is as if never stopped; saving changes nothing."""
    detectors, parts, at = Detectors(options, points.shape[1]), [], 0
    for stop in (0, 3, len(keys) // 3, 2 * len(keys) // 3, len(keys)):
        parts.append(detectors.process(keys[at:stop], points[at:stop]))
        at, saved = stop, detectors.dumps()
        assert detectors.dumps() == saved
        detectors = Detectors.loads(saved)
        assert detectors.dumps() == saved
    check_same(joined(parts), whole)


def check_keys(options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts) -> None:
    """A key's rows are judged as if it were alone, and whatever its number."""
    for key in np.unique(keys):
        mine = keys == key
        alone = judged(options, np.zeros(mine.sum(), np.int64), points[mine])
        fields = {n: getattr(whole, n)[mine] for n in Verdicts.__dataclass_fields__}
        check_same(alone, Verdicts(**fields))


def check_columns(options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts) -> None:
    """The order of columns does not matter: to grades hardly, to usual values not at all."""
    back = judged(options, keys, points[:, ::-1])
    np.testing.assert_array_equal(back.expected[:, ::-1], whole.expected)
    warm = whole.score > 0
    if options.forest.number_of_trees >= 50:  # fewer trees have opinions of their own
        assert warm.sum() > 100
        assert rank_correlation(back.score[warm], whole.score[warm]) > 0.8


def check_bad_values(
    options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts
) -> None:
    """A row without any number, or with an infinite one, is refused before anything is learnt."""
    half = len(keys) // 2
    detectors = Detectors(options, points.shape[1])
    first = detectors.process(keys[:half], points[:half])
    for bad in (np.nan, np.inf, -np.inf):
        poisoned = points[half:].copy()
        poisoned[-1, -1 if np.isinf(bad) else slice(None)] = bad
        with pytest.raises(EddylineError, match="finite") as caught:
            detectors.process(keys[half:], poisoned)
        assert caught.value.code == "invalid_argument"
    check_same(joined([first, detectors.process(keys[half:], points[half:])]), whole)


def check_explained(
    options: DetectorOptions, keys: Int64s, points: Doubles, whole: Verdicts
) -> None:
    """Explaining all rows changes no verdict, and each attribution adds up to its score."""
    all_rows = Detectors(options, points.shape[1], explain="all").process(keys, points)
    for name in ("score", "grade", "alert", "expected", "verdict", "rarity", "episode"):
        np.testing.assert_array_equal(getattr(all_rows, name), getattr(whole, name), err_msg=name)
    added = (all_rows.attribution_high + all_rows.attribution_low).sum(axis=1)
    warm = all_rows.score > 0
    np.testing.assert_allclose(added[warm], all_rows.score[warm], rtol=1e-6)
    assert all_rows.attribution_high.min() >= 0
    assert all_rows.attribution_low.min() >= 0
    graded = whole.grade > 0
    if options.normalize:  # else the explanation is the forest's own
        high = all_rows.attribution_high[graded]
        np.testing.assert_array_equal(whole.attribution_high[graded], high)
    assert not whole.attribution_high[~graded].any()


def check_bounds(options: DetectorOptions, keys: Int64s, whole: Verdicts) -> None:
    """A key's first S rows score 0; none scores above log2(S + 1); grades lie in 0 to 1."""
    samples = options.forest.sub_sample_size
    for key in np.unique(keys):
        assert not whole.score[keys == key][:samples].any()
        units = WINDOW if options.normalize else 0
        later = whole.score[keys == key][max(samples, options.forest.shingle_size, units) :]
        assert (later > 0).all()
    assert whole.score.max(initial=0.0) <= np.log2(samples + 1)
    assert whole.grade.min() >= 0
    assert whole.grade.max() <= 1
    assert not (whole.alert & (whole.grade == 0)).any()


def rank_correlation(a: Doubles, b: Doubles) -> float:
    """Spearman's: the correlation of ranks."""
    ranks = [np.argsort(np.argsort(x, kind="stable")).astype(float) for x in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])
