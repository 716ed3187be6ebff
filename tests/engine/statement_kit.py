"""Statements over local streams, for the engine's tests: tables with rows in, changes out."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from unittest.mock import patch

from engine_kit import Watcher

from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM, Clock
from eddyline.engine.job import Job, JobSpec
from eddyline.log import LogStore, PutBatch
from eddyline.log.shard import StreamMode
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

Record = dict[str, Any] | str | bytes
SECONDS_MAX = 60
INCARNATIONS_MAX = 59


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


class Sql:
    """A catalog and a store of streams."""

    def __init__(self, directory: Path) -> None:
        settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
        self.store = LogStore(directory / "data", settings, SYSTEM)
        self.catalog = Catalog(None)
        self._counts: dict[str, int] = {}

    def table(
        self,
        name: str,
        columns: str,
        rows: list[Record],
        *,
        format: str = "json",
        shards: int = 1,
        partitioned_by: str = "",
        **options: str,
    ) -> None:
        """A stream that holds the rows, and the table over it; keys of the records are numbers."""
        self.store.create(name, shards, StreamMode.PROVISIONED)
        self.put(name, rows)
        where = {
            "connector": "kinesis",
            "stream": name,
            "aws.region": "us-east-1",
            "scan.stream.initpos": "TRIM_HORIZON",
            "format": format,
            **options,
        }
        written = ", ".join(f"'{k}' = '{v}'" for k, v in where.items())
        self.execute(f"CREATE TABLE {name} ({columns}) {partitioned_by} WITH ({written})")

    def put(self, name: str, rows: list[Record]) -> None:
        if not rows:
            return
        self._counts[name] = self._counts.get(name, 0) + len(rows)
        texts = [json.dumps(r) if isinstance(r, dict) else r for r in rows]
        data = [r.encode() if isinstance(r, str) else r for r in texts]
        keys = [str(i) for i in range(len(data))]
        self.store.open(name).put(PutBatch(keys, data)).result()

    def execute(self, text: str) -> None:
        for statement in parse_script(text):
            planner = Planner(self.catalog)
            if isinstance(statement, st.CreateTable):
                self.catalog.create_table(planner.table(statement))
            else:
                assert isinstance(statement, st.CreateView)
                self.catalog.create_view(planner.view(statement))

    def plan(self, text: str) -> p.Plan:
        (statement,) = parse_script(text)
        planner = Planner(self.catalog)
        if isinstance(statement, st.Insert):
            return planner.insert(statement)
        if isinstance(statement, st.StatementSet):
            return planner.insert_set(statement)
        assert isinstance(statement, st.Query)
        return planner.query(statement)

    def job(
        self,
        plan: p.Plan,
        watcher: Watcher,
        *,
        directory: Path | None = None,
        incarnation: int = 1,
        clock: Clock = SYSTEM,
        **settings: Any,
    ) -> Job:
        return Job(
            JobSpec(plan, "job", incarnation, directory),
            streams=self.store,
            settings=Settings(**{"worker_threads": 1, "poll_ms": 1, **settings}),
            clock=clock,
            listener=watcher,
        )

    def run(self, text: str, *, records: int | None = None, **more: Any) -> Watcher:
        """All changes of a statement over all records that the streams hold now, or over so many
        ``records`` if it does not read all of them."""
        plan, watcher = self.plan(text), Watcher()
        job = self.job(plan, watcher, **more)
        scans = {id(n): n for n in p.walk(plan.root) if isinstance(n, p.Scan)}.values()
        total = sum(self._counts.get(s.table.options.get("stream", ""), 0) for s in scans)
        total = total if records is None else records
        over = threading.Event()
        ender = threading.Thread(target=_end, args=(job, total, over))
        ender.start()
        try:
            assert job.run(threading.Event()) == "finished"
        finally:
            over.set()
            ender.join()
        watcher.metrics = job.metrics()  # type: ignore[attr-defined]
        return watcher

    def rows(self, text: str, **more: Any) -> list[tuple[Any, ...]]:
        """The rows of an insert-only statement."""
        changes = self.run(text, **more).changes
        assert {kind for kind, _ in changes} <= {"+I"}
        return [row for _, row in changes]

    def insert_with_crashes(self, target: str, query: str, rows: int, directory: Path) -> int:
        """Write a query's ``rows`` rows into a table, with a crash at every fourth append.

        Returns how often the job crashed and went on.
        """
        stream_class = type(self.store.open(target))
        append, appended = stream_class.append, 0

        def crashing(stream: Any, batch: Any, mark: Any) -> bool:
            nonlocal appended
            appended += 1
            if appended % 4 == 0:
                raise Crash
            return bool(append(stream, batch, mark))

        text = f"INSERT INTO {target} {query}"
        with patch.object(stream_class, "append", crashing):
            for crashes in range(INCARNATIONS_MAX):
                records = 0 if crashes else None
                try:
                    self.run(text, records=records, incarnation=crashes + 1, directory=directory)
                    break
                except Crash:
                    continue
        self._counts[target] = rows
        return crashes

    def close(self) -> None:
        self.store.close()


def _end(job: Job, total: int, over: threading.Event) -> None:
    """End the job's input when all records have come in."""
    end = SYSTEM.monotonic() + SECONDS_MAX
    while not over.wait(0.002):
        if job.metrics().rows_in >= total or SYSTEM.monotonic() > end:
            job.end_input()
