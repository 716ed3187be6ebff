"""The journal of a state's runs: which rows have left them, as hashes of their keys.

It is appended to before the transaction that the rows leave with is committed; that transaction
keeps how much of the journal counts. So a crash between the two changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eddyline.engine.keyed.hashes import Hashes

# Table, run, hash: rows with this hash have left this run.
_ENTRY = np.dtype([("table", "<u4"), ("run", "<u4"), ("hash", "<u8")])
Entries = npt.NDArray[np.void]


class Journal:
    """One file, of which the first ``length`` entries count; a new generation replaces it."""

    def __init__(self, directory: Path, generation: int = 0, length: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.generation, self.length = generation, length
        self._file = self.path.open("r+b" if self.path.exists() else "w+b")
        self._file.truncate(length * _ENTRY.itemsize)
        self._file.seek(0, os.SEEK_END)

    @property
    def path(self) -> Path:
        return self._directory / f"left-{self.generation}"

    def append(self, table: int, run: int, hashes: Hashes) -> None:
        """Rows with these hashes have left a run; on disk after ``sync``."""
        entries = np.empty(len(hashes), _ENTRY)
        entries["table"], entries["run"], entries["hash"] = table, run, hashes
        self._file.write(entries.tobytes())
        self.length += len(entries)

    def sync(self) -> None:
        """What was appended is on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def entries(self) -> Iterator[tuple[int, int, Hashes]]:
        """Table, run and hashes of all that has left."""
        self._file.flush()
        entries = np.fromfile(self.path, _ENTRY, self.length)
        places = entries["table"].astype(np.uint64) << np.uint64(32) | entries["run"]
        for place in np.unique(places):
            yield (
                int(place >> np.uint64(32)),
                int(place) & 0xFFFFFFFF,
                entries["hash"][places == place],
            )

    def only(self, runs: set[tuple[int, int]]) -> Journal:
        """The next generation, which holds entries of the given runs alone (table, number)."""
        new = Journal(self._directory, self.generation + 1)
        for table, run, hashes in self.entries():
            if (table, run) in runs:
                new.append(table, run, hashes)
        new.sync()
        return new

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)
