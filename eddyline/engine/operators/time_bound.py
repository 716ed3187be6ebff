"""Rows whose event time lies far after their arrival do not move the watermark.

One record with an event time in 2099 would make every later row late, forever. So a row moves the
watermark only up to a bound after its arrival (``scan.watermark.max-ahead``, 26 hours by default,
because a local time is up to 14 hours ahead of UTC). The row itself is kept.

A stream whose event times are simulated runs ahead of its arrivals on purpose. Its rows follow one
another, so a row is also accepted if it lies within the bound of the watermark so far; and a run of
rows that all lie ahead and near one another starts such a simulated time: two at the start of a
stream, a hundred in a stream that has had other rows. All decisions follow the recorded order of
rows, so they depend neither on batches nor on restarts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eddyline.engine.operators.operator import Int64s
from eddyline.record.batch import MIN_WATERMARK

START_RUN = 2
SWITCH_RUN = 100


class TimeBound:
    """The bound of one source. ``bound_ms``: how far after its arrival a row may count."""

    def __init__(self, bound_ms: int) -> None:
        self._bound_ms = bound_ms
        self._newest = MIN_WATERMARK  # the furthest watermark that was accepted
        self._candidate = MIN_WATERMARK  # the furthest of the current run of rows ahead
        self._run = 0

    def save(self) -> dict[str, Any]:
        return {"newest": self._newest, "candidate": self._candidate, "run": self._run}

    def restore(self, saved: dict[str, Any]) -> None:
        self._newest, self._run = saved["newest"], saved["run"]
        self._candidate = saved["candidate"]

    def start_at(self, watermark_ms: int) -> None:
        """Begin from a watermark that was accepted without a bound."""
        self._newest = max(self._newest, watermark_ms)

    def apply(self, watermarks: Int64s, arrivals: Int64s) -> tuple[Int64s, int]:
        """(n,) watermarks, MIN_WATERMARK where a row does not count; how many do not.

        watermarks, arrivals: (n,) epoch milliseconds in the recorded order.
        """
        given = watermarks
        limit = arrivals + self._bound_ms
        near = watermarks <= limit
        ends_run = bool(near[-1])
        if not near.all():
            running = np.maximum.accumulate(np.maximum(watermarks, self._newest))
            before = np.concatenate(([self._newest], running[:-1]))
            follows = watermarks <= before + self._bound_ms
            if not (near | (follows & (before > MIN_WATERMARK))).all():
                watermarks = self._judged(watermarks, near)
            else:
                ends_run = True
        self._newest = max(self._newest, int(watermarks.max()))
        if ends_run:
            self._run = 0
        held = (watermarks == MIN_WATERMARK) & (given != MIN_WATERMARK)
        return watermarks, int(held.sum())

    def _judged(self, watermarks: Int64s, near: np.ndarray[Any, Any]) -> Int64s:
        """Decide for each row ahead, in order; only the start of a simulation has many."""
        out = np.where(near, watermarks, MIN_WATERMARK)
        running = np.maximum.accumulate(np.maximum(out, self._newest))
        accepted, last = self._newest, -1
        for i in np.flatnonzero(~near).tolist():
            newest = max(accepted, int(running[i - 1]) if i else self._newest)
            if i != last + 1:
                self._run = 0
            last = i
            watermark = int(watermarks[i])
            if newest > MIN_WATERMARK and watermark <= newest + self._bound_ms:
                self._run = 0
            elif not self._starts(watermark, newest):
                continue
            out[i] = max(watermark, self._candidate) if self._run else watermark
            accepted, self._run = max(accepted, int(out[i])), 0
        return out

    def _starts(self, watermark: int, newest: int) -> bool:
        """Whether the row completes a run of rows that lie ahead and near one another."""
        if self._run and abs(watermark - self._candidate) <= self._bound_ms:
            self._run += 1
            self._candidate = max(self._candidate, watermark)
        else:
            self._run, self._candidate = 1, watermark
        return self._run >= (START_RUN if newest == MIN_WATERMARK else SWITCH_RUN)
