"""The expected value and its bounds, and whether a change is too small to matter."""

from __future__ import annotations

from math import exp, log, sqrt

from eddyline.anomaly.column.calibration import QUICK_PRIOR, needed
from eddyline.anomaly.column.model import EXPECTED, FREEDOM, OFF, SIGMA
from eddyline.anomaly.column.places import CALIBRATION, COUNT, LAW, LEAST, LEAST_SHARE, POSITIVE
from eddyline.anomaly.kernel import Doubles, kernel


@kernel
def too_small(h: Doubles, judged: Doubles, o: Doubles) -> bool:
    """Whether a change is smaller than what matters."""
    if o[LEAST] <= 0.0 and o[LEAST_SHARE] <= 0.0:
        return False
    off = abs(judged[OFF]) * judged[SIGMA]
    size = abs(judged[EXPECTED])
    if h[LAW] == POSITIVE:
        size = exp(judged[EXPECTED])
        off = size * (exp(off) - 1.0)
    return bool(off < max(o[LEAST], o[LEAST_SHARE] * size))


@kernel
def band_of(
    h: Doubles, judged: Doubles, limit: float, more: float, r: int, j: int, expected: Doubles,
    lower: Doubles, upper: Doubles,
) -> None:  # fmt: skip
    """The value expected, and the bounds beyond which a single value would be an alert."""
    need = max(needed(h, CALIBRATION, QUICK_PRIOR, limit + more), 0.5) * 2.302585092994046
    z = sqrt(2.0 * need)
    z = sqrt(max(2.0 * (need - log(max(z, 0.5)) - 0.2258), 0.5))
    freedom = judged[FREEDOM]
    z = sqrt(freedom * (exp(min(z * z / freedom, 60.0)) - 1.0))
    middle, sigma = judged[EXPECTED], judged[SIGMA]
    if h[LAW] == COUNT:
        root, half = sqrt(max(middle, 0.0)), 0.5 * z * sigma / sqrt(max(middle, 1e-9))
        expected[r, j] = middle if middle > 1e-8 else 0.0
        lower[r, j] = max(root - half, 0.0) ** 2
        upper[r, j] = (root + half) ** 2 + 0.5
        return
    low, high = middle - z * sigma, middle + z * sigma
    if h[LAW] == POSITIVE:
        middle, low, high = exp(middle), exp(low), exp(min(high, 700.0))
    expected[r, j], lower[r, j], upper[r, j] = middle, low, high
