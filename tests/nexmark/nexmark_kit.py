"""What the tests of Nexmark share: a few events, the answers of Apache Flink 2.3.0, a session."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.nexmark_queries import EVENTS, VIEWS
from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.sources.nexmark import NexmarkSource
from eddyline.engine.sources.source import SourceContext
from eddyline.service.events import RowsAppended, RunFinished
from eddyline.service.messages import Run
from eddyline.service.script import Script
from eddyline.service.session import Session
from eddyline.settings import Settings
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner
from eddyline.sql.statement import CreateTable

ANSWERS = Path(__file__).with_name("answers.json")
COUNT = 600
# Half a minute of events, so that windows of ten seconds differ.
OPTIONS = {
    "connector": "nexmark", "events.num": str(COUNT), "first-event.rate": "20",
    "bid.avg-size": "60", "auction.avg-size": "200",
}  # fmt: skip
SIDE_INPUT = [{"key": key, "value": f"side-{key}"} for key in range(1000, 1030)]
# One goes by the clock; the other looks up rows of files, which Flink cannot.
WITHOUT_ANSWER = ("q12", "q13")
# Of an answer with more rows than this a digest is kept.
ROWS_MAX = 12


def options_text(options: dict[str, str]) -> str:
    return ", ".join(f"'{key}' = '{value}'" for key, value in options.items())


def event_lines(count: int = COUNT, options: dict[str, str] = OPTIONS) -> list[str]:
    """The events as lines of JSON."""
    (statement,) = parse_script(f"{EVENTS} WITH ({options_text(options)})")
    assert isinstance(statement, CreateTable)
    schema = Planner(Catalog(None)).table(statement).physical()
    context = SourceContext("nexmark", Settings(), SYSTEM, options, idle_timeout_ms=None)
    source = NexmarkSource(context, schema)
    source.open(None)
    records = source.poll(count)
    assert records is not None
    return [json.dumps(row, default=_text) for row in records.rows.to_pylist()]


def _text(value: Any) -> str:
    return value.isoformat(sep=" ", timespec="milliseconds")


def digest(rows: list[str]) -> dict[str, Any]:
    """Sorted rows as they are kept: all of a few, of many the first and a digest."""
    if len(rows) <= ROWS_MAX:
        return {"rows": rows}
    whole = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return {"count": len(rows), "first": rows[:2], "sha256": whole}


class NexmarkSession:
    """A session with the events, the views and the side input."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder / "data", fsync=False, map_gib=1)
        settings.data_dir.mkdir()
        self._events: list[Any] = []
        self._session = Session("s", settings, self._keep)
        side = folder / "side.json"
        side.write_text("".join(json.dumps(row) + "\n" for row in SIDE_INPUT))
        self.run(f"{EVENTS} WITH ({options_text(OPTIONS)})")
        self.run(
            "CREATE TABLE side_input (key BIGINT, `value` VARCHAR) WITH "
            f"('connector' = 'filesystem', 'format' = 'json', 'path' = '{side}')"
        )
        self.run(VIEWS)

    def _keep(self, event: Any) -> bool:
        self._events.append(event)
        return True

    def run(self, text: str) -> list[str]:
        """The rows that remain after all changes of a query, as sorted JSON lines."""
        self._events.clear()
        Script(self._session, Run("run", text, changelog=True)).run()
        (end,) = [e for e in self._events if isinstance(e, RunFinished)]
        assert end.status == "FINISHED", end.error_text
        rows: Counter[str] = Counter()
        for event in self._events:
            if isinstance(event, RowsAppended):
                for kind, row in zip(event.kinds, event.rows, strict=True):
                    line = json.dumps(row, ensure_ascii=False)
                    rows[line] += 1 if kind in ("+I", "+U") else -1
        assert min(rows.values(), default=0) >= 0
        return sorted(rows.elements())
