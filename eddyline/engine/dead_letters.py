"""Dead letters: records that a job set aside, in a SQLite file of the job's directory.

The file is written before the job's progress moves past the records, and a record has one key, so a
record that is read again after a crash is kept once. Any process may read the file at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from eddyline.engine.database import Database
from eddyline.schema_version import upgrade

FILE = "dead_letters.db"
KEPT_MAX = 10_000
BUSY_S = 10.0
_SCHEMA = """
CREATE TABLE dead_letters (
  number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, stream TEXT NOT NULL,
  shard TEXT NOT NULL, sequence_number TEXT NOT NULL, part INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL,
  UNIQUE (source, shard, sequence_number, part, field)
)"""
_COLUMNS = "source, stream, shard, sequence_number, part, arrival_ms, field, reason, payload"


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that was set aside.

    source: the table; stream: where it was read, empty for files. part: its place in a record that
    holds several. field: the column that did not fit, empty for the whole record. number: its place
    among the dead letters, 0 before it has one.
    """

    source: str
    stream: str
    shard: str
    sequence_number: str
    part: int
    arrival_ms: int
    field: str
    reason: str
    payload: bytes
    number: int = 0


class DeadLetters:
    """The dead letters of one job; ``directory`` is the job's."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Keep records, durable on return; beyond ``KEPT_MAX`` the oldest are dropped."""
        values = [msgspec.structs.astuple(letter)[:-1] for letter in letters]
        sql = f"INSERT OR IGNORE INTO dead_letters ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        with self._open() as db:
            db.executemany(sql, values)
            db.execute(
                "DELETE FROM dead_letters WHERE number <= "
                "(SELECT max(number) - ? FROM dead_letters)",
                (KEPT_MAX,),
            )

    def newest(self, limit: int) -> list[DeadLetter]:
        """The newest letters, oldest first."""
        return self._rows(f"ORDER BY number DESC LIMIT {int(limit)}")[::-1]

    def after(self, number: int, limit: int) -> list[DeadLetter]:
        """Letters above ``number``, oldest first."""
        return self._rows(f"WHERE number > {int(number)} ORDER BY number LIMIT {int(limit)}")

    def count(self) -> int:
        """How many there are."""
        if not self._path.exists():
            return 0
        with self._open() as db:
            return int(db.execute("SELECT count(*) FROM dead_letters").fetchone()[0])

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget letters."""
        with self._open() as db:
            db.executemany("DELETE FROM dead_letters WHERE number = ?", [(n,) for n in numbers])

    def _rows(self, rest: str) -> list[DeadLetter]:
        if not self._path.exists():
            return []
        with self._open() as db:
            rows = db.execute(f"SELECT {_COLUMNS}, number FROM dead_letters {rest}").fetchall()
        return [DeadLetter(*row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            upgrade(db, "dead_letters", (_SCHEMA,))
            yield db
            db.execute("COMMIT")
        finally:
            db.close()


def move_dead_letters(db: Database, directory: Path) -> None:
    """Move the letters of 0.1.0, a table of the job's state; inside a transaction of ``db``."""
    sql = (
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND table_name = 'dead_letter'"
    )
    if not db.one(sql):
        return
    rows = db.rows(
        'SELECT source, shard, sequence_number, epoch_ms(arrival), "column", reason, text '
        "FROM dead_letter ORDER BY rowid"
    )
    letters = [
        DeadLetter(source, "", shard, number, at, arrival, column or "", reason, text.encode())
        for at, (source, shard, number, arrival, column, reason, text) in enumerate(rows)
    ]
    if letters:
        DeadLetters(directory).add(letters)
    db.run("DROP TABLE dead_letter")
