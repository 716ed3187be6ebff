"""What a generator got acknowledged in its last minutes, whether somebody looks or not."""

from __future__ import annotations

from eddyline.clock import Clock
from eddyline.generator.counters import Counters

SAMPLE_S = 0.9
POINTS_MAX = 300
# (epoch ms, accepted records a second, ms until a batch was acknowledged)
Point = tuple[int, float, float]


class History:
    """Grows with a generator's reports, by a point a second; only for the eye."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at, self._accepted = clock.monotonic(), 0
        self._started: int | None = None
        self.points: tuple[Point, ...] = ()

    def add(self, counters: Counters) -> None:
        """Note what a report says, if the last point is a second old."""
        now = self._clock.monotonic()
        if counters.started_ms != self._started:  # another run
            self._started, self._at, self._accepted = counters.started_ms, now, counters.accepted
            return
        if now - self._at < SAMPLE_S:
            return
        rate = max(0, counters.accepted - self._accepted) / (now - self._at)
        point = (self._clock.now_ms(), rate, counters.latency_ms)
        self.points = (*self.points[1 - POINTS_MAX :], point)
        self._at, self._accepted = now, counters.accepted
