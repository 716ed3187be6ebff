"""Rows that are counted and dropped."""

from __future__ import annotations

from eddyline.engine.sinks.sink import Sink
from eddyline.record.batch import Batch


class Blackhole(Sink):
    """Takes everything, gives nothing."""

    def take(self, batch: Batch, epoch: int) -> None:
        """Nothing to keep."""
