"""A job's state: one DuckDB database, changed in one transaction a micro-batch.

Beside the operators' own tables it holds::

    job       (key, value)                    format, layout, incarnation, progress
    outbox    (epoch, sink, seq, key, data)   rows that are committed and not yet known to be out

``progress`` is one JSON value: the epoch, the sources' positions, the operators' small states;
one row to write a micro-batch, because each statement costs more than its bytes.

A job resumes if what its operators store is what the state holds (``engine/layout.py``). Formats:
1 kept a digest of every node's text as its layout; 2 keeps what each operator stores; 3 keeps rows
of keys that are not in use in files beside the database (``engine/keyed``); 4 groups of windows
that are open, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from eddyline.engine.database import Database
from eddyline.engine.layout import (
    Layout,
    adopted_names,
    converted,
    layout_of,
    renamed,
    with_sinks,
)
from eddyline.errors import EddylineError
from eddyline.record.types import quote
from eddyline.settings import Settings
from eddyline.sql import physical as plan

FORMAT = 4
STATE_FILE = "state.duckdb"
# Tables that are not an operator's.
KEPT_TABLES = ("job", "outbox", "dead_letter")

_TABLES = (
    "CREATE TABLE job (key VARCHAR, value VARCHAR)",
    "CREATE TABLE outbox (epoch BIGINT, sink VARCHAR, seq BIGINT, key VARCHAR, data BLOB)",
)


class JobProgress(msgspec.Struct):
    """What a micro-batch leaves beside the operators' tables.

    positions: source name to shard to next record. operators: name to what ``save`` gave.
    identities: source name to what tells its stream from another of that name. keyed: operator
    name to its files of rows. now_ms: the time of the micro-batch, for all that depends on it.
    """

    epoch: int = 0
    positions: dict[str, dict[str, int]] = {}
    operators: dict[str, dict[str, Any]] = {}
    identities: dict[str, str] = {}
    keyed: dict[str, dict[str, Any]] = {}
    now_ms: int = 0


# Tables of this job alone: other jobs' databases are attached beside it.
_OWN_TABLES = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"


class Claim(NamedTuple):
    """Operators that begin without state, and names of those whose state was dropped."""

    fresh: list[str]
    dropped: list[str]


class JobState:
    """The database of one job, open for the length of one run."""

    def __init__(self, directory: Path | None, settings: Settings) -> None:
        path = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            path = directory / STATE_FILE
        self.path = path
        self.db = Database(path, settings)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever committed here."""
        sql = (
            "SELECT count(*) FROM duckdb_tables() "
            "WHERE database_name = current_database() AND table_name = 'job'"
        )
        return not self.db.one(sql)

    def create(self, layout: Layout, incarnation: int) -> None:
        """The tables of a new job; inside a transaction."""
        for sql in _TABLES:
            self.db.run(sql)
        first = {
            "format": str(FORMAT),
            "layout": msgspec.json.encode(layout).decode(),
            "incarnation": str(incarnation),
            "progress": msgspec.json.encode(JobProgress()).decode(),
        }
        for key, value in first.items():
            self.db.run("INSERT INTO job VALUES (?, ?)", [key, value])

    def resume(
        self,
        root: plan.Node,
        incarnation: int,
        *,
        same_statement: bool,
        empty: bool,
        partial: bool = False,
    ) -> list[str]:
        """Take the state for a plan; a name for each of its nodes, in ``walk``'s order.

        same_statement: the plan was made from the statement that wrote the state. empty: the
        positions alone will be used, whatever the operators have stored (see ``empty``). partial:
        what fits is used and the rest is dropped (see ``claim``).

        Raises:
            EddylineError: ``newer_format``; ``state_mismatch`` naming the operator that differs;
                ``conflict`` for an incarnation that was already left behind.
        """
        written = self._written()
        if incarnation < int(self._get("incarnation")):
            msg = "the job was started again elsewhere meanwhile"
            raise EddylineError("conflict", msg, hint="stop the older run")
        if empty:  # nothing changes until the new tables are made
            return adopted_names(root, layout_of(root))
        layout = self._layout(written, root, same_statement)
        if partial:  # nothing changes until the new tables are made
            return adopted_names(root, layout, partial=True)
        names = adopted_names(root, layout, same_sinks=self._has_waiting_rows())
        with self.db.transaction():
            self._take_over(with_sinks(layout, root), incarnation)
        return names

    def check(self, root: plan.Node) -> None:
        """See whether a plan of a changed statement can take the state; nothing changes.

        Raises:
            EddylineError: ``newer_format``; ``state_mismatch`` naming the operator that differs.
        """
        layout = self._layout(self._written(), root, same_statement=False)
        adopted_names(root, layout, same_sinks=self._has_waiting_rows())

    def _written(self) -> int:
        """The format of the state."""
        written = int(self._get("format"))
        if written > FORMAT:
            msg = f"the job's state {self.path} was written by a newer Eddyline"
            raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
        return written

    def _has_waiting_rows(self) -> bool:
        """Whether rows may still be to be delivered to the sink that was."""
        return bool(self.db.one("SELECT count(*) FROM outbox"))

    def empty(self, root: plan.Node, incarnation: int) -> None:
        """Drop what the operators have stored; inside the transaction that creates it again.

        Rows that are still to be delivered, and dead letters, stay.
        """
        for (name,) in self.db.rows(_OWN_TABLES):
            if name not in KEPT_TABLES:
                self.db.run(f"DROP TABLE {quote(str(name))}")
        self._take_over(layout_of(root), incarnation)

    def claim(self, root: plan.Node, incarnation: int, names: Sequence[str]) -> Claim:
        """Use the state for a plan of which only some operators find theirs, under ``names``;
        inside the transaction that makes the tables of the others.

        The tables of saved operators that no operator claims are dropped.
        """
        saved = self._layout(int(self._get("format")), root, same_statement=True)
        layout = renamed(root, names)
        kept, now = {o.name for o in saved}, {o.name for o in layout}
        dropped = sorted(kept - now)
        for (table,) in self.db.rows(_OWN_TABLES):
            if any(str(table).startswith(f"{name}_") for name in dropped):
                self.db.run(f"DROP TABLE {quote(str(table))}")
        self._take_over(layout, incarnation)
        return Claim(sorted(now - kept), dropped)

    def _take_over(self, layout: Layout, incarnation: int) -> None:
        self._set("incarnation", str(incarnation))
        self._set("format", str(FORMAT))
        # What is stored stays as it is, even if the statement around it has changed.
        self._set("layout", msgspec.json.encode(layout).decode())

    def _layout(self, written: int, root: plan.Node, same_statement: bool) -> Layout:
        text = self._get("layout")
        if written == 1:  # a digest of each node's generated text
            return converted(json.loads(text), root, same_statement=same_statement)
        return msgspec.json.decode(text, type=Layout)

    def progress(self) -> JobProgress:
        """What the last committed micro-batch wrote."""
        return msgspec.json.decode(self._get("progress"), type=JobProgress)

    def write(self, progress: JobProgress) -> None:
        """Positions, small states and the epoch's number; inside the transaction."""
        text = msgspec.json.encode(progress).decode()
        self.db.run("UPDATE job SET value = ? WHERE key = 'progress'", [text])

    def forget_outbox(self, epoch: int) -> None:
        """Rows of epochs that are surely out leave; inside the transaction."""
        self.db.run("DELETE FROM outbox WHERE epoch <= ?", [epoch])

    def detach(self) -> None:
        """Make a copy of a stopped job's state the state of a job to come.

        The rows in the outbox were delivered by the job itself; the new one must not repeat them.
        """
        with self.db.transaction():
            self.db.run("DELETE FROM outbox")
            self._set("incarnation", "0")

    def stored_bytes(self) -> int:
        """The size of the database on disk, its write-ahead log included."""
        if self.path is None:
            return 0
        files = (self.path, self.path.with_name(f"{self.path.name}.wal"))
        return sum(f.stat().st_size for f in files if f.exists())

    def close(self) -> None:
        self.db.close()

    def _set(self, key: str, value: str) -> None:
        self.db.run("UPDATE job SET value = ? WHERE key = ?", [value, key])

    def _get(self, key: str) -> str:
        return str(self.db.one("SELECT value FROM job WHERE key = ?", [key]))


def check_saved(directory: Path, root: plan.Node, settings: Settings) -> None:
    """See whether a plan of a changed statement can take the state in a directory, if there is one.

    Raises:
        EddylineError: ``newer_format``; ``state_mismatch`` naming the operator that differs.
    """
    if not (directory / STATE_FILE).exists():
        return
    state = JobState(directory, settings)
    try:
        if not state.is_new:
            state.check(root)
    finally:
        state.close()
