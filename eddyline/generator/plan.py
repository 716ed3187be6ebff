"""When a generator's records are due, made of its description."""

from __future__ import annotations

import numpy as np

from eddyline.generator.curve import Bursting, Curve, Flat, Ramping, Waving, Weekly
from eddyline.generator.rate import Constant, Poisson, Schedule, Varying
from eddyline.generator.spec import GeneratorSpec


def plan(spec: GeneratorSpec, start_ms: int = 0, seed: int | None = None) -> Schedule | None:
    """When records are due on the simulated clock, or ours where there is none.

    ``start_ms`` and ``seed`` are as those of ``GeneratorSpec.plan``; None for as fast as possible.
    """
    if spec.simulated is not None:
        start_ms = spec.simulated.start_ms
    drawn = (spec.seed if spec.seed is not None else seed) or 0
    curve = _curve(spec, start_ms, drawn)
    if curve is None:
        return None
    if spec.arrivals == "poisson":
        return Poisson(Bursting(curve, spec.bursts), np.random.default_rng((drawn, 7)))
    if isinstance(curve, Flat):
        return Constant(curve.rate, spec.bursts)
    return Varying(Bursting(curve, spec.bursts) if spec.bursts else curve)


def _curve(spec: GeneratorSpec, start_ms: int, seed: int) -> Curve | None:
    if spec.periodic is not None:
        return Weekly(spec.periodic, start_ms, seed)
    if spec.rate is None:
        return None
    if spec.ramp is not None:
        return Ramping(spec.rate, spec.ramp)
    if spec.sine is not None:
        return Waving(spec.rate, spec.sine)
    return Flat(spec.rate)
