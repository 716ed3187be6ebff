"""Jobs on slow streams: CPU of an idle job, and of jobs at 5, 100 and 1,000 records a second.

    python -m benchmarks.live [seconds]

One job in a process of its own, as in a worker; records are put by another process, each with one
durable put. CPU is that of the job's process, all threads, as a share of one core. Latency is from
before the put to the arrival of the result's record in the sink stream.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from eddyline.catalog.catalog import Catalog
from eddyline.clock import SYSTEM
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.signals import StopSignal
from eddyline.log import LogStore
from eddyline.log.shard import StreamMode
from eddyline.record.batch import Batch
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

OPTIONS = (
    "'connector'='kinesis','aws.region'='us-east-1','format'='json',"
    "'json.timestamp-format.standard'='ISO-8601','scan.stream.initpos'='TRIM_HORIZON'"
)
SOURCE = (
    "CREATE TABLE src (sensor INT, v INT, put_us BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - "
    f"INTERVAL '1' SECOND) WITH ('stream'='src',{OPTIONS});"
)
# Kind of job, its sink's columns, its statement.
JOBS = {
    "filter": (
        "sensor INT, put_us BIGINT",
        "INSERT INTO dst SELECT sensor, put_us FROM src WHERE v > 0 AND sensor <> 99",
    ),
    "tumble": (
        "sensor INT, n BIGINT",
        "INSERT INTO dst SELECT sensor, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), "
        "INTERVAL '1' SECOND)) GROUP BY sensor, window_start, window_end",
    ),
}
FEEDER = """
import json, sys, time
from pathlib import Path
from eddyline.clock import SYSTEM
from eddyline.log import LogStore, PutBatch
from eddyline.settings import Settings
root, rate, seconds = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
store = LogStore(root, Settings(data_dir=root), SYSTEM)
stream, began = store.open("src"), time.perf_counter()
for n in range(int(rate * seconds)):
    time.sleep(max(0.0, began + n / rate - time.perf_counter()))
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}"
    row = {"sensor": n % 50, "v": 1 + n % 90, "put_us": int(now * 1e6), "ts": at}
    last = stream.put(PutBatch(["k"], [json.dumps(row).encode()]))
last.result()
store.close()
"""


class Silent:
    """A listener that keeps nothing."""

    def on_rows(self, batch: Batch) -> None:
        """An INSERT shows none."""

    def on_scores(self, points: Any) -> None:
        """None come."""

    def on_warning(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)


def measured(kind: str, rates: tuple[int, ...], seconds: float) -> list[dict[str, Any]]:
    root = Path(tempfile.mkdtemp(prefix="eddyline-live-"))
    settings = Settings(data_dir=root)
    store = LogStore(root, settings, SYSTEM)
    for name in ("src", "dst"):
        store.create(name, 1, StreamMode.PROVISIONED)
    columns, sql = JOBS[kind]
    catalog = Catalog(None)
    sink = f"CREATE TABLE dst ({columns}) WITH ('stream'='dst',{OPTIONS});"
    for statement in parse_script(SOURCE + sink):
        assert isinstance(statement, st.CreateTable)
        catalog.create_table(Planner(catalog).table(statement))
    (insert,) = parse_script(sql)
    assert isinstance(insert, st.Insert)
    spec = JobSpec(Planner(catalog).insert(insert), "bench", 1, root / "jobs" / "bench")
    job = Job(spec, streams=store, settings=settings, clock=SYSTEM, listener=Silent())
    stop = StopSignal()
    thread = threading.Thread(target=job.run, args=(stop,))
    thread.start()
    while not job.metrics().steps:
        time.sleep(0.01)
    time.sleep(2)
    try:
        return [_at_rate(store, job, kind, rate, seconds, root) for rate in rates]
    finally:
        stop.set()
        thread.join()
        store.close()
        shutil.rmtree(root)


def _at_rate(
    store: LogStore, job: Job, kind: str, rate: int, seconds: float, root: Path
) -> dict[str, Any]:
    sink = store.open("dst")
    first, before = sink.bounds(0)[1], job.metrics()
    cpu, wall = time.process_time(), time.perf_counter()
    if rate:
        command = [sys.executable, "-c", FEEDER, str(root), str(rate), str(seconds)]
        subprocess.run(command, check=True)
        while job.metrics().rows_in < before.rows_in + int(rate * seconds):
            time.sleep(0.01)
    else:
        time.sleep(seconds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    batches = job.metrics().epochs - before.epochs
    row: dict[str, Any] = {
        "what": f"{kind} at {rate} records/s" if rate else f"{kind}, idle",
        "cpu_share_%": round(100 * cpu / wall, 2),
        "ms_per_batch": round(1000 * cpu / batches, 2) if batches else None,
    }
    rows = sink.read(0, first, 1_000_000, 1 << 30)
    puts = [json.loads(d).get("put_us") for d in rows.data.to_pylist()]
    if rate and puts and puts[0] is not None:
        ms = rows.arrival_ms - np.array(puts) / 1000
        row |= {f"p{q}_ms": round(float(np.percentile(ms, q)), 1) for q in (50, 99)}
    return row


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    for kind in JOBS:
        for row in measured(kind, (0, 5, 100, 1000), seconds):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
