"""Runs of one table become one, in a thread beside the job's.

Like an LSM tree's: four runs of about one size become one of the next, so that there are few to
search, and each row is written again a few times only. Rows that have left are left out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from eddyline.engine.keyed.hashes import Hashes
from eddyline.engine.keyed.run import RunFacts, RunWriter, SortedRun, live_between

FAN_OUT = 4
# A merge works on so many rows at a time, of at most so many bytes.
PART_ROWS = 131_072
PART_BYTES = 16 << 20
# How soon a merge that waits for its turn hears that it is to stop.
STOP_S = 0.05
# One merge at a time in a process: it takes memory, and the job goes first.
_TURN = threading.Semaphore(1)


def chosen(runs: Sequence[SortedRun], unit: int) -> list[SortedRun]:
    """The runs that should become one now: ``FAN_OUT`` of one size, or one that is half empty.

    unit: rows of the smallest size.
    """
    levels: dict[int, list[SortedRun]] = {}
    for run in runs:
        if run.num_gone > run.num_rows // 2:
            return [run]
        level = int(np.log(max(run.num_live / unit, 1)) / np.log(FAN_OUT))
        levels.setdefault(level, []).append(run)
    for level in sorted(levels):
        if len(levels[level]) >= FAN_OUT:
            return levels[level]
    return []


class Merge(threading.Thread):
    """Writes the live rows of ``runs`` into a new run."""

    def __init__(self, directory: Path, number: int, runs: list[SortedRun]) -> None:
        super().__init__(name="merge of state", daemon=True)
        self.runs = runs
        self.number = number
        self.is_done = False
        self.num_rows = 0
        self.error: Exception | None = None
        self._directory = directory
        self._stopped = threading.Event()
        self._gone = [run.gone() for run in runs]
        for run in runs:
            run.left_since = []
        self.start()

    @property
    def facts(self) -> RunFacts:
        """What is known about the new run."""
        old = [run.facts for run in self.runs]
        return RunFacts(self.number, min(f.oldest_ms for f in old), max(f.newest_ms for f in old))

    def run(self) -> None:
        while not _TURN.acquire(timeout=STOP_S):
            if self._stopped.is_set():
                return
        try:
            self._merge()
        except OSError:  # a full disk: it is tried again later
            return
        except Exception as error:
            self.error = error
        finally:
            _TURN.release()

    def _merge(self) -> None:
        writer = RunWriter(self._directory, self.number, self.runs[0].schema)
        try:
            self._write(writer)
        except BaseException:
            writer.abandon()
            raise
        if self._stopped.is_set():
            writer.abandon()
            return
        self.num_rows = writer.num_rows
        if self.num_rows:
            writer.finish()
        else:
            writer.abandon()
        self.is_done = True

    def stop(self) -> None:
        """End soon and leave nothing."""
        self._stopped.set()
        self.join()

    def _write(self, writer: RunWriter) -> None:
        rows = sum(run.num_rows for run in self.runs)
        row_bytes = max(1, sum(run.num_bytes for run in self.runs) // rows)
        parts = 1 + rows // max(1, min(PART_ROWS, PART_BYTES // row_bytes))
        bounds = [(part << 64) // parts for part in range(1, parts)]
        begins = [0 for _ in self.runs]
        for bound in [*bounds, None]:
            if self._stopped.is_set():
                return
            ends = [
                run.num_rows
                if bound is None
                else int(np.searchsorted(run.hashes, np.uint64(bound)))
                for run in self.runs
            ]
            hashes, table = self._part(begins, ends)
            if len(hashes):
                writer.append(hashes, table)
            begins = ends

    def _part(self, begins: list[int], ends: list[int]) -> tuple[Hashes, pa.Table]:
        hashes, tables = [], []
        for run, gone, begin, end in zip(self.runs, self._gone, begins, ends, strict=True):
            if begin == end:
                continue
            mask = live_between(gone, begin, end)
            hashes.append(run.hashes[begin:end][mask])
            tables.append(run.between(begin, end).filter(pa.array(mask)))
        if not hashes:
            return np.zeros(0, np.uint64), self.runs[0].schema.empty_table()
        together = np.concatenate(hashes)
        order = np.argsort(together, kind="stable")
        return together[order], pa.concat_tables(tables).combine_chunks().take(pa.array(order))
