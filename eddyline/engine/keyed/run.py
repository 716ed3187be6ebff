"""A run: a file of rows sorted by their key's hash, and a file of these hashes.

A run never changes. Rows that have left it are marked in memory; which they are is known from the
journal of the state that the run belongs to. Both files are mapped, so the system decides how much
of them is in memory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from eddyline.engine.keyed.hashes import Hashes

Positions = npt.NDArray[np.int64]
# So many rows are taken one by one.
SLICED_ROWS = 64


class RunFacts(NamedTuple):
    """What is kept about a run: its number, and the first and last time a row of it was written
    (0 without a TTL)."""

    number: int
    oldest_ms: int = 0
    newest_ms: int = 0


def rows_path(directory: Path, number: int) -> Path:
    """The file of a run's rows."""
    return directory / f"{number}.rows"


def keys_path(directory: Path, number: int) -> Path:
    """The file of a run's hashes."""
    return directory / f"{number}.keys"


class RunWriter:
    """Writes a run piece by piece, in the order of the hashes."""

    def __init__(self, directory: Path, number: int, schema: pa.Schema) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._number = directory, number
        self._rows = pa.OSFile(str(rows_path(directory, number)), "wb")
        self._writer = pa.ipc.new_file(self._rows, schema)
        self._keys = keys_path(directory, number).open("wb")
        self._starts: list[int] = []
        self.num_rows = 0

    def append(self, hashes: Hashes, rows: pa.Table) -> None:
        """Rows whose hashes are not below any that came before."""
        for batch in rows.combine_chunks().to_batches():
            self._starts.append(self.num_rows)
            self._writer.write_batch(batch)
            self.num_rows += batch.num_rows
        hashes.tofile(self._keys)

    def finish(self) -> None:
        """Both files are on disk."""
        self._writer.close()
        self._rows.close()
        tail = np.array([*self._starts, len(self._starts), self.num_rows], np.uint64)
        tail.tofile(self._keys)
        self._keys.flush()
        os.fsync(self._keys.fileno())
        self._keys.close()
        for path in (rows_path(self._directory, self._number), self._directory):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def abandon(self) -> None:
        """Leave nothing."""
        for file in (self._writer, self._rows, self._keys):
            file.close()
        for path in (keys_path, rows_path):
            path(self._directory, self._number).unlink(missing_ok=True)


class SortedRun:
    """A run that is read."""

    def __init__(self, directory: Path, facts: RunFacts) -> None:
        self.facts = facts
        self._paths = [p(directory, facts.number) for p in (keys_path, rows_path)]
        words = np.asarray(np.memmap(self._paths[0], np.uint64, "r"))
        pieces, self.num_rows = int(words[-2]), int(words[-1])
        self.hashes: Hashes = words[: self.num_rows]
        self._starts = words[self.num_rows : self.num_rows + pieces].astype(np.int64)
        source = pa.memory_map(str(self._paths[1]))
        self._reader: pa.ipc.RecordBatchFileReader = pa.ipc.open_file(source)
        self.schema: pa.Schema = self._reader.schema
        self._pieces: dict[int, pa.RecordBatch] = {}
        self._gone = np.zeros((self.num_rows + 7) // 8, np.uint8)
        self.num_gone = 0
        # Hashes of rows that left while the run was being merged; None while it is not.
        self.left_since: list[Hashes] | None = None

    @property
    def num_live(self) -> int:
        return self.num_rows - self.num_gone

    @property
    def num_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._paths if path.exists())

    def find(self, hashes: Hashes) -> Positions:
        """The places of the rows, still here, with one of the hashes, which are distinct and in
        ascending order."""
        first = np.searchsorted(self.hashes, hashes)
        inside = first < self.num_rows
        if not inside.all():
            hashes, first = hashes[inside], first[inside]
        same = self.hashes[first] == hashes
        if not same.any():
            return np.zeros(0, np.int64)
        hashes, first = hashes[same], first[same]
        counts = np.searchsorted(self.hashes, hashes, "right") - first
        places: Positions = first
        if (counts > 1).any():
            begins = np.cumsum(counts) - counts
            places = np.repeat(first - begins, counts) + np.arange(int(counts.sum()))
        return places[self.are_live(places)] if self.num_gone else places

    def are_live(self, places: Positions) -> npt.NDArray[np.bool_]:
        """Whether the rows at the places are still here."""
        live: npt.NDArray[np.bool_] = (
            self._gone[places >> 3] >> (places & 7).astype(np.uint8)
        ) & 1 == 0
        return live

    def gone(self) -> npt.NDArray[np.uint8]:
        """A copy of the bits of the rows that have left, for ``live_between``."""
        return self._gone.copy()

    def leave(self, places: Positions) -> Hashes:
        """The rows at the places, still here, are no longer; their hashes, each once."""
        bits = np.left_shift(1, places & 7).astype(np.uint8)
        np.bitwise_or.at(self._gone, places >> 3, bits)
        self.num_gone += len(places)
        hashes = np.unique(self.hashes[places])
        if self.left_since is not None:
            self.left_since.append(hashes)
        return hashes

    def take(self, places: Positions) -> pa.Table:
        """The rows at the places, which ascend."""
        which = np.searchsorted(self._starts, places, "right") - 1
        if len(places) <= SLICED_ROWS:  # a slice costs less than the choice of a row
            begins = (places - self._starts[which]).tolist()
            rows = zip(which.tolist(), begins, strict=True)
            slices = [self._piece(piece).slice(begin, 1) for piece, begin in rows]
            return pa.Table.from_batches(slices, self.schema)
        taken = []
        for piece in np.unique(which):
            inside = places[which == piece] - self._starts[piece]
            taken.append(self._piece(int(piece)).take(pa.array(inside)))
        return pa.Table.from_batches(taken, self.schema)

    def between(self, first: int, last: int) -> pa.Table:
        """The rows at the places from ``first`` to before ``last``, those that left included."""
        pieces, start = [], int(np.searchsorted(self._starts, first, "right")) - 1
        for piece in range(start, len(self._starts)):
            begin = int(self._starts[piece])
            if begin >= last:
                break
            batch = self._reader.get_batch(piece)
            offset = max(0, first - begin)
            pieces.append(batch.slice(offset, min(last - begin, batch.num_rows) - offset))
        return pa.Table.from_batches(pieces, self.schema)

    def remove(self) -> None:
        """Delete the files; what is mapped stays readable."""
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _piece(self, number: int) -> pa.RecordBatch:
        batch = self._pieces.get(number)
        if batch is None:
            batch = self._pieces[number] = self._reader.get_batch(number)
        return batch


def live_between(gone: npt.NDArray[np.uint8], first: int, last: int) -> npt.NDArray[np.bool_]:
    """Whether each row from ``first`` to before ``last`` was still here, by the bits of those that
    had left."""
    bits = np.unpackbits(gone[first >> 3 : (last + 7) >> 3], bitorder="little")
    live: npt.NDArray[np.bool_] = bits[first & 7 : (first & 7) + last - first] == 0
    return live
