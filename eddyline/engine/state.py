"""A job's state: one DuckDB database, changed in one transaction a micro-batch.

Beside the operators' own tables it holds::

    job       (key, value)                    format, layout, incarnation, progress
    outbox    (epoch, sink, seq, key, data)   rows that are committed and not yet known to be out

``progress`` is one JSON value: the epoch, the sources' positions, the operators' small states;
one row to write a micro-batch, because each statement costs more than its bytes.

A job resumes only if its layout (which operators, with which expressions and types) is the one
that the state was written with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from eddyline.engine.database import Database
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from eddyline.sql import physical as plan

FORMAT = 1
STATE_FILE = "state.duckdb"
_BELOW = ("input", "left", "right", "inputs")

_TABLES = (
    "CREATE TABLE job (key VARCHAR, value VARCHAR)",
    "CREATE TABLE outbox (epoch BIGINT, sink VARCHAR, seq BIGINT, key VARCHAR, data BLOB)",
)


class Progress(msgspec.Struct):
    """What a micro-batch leaves beside the operators' tables.

    positions: source name to shard to next record. operators: name to what ``save`` gave.
    identities: source name to what tells its stream from another of that name.
    """

    epoch: int = 0
    positions: dict[str, dict[str, int]] = {}
    operators: dict[str, dict[str, Any]] = {}
    identities: dict[str, str] = {}


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
        sql = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'job'"
        return not self.db.one(sql)

    def create(self, layout: dict[str, str], incarnation: int) -> None:
        """The tables of a new job; inside a transaction."""
        for sql in _TABLES:
            self.db.run(sql)
        first = {
            "format": str(FORMAT),
            "layout": json.dumps(layout),
            "incarnation": str(incarnation),
            "progress": msgspec.json.encode(Progress()).decode(),
        }
        for key, value in first.items():
            self.db.run("INSERT INTO job VALUES (?, ?)", [key, value])

    def check(self, layout: dict[str, str], incarnation: int) -> None:
        """That the state can be resumed by this plan.

        Raises:
            EddylineError: ``newer_format``; ``state_mismatch`` naming the operator that differs;
                ``conflict`` for an incarnation that was already left behind.
        """
        if int(self._get("format")) > FORMAT:
            msg = f"the job's state {self.path} was written by a newer Eddyline"
            raise EddylineError("newer_format", msg, hint="upgrade: pip install -U eddyline")
        saved = json.loads(self._get("layout"))
        if saved != layout:
            raise _mismatch(saved, layout)
        if incarnation < int(self._get("incarnation")):
            msg = "the job was started again elsewhere meanwhile"
            raise EddylineError("conflict", msg, hint="stop the older run")
        # One statement, so that a crash leaves the old number or the new one.
        self.db.run("UPDATE job SET value = ? WHERE key = 'incarnation'", [str(incarnation)])

    def progress(self) -> Progress:
        """What the last committed micro-batch wrote."""
        return msgspec.json.decode(self._get("progress"), type=Progress)

    def write(self, progress: Progress) -> None:
        """Positions, small states and the epoch's number; inside the transaction."""
        text = msgspec.json.encode(progress).decode()
        self.db.run("UPDATE job SET value = ? WHERE key = 'progress'", [text])

    def forget_outbox(self, epoch: int) -> None:
        """Rows of epochs that are surely out leave; inside the transaction."""
        self.db.run("DELETE FROM outbox WHERE epoch <= ?", [epoch])

    def close(self) -> None:
        self.db.close()

    def _get(self, key: str) -> str:
        return str(self.db.one("SELECT value FROM job WHERE key = ?", [key]))


def layout_of(names: Iterable[tuple[str, plan.Node]]) -> dict[str, str]:
    """Operator name to a digest of what shapes its state."""
    return {name: _digest(node) for name, node in names}


def _digest(node: plan.Node) -> str:
    """Of a node's fields in their order, those it inherits included: kept with every job's state,
    so a field that is moved or renamed leaves all states of its node behind."""
    if isinstance(node, plan.Scan | plan.Sink):
        options = node.table.options
        place = [options.get(k) for k in ("connector", "stream", "stream.arn", "path")]
        what = repr((str(node.table.path), place, str(node.schema), str(node.columns)))
    else:
        names = [f.name for f in fields(node) if f.name not in _BELOW]
        what = repr([(name, getattr(node, name)) for name in names])
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _mismatch(saved: dict[str, str], layout: dict[str, str]) -> EddylineError:
    differ = [n for n in layout if saved.get(n) != layout[n]]
    differ = differ or [n for n in saved if n not in layout]
    msg = f"the saved state belongs to another statement: {differ[0]} is not what it was"
    detail = "state of: " + ", ".join(saved) + "; statement has: " + ", ".join(layout)
    hint = (
        "give the job another name, or remove the old job to start afresh (rows already written "
        "stay); or run the old statement again"
    )
    return EddylineError("state_mismatch", msg, detail=detail, hint=hint)
