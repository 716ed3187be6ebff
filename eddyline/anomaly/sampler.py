"""Which records a tree remembers: a weighted reservoir that prefers the newer ones.

Record n gets the weight E(n) * exp(-n / time_decay) with E drawn from an exponential
distribution, and the S records of the least weight stay (Efraimidis and Spirakis, Weighted
random sampling with a reservoir, 2006, in exponential form). Instead of drawing for every
record, the next record that enters is drawn: the chance that k records pass by unchosen is the
exponential of a geometric sum, which can be inverted. Hence a tree that does not change costs
nothing.

Weights are kept as logarithms, a heap with the greatest on top, relative to a base record that
follows the stream, so that single precision lasts for ever.
"""

from __future__ import annotations

from math import ceil, exp, expm1, log, log1p
from typing import NamedTuple

import numpy as np

from eddyline.anomaly.kernel import Int16s, Int64s, Singles, kernel
from eddyline.anomaly.tree import uniform

# Places in ``Reservoir.clock``: the next record that enters, and the record weights refer to.
NEXT, BASE = 0, 1
CLOCK = 2
# A base is moved when weights have faded by this power of e since.
_FADED = 4.0
_NEVER = 2.0**62


class Reservoir(NamedTuple):
    """Views of one tree's sampler; S samples."""

    weight: Singles  # (S,) heap, log weights
    leaf: Int16s  # (S,) the leaf that holds the sample
    clock: Int64s  # (CLOCK,)
    rng: Int64s  # (1,)


@kernel
def add(reservoir: Reservoir, size: int, leaf: int, row: int, rate: float) -> None:
    """Enter record ``row`` while there is room: ``size`` samples are there before it."""
    weight = np.float32(log(-log(uniform(reservoir.rng))) - _age(reservoir, row, rate))
    i = size
    while i > 0 and reservoir.weight[(i - 1) // 2] < weight:
        up = (i - 1) // 2
        reservoir.weight[i], reservoir.leaf[i] = reservoir.weight[up], reservoir.leaf[up]
        i = up
    reservoir.weight[i], reservoir.leaf[i] = weight, leaf
    full = size + 1 == len(reservoir.weight)
    reservoir.clock[NEXT] = _next(reservoir, row, rate) if full else row + 1


@kernel
def exchange(reservoir: Reservoir, leaf: int, row: int, rate: float) -> None:
    """Enter record ``row``, which the draw has chosen, in place of the heaviest sample."""
    _rebase(reservoir, row, rate)
    age = _age(reservoir, row, rate)
    bound = exp(float(reservoir.weight[0]) + age)
    share = -log1p(uniform(reservoir.rng) * expm1(-bound))
    weight = min(np.float32(log(share) - age), reservoir.weight[0])
    i, size = 0, len(reservoir.weight)
    while 2 * i + 1 < size:
        down = 2 * i + 1
        if down + 1 < size and reservoir.weight[down + 1] > reservoir.weight[down]:
            down += 1
        if reservoir.weight[down] <= weight:
            break
        reservoir.weight[i], reservoir.leaf[i] = reservoir.weight[down], reservoir.leaf[down]
        i = down
    reservoir.weight[i], reservoir.leaf[i] = weight, leaf
    reservoir.clock[NEXT] = _next(reservoir, row, rate)


@kernel
def _age(reservoir: Reservoir, row: int, rate: float) -> float:
    """By how much a record's log weight is less than that of the base record."""
    return rate * float(row - reservoir.clock[BASE])


@kernel
def _next(reservoir: Reservoir, row: int, rate: float) -> int:
    """The next record after ``row`` that weighs less than the heaviest sample."""
    chance = exp(float(reservoir.weight[0]) + _age(reservoir, row + 1, rate))
    need = -log(uniform(reservoir.rng))
    skipped = log1p(need * expm1(rate) / chance) / rate
    return row + max(1, ceil(min(skipped, _NEVER)))


@kernel
def _rebase(reservoir: Reservoir, row: int, rate: float) -> None:
    """Let weights refer to a newer record once the old one is long past."""
    age = _age(reservoir, row, rate)
    if age < _FADED:
        return
    for i in range(len(reservoir.weight)):
        reservoir.weight[i] = np.float32(float(reservoir.weight[i]) + age)
    reservoir.clock[BASE] = row
