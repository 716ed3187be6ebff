"""Every Nexmark query beside Apache Flink, over a file of the same events.

    python -m benchmarks.nexmark [events] [query …]

The events are made by the connector ``nexmark`` and written as JSON, which both engines read; what
a query gives goes to ``blackhole``. Each query runs four times in either engine, in one process per
engine; the first run is cold, of the others the median counts. q13 runs here alone, because Flink
cannot look up rows of files. Flink has one slot and mini-batches of two seconds and 5,000 rows. CPU
seconds are those of the process and all its threads.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

from benchmarks import flink
from benchmarks.nexmark_queries import EVENTS, QUERIES, VIEWS
from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.settings import Settings
from eddyline.sql import statement as s
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

RUNS = 4
SIDE_ROWS = 10_000


class Quiet:
    """A listener that passes over everything."""

    def on_rows(self, batch: Any) -> None: ...

    def on_scores(self, points: Any) -> None: ...

    def on_warning(self, sentence: str) -> None: ...

    def on_printed(self, printed: Any) -> None: ...


def setup(folder: Path) -> list[str]:
    """The statements that both engines are given."""
    options = "'connector' = 'filesystem', 'format' = 'json', 'path' = 'file://{}'"
    return [
        f"{EVENTS} WITH ({options.format(folder / 'events.json')})",
        f"CREATE TABLE side_input (key BIGINT, `value` VARCHAR) "
        f"WITH ({options.format(folder / 'side.json')})",
        *VIEWS.split(";"),
    ]


def write(folder: Path, count: int) -> None:
    """The events and the side input as files."""
    planner = Planner(Catalog(None))
    (table,) = parse_script(f"{EVENTS} WITH ('connector' = 'nexmark', 'events.num' = '{count}')")
    (sink,) = parse_script(
        f"{EVENTS.replace('TABLE nexmark', 'TABLE files')} WITH ('connector' = 'filesystem', "
        f"'format' = 'json', 'path' = '{folder / 'written'}')"
    )
    catalog = Catalog(None)
    for statement in (table, sink):
        assert isinstance(statement, s.CreateTable)
        catalog.create_table(planner.table(statement))
    run(catalog, "INSERT INTO files SELECT event_type, person, auction, bid FROM nexmark")
    parts = sorted((folder / "written").iterdir())
    with (folder / "events.json").open("wb") as out:
        for part in parts:
            out.write(part.read_bytes())
    side = (json.dumps({"key": key, "value": str(key)}) + "\n" for key in range(SIDE_ROWS))
    (folder / "side.json").write_text("".join(side))


def run(catalog: Catalog, text: str) -> None:
    """One INSERT to its end."""
    (statement,) = parse_script(text)
    assert isinstance(statement, s.Insert)
    plan = Planner(catalog).insert(statement)
    with tempfile.TemporaryDirectory() as folder:
        spec = JobSpec(plan, "job", 1, Path(folder))
        job = Job(spec, streams=None, settings=Settings(), clock=SYSTEM, listener=Quiet())
        job.run(Event())


def ours(folder: Path, names: list[str]) -> dict[str, float]:
    """CPU seconds of each query here."""
    catalog = Catalog(None)
    for text in setup(folder):
        (statement,) = parse_script(text)
        planner = Planner(catalog)
        if isinstance(statement, s.CreateTable):
            catalog.create_table(planner.table(statement))
        else:
            assert isinstance(statement, s.CreateView)
            catalog.create_view(planner.view(statement))
    seconds = {}
    for name in names:
        (query,) = parse_script(QUERIES[name])
        assert isinstance(query, s.Query)
        columns = ", ".join(
            f"`{c.name}` {c.type.plain().null()}" for c in Planner(catalog).query(query).root.schema
        )
        (sink,) = parse_script(
            f"CREATE TABLE out_{name} ({columns}) WITH ('connector'='blackhole')"
        )
        assert isinstance(sink, s.CreateTable)
        catalog.create_table(Planner(catalog).table(sink))
        runs = []
        for _ in range(RUNS):
            began = time.process_time()
            run(catalog, f"INSERT INTO out_{name} {QUERIES[name]}")
            runs.append(time.process_time() - began)
        seconds[name] = median(runs[1:])
    return seconds


def flinks(folder: Path, names: list[str]) -> dict[str, float]:
    """CPU seconds of each query in Flink."""
    job = {"setup": setup(folder), "runs": RUNS, "queries": {n: QUERIES[n] for n in names}}
    done = subprocess.run(
        [str(flink.python()), str(Path(__file__).with_name("nexmark_job.py"))],
        input=json.dumps(job), capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["query"]: median(line["cpu_s"]) for line in lines}


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    names = [word for word in sys.argv[1:] if word in QUERIES] or list(QUERIES)
    count = numbers[0] if numbers else 200_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, count)
        here = ours(folder, names)
        there = flinks(folder, [name for name in names if name != "q13"])
    ratios = []
    for query in names:
        row: dict[str, Any] = {"what": query, "events": count, "cpu_s": round(here[query], 3)}
        if query in there:
            ratios.append(there[query] / here[query])
            row |= {"flink_cpu_s": round(there[query], 3), "times_faster": round(ratios[-1], 2)}
        print(json.dumps(row), flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(json.dumps({"what": "geometric mean", "times_faster": round(mean, 2)}))


if __name__ == "__main__":
    main()
