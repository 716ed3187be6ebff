"""An operator's tables whose rows are found by key, however many there are.

The rows of keys that were used lately (the hot ones) are in the operator's own DuckDB tables, and
its statements see these alone. All others rest in runs (``run.py``). A micro-batch first calls the
rows of its keys back into the tables, so that they hold all that it can touch; the search costs a
few binary searches, not a look at every row. When the tables have grown, rows whose keys are not
used again and again leave for a new run.

Nothing here is committed by itself: what runs there are, and how much of the journal counts, is
part of the job's progress, written with each micro-batch. Files are on disk before, and are removed
after the commit that no longer names them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.database import Database
from eddyline.engine.keyed.disk import disk_errors, files_read
from eddyline.engine.keyed.hashes import Hashes, key_hashes
from eddyline.engine.keyed.hot_groups import HotGroups
from eddyline.engine.keyed.hot_rows import HotRows
from eddyline.engine.keyed.journal import Journal
from eddyline.engine.keyed.merge import Merge, chosen
from eddyline.engine.keyed.run import Positions, RunFacts, RunWriter, SortedRun

FOLDER = "runs"
# Rows that leave for a run when there are as many, or as many bytes; more if batches are large,
# since looking at a table costs a batch of many rows little.
HOT_ROWS = 16_384
HOT_BYTES = 16 << 20
BATCHES_HOT = 8
HOT_ROWS_MAX = 1 << 20
# After so many batches of few rows, one after the other, an operator may work on rows in memory.
CALM_BATCHES = 16
# A key with more rows stays as long as it is used.
LARGE_KEY_ROWS = 256
# Rows are called back so many at a time.
CALLED_ROWS = 65_536
# The journal is rewritten when it has so many entries, and twice as many as then.
JOURNAL_ROWS = 65_536
AT = "$at"


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """One table: its quoted name, and the columns that are the key."""

    name: str
    keys: tuple[str, ...]


class KeyedState:
    """The tables of one operator, which have the same key, and their runs.

    directory: the job's; None for a query, whose runs are gone with it. is_grouped: rows in memory
    are any number for each key (``HotGroups``); else there is one table, and one row for each key.
    """

    def __init__(
        self,
        db: Database,
        name: str,
        tables: Sequence[KeyedTable],
        *,
        directory: Path | None,
        data_dir: Path,
        is_grouped: bool = False,
    ) -> None:
        self._db = db
        self._name = name
        self._tables = tuple(tables)
        self._directory = None if directory is None else directory / FOLDER / name
        self._is_durable = directory is not None
        self._data_dir = data_dir
        self._runs: list[list[SortedRun]] = [[] for _ in tables]
        self._journal: Journal | None = None
        self._merges: dict[int, Merge] = {}
        self._next = 0
        # What the last commit names and the next one does not.
        self._removed: list[SortedRun | Journal | Path] = []
        # In place of the only table, for an operator that works on few rows itself.
        self._hot: HotRows | HotGroups | None = None
        self._is_grouped = is_grouped
        self._calm = 0
        # Keys that were used since rows left last, batch by batch.
        self._used: list[Hashes] = []
        self._grown_rows = self._grown_bytes = 0
        self._batch_rows = 0.0
        self._busy_rows = 0
        self._journal_rows_max = JOURNAL_ROWS

    @property
    def num_rows(self) -> int:
        """Rows that are not in the tables."""
        hot = 0 if self._hot is None else self._hot.num_rows
        return hot + sum(run.num_live for runs in self._runs for run in runs)

    @property
    def num_runs(self) -> int:
        return sum(map(len, self._runs))

    @property
    def num_bytes(self) -> int:
        """Their size on disk."""
        return sum(run.num_bytes for runs in self._runs for run in runs)

    def save(self) -> dict[str, Any] | None:
        """What of the files counts, as JSON values; None if there are none."""
        journal, hot = self._journal, self._hot
        if journal is None:
            return None
        saved = {
            "runs": [[list(run.facts) for run in runs] for runs in self._runs],
            "journal": [journal.generation, journal.length],
            "next": self._next,
        }
        return saved if hot is None else saved | {"hot": [hot.generation, hot.length]}

    def restore(self, saved: dict[str, Any] | None) -> None:
        """Open what ``save`` named, and remove what it did not.

        Raises:
            EddylineError: ``corrupt_data`` if a file is missing or not whole.
        """
        if self._directory is None:
            return
        if saved is None:
            shutil.rmtree(self._directory, ignore_errors=True)
            return
        with files_read(self._directory):
            self._open(self._directory, saved)
        # How many rows are in the tables is seen at the end of the first micro-batch.
        self._grown_rows = HOT_ROWS_MAX

    def call_back(self, *keys: tuple[pa.Table, Sequence[str]]) -> set[str]:
        """Bring the rows of these keys into the tables; the names of those that got any.

        keys: rows, and the columns of them that are the key.
        """
        hashes = np.unique(np.concatenate([key_hashes(rows, names) for rows, names in keys]))
        count = sum(rows.num_rows for rows, _ in keys)
        self._batch_rows = max(float(count), 0.9 * self._batch_rows)
        self._grown_rows += count
        self._grown_bytes += sum(rows.nbytes for rows, _ in keys)
        self._used.append(hashes)
        changed = set()
        for table, runs in enumerate(self._runs):
            places = [(run, run.find(hashes)) for run in runs]
            places = [(run, some) for run, some in places if len(some)]
            if places:
                self._fetch(table, places)
                changed.add(self._tables[table].name)
        if changed and self._journal is not None:
            self._journal.sync()
        return changed

    def hot(self) -> HotRows | HotGroups | None:
        """The rows in memory, for a batch of few rows; None while they are in the tables."""
        if self._is_calm():
            self._hot = self._new_hot()
            self._hot.open(self._numbered(), 0)
        return self._hot

    def _is_calm(self) -> bool:
        """Whether rows may be in memory from now on; the tables are empty then."""
        self._calm += 1
        if self._hot is not None:
            return False
        if self._calm > CALM_BATCHES:
            with disk_errors():
                for table in range(len(self._tables)):
                    self._make_run(table, _NONE, _NONE)
            self._used, self._grown_rows = [], 0
        elif self._calm > 1:
            return False
        return not any(self._db.one(f"SELECT count(*) FROM {t.name}") for t in self._tables)

    def log_hot(self, log: Callable[[], Path | None]) -> None:
        """Rows in memory have changed, which ``log`` writes into their log."""
        with disk_errors():
            old = log()
        if old is not None:
            self._replaced(old)

    def rows_to_table(self) -> None:
        """The rows in memory come into the tables."""
        self._calm = 0
        hot, self._hot = self._hot, None
        if hot is None:
            return
        for table, rows in enumerate(hot.tables()):
            if rows.num_rows:
                self._insert(table, [rows])
        hot.close()
        if hot.path is not None:
            self._removed.append(hot.path)

    def fetch(self, hashes: Hashes, rows_max: int | None = None) -> list[list[pa.Table]] | None:
        """The rows of keys with these hashes, distinct and in ascending order, leave the runs: of
        each table, in pieces. None, and nothing leaves, if there are more than ``rows_max``."""
        places = [
            (table, run, some)
            for table, runs in enumerate(self._runs)
            for run in runs
            if len(some := run.find(hashes))
        ]
        if rows_max is not None and sum(len(some) for _, _, some in places) > rows_max:
            return None
        taken: list[list[pa.Table]] = [[] for _ in self._tables]
        for table, run, some in places:
            taken[table].append(run.take(some))
            self._leave(table, run, some)
        if places and self._journal is not None:
            self._journal.sync()
        return taken

    def call_all_back(self) -> None:
        """Bring all rows into the tables, because their columns are to change."""
        self._stop_merges()
        for table, runs in enumerate(self._runs):
            for run in list(runs):
                for first in range(0, run.num_rows, CALLED_ROWS):
                    places = np.arange(first, min(first + CALLED_ROWS, run.num_rows))
                    places = places[run.are_live(places)]
                    if len(places):
                        self._fetch(table, [(run, places)])
                self._discard(table, [run])

    def settle(self) -> None:
        """The micro-batch is done: rows may leave for a run, and runs become fewer."""
        for table, merge in list(self._merges.items()):
            if not merge.is_alive():
                self._take_merged(table, merge)
        if self._hot is not None:
            with disk_errors():
                self._settle_hot(self._hot)
            return
        limit = min(HOT_ROWS_MAX, int(BATCHES_HOT * self._batch_rows))
        limit = max(HOT_ROWS, limit, self._busy_rows)
        if self._grown_rows < limit and self._grown_bytes < HOT_BYTES:
            return
        counts = [int(self._db.one(f"SELECT count(*) FROM {t.name}")) for t in self._tables]
        self._grown_rows = sum(counts)
        if self._grown_rows < limit // 2 and self._grown_bytes < HOT_BYTES:
            return
        with disk_errors():
            self._let_go(limit)
        self._used = []
        self._grown_bytes = 0

    def forget(self, name: str, bound_ms: int) -> int | None:
        """Remove the runs of a table all of whose rows were written by then; the first time of the
        others."""
        for table, keyed in enumerate(self._tables):
            if keyed.name == name:
                old = [run for run in self._runs[table] if run.facts.newest_ms <= bound_ms]
                self._discard(table, old)
                return min((run.facts.oldest_ms for run in self._runs[table]), default=None)
        return None

    def committed(self) -> None:
        """Remove what the last commit no longer names."""
        for thing in self._removed:
            if isinstance(thing, Path):
                thing.unlink(missing_ok=True)
            else:
                thing.remove()
        self._removed = []

    def close(self) -> None:
        """Let go of the files; those of a query are removed."""
        self._stop_merges()
        for file in (self._journal, self._hot):
            if file is not None:
                file.close()
        if not self._is_durable and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _open(self, directory: Path, saved: dict[str, Any]) -> None:
        self._next = saved["next"]
        self._runs = [[SortedRun(directory, RunFacts(*f)) for f in runs] for runs in saved["runs"]]
        self._journal = Journal(directory, *saved["journal"])
        by_place = {(i, r.facts.number): r for i, runs in enumerate(self._runs) for r in runs}
        for table, number, hashes in self._journal.entries():
            run = by_place.get((table, number))
            if run is not None:
                run.leave(run.find(np.unique(hashes)))
        named = {self._journal.path.name}
        if "hot" in saved:
            self._hot = self._new_hot()
            self._hot.open(*saved["hot"])
            named.add(f"hot-{self._hot.generation}")
        named |= {f"{number}.{end}" for _, number in by_place for end in ("rows", "keys")}
        for path in directory.iterdir():
            if path.name not in named:
                path.unlink()

    def _fetch(self, table: int, places: list[tuple[SortedRun, Positions]]) -> None:
        """Rows of runs come into the table, many at a time if each run has few."""
        waiting: list[pa.Table] = []
        for run, some in places:
            for first in range(0, len(some), CALLED_ROWS):
                waiting.append(run.take(some[first : first + CALLED_ROWS]))
                if sum(rows.num_rows for rows in waiting) >= CALLED_ROWS:
                    self._insert(table, waiting)
                    waiting = []
            self._leave(table, run, some)
        if waiting:
            self._insert(table, waiting)

    def _leave(self, table: int, run: SortedRun, places: Positions) -> None:
        left = run.leave(places)
        if self._journal is not None:
            self._journal.append(table, run.facts.number, left)

    def _schemas(self) -> list[pa.Schema]:
        return [self._db.query(f"SELECT * FROM {t.name} WHERE FALSE").schema for t in self._tables]

    def _log_folder(self) -> Path | None:
        return self._folder() if self._is_durable else None

    def _new_hot(self) -> HotRows | HotGroups:
        schemas, folder = self._schemas(), self._log_folder()
        if self._is_grouped:
            return HotGroups(schemas, [t.keys for t in self._tables], folder)
        return HotRows(schemas[0], len(self._tables[0].keys), folder)

    def _replaced(self, log: Path) -> None:
        """A log was rewritten, under the next number."""
        assert self._hot is not None
        self._next = max(self._next, self._hot.generation)
        self._removed.append(log)

    def _settle_hot(self, hot: HotRows | HotGroups) -> None:
        """Of too many rows in memory, the half used longest ago leaves for a run."""
        if hot.num_rows <= HOT_ROWS and hot.text_size <= HOT_BYTES:
            return
        for table, rows in enumerate(hot.let_go()):
            if rows.num_rows:
                hashes = key_hashes(rows, self._tables[table].keys)
                order = np.argsort(hashes, kind="stable")
                self._write(table, hashes[order], rows.take(pa.array(order)))
                self._begin_merge(table)
        old = hot.rewritten_log()
        if old is not None:
            self._replaced(old)
        self._tidy_journal()

    def _begin_merge(self, table: int) -> None:
        merge = None if table in self._merges else self._chosen(table)
        if merge:
            self._merges[table] = Merge(self._folder(), self._numbered(), merge)

    def _chosen(self, table: int) -> list[SortedRun]:
        return chosen(self._runs[table], HOT_ROWS)

    def _insert(self, table: int, pieces: list[pa.Table]) -> None:
        rows = pa.concat_tables(pieces).combine_chunks()
        self._grown_rows += rows.num_rows
        self._grown_bytes += rows.nbytes
        self._db.run(f"INSERT INTO {self._tables[table].name} BY NAME SELECT * FROM b", b=rows)

    def _let_go(self, limit: int) -> None:
        """Rows of keys that are not used again and again leave the tables."""
        used, batches = np.unique(np.concatenate([*self._used, _NONE]), return_counts=True)
        again = used[batches > 1]
        kept = 0
        for table in range(len(self._tables)):
            kept += self._make_run(table, used, again)
            self._begin_merge(table)
        # Keys that are in use stay, unless they are too many.
        self._busy_rows = min(HOT_ROWS_MAX, 2 * kept) if kept > limit // 2 else 0
        self._grown_rows = kept
        self._tidy_journal()

    def _make_run(self, table: int, used: Hashes, again: Hashes) -> int:
        """A run of a table's rows; how many rows stay."""
        keyed = self._tables[table]
        rows = self._db.query_within(f"SELECT * FROM {keyed.name}", self._db.result_bytes_max)
        if rows is None:  # too many bytes at once: they stay where they are
            return HOT_ROWS_MAX
        hashes = key_hashes(rows, keyed.keys)
        stay = np.isin(hashes, again)
        if stay.sum() > HOT_ROWS_MAX // 2:
            stay[:] = False
        keys, key_of, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
        large = (sizes > LARGE_KEY_ROWS) & np.isin(keys, used)
        stay |= large[key_of]
        if not stay.all():
            leaving = np.flatnonzero(~stay)
            leaving = leaving[np.argsort(hashes[leaving], kind="stable")]
            self._write(table, hashes[leaving], rows.take(pa.array(leaving)))
            remaining = rows.filter(pa.array(stay))
            # A new table; one whose rows are deleted keeps their places until a checkpoint.
            shape = f"SELECT * FROM {keyed.name} WHERE FALSE"
            self._db.run(f"CREATE OR REPLACE TABLE {keyed.name} AS {shape}")
            if remaining.num_rows:
                sql = f"INSERT INTO {keyed.name} BY NAME SELECT * FROM b"
                self._db.run(sql, b=remaining)
        return int(stay.sum())

    def _write(self, table: int, hashes: Hashes, rows: pa.Table) -> None:
        oldest = newest = 0
        if AT in rows.column_names:
            times = pc.min_max(rows[AT])
            oldest, newest = times["min"].as_py() or 0, times["max"].as_py() or 0
        number = self._numbered()
        writer = RunWriter(self._folder(), number, rows.schema)
        try:
            writer.append(hashes, rows)
            writer.finish()
        except BaseException:
            writer.abandon()
            raise
        self._runs[table].append(SortedRun(self._folder(), RunFacts(number, oldest, newest)))

    def _take_merged(self, table: int, merge: Merge) -> None:
        """The new run takes the place of the old ones, less what has left them meanwhile."""
        del self._merges[table]
        if merge.error is not None:
            raise merge.error
        left = [hashes for run in merge.runs for hashes in run.left_since or ()]
        for run in merge.runs:
            run.left_since = None
        if not merge.is_done:
            return
        old = set(map(id, merge.runs))
        if merge.num_rows:
            run = SortedRun(self._folder(), merge.facts)
            for hashes in left:
                gone = run.leave(run.find(hashes))
                if self._journal is not None:
                    self._journal.append(table, run.facts.number, gone)
            if self._journal is not None:
                self._journal.sync()
            self._runs[table].append(run)
        self._discard(table, [run for run in self._runs[table] if id(run) in old])

    def _discard(self, table: int, runs: list[SortedRun]) -> None:
        gone = set(map(id, runs))
        self._runs[table] = [run for run in self._runs[table] if id(run) not in gone]
        self._removed += runs

    def _tidy_journal(self) -> None:
        """Entries of runs that are no more go when there are many."""
        if self._journal is None or self._journal.length <= self._journal_rows_max:
            return
        present = {(i, run.facts.number) for i, runs in enumerate(self._runs) for run in runs}
        self._removed.append(self._journal)
        self._journal = self._journal.only(present)
        self._journal_rows_max = max(JOURNAL_ROWS, 2 * self._journal.length)

    def _stop_merges(self) -> None:
        for merge in self._merges.values():
            merge.stop()
            for run in merge.runs:
                run.left_since = None
        self._merges = {}

    def _numbered(self) -> int:
        self._next += 1
        return self._next

    def _folder(self) -> Path:
        """Where runs rest, made when the first one is."""
        if self._directory is None:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            made = tempfile.mkdtemp(prefix=f"spill-{os.getpid()}-", dir=self._data_dir)
            self._directory = Path(made)
        if self._is_durable and self._journal is None:
            self._journal = Journal(self._directory)
        return self._directory


_NONE = np.zeros(0, np.uint64)


def remove_unnamed(directory: Path, names: Iterable[str]) -> None:
    """Remove the runs of operators that a job has no longer."""
    folder, kept = directory / FOLDER, set(names)
    for path in folder.iterdir() if folder.exists() else ():
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
