"""Runs golden cases on the engine, laid out in different ways that must not change the result."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.scores import ScorePoints
from eddyline.record.batch import Batch, Kind
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Plan
from eddyline.sql.planner import Planner
from eddyline.testing.cases import Case

_TABLE = re.compile(r"CREATE TABLE (\w+)[^;]*")
KILLS = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How a case is run.

    batch_rows: rows a micro-batch takes at most, of each table. restart: the job is killed in its
    first micro-batches, before the commit and after the delivery by turns, and taken up again.
    """

    batch_rows: int = 1000
    restart: bool = False


@dataclass(slots=True)
class Outcome:
    """What a case gave. insert_only: the plan promises that no row is ever taken back."""

    types: str
    insert_only: bool
    changes: list[tuple[str, list[Any]]] = field(default_factory=list)


class Killed(Exception):
    """A job died where the layout wanted it to."""


class _Watcher:
    """A listener that remembers every change."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, list[Any]]] = []

    def on_rows(self, batch: Batch) -> None:
        kinds = ["+I"] * batch.num_rows
        if batch.kinds is not None:
            kinds = [Kind(k).short for k in batch.kinds.tolist()]
        columns = [_values(c) for c in batch.rows.columns]
        self.changes += [
            (k, list(row)) for k, row in zip(kinds, zip(*columns, strict=True), strict=True)
        ]

    def on_scores(self, points: ScorePoints) -> None:
        """Scores are rows of the result as well."""

    def on_warning(self, sentence: str) -> None:
        """A case's rows are all that counts."""


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values; a FLOAT as the number one reads, not its bits as a double."""
    if column.type == pa.float32():
        return [None if v is None else float(str(np.float32(v))) for v in column.to_pylist()]
    return list(column.to_pylist())


def run(case: Case, layout: Layout, tmp_path: Path) -> Outcome:
    """Run a case's query over its rows, to the end of its bounded input.

    Raises:
        EddylineError: what the case's statements or rows met.
    """
    plan = plan_of(case, tmp_path)
    watcher = _Watcher()
    directory = tmp_path / "job" if layout.restart else None
    settings = Settings(batch_rows_max=layout.batch_rows, worker_threads=1, poll_ms=1)
    for incarnation in range(1, KILLS + 2):
        job = Job(
            JobSpec(plan, "case", incarnation, directory),
            streams=None,
            settings=settings,
            clock=SYSTEM,
            listener=watcher,
            crash=_crash(incarnation) if layout.restart and incarnation <= KILLS else None,
        )
        try:
            assert job.run(threading.Event()) == "finished"
            break
        except Killed:
            continue
    types = ", ".join(str(t) for t in plan.root.schema.types)
    return Outcome(types, plan.insert_only, watcher.changes)


def _crash(incarnation: int) -> Callable[[str], None]:
    """Die in the first micro-batch: before its commit, the next time after its delivery."""
    moment = "before commit" if incarnation % 2 else "after delivery"

    def crash(at: str) -> None:
        if at == moment:
            raise Killed(at)

    return crash


def plan_of(case: Case, tmp_path: Path) -> Plan:
    """The plan of a case's query, its tables laid out as JSON files.

    Raises:
        EddylineError: what the case's statements met.
    """
    catalog = Catalog(None)
    for statement in parse_script(_with_options(case, tmp_path)):
        planner = Planner(catalog)
        if isinstance(statement, st.CreateTable):
            catalog.create_table(planner.table(statement))
        elif isinstance(statement, st.CreateView):
            catalog.create_view(planner.view(statement))
    (query,) = parse_script(case.query)
    if isinstance(query, st.Insert):
        return Planner(catalog).insert(query)
    assert isinstance(query, st.Query), "a case ends in one query"
    return Planner(catalog).query(query)


def _with_options(case: Case, tmp_path: Path) -> str:
    def added(found: re.Match[str]) -> str:
        path = tmp_path / f"{found[1]}.json"
        path.write_text("".join(line + "\n" for line in case.rows(found[1])))
        options = (
            f"'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json', "
            "'json.timestamp-format.standard' = 'ISO-8601'"
        )
        return found[0] if "WITH (" in found[0] else f"{found[0].rstrip()} WITH ({options})"

    return _TABLE.sub(added, case.setup)
