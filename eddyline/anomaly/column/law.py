"""How unlikely a value is: normal scores of counts, of heavy tails, and tails as decades.

A score is what a standard normal variable would have to be to be as unlikely; evidence is the
negative decimal logarithm of the two-sided tail.
"""

from __future__ import annotations

from math import erfc, exp, log, log10, sqrt

from eddyline.anomaly.kernel import kernel

_THIRD = 1.0 / 3.0


@kernel
def count_score(total: float, mean: float, dispersion: float) -> float:
    """Normal score of a count of variance ``dispersion * mean``, by Wilson and Hilferty.

    Half a count is added, which gives the middle of the count's own probability (mid-p).
    """
    x = max(total, 0.0) / dispersion + 0.5
    m = max(mean, 1e-12) / dispersion
    return float(3.0 * sqrt(x) * (1.0 - 1.0 / (9.0 * x) - (m / x) ** _THIRD))


@kernel
def student_score(t: float, freedom: float) -> float:
    """Normal score of a Student t with so many degrees of freedom (Wallace 1959)."""
    z = sqrt(freedom * log(1.0 + t * t / freedom)) * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    return z if t > 0.0 else -z


@kernel
def evidence(z: float) -> float:
    """-log10 of the two-sided tail of a normal score."""
    a = abs(z)
    if a < 5.0:
        return -log10(max(erfc(a / sqrt(2.0)), 1e-300))
    return (
        a * a / 2.0 + log(a) + 0.2257913526447274 - log(1.0 - 1.0 / (a * a))
    ) / 2.302585092994046


@kernel
def normal_score(share: float) -> float:
    """The normal score beyond which so small a share lies: the inverse of the upper tail."""
    need = -log(max(share, 1e-290))
    z = sqrt(2.0 * max(need - 0.9189385332046727, 0.05))
    for _ in range(3):
        if z < 5.0:
            tail = 0.5 * erfc(z / sqrt(2.0))
            z += (tail - share) / (0.3989422804014327 * exp(-0.5 * z * z))
        else:
            z = sqrt(2.0 * (need - 0.9189385332046727 - log(z) + log(1.0 - 1.0 / (z * z))))
    return max(z, 0.0)
