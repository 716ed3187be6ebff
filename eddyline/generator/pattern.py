"""How a rate changes: bursts, ramps, waves, weeks.

Descriptions only, apart from what is made of them (``curve.py``), so that a process that hands a
generator's description on does not load numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Burst:
    """From ``start_s`` for ``duration_s`` the rate is multiplied by ``factor`` (0 = silence)."""

    start_s: float
    duration_s: float
    factor: float


@dataclass(frozen=True, slots=True)
class Ramp:
    """The rate moves evenly to ``to`` records a second within ``over_s``, and stays there."""

    to: float
    over_s: float


@dataclass(frozen=True, slots=True)
class Sine:
    """The rate swings around its mean by ``share`` (0 … 1) of it, once every ``period_s``."""

    share: float
    period_s: float


@dataclass(frozen=True, slots=True)
class Periodic:
    """A week of rates: mean and standard deviation of each hour, seven rows (Monday first) of 24.

    With ``smooth`` the rate is the table's at the full hour and moves evenly to the next hour's,
    round the end of the day and of the week too. The deviation is drawn again each second.
    """

    mean: tuple[tuple[float, ...], ...]
    deviation: tuple[tuple[float, ...], ...] = field(default_factory=tuple)
    smooth: bool = True
