"""Rows that rest on disk by key, of which each is replaced as a whole by its next version.

For an operator that keeps the rows in use in memory, as objects of its own, and writes them now and
then: the newest version of a key stays here while the key is in use, so that a crash loses none.
There is one row a key, with its text in the column ``key`` and whatever the operator keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from eddyline.engine.database import Database
from eddyline.engine.keyed.disk import disk_errors
from eddyline.engine.keyed.hashes import Hashes, key_hashes
from eddyline.engine.keyed.keyed_state import KeyedState, KeyedTable
from eddyline.engine.keyed.merge import PART_BYTES, chosen
from eddyline.engine.keyed.run import RunFacts, RunWriter, SortedRun

KEY = "key"


def text_hashes(keys: list[str]) -> Hashes:
    """The hash of each key."""
    return key_hashes(pa.table({KEY: pa.array(keys, pa.string())}), [KEY])


class KeyedVersions(KeyedState):
    """The newest version of each key's row. unit_rows: how many are usually written at once."""

    def __init__(
        self, db: Database, name: str, schema: pa.Schema, *,
        directory: Path | None, data_dir: Path,
    ) -> None:  # fmt: skip
        table = KeyedTable(name, (KEY,))
        super().__init__(db, name, (table,), directory=directory, data_dir=data_dir)
        self._schema = schema
        self.unit_rows = 1024

    def newest(self, hashes: Hashes) -> Iterator[pa.Table]:
        """The rows of keys with these hashes, distinct and in ascending order, some at a time."""
        for run in self._runs[0]:
            places = run.find(hashes)
            many = max(1, PART_BYTES * run.num_rows // max(1, run.num_bytes))
            for first in range(0, len(places), many):
                yield run.take(places[first : first + many])

    def replace(self, pieces: Iterable[tuple[Hashes, pa.Table]]) -> None:
        """Write new versions, by ascending hash; those before them are gone with the commit.

        Keys with one hash must all be among them.
        """
        with disk_errors():
            number = self._numbered()
            writer = RunWriter(self._folder(), number, self._schema)
            written = []
            try:
                for hashes, rows in pieces:
                    writer.append(hashes, rows)
                    written.append(np.unique(hashes))
                writer.finish()
            except BaseException:
                writer.abandon()
                raise
            self._supersede(np.unique(np.concatenate(written)))
            self._runs[0].append(SortedRun(self._folder(), RunFacts(number)))
            self._begin_merge(0)
            self._tidy_journal()

    def settle(self) -> None:
        """The micro-batch is done: runs that were merged meanwhile become one."""
        for table, merge in list(self._merges.items()):
            if not merge.is_alive():
                self._take_merged(table, merge)
        if not self._is_durable:
            self.committed()

    def _supersede(self, hashes: Hashes) -> None:
        for run in self._runs[0]:
            places = run.find(hashes)
            if len(places):
                self._leave(0, run, places)
        if self._journal is not None:
            self._journal.sync()

    def _chosen(self, table: int) -> list[SortedRun]:
        return chosen(self._runs[table], self.unit_rows)
