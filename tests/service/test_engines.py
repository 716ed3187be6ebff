"""Sessions run statements on any engine: here on one that has no plans and no streams."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eddyline.catalog.catalog import Catalog
from eddyline.engine.job import JobListener
from eddyline.engine.metrics import JobMetrics
from eddyline.engines.engine import Prepared, RunSpec, StatementSet
from eddyline.engines.registry import ENGINES
from eddyline.errors import EddylineError
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.schema import Schema
from eddyline.server import Server
from eddyline.service import messages
from eddyline.service.directory import DataDirectory
from eddyline.service.events import RunFinished, StatementFinished, TableSnapshot, Text
from eddyline.service.script import Script
from eddyline.service.session import Session
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig

WORDS = Schema.of(word=t.STRING)


@dataclass
class EchoStatement:
    """A statement that gives its own words."""

    text: str
    schema: Schema = WORDS
    insert_only: bool = True
    is_unbounded: bool = False
    warnings: tuple[str, ...] = ("echoed",)
    sources: tuple[()] = ()
    sinks: tuple[()] = ()


class EchoRun:
    """Gives the words of a statement, then ends."""

    epoch = 1

    def __init__(self, words: list[str], listener: JobListener) -> None:
        self._words, self._listener = words, listener

    def run(self, stop: threading.Event) -> str:
        self._listener.on_rows(Batch(pa.table({"word": self._words})))
        return "finished"

    def metrics(self) -> JobMetrics:
        return JobMetrics(rows_out=len(self._words), steps=1)

    def why_silent(self) -> list[str]:
        return []


class EchoEngine:
    """An engine without plans."""

    def __init__(self) -> None:
        self.specs: list[RunSpec] = []

    def prepare(self, statements: StatementSet) -> tuple[EchoStatement, ...]:
        return tuple(EchoStatement(s.source.text) for s in statements.statements)

    def explain(self, statement: st.Explain, catalog: Catalog, config: SessionConfig) -> str:
        return "says it again"

    def check_state(self, prepared: Prepared, directory: Path) -> None:
        """It keeps no state."""

    def start(self, prepared: Prepared, spec: RunSpec, listener: JobListener) -> EchoRun:
        assert isinstance(prepared, EchoStatement)
        self.specs.append(spec)
        return EchoRun(prepared.text.split(), listener)


def test_a_session_runs_on_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second engine is a row of the table, chosen by the setting."""
    DataDirectory(tmp_path).prepare()
    events: list[Any] = []
    engine = EchoEngine()

    def send(event: Any) -> bool:
        events.append(event)
        return True

    monkeypatch.setitem(ENGINES, "echo", lambda context: engine)
    session = Session("app:a", Settings(data_dir=tmp_path, engine="echo"), send)
    text = "EXPLAIN SELECT a FROM b; SELECT a FROM b; INSERT INTO c SELECT a FROM b;"
    Script(session, messages.Run("run", text, job_name="echo")).run()
    session.streams.close()
    (end,) = (e for e in events if isinstance(e, RunFinished))
    assert end.status == "FINISHED", end.error_text
    assert [e.text for e in events if isinstance(e, Text)] == ["says it again"]
    shown = [e.rows for e in events if isinstance(e, TableSnapshot)]
    assert sorted(shown[-1]) == [["FROM"], ["SELECT"], ["a"], ["b"]]
    assert {e.index for e in events if isinstance(e, StatementFinished)} == {0, 1, 2}
    query, job = engine.specs
    assert (query.directory, job.incarnation) == (None, 1)
    assert job.directory is not None
    assert [j.actual for j in session.jobs.list()] == ["FINISHED"]


def test_an_unknown_engine_is_refused_when_the_server_starts(tmp_path: Path) -> None:
    server = Server(Settings(data_dir=tmp_path, engine="locl"), studio=False)
    with pytest.raises(EddylineError) as refused:
        server.start()
    assert refused.value.code == "invalid_argument"
    assert "did you mean local?" in refused.value.pretty()
