"""The engine of this process: plans of DuckDB text, run in micro-batches over local streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eddyline.catalog.catalog import Catalog
from eddyline.catalog.table import CatalogTable
from eddyline.clock import Clock
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.job_listener import JobListener
from eddyline.engine.state import check_saved
from eddyline.engines.engine import Prepared, RunSpec, StatementSet
from eddyline.record.schema import Schema
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.physical import Plan, tables_read, tables_written
from eddyline.sql.planner import Planner


@dataclass(frozen=True, slots=True)
class LocalStatement:
    """A statement with its physical plan."""

    plan: Plan

    @property
    def schema(self) -> Schema:
        return self.plan.root.schema

    @property
    def insert_only(self) -> bool:
        return self.plan.insert_only

    @property
    def is_unbounded(self) -> bool:
        """Whether it does not end by itself."""
        return self.plan.is_unbounded

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.plan.warnings

    @property
    def sources(self) -> tuple[CatalogTable, ...]:
        """The tables that it reads."""
        return tables_read(self.plan.root)

    @property
    def sinks(self) -> tuple[CatalogTable, ...]:
        """The tables that it writes."""
        return tables_written(self.plan.root)


class LocalEngine:
    """Runs statements in this process; ``crash`` is a hook for tests of recovery."""

    def __init__(
        self,
        streams: Any,
        settings: Settings,
        clock: Clock,
        crash: Callable[[], Callable[[str], None] | None] = lambda: None,
    ) -> None:
        self._streams = streams
        self._settings = settings
        self._clock = clock
        self._crash = crash

    def prepare(self, statements: StatementSet) -> tuple[LocalStatement, ...]:
        """One planned statement for each of the set."""
        prepared = []
        for statement in statements.statements:
            planner = Planner(statements.catalog, statements.config)
            if isinstance(statement, st.StatementSet):
                prepared.append(LocalStatement(planner.insert_set(statement)))
            elif isinstance(statement, st.Insert):
                prepared.append(LocalStatement(planner.insert(statement)))
            else:
                prepared.append(LocalStatement(planner.query(statement)))
        return tuple(prepared)

    def explain(self, statement: st.Explain, catalog: Catalog, config: SessionConfig) -> str:
        """The plan as text."""
        return Planner(catalog, config).explain(statement)

    def check_state(self, prepared: Prepared, directory: Path) -> None:
        """Compare what the operators store."""
        assert isinstance(prepared, LocalStatement), "it was prepared by this engine"
        check_saved(directory, prepared.plan.root, self._settings)

    def start(self, prepared: Prepared, spec: RunSpec, listener: JobListener) -> Job:
        """A job of this process."""
        assert isinstance(prepared, LocalStatement), "it was prepared by this engine"
        config = spec.config
        job = JobSpec(
            prepared.plan,
            spec.job_id,
            spec.incarnation,
            spec.directory,
            config.zone,
            config.idle_timeout_ms,
            spec.same_statement,
            spec.start,
            config.ignores_unclaimed_state,
        )
        return Job(
            job,
            streams=self._streams,
            settings=self._settings,
            clock=self._clock,
            listener=listener,
            crash=self._crash(),
        )
