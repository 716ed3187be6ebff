"""INSERT OVERWRITE of files: rows rest until the input has ended, then take the old files' place.

The new files are written before the old ones go, so that a run that takes over after a crash does
both again from what rests in the outbox, whose rows stay there. It takes no further rows: a query
of the table itself would read the new files.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from eddyline.engine.operators.operator import Step
from eddyline.engine.sinks.filesystem import FilesystemSink
from eddyline.record.batch import Batch


class OverwritingSink(FilesystemSink):
    """Replaces all visible files of the table, or those of the partitions that get rows."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.keeps_outbox = True
        self._has_ended = self._had_ended = False
        self._written: set[str] = set()

    def step(self, inputs: tuple[Step, ...]) -> Step:
        self._has_ended = inputs[0].ended
        batch = None if self._had_ended else inputs[0].batch
        step = super().step((Step(batch, inputs[0].watermark_ms),))
        self.took_rows = self.took_rows or self._has_ended  # so that the end is saved
        return step

    def save(self) -> dict[str, Any]:
        return {"ended": self._has_ended or self._had_ended}

    def restore(self, saved: dict[str, Any]) -> None:
        self._had_ended = saved["ended"]

    def take(self, batch: Batch, epoch: int) -> None:
        super().take(batch, epoch)
        self.store(epoch)
        self._taken = None

    def deliver(self, epoch: int) -> None:
        if not self._has_ended:
            return
        sql = "SELECT DISTINCT epoch FROM outbox WHERE sink = ? ORDER BY epoch"
        for (waiting,) in self.context.db.rows(sql, [self._sink]):
            self._give(self._pieces(waiting), waiting)
        self._remove_old()

    def recover(self, epoch: int) -> None:
        """Nothing is let out before the input's end, which the restarted run comes to again."""

    def acknowledged(self) -> int:
        return 0

    def _write(self, relative: str, body: BinaryIO) -> None:
        super()._write(relative, body)
        self._written.add(relative)

    def _remove_old(self) -> None:
        """Remove what was there before, as Flink does: hidden files stay."""
        folders = {name.rpartition("/")[0] for name in self._written}
        for file in self._store.files():
            folder, _, name = file.relative.rpartition("/")
            replaced = not self._partitioned_by or folder in folders
            kept = file.relative in self._written or (folder and name == self._success_file)
            if replaced and not kept:
                self._store.remove(file)
