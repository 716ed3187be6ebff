"""What every sink promises: take rows inside the transaction, give them out after it.

A sink that can commit a job's progress together with its rows spares a job without further state
the transaction of its database (``append_with``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from eddyline.engine.operators.operator import Operator, Step
from eddyline.engine.scores import ScorePoints
from eddyline.record.batch import Batch


@dataclass(frozen=True, slots=True)
class PrintedLines:
    """Lines of the print connector with the kind of each change; to_error: to standard error."""

    table: str
    kinds: list[str]
    lines: list[str]
    to_error: bool


class Listener(Protocol):
    """Who receives rows that go to no table."""

    def on_rows(self, batch: Batch) -> None: ...

    def on_text(self, line: str) -> None: ...

    def on_printed(self, printed: PrintedLines) -> None: ...

    def on_scores(self, points: ScorePoints) -> None: ...


class Sink(Operator):
    """The root of a plan."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.epoch = 0
        self.took_rows = False  # in the last step
        # Whether rows of earlier epochs are still needed, until the input has ended.
        self.keeps_outbox = False

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch = inputs[0].batch
        self.took_rows = batch is not None and batch.num_rows > 0
        if batch is not None and self.took_rows:
            self.context.figures.rows_out += batch.num_rows
            self.take(batch, self.epoch)
        return Step(None, inputs[0].watermark_ms)

    def take(self, batch: Batch, epoch: int) -> None:
        """Rows of ``epoch``, inside its transaction; nothing may leave the job yet."""
        raise NotImplementedError

    def store(self, epoch: int) -> None:
        """Put the rows that are held in memory into the database, inside the transaction."""

    def append_with(self, epoch: int, progress: bytes) -> bool:
        """Give the held rows out together with the job's progress, in one commit of the sink.

        False, and nothing given, where the sink cannot hold progress: the job then commits it
        with ``store``.
        """
        return False

    def progress_after(self, epoch: int) -> bytes | None:
        """The progress that the sink holds, if it is of a later epoch."""
        return None

    def deliver(self, epoch: int) -> None:
        """The transaction of ``epoch`` is committed: let its rows out."""

    def recover(self, epoch: int) -> None:
        """After a restart, before anything is read: let out what the last run did not.

        ``epoch`` is the last committed one.
        """

    def acknowledged(self) -> int:
        """The newest epoch whose rows are surely out; its outbox rows may go."""
        return 0
