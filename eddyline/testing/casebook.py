"""Runs golden cases on the engine, laid out in different ways that must not change the result."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.database import Database
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.scores import ScorePoints
from eddyline.log import LogStore, PutBatch
from eddyline.log.shard import StreamMode
from eddyline.record.batch import Batch, ChangeKind
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.physical import Plan, Scan, walk
from eddyline.sql.planner import Planner
from eddyline.testing.cases import Case

_TABLE = re.compile(r"CREATE TABLE (\w+)[^;]*")
_PARTITIONED = re.compile(r"PARTITIONED BY \([^)]*\)")
KILLS = 8


@dataclass(frozen=True, slots=True)
class CaseLayout:
    """How a case is run.

    batch_rows: rows a micro-batch takes at most, of each table. restart: the job is killed in its
    first micro-batches, before the commit and after the delivery by turns, and taken up again.
    shards: with more than one, rows lie in streams of so many shards instead of files. The table
    of an INSERT is always a stream.
    """

    batch_rows: int = 1000
    restart: bool = False
    shards: int = 1


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
            kinds = [ChangeKind(k).short for k in batch.kinds.tolist()]
        columns = [_values(c) for c in batch.rows.columns]
        self.changes += [
            (k, list(row)) for k, row in zip(kinds, zip(*columns, strict=True), strict=True)
        ]

    def on_scores(self, points: ScorePoints) -> None:
        """Scores are rows of the result as well."""

    def on_printed(self, printed: Any) -> None:
        """Lines of the print connector are not of interest."""

    def on_warning(self, sentence: str) -> None:
        """A case's rows are all that counts."""


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values; a FLOAT as the number one reads, not its bits as a double."""
    if column.type == pa.float32():
        return [None if v is None else float(str(np.float32(v))) for v in column.to_pylist()]
    return list(column.to_pylist())


def run(case: Case, layout: CaseLayout, tmp_path: Path) -> Outcome:
    """Run a case's query over its rows, to the end of its bounded input.

    Raises:
        EddylineError: what the case's statements or rows met.
    """
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
    store, watcher = LogStore(tmp_path / "data", settings, SYSTEM), _Watcher()
    try:
        streams = layout.shards > 1
        for table in _tables(case) if streams else ():
            _fill(store, table, case.rows(table), layout.shards)
        if case.sink is not None and case.sink not in store.names():
            _fill(store, case.sink, [], 1)
        plan = plan_of(case, tmp_path, streams=streams)
        _play(plan, case, layout, watcher, store, tmp_path)
        if case.sink is not None:
            assert watcher.changes == []
            plan = _planned(case, tmp_path, streams, f"SELECT * FROM {case.sink}")
            _finish(JobSpec(plan, "read back", 1), CaseLayout(), watcher, store, None)
    finally:
        store.close()
    return _outcome(plan, watcher)


def _play(
    plan: Plan, case: Case, layout: CaseLayout, watcher: _Watcher, store: LogStore, tmp_path: Path
) -> None:
    """Run the plan to its end, over as many deaths as the layout wants."""
    directory = tmp_path / "job" if layout.restart else None
    # DuckDB takes longer to start than a case to run, so a case starts it once for all its jobs.
    started = Database(None, _job_settings(layout, directory))
    try:
        for incarnation in range(1, KILLS + 2):
            crash = _crash(incarnation) if layout.restart and incarnation <= KILLS else None
            spec = JobSpec(plan, "case", incarnation, directory)
            try:
                _finish(spec, layout, watcher, store, crash)
                break
            except Killed:
                continue
    finally:
        started.close()


def _finish(
    spec: JobSpec,
    layout: CaseLayout,
    watcher: _Watcher,
    store: LogStore,
    crash: Callable[[str], None] | None,
) -> None:
    """Run a job; files end by themselves, streams when all of their records have been read."""
    job = _job(spec, layout, watcher, store, crash)
    over = threading.Event()
    ender = threading.Thread(target=_end, args=(job, _records(spec.plan, store), over))
    ender.start()
    try:
        assert job.run(threading.Event()) == "finished"
    finally:
        over.set()
        ender.join()


def _outcome(plan: Plan, watcher: _Watcher) -> Outcome:
    types = ", ".join(str(t) for t in plan.root.schema.types)
    return Outcome(types, plan.insert_only, watcher.changes)


def _job(
    spec: JobSpec,
    layout: CaseLayout,
    watcher: _Watcher,
    streams: LogStore,
    crash: Callable[[str], None] | None,
) -> Job:
    settings = _job_settings(layout, spec.directory)
    return Job(
        spec, streams=streams, settings=settings, clock=SYSTEM, listener=watcher, crash=crash
    )


def _job_settings(layout: CaseLayout, directory: Path | None) -> Settings:
    settings = Settings(batch_rows_max=layout.batch_rows, worker_threads=1, poll_ms=1)
    return settings if directory is None else replace(settings, data_dir=directory)


def _records(plan: Plan, store: LogStore) -> int | None:
    """How many records lie in the streams a plan reads; None if it reads none."""
    scans = {id(n): n for n in walk(plan.root) if isinstance(n, Scan)}
    streams = [s for s in scans.values() if s.table.options["connector"] == "kinesis"]
    total = 0
    for scan in streams:
        stream = store.open(scan.table.options["stream"])
        bounds = [stream.bounds(shard.index) for shard in stream.shards()]
        total += sum(after - first for first, after in bounds)
    return total if streams else None


def _tables(case: Case) -> list[str]:
    return [match[1] for match in _TABLE.finditer(case.setup)]


def _fill(store: LogStore, name: str, rows: list[str], shards: int) -> None:
    store.create(name, shards, StreamMode.PROVISIONED)
    if rows:
        keys = [f"key {i}" for i in range(len(rows))]
        batch = PutBatch(keys, [row.encode() for row in rows])
        store.open(name).put(batch).result()


def _end(job: Job, total: int | None, over: threading.Event) -> None:
    """End the job's input when all rows have come in."""
    while total is not None and not over.wait(0.005):
        if job.metrics().rows_in >= total:
            job.end_input()


def _crash(incarnation: int) -> Callable[[str], None]:
    """Die in the first micro-batch: before its commit, the next time after its delivery."""
    moment = "before commit" if incarnation % 2 else "after delivery"

    def crash(at: str) -> None:
        if at == moment:
            raise Killed(at)

    return crash


def plan_of(case: Case, tmp_path: Path, *, streams: bool = False) -> Plan:
    """The plan of a case's query, its tables laid out as JSON files or in streams.

    Raises:
        EddylineError: what the case's statements met.
    """
    return _planned(case, tmp_path, streams, case.query)


def _planned(case: Case, tmp_path: Path, streams: bool, text: str) -> Plan:
    catalog = Catalog(None)
    for statement in parse_script(_with_options(case, tmp_path, streams)):
        planner = Planner(catalog)
        if isinstance(statement, st.CreateTable):
            catalog.create_table(planner.table(statement))
        elif isinstance(statement, st.CreateView):
            catalog.create_view(planner.view(statement))
    (query,) = parse_script(text)
    if isinstance(query, st.Insert):
        return Planner(catalog).insert(query)
    assert isinstance(query, st.Query), "a case ends in one SELECT or INSERT"
    return Planner(catalog).query(query)


def _with_options(case: Case, tmp_path: Path, streams: bool) -> str:
    def added(match: re.Match[str]) -> str:
        text = match[0]
        where = f"'connector' = 'kinesis', 'stream' = '{match[1]}', 'aws.region' = 'us-east-1'"
        where += ", 'scan.stream.initpos' = 'TRIM_HORIZON'"
        if not streams and match[1] != case.sink:
            path = tmp_path / f"{match[1]}.json"
            path.write_text("".join(line + "\n" for line in case.rows(match[1])))
            where = f"'connector' = 'filesystem', 'path' = '{path}'"
            # Partitions of a stream are its partition keys; those of files are folders.
            text = _PARTITIONED.sub("", text)
        options = f"{where}, 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'"
        return text if "WITH (" in text else f"{text.rstrip()} WITH ({options})"

    return _TABLE.sub(added, case.setup)
