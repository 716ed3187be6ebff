"""The engine's figures: the reference window job, JSON decoding alone, latency of a filter.

    python -m benchmarks.engine [rows]

Beside the window job stands Apache Flink's, over a file of the same rows. Rows are made here
(numpy only) and put into a stream of a scratch directory; the window job reads that stream from its
beginning. CPU seconds are the process's own, all threads.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import flink
from eddyline.catalog.table import CatalogTable, ObjectPath, TableColumn
from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.log import LogStore, PutBatch
from eddyline.log.shard import StreamMode
from eddyline.record import types as t
from eddyline.record.batch import Batch
from eddyline.record.formats import decoder
from eddyline.record.schema import Column, Schema
from eddyline.settings import Settings
from eddyline.sql import physical as p

TS = t.timestamp(3)
SENSORS = Schema.of(sensor_id=t.INT, current_temperature=t.INT, status=t.STRING, event_time=TS)
ISO = {"format": "json", "json.timestamp-format.standard": "ISO-8601"}
CHUNK = 100_000


def sensor_lines(first: int, count: int, rng: np.random.Generator) -> list[bytes]:
    """JSON lines of sensors: 1,000 events a second, at most 2 s out of order."""
    base = np.datetime64("2026-11-24T10:00:00.000", "ms")
    at = base + (first + np.arange(count)) - rng.integers(0, 2001, count)
    sensors = rng.integers(1, 51, count).tolist()
    temperatures = rng.integers(10, 151, count).tolist()
    status = np.array(["OK", "FAIL", "WARN"])[rng.integers(0, 3, count)].tolist()
    rows = zip(sensors, temperatures, status, at.astype(str).tolist(), strict=True)
    return [
        f'{{"sensor_id":{i},"current_temperature":{c},"status":"{s}","event_time":"{e}"}}'.encode()
        for i, c, s, e in rows
    ]


def fill(stream: Any, rows: int) -> pa.BinaryArray:
    """Put the rows; gives the last chunk."""
    rng = np.random.default_rng(7)
    chunk = pa.array([], pa.binary())
    for first in range(0, rows, CHUNK):
        chunk = pa.array(sensor_lines(first, min(CHUNK, rows - first), rng), pa.binary())
        keys = pa.array(["k"] * len(chunk), pa.string())
        for at in range(0, len(chunk), 5000):
            stream.put(PutBatch(keys.slice(at, 5000), chunk.slice(at, 5000))).result()
    return chunk


def write(path: Path, rows: int) -> None:
    """The rows that ``fill`` puts, as a file."""
    rng = np.random.default_rng(7)
    with path.open("wb") as out:
        for first in range(0, rows, CHUNK):
            out.write(b"\n".join(sensor_lines(first, min(CHUNK, rows - first), rng)) + b"\n")


def table(stream: str, where: str) -> CatalogTable:
    options = {"connector": "kinesis", "stream": stream, "scan.stream.initpos": where, **ISO}
    columns = tuple(TableColumn(c.name, c.type) for c in SENSORS)
    return CatalogTable(ObjectPath("c", "d", stream), columns, options=options)


def scan(stream: str, where: str = "TRIM_HORIZON") -> p.Scan:
    return p.Scan(table(stream, where), SENSORS, (), SENSORS)


def window_plan(stream: str) -> p.Plan:
    """The reference query: count and mean of FAIL rows by sensor, per 10 s."""
    node: p.Node = p.AssignWatermark(
        scan(stream), "event_time", '"event_time" - to_microseconds(5000000)', SENSORS
    )
    kept = tuple(p.Projection(c.name, p.Expr(f'"{c.name}"', c.type)) for c in SENSORS)
    node = p.Calc(node, kept, "\"status\" = 'FAIL'", SENSORS)
    window = ("window_start", "window_end", "window_time")
    calls = (
        p.Aggregate("COUNT", (), t.BIGINT, "n"),
        p.Aggregate("AVG", (p.Expr('"current_temperature"', t.INT),), t.INT, "avg_temp"),
    )
    columns = [Column("sensor_id", t.INT), Column("n", t.BIGINT), Column("avg_temp", t.INT)]
    schema = Schema((*columns, *(Column(n, TS) for n in window)))
    tumble = p.Window(p.WindowKind.TUMBLE, 10_000)
    node = p.WindowAggregate(node, tumble, "event_time", ("sensor_id",), calls, window, schema)
    options = {"connector": "blackhole"}
    out = CatalogTable(ObjectPath("c", "d", "o"), (), options=options)
    return p.Plan(p.Sink(node, out, schema, (), schema), "INSERT", insert_only=True)


class Arrivals:
    """A listener that notes when each row came: its text holds when it was put."""

    def __init__(self) -> None:
        self.latency_ms: list[float] = []

    def on_rows(self, batch: Batch) -> None:
        now = time.perf_counter_ns() // 1000
        self.latency_ms += [
            (now - int(s)) / 1000 for s in batch.rows["status"].to_pylist() if s.isdigit()
        ]

    def on_scores(self, points: Any) -> None:
        """None come."""

    def on_warning(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)


def job(store: LogStore, plan: p.Plan, directory: Path | None, listener: Arrivals) -> Job:
    settings = Settings()
    spec = JobSpec(plan, "bench", 1, directory)
    return Job(spec, streams=store, settings=settings, clock=SYSTEM, listener=listener)


def window_job(store: LogStore, rows: int, directory: Path) -> dict[str, Any]:
    work, stop = job(store, window_plan("sensors"), directory, Arrivals()), threading.Event()
    wall, cpu = time.perf_counter(), time.process_time()
    thread = threading.Thread(target=work.run, args=(stop,))
    thread.start()
    while work.metrics().rows_in < rows and thread.is_alive():
        time.sleep(0.005)
    work.end_input()  # the last windows fire, and the job is over when their rows are out
    thread.join()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return figures("window job from the log", rows, wall, cpu)


def decoding(chunk: pa.BinaryArray) -> dict[str, Any]:
    reader = decoder("json", SENSORS, {"timestamp-format.standard": "ISO-8601"})
    reader.decode(chunk)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(10):
        reader.decode(chunk)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return figures("JSON decoding alone", 10 * len(chunk), wall, cpu)


def figures(what: str, rows: int, wall_s: float, cpu_s: float) -> dict[str, Any]:
    return {
        "what": what,
        "rows": rows,
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "rows_per_s": round(rows / wall_s),
        "rows_per_cpu_s": round(rows / cpu_s),
    }


def latency(store: LogStore, rate: int, seconds: float) -> dict[str, Any]:
    """From before the put of a record to its row at the listener, of a filter query."""
    name = f"latency{rate}"
    store.create(name, 1, StreamMode.PROVISIONED)
    stream, seen = store.open(name), Arrivals()
    kept = tuple(p.Projection(c.name, p.Expr(f'"{c.name}"', c.type)) for c in SENSORS)
    node = p.Calc(scan(name, "LATEST"), kept, '"sensor_id" > 0', SENSORS)
    work = job(store, p.Plan(p.Collect(node, SENSORS), "SELECT", True), None, seen)
    stop = threading.Event()
    thread = threading.Thread(target=work.run, args=(stop,))
    thread.start()
    while not work.metrics().shards:
        time.sleep(0.01)
    total, waiting = int(rate * seconds), []
    cpu, began = time.process_time(), time.perf_counter()
    for n in range(total):
        time.sleep(max(0.0, began + n / rate - time.perf_counter()))
        stamp = str(time.perf_counter_ns() // 1000)
        record = {"sensor_id": 1, "status": stamp, "event_time": "2026-11-24T10:00:00.000"}
        waiting.append(stream.put(PutBatch(["k"], [json.dumps(record).encode()])))
    for put in waiting:
        put.result()
    while len(seen.latency_ms) < total and thread.is_alive():
        time.sleep(0.01)
    spent = time.process_time() - cpu
    stop.set()
    thread.join()
    times = np.array(seen.latency_ms)
    return {
        "what": f"filter latency at {rate} records/s",
        "n": len(times),
        "p50_ms": round(float(np.percentile(times, 50)), 1),
        "p99_ms": round(float(np.percentile(times, 99)), 1),
        "cpu_share": round(spent / seconds, 2),
    }


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    root = Path(tempfile.mkdtemp(prefix="eddyline-bench-"))
    store = LogStore(root, Settings(), SYSTEM)
    try:
        store.create("sensors", 1, StreamMode.PROVISIONED)
        chunk = fill(store.open("sensors"), rows)
        print(json.dumps(decoding(chunk)))
        print(json.dumps(window_job(store, rows, root / "job")))
        data = root / "sensors.json"
        write(data, rows)
        for run in flink.main(data, rows):
            print(json.dumps({k: v for k, v in run.items() if k != "memory_mib"}))
        print(json.dumps(latency(store, 5, 10)))
        print(json.dumps(latency(store, 1000, 5)))
    finally:
        store.close()
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
