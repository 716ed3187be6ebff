"""The root of a statement set: several sinks, in one job and one transaction.

Each sink has a mark and an outbox of its own, so that each gives every row once, whichever of them
had done so when the job was killed.
"""

from __future__ import annotations

from typing import cast

from eddyline.engine.operators.operator import Step
from eddyline.engine.sinks.sink import Sink


class SinkSet(Sink):
    """Does with all its sinks what a job does with one."""

    @property
    def sinks(self) -> tuple[Sink, ...]:
        return cast("tuple[Sink, ...]", self.inputs)

    @property
    def epoch(self) -> int:
        """The micro-batch that flows."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        for sink in self.sinks:
            sink.epoch = epoch

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self.took_rows = any(sink.took_rows for sink in self.sinks)
        return Step(None, min(step.watermark_ms for step in inputs))

    def store(self, epoch: int) -> None:
        for sink in self.sinks:
            sink.store(epoch)

    def deliver(self, epoch: int) -> None:
        for sink in self.sinks:
            sink.deliver(epoch)

    def recover(self, epoch: int) -> None:
        for sink in self.sinks:
            sink.recover(epoch)

    def acknowledged(self) -> int:
        """All sinks deliver an epoch before the next one begins, so what one knows to be out is
        out of all; a sink without rows in the outbox knows of none."""
        known = max(sink.acknowledged() for sink in self.sinks)
        return 0 if any(sink.keeps_outbox for sink in self.sinks) else known
