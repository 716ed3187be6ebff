"""Plans by hand and jobs over them, for the engine's tests."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eddyline.catalog.table import CatalogTable, ObjectPath, TableColumn
from eddyline.clock import SYSTEM, Clock
from eddyline.engine.job import Job, JobSpec
from eddyline.record import types as t
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, TimeAttribute, quote
from eddyline.settings import Settings
from eddyline.sql import physical as p

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001
TS = t.timestamp(3)
ROWTIME = replace(TS, time_attribute=TimeAttribute.ROWTIME)
WINDOW = ("window_start", "window_end", "window_time")
ISO = {"format": "json", "json.timestamp-format.standard": "ISO-8601"}


@dataclass
class Watcher:
    """A listener that remembers."""

    changes: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def on_rows(self, batch: Batch) -> None:
        kinds = ["+I"] * batch.num_rows
        if batch.kinds is not None:
            kinds = [ChangeKind(k).short for k in batch.kinds.tolist()]
        columns = [c.to_pylist() for c in batch.rows.columns]
        rows = zip(*columns, strict=True)
        self.changes += [(k, tuple(plain(v) for v in r)) for k, r in zip(kinds, rows, strict=True)]

    def on_scores(self, points: Any) -> None:
        self.scores.append(points)

    def on_warning(self, sentence: str) -> None:
        self.words.append(sentence)

    def on_text(self, line: str) -> None:
        self.words.append(line)

    def on_printed(self, printed: Any) -> None:
        self.words += printed.lines

    def folded(self) -> Counter[tuple[Any, ...]]:
        out: Counter[tuple[Any, ...]] = Counter()
        for kind, row in self.changes:
            out[row] += 1 if kind in ("+I", "+U") else -1
            assert out[row] >= 0, f"{row} is taken back but never was given"
        return +out


def plain(value: Any) -> Any:
    return str(value) if hasattr(value, "isoformat") else value


def expr(text: str, kind: DataType = t.INT) -> p.Expr:
    return p.Expr(text, kind)


def file_table(path: Path, schema: Schema, name: str = "t", **options: str) -> CatalogTable:
    columns = tuple(TableColumn(c.name, c.type) for c in schema)
    return CatalogTable(
        ObjectPath("c", "d", name),
        columns,
        options={"connector": "filesystem", "path": str(path), **ISO, **options},
    )


def sink_table(schema: Schema, name: str = "out", **options: str) -> CatalogTable:
    columns = tuple(TableColumn(c.name, c.type) for c in schema)
    return CatalogTable(ObjectPath("c", "d", name), columns, options={**ISO, **options})


def scan(table: CatalogTable) -> p.Scan:
    return p.Scan(table, table.physical(), (), table.physical())


def watermark(node: p.Node, column: str, delay_ms: int = 0) -> p.AssignWatermark:
    columns = (Column(c.name, ROWTIME if c.name == column else c.type) for c in node.schema)
    text = f"{quote(column)} - to_microseconds({delay_ms * 1000})"
    return p.AssignWatermark(node, column, text, Schema(tuple(columns)))


def aggregate(function: str, name: str, kind: DataType, *args: str, **more: Any) -> p.Aggregate:
    arg_type = more.pop("arg_type", t.INT)
    return p.Aggregate(function, tuple(expr(a, arg_type) for a in args), kind, name, **more)


COUNT = aggregate("COUNT", "n", t.BIGINT)


def window_aggregate(
    node: p.Node,
    window: p.Window,
    time: str,
    keys: tuple[str, ...],
    aggregates: tuple[p.Aggregate, ...] = (COUNT,),
) -> p.WindowAggregate:
    columns = [Column(k, node.schema[k]) for k in keys]
    columns += [Column(a.name, a.type) for a in aggregates]
    columns += [Column(n, TS) for n in WINDOW]
    return p.WindowAggregate(node, window, time, keys, aggregates, WINDOW, Schema(tuple(columns)))


def group(
    node: p.Node, keys: tuple[str, ...], aggregates: tuple[p.Aggregate, ...] = (COUNT,)
) -> p.GroupAggregate:
    columns = [Column(k, node.schema[k]) for k in keys]
    columns += [Column(a.name, a.type) for a in aggregates]
    return p.GroupAggregate(node, keys, aggregates, Schema(tuple(columns)))


def select(node: p.Node) -> p.Plan:
    return p.Plan(p.Collect(node, node.schema), "SELECT", insert_only=False)


def insert(node: p.Node, table: CatalogTable, partition_by: tuple[str, ...] = ()) -> p.Plan:
    root = p.Sink(node, table, table.physical(), partition_by, table.physical())
    return p.Plan(root, "INSERT", insert_only=True)


def write_lines(path: Path, rows: list[dict[str, Any]], mode: str = "w") -> None:
    with path.open(mode) as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")


def run(
    plan: p.Plan,
    *,
    batch_rows: int = 1000,
    directory: Path | None = None,
    incarnation: int = 1,
    streams: Any = None,
    watcher: Watcher | None = None,
    clock: Clock = SYSTEM,
    crash: Any = None,
    **more: Any,
) -> Watcher:
    """A bounded job from its beginning to its end; ``more``: settings."""
    watcher = watcher or Watcher()
    settings = Settings(batch_rows_max=batch_rows, worker_threads=1, poll_ms=1, **more)
    job = Job(
        JobSpec(plan, "job", incarnation, directory),
        streams=streams,
        settings=settings,
        clock=clock,
        listener=watcher,
        crash=crash,
    )
    assert job.run(threading.Event()) == "finished"
    watcher.metrics = job.metrics()  # type: ignore[attr-defined]
    return watcher


def iso(seconds: float) -> str:
    """Seconds since 1970 as the JSON tables' text."""
    moment = EPOCH + dt.timedelta(milliseconds=round(seconds * 1000))
    return moment.isoformat("T", "milliseconds")
