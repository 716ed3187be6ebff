"""The log in process: puts, reads, the newest record, fullness, many streams; one JSON a line.

    python -m benchmarks.log [--dir DIR] [--quick]

Puts are durable (one fsync a commit) unless the row says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from eddyline.log import LogStore, PutBatch, Stream
from eddyline.settings import Settings

RECORDS, RECORD_BYTES, WRITERS, SHARDS = 500, 150, 4, 4
ROUNDS = 5


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dir", help="where to write; a scratch directory if not given")
    options.add_argument("--quick", action="store_true", help="smaller, for a first look")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="eddyline-log-", dir=chosen.dir))
    scale = 10 if chosen.quick else 1
    try:
        for measure in (batches, singles, reads, newest, fullness, many_streams):
            store = LogStore(folder / measure.__name__, Settings(stream_delay_ms=0))
            try:
                for row in measure(store, scale):
                    print(json.dumps(row), flush=True)
            finally:
                store.close()
                shutil.rmtree(folder / measure.__name__, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def batch(n: int = RECORDS) -> PutBatch:
    """n records with keys of their own."""
    data = os.urandom(RECORD_BYTES * n)
    keys = [f"key-{i}" for i in range(n)]
    return PutBatch(keys, [data[i * RECORD_BYTES : (i + 1) * RECORD_BYTES] for i in range(n)])


def pump(stream: Stream, seconds: float, total: int | None = None) -> tuple[float, float]:
    """Put batches, as many writers as there are in flight; (records/s, CPU us a record)."""
    batches = [batch() for _ in range(8)]
    began, cpu, sent = time.perf_counter(), time.process_time(), 0
    flying: list[Future[Any]] = []
    while total is None or sent * RECORDS < total:
        if total is None and time.perf_counter() - began > seconds:
            break
        if len(flying) == WRITERS:
            flying.pop(0).result()
        flying.append(stream.put(batches[sent % 8]))
        sent += 1
    for future in flying:
        future.result()
    n = sent * RECORDS
    return n / (time.perf_counter() - began), (time.process_time() - cpu) / n * 1e6


def batches(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """500 records a put, four in flight."""
    stream = store.create("batches", SHARDS)
    pump(stream, 0.3)
    rates = [pump(stream, 2 / scale**0.5) for _ in range(ROUNDS)]
    rate = statistics.median(r for r, _ in rates)
    cpu = statistics.median(c for _, c in rates)
    return [
        {
            "what": "put 500 x 150 bytes, 4 in flight",
            "records_per_s": round(rate),
            "cpu_us_per_record": round(cpu, 2),
        }
    ]


def singles(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """One record per put, one after the other."""
    stream = store.create("singles", SHARDS)
    one, times = PutBatch(["key"], [os.urandom(RECORD_BYTES)]), []
    for _ in range(2000 // scale):
        began = time.perf_counter()
        stream.put(one).result()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return [
        {
            "what": "put of one record",
            "p50_ms": round(times[len(times) // 2], 3),
            "p99_ms": round(times[len(times) * 99 // 100], 3),
        }
    ]


def reads(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """Everything, 10,000 records a read, as the engine reads."""
    stream = store.create("reads", SHARDS)
    pump(stream, 0, 4_000_000 // scale)
    rates, cpu = [], []
    for _ in range(ROUNDS):
        began, used, n = time.perf_counter(), time.process_time(), 0
        for shard in range(SHARDS):
            at, end = stream.bounds(shard)
            while at < end:
                got = stream.read(shard, at, 10_000, 16 << 20)
                at, n = got.next_offset, n + len(got)
        rates.append(n / (time.perf_counter() - began))
        cpu.append((time.process_time() - used) / n * 1e6)
    return [
        {
            "what": "read 10,000 at a time",
            "records_per_s": round(statistics.median(rates)),
            "cpu_us_per_record": round(statistics.median(cpu), 3),
        }
    ]


def newest(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """The last record of a large shard; each time after another one was put."""
    stream = store.create("newest", 1)
    n = 10_000_000 // scale
    pump(stream, 0, n)
    times = []
    for _ in range(200):
        stream.put(PutBatch(["key"], [b"x" * RECORD_BYTES])).result()
        began = time.perf_counter()
        tip = stream.bounds(0)[1]
        assert len(stream.read(0, tip - 1)) == 1
        times.append((time.perf_counter() - began) * 1000)
    return [
        {
            "what": "newest record",
            "records_in_shard": n,
            "p50_ms": round(statistics.median(times), 3),
            "max_ms": round(max(times), 3),
        }
    ]


def fullness(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """The rate of puts while the stream fills."""
    stream = store.create("fullness", SHARDS)
    total = 20_000_000 // scale
    rates = [pump(stream, 0, total // 20) for _ in range(20)]
    first, last = (
        [statistics.median(column) for column in zip(*part, strict=True)]
        for part in (rates[:5], rates[-5:])
    )
    return [
        {
            "what": "put while filling",
            "records": total,
            "first_quarter_per_s": round(first[0]),
            "last_quarter_per_s": round(last[0]),
            "ratio": round(last[0] / first[0], 3),
            "cpu_us_first": round(first[1], 2),
            "cpu_us_last": round(last[1], 2),
        }
    ]


def many_streams(store: LogStore, scale: int) -> list[dict[str, Any]]:
    """A thousand streams of four shards, all open, all written to."""
    count = 1000 // scale
    before = resident_mib()
    began = time.perf_counter()
    streams = [store.create(f"s{i}", 4) for i in range(count)]
    for future in [s.put(batch(10)) for s in streams]:
        future.result()
    took = time.perf_counter() - began
    files = len(os.listdir("/proc/self/fd"))
    return [
        {
            "what": "streams open at once",
            "streams": count,
            "seconds": round(took, 2),
            "descriptors": files,
            "descriptors_max": resource.getrlimit(7)[0],
            "memory_mib": round(resident_mib() - before, 1),
        }
    ]


def resident_mib() -> float:
    """Resident memory of this process."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
