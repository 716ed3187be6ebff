"""How long a job waits between micro-batches while few rows come.

Each micro-batch costs about the same, however few its rows are. So a slow trickle must not become a
stream of tiny batches that uses a whole core: batches begin some time after one another, the longer
the more they cost. A row that comes after a pause is taken at once, and so are many rows.
"""

from __future__ import annotations

from eddyline.clock import Clock

# Micro-batches begin at least so long after one another.
PACE_S = 0.02
# Those that cost more begin so much later that they take this share of a core, but at most so late.
CPU_SHARE = 0.054
PACE_MAX_S = 0.1
# How much a micro-batch counts in the mean cost: the pace follows a trickle that lasts.
_WEIGHT = 0.05
# More than this a micro-batch of a trickle does not cost; one of a backlog would slow its end down.
_COST_MAX_S = 0.02
# After so long without a micro-batch the mean is forgotten.
_FORGOTTEN_S = 1.0


class Pace:
    """The pace of one job; belongs to its thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cpu_s = clock.thread_cpu_s()
        self._began = clock.monotonic()
        self._mean_s = 0.0

    def pause_s(self, began: float) -> float:
        """How long to wait after the micro-batch that began then.

        The pause is about as long as the micro-batch took (at most ``PACE_S``), so that others get
        their turn.
        """
        cpu_s, now = self._clock.thread_cpu_s(), self._clock.monotonic()
        if began - self._began > _FORGOTTEN_S:
            self._mean_s = 0.0
        self._mean_s += _WEIGHT * (min(cpu_s - self._cpu_s, _COST_MAX_S) - self._mean_s)
        self._cpu_s, self._began = cpu_s, began
        took = now - began
        period = min(max(PACE_S, self._mean_s / CPU_SHARE), PACE_MAX_S)
        return max(min(took, PACE_S), period - took)
