"""Where the cost of a job could jump: shards, sliding windows, wide records, many jobs, two cores.

    python -m benchmarks.cliffs [part ...]

Each figure is taken in a process of its own. The records are put first, so that a job reads a
backlog; its rows go nowhere (connector blackhole). CPU is that of the whole process while the job
runs, and grows little with what else the machine does.
"""

from __future__ import annotations

import json
import os
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
from eddyline.log import LogStore, PutBatch
from eddyline.log.shard import StreamMode
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

OPTIONS = (
    "'connector'='kinesis','aws.region'='us-east-1','format'='json','stream'='src',"
    "'json.timestamp-format.standard'='ISO-8601','scan.stream.initpos'='TRIM_HORIZON'"
)
COLUMNS = "k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND"
SINK = "CREATE TABLE dst (a BIGINT, b BIGINT) WITH ('connector'='blackhole');"
WIDE = ", ".join(f"f{i} STRING" for i in range(37))
TUMBLE = (
    "INSERT INTO dst SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), "
    "INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end"
)
HOP = TUMBLE.replace("TUMBLE(", "HOP(").replace(
    "INTERVAL '10' SECOND", "INTERVAL '10' SECOND, INTERVAL '10' MINUTE"
)
CUMULATE = TUMBLE.replace("TUMBLE(", "CUMULATE(").replace(
    "INTERVAL '10' SECOND", "INTERVAL '10' SECOND, INTERVAL '10' MINUTE"
)
JOIN = "INSERT INTO dst SELECT x.k, y.v FROM src x JOIN src y ON x.v = y.v AND x.k = y.k"
FILTER = "INSERT INTO dst SELECT k, v FROM src WHERE v > 5"
JOBS, JOB_RATE, JOB_SECONDS = 30, 10, 15


class Silent:
    """A listener that keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


def lines(first: int, count: int, wide: bool) -> list[bytes]:
    """Rows of 1,000 keys, ten a millisecond; ``wide`` ones have 40 fields, 680 bytes."""
    rng = np.random.default_rng(first)
    at = np.datetime64("2026-11-24T10:00:00.000", "ms") + (first + np.arange(count)) // 10
    pad = "".join(f',"f{i}":"value {i}"' for i in range(37)) if wide else ""
    keys, values = rng.integers(0, 1000, count).tolist(), rng.integers(0, 1 << 30, count).tolist()
    return [
        f'{{"k":{k},"v":{v},"ts":"{t}"{pad}}}'.encode()
        for k, v, t in zip(keys, values, at.astype(str).tolist(), strict=True)
    ]


class Backlog:
    """A scratch directory with a stream of records, and jobs over it."""

    def __init__(self, rows: int, shards: int = 1, *, wide: bool = False) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="eddyline-cliffs-"))
        self.settings = Settings(data_dir=self.root)
        self.store = LogStore(self.root, self.settings, SYSTEM)
        self.store.create("src", shards, StreamMode.PROVISIONED)
        self.rows, self.num_bytes = rows, 0
        stream = self.store.open("src")
        for first in range(0, rows, 5_000):
            data = lines(first, min(5_000, rows - first), wide)
            self.num_bytes += sum(map(len, data))
            stream.put(PutBatch([str(first + i) for i in range(len(data))], data)).result()
        self.catalog = Catalog(None)
        columns = COLUMNS + (", " + WIDE if wide else "")
        source = f"CREATE TABLE src ({columns}) WITH ({OPTIONS});"
        for statement in parse_script(source + SINK):
            assert isinstance(statement, st.CreateTable)
            self.catalog.create_table(Planner(self.catalog).table(statement))

    def job(self, sql: str, name: str) -> Job:
        (insert,) = parse_script(sql)
        assert isinstance(insert, st.Insert)
        spec = JobSpec(Planner(self.catalog).insert(insert), name, 1, self.root / "jobs" / name)
        return Job(
            spec, streams=self.store, settings=self.settings, clock=SYSTEM, listener=Silent()
        )

    def run(self, sql: str) -> tuple[float, float]:
        """Wall and CPU seconds of a job over the backlog, its start left out."""
        job, stop = self.job(sql, "bench"), StopSignal()
        thread = threading.Thread(target=job.run, args=(stop,))
        thread.start()
        while not job.metrics().epochs:
            time.sleep(0.002)
        before, wall, cpu = job.metrics().rows_in, time.perf_counter(), time.process_time()
        sides = 2 if sql is JOIN else 1
        while job.metrics().rows_in < sides * self.rows and thread.is_alive():
            time.sleep(0.005)
        job.end_input()
        thread.join()
        share = sides * self.rows / (sides * self.rows - before)
        return (time.perf_counter() - wall) * share, (time.process_time() - cpu) * share

    def close(self) -> None:
        self.store.close()
        shutil.rmtree(self.root)


def per_row(what: str, sql: str, rows: int, shards: int = 1, *, wide: bool = False) -> None:
    backlog = Backlog(rows, shards, wide=wide)
    wall, cpu = backlog.run(sql)
    peak = int(next(
        line.split()[1] for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )) // 1024  # fmt: skip
    row = {"what": what, "rows": rows, "cpu_us_per_row": round(1e6 * cpu / rows, 2)}
    row |= {"mb_s": round(backlog.num_bytes / wall / 1e6), "memory_mib": peak}
    print(json.dumps(row), flush=True)
    backlog.close()


def two_cores(what: str, sql: str, rows: int, cores: int) -> None:
    backlog = Backlog(rows)
    wall, cpu = backlog.run(sql)
    row = {"what": what, "cores": cores, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}
    print(json.dumps(row), flush=True)
    backlog.close()


def many_jobs(count: int, rate: int) -> None:
    """So many filters over one stream in one process, as in one note."""
    backlog, stop = Backlog(1), StopSignal()
    jobs = [backlog.job(FILTER, f"job{i}") for i in range(count)]
    threads = [threading.Thread(target=job.run, args=(stop,)) for job in jobs]
    for thread in threads:
        thread.start()
    while not all(job.metrics().steps for job in jobs):
        time.sleep(0.05)
    time.sleep(3)
    feeder = (
        "import sys,time;from pathlib import Path;from eddyline.clock import SYSTEM;"
        "from eddyline.log import LogStore,PutBatch;from eddyline.settings import Settings;"
        "root=Path(sys.argv[1]);s=LogStore(root,Settings(data_dir=root),SYSTEM).open('src');"
        "[(time.sleep(1/float(sys.argv[2])),s.put(PutBatch(['k'],"
        '[b\'{"k":1,"v":9,"ts":"2026-11-24T10:00:00.000"}\'])).result()) '
        "for _ in range(int(float(sys.argv[2])*float(sys.argv[3])))]"
    )
    cpu, wall = time.process_time(), time.perf_counter()
    if rate:
        command = [sys.executable, "-c", feeder, str(backlog.root), str(rate), str(JOB_SECONDS)]
        subprocess.run(command, check=True)
    else:
        time.sleep(JOB_SECONDS)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    row = {"what": f"{count} jobs × {rate} records/s" if rate else f"{count} idle jobs"}
    row |= {"cpu_share_%": round(100 * share, 1), "threads": len(os.listdir("/proc/self/task"))}
    print(json.dumps(row), flush=True)
    stop.set()
    for thread in threads:
        thread.join()
    backlog.close()


PARTS = {
    "shards": [f"per_row('tumble, {n} shards', TUMBLE, 300_000, {n})" for n in (1, 16, 64, 256)],
    "windows": ["per_row('HOP 10 min / 10 s', HOP, 1_000_000)",
                "per_row('CUMULATE 10 s, 10 min', CUMULATE, 1_000_000)"],
    "wide": ["per_row('JSON, 3 of 40 fields', FILTER, 400_000, wide=True)"],
    "jobs": [f"many_jobs({JOBS}, {JOB_RATE})", "many_jobs(100, 0)"],
    "cores": [f"two_cores('{name}', {name.upper()}, {rows}, {n})"
              for name, rows in (("tumble", 2_000_000), ("join", 500_000)) for n in (1, 2)],
}  # fmt: skip


def main() -> None:
    for part in sys.argv[1:] or PARTS:
        for call in PARTS[part]:
            command = [sys.executable, "-c", f"from benchmarks.cliffs import *; {call}"]
            if call.endswith(", 1)") and part == "cores":
                command = ["taskset", "-c", "0", *command]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
