"""Who is told of a job's rows, lines, scores and warnings."""

from __future__ import annotations

from typing import Protocol

from eddyline.engine.scores import ScorePoints
from eddyline.engine.sinks.sink import PrintedLines
from eddyline.record.batch import Batch


class JobListener(Protocol):
    """The callbacks of a job; called from the job's thread, after the commit."""

    def on_rows(self, batch: Batch) -> None:
        """Changes of a SELECT, in the schema the user sees."""

    def on_scores(self, points: ScorePoints) -> None:
        """Rows that a forest has scored."""

    def on_warning(self, sentence: str) -> None:
        """Something the user should know."""

    def on_printed(self, printed: PrintedLines) -> None:
        """Lines of the print connector."""


class ListenerAdapter:
    """The sinks' listener: passes everything on to the job's."""

    def __init__(self, listener: JobListener) -> None:
        self._listener = listener

    def on_rows(self, batch: Batch) -> None:
        self._listener.on_rows(batch)

    def on_text(self, line: str) -> None:
        self._listener.on_warning(line)

    def on_printed(self, printed: PrintedLines) -> None:
        self._listener.on_printed(printed)

    def on_scores(self, points: ScorePoints) -> None:
        self._listener.on_scores(points)
