"""One table whose rows are in memory while batches are small, and in DuckDB otherwise.

For an operator that looks at all rows of its table now and then, so that none may rest in runs
(``keyed_state.py``). The rows in memory have a log (``hot_rows.py``); how much of it counts is part
of the job's progress.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eddyline.engine.database import Database
from eddyline.engine.keyed.disk import disk_errors, files_read
from eddyline.engine.keyed.hot_rows import HotRows, Key
from eddyline.engine.keyed.keyed_state import (
    CALM_BATCHES,
    FOLDER,
    HOT_ROWS,
    KeyedTable,
)


class HotTable:
    """The rows of ``table``, the table of operator ``name``. directory: the job's; None for a
    query."""

    def __init__(self, db: Database, name: str, table: KeyedTable, directory: Path | None) -> None:
        self._db = db
        self._table = table
        self._directory = None if directory is None else directory / FOLDER / name
        self._hot: HotRows | None = None
        self._calm = self._next = 0
        self._removed: list[Path] = []

    @property
    def num_rows(self) -> int:
        """Rows that are not in the table."""
        return 0 if self._hot is None else len(self._hot.rows)

    @property
    def num_bytes(self) -> int:
        """The size of the log."""
        return 0 if self._hot is None else self._hot.length

    @property
    def hot(self) -> HotRows | None:
        """The rows, if they are in memory."""
        return self._hot

    def save(self) -> dict[str, Any] | None:
        """What of the log counts, as JSON values; None if there never was one."""
        if not self._next:
            return None
        hot = self._hot
        saved: dict[str, Any] = {"next": self._next}
        return saved if hot is None else saved | {"hot": [hot.generation, hot.length]}

    def restore(self, saved: dict[str, Any] | None) -> None:
        """Take back what ``save`` gave, and remove files that it did not name.

        Raises:
            EddylineError: ``corrupt_data`` if the log is missing or not whole.
        """
        if self._directory is None:
            return
        if saved is None:
            shutil.rmtree(self._directory, ignore_errors=True)
            return
        self._next = saved["next"]
        with files_read(self._directory):
            if "hot" in saved:
                self._hot = self._new()
                self._hot.open(*saved["hot"])
            own = None if self._hot is None else self._hot.path
            for path in self._directory.iterdir() if self._directory.exists() else ():
                if path != own:
                    path.unlink()

    def for_few_rows(self) -> HotRows | None:
        """The rows in memory, for a batch of few rows; None while they stay in the table."""
        self._calm += 1
        if self._hot is not None and len(self._hot.rows) > HOT_ROWS:
            self.to_table()
        if self._hot is None and (self._calm == 1 or self._calm > CALM_BATCHES):
            self._take_over(0 if self._calm == 1 else HOT_ROWS // 2)
        return self._hot

    def log(self, keys: Iterable[Key]) -> None:
        """Rows with these keys have changed, or are no more."""
        assert self._hot is not None
        with disk_errors():
            old = self._hot.log(keys)
        self._next = self._hot.generation
        if old is not None:
            self._removed.append(old)

    def to_table(self) -> None:
        """The rows in memory come into the table."""
        self._calm = 0
        hot, self._hot = self._hot, None
        if hot is None:
            return
        if hot.rows:
            sql = f"INSERT INTO {self._table.name} BY NAME SELECT * FROM b"
            self._db.run(sql, b=hot.table(hot.rows))
        hot.close()
        if hot.path is not None:
            self._removed.append(hot.path)

    def committed(self) -> None:
        """Remove what the last commit no longer names."""
        for path in self._removed:
            path.unlink(missing_ok=True)
        self._removed = []

    def close(self) -> None:
        """Let go of the log."""
        if self._hot is not None:
            self._hot.close()

    def _take_over(self, rows_max: int) -> None:
        """Have the table's rows in memory, if they are not more than that."""
        name = self._table.name
        count = int(self._db.one(f"SELECT count(*) FROM {name}"))
        if count > rows_max:
            self._calm = 1
            return
        hot = self._new()
        with disk_errors():
            hot.open(self._next + 1, 0)
        self._hot, self._next = hot, self._next + 1
        if count:
            hot.take_in([[self._db.query(f"SELECT * FROM {name}")]])
            self._db.run(f"DELETE FROM {name}")
            self.log(list(hot.rows))

    def _new(self) -> HotRows:
        schema = self._db.query(f"SELECT * FROM {self._table.name} WHERE FALSE").schema
        return HotRows(schema, len(self._table.keys), self._directory)
