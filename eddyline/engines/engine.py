"""The seam between sessions and what runs their statements.

A session hands an engine a set of statements with the catalog and the options they are to be
understood under, and gets back one prepared statement for each. Plans stay inside the engine: the
local one makes DuckDB text of them, which has no meaning elsewhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eddyline.catalog.catalog import Catalog
from eddyline.catalog.table import CatalogTable
from eddyline.engine.job import StartFrom as StartFrom
from eddyline.engine.job_listener import JobListener as JobListener
from eddyline.engine.metrics import JobMetrics
from eddyline.record.schema import Schema
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig


@dataclass(frozen=True, slots=True)
class StatementSet:
    """Statements that are prepared together, and what they are understood under."""

    statements: tuple[st.Query | st.Insert | st.StatementSet, ...]
    catalog: Catalog
    config: SessionConfig


class Prepared(Protocol):
    """A statement that an engine can run.

    schema: the columns that a user sees. insert_only: no row is ever taken back. is_unbounded: it
    does not end by itself. warnings: sentences for the user. sources, sinks: the tables that it
    reads and writes.
    """

    @property
    def schema(self) -> Schema: ...

    @property
    def insert_only(self) -> bool: ...

    @property
    def is_unbounded(self) -> bool: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def sources(self) -> tuple[CatalogTable, ...]: ...

    @property
    def sinks(self) -> tuple[CatalogTable, ...]: ...


@dataclass(frozen=True, slots=True)
class RunSpec:
    """As what a prepared statement runs.

    incarnation: grows with every start; an older one must not write any more. directory: where
    state is kept, None for a query, whose state ends with it. same_statement: the saved state was
    written by this very statement. start: what of a saved state is used.
    """

    job_id: str
    incarnation: int
    directory: Path | None
    config: SessionConfig
    same_statement: bool = False
    start: StartFrom = StartFrom.STATE


class Running(Protocol):
    """A statement at work. ``run`` belongs to one thread; the rest is called from any."""

    def run(self, stop: threading.Event) -> str:
        """Work until the input is over ("finished") or ``stop`` is set ("stopped").

        Raises:
            EddylineError: what failed.
        """

    def metrics(self) -> JobMetrics:
        """The figures as they are now."""

    def why_silent(self) -> list[str]:
        """Sentences: why nothing is shown or written, nearest cause first."""

    @property
    def epoch(self) -> int:
        """The last step that is durable."""


class Engine(Protocol):
    """Runs statements."""

    def prepare(self, statements: StatementSet) -> tuple[Prepared, ...]:
        """One prepared statement for each of the set.

        Raises:
            EddylineError: ``sql_semantic``, ``sql_unsupported`` or ``not_found``, with the place.
        """

    def explain(self, statement: st.Explain, catalog: Catalog, config: SessionConfig) -> str:
        """How the engine would run a statement. Raises as ``prepare``."""

    def check_state(self, prepared: Prepared, directory: Path) -> None:
        """See whether a changed statement can take the state that another one left in a directory.

        Raises:
            EddylineError: ``state_mismatch``, naming what differs and what can be chosen.
        """

    def start(self, prepared: Prepared, spec: RunSpec, listener: JobListener) -> Running:
        """A run of a statement that this engine has prepared; it begins with ``run``."""
