"""Event order within a horizon: what makes a log replayable in time.

Servers write a request when it ends, so logs are only nearly sorted. Records are put in order of
their event time (file order among equals) as long as they are at most ``SLACK_MS`` late; one that
is later still is sent at its place in the file, and counted. A stream's readers see it as late, as
they would have at the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from eddyline.generator.replay.batch import ReplayBatch, together

SLACK_MS = 300_000


@dataclass(slots=True)
class Disorder:
    """How many records stood out of order, and how many of them too late to be moved."""

    moved: int = 0
    late: int = 0


def in_order(batches: Iterable[ReplayBatch], disorder: Disorder) -> Iterator[ReplayBatch]:
    """The same records, sorted within the slack."""
    held: ReplayBatch | None = None
    newest = sent = np.iinfo(np.int64).min
    for batch in batches:
        if not len(batch):
            continue
        highest = np.maximum.accumulate(np.concatenate(([newest], batch.ms)))
        disorder.moved += int((batch.ms < highest[:-1]).sum())
        newest = highest[-1]
        both = batch if held is None else together([held, batch])
        both = both.take(np.argsort(both.ms, kind="stable"))
        ready = int(np.searchsorted(both.ms, newest - SLACK_MS, side="right"))
        if ready:
            late = int(np.searchsorted(both.ms[:ready], sent, side="left"))
            disorder.late += late
            disorder.moved -= late
            sent = max(sent, both.ms[ready - 1])
            yield both.cut(0, ready)
        held = both.cut(ready, len(both))
    if held is not None and len(held):
        yield held
