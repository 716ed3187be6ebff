"""The endpoint over a stream that holds a hundred million records, beside one that is empty.

    python -m benchmarks depth [MILLIONS]

Both streams have four shards and lie in one server; runs alternate between them, and the empty one
is made again for each, so that what the machine does meanwhile meets both alike. It is filled past
the endpoint, with the log's own puts. Takes about 20 GiB of disk. The newest record is read from a
shard of its own with ten million.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from benchmarks import kinesis
from benchmarks.kinesis import Effort, Rig
from benchmarks.ours import eddyline
from benchmarks.wire import Batches, record
from eddyline.log import LogStore, PutBatch
from eddyline.settings import Settings

MILLION = 1_000_000
DEEP, ONE_SHARD = 100, 10
RUNS = 7
SECONDS = 2.0
FILL_RECORDS = 20_000
FLYING = 8


def main() -> None:
    deep = int(sys.argv[1]) if len(sys.argv) > 1 else DEEP
    home = Path(tempfile.mkdtemp(prefix="eddyline-bench-"))
    with eddyline(home=home) as server:
        rig = Rig(server, Effort(1, SECONDS))
        full, single = rig.stream(), rig.stream(1)
        began = time.perf_counter()
        fill(home / "data", full, deep * MILLION)
        took = time.perf_counter() - began
        fill(home / "data", single, min(ONE_SHARD, deep) * MILLION)
        size = sum(f.stat().st_blocks * 512 for f in (home / "data").rglob("data.mdb"))
        row = {"millions": deep, "filled_records_s": deep * MILLION / took}
        print(json.dumps({"stream": "filling", **row, "disk_gib": round(size / 2**30, 1)}))
        time.sleep(kinesis.SETTLE_S)
        beside(rig, full)
        print(json.dumps({"shard of ten million": "newest record", **newest(rig, single)}))


def fill(data_dir: Path, name: str, records: int) -> None:
    """Put so many records, each as the endpoint's are."""
    lots = [range(i, i + FILL_RECORDS) for i in range(0, 8 * FILL_RECORDS, FILL_RECORDS)]
    batches = [PutBatch([f"visitor-{n}" for n in r], [record(n) for n in r]) for r in lots]
    store = LogStore(data_dir, Settings(data_dir=data_dir))
    stream, flying = store.open(name), list[Future[Any]]()
    for i in range(records // FILL_RECORDS):
        if len(flying) == FLYING:
            flying.pop(0).result()
        flying.append(stream.put(batches[i % len(batches)]))
    for future in flying:
        future.result()
    store.close()


def beside(rig: Rig, full: str) -> None:
    """Rates and latencies of both streams in turn; medians, and the full one's share."""
    figures: dict[str, dict[str, list[float]]] = {}
    for run in range(RUNS):
        empty = rig.stream()
        order = [("empty", empty), ("full", full)]
        for name, stream in order if run % 2 else reversed(order):
            for what, value in once(rig, stream).items():
                figures.setdefault(what, {}).setdefault(name, []).append(value)
        rig.drop(empty)
    for what, measured in figures.items():
        row = {name: round(statistics.median(values), 3) for name, values in measured.items()}
        print(json.dumps({"figure": what, **row, "ratio": round(row["full"] / row["empty"], 3)}))


def once(rig: Rig, stream: str) -> dict[str, float]:
    """PutRecords, PutRecord and GetRecords, each for a moment."""
    cpu = kinesis.cpu_s(rig.server.pid)
    rate = put_rate(rig, stream)
    cpu_us = (kinesis.cpu_s(rig.server.pid) - cpu) / (rate * SECONDS) * 1e6
    single = one_by_one(rig, stream)
    return {
        "PutRecords, records/s": rate,
        "its CPU, us a record": cpu_us,
        "PutRecord p50, ms": single,
        "GetRecords of what was put lately, records/s": get_rate(rig, stream),
    }


def put_rate(rig: Rig, stream: str) -> float:
    """Four connections, 500 records each time."""
    batches = Batches.of(rig.server.url, stream)
    done = [0] * 4
    began = time.perf_counter()

    def send(n: int) -> None:
        sender, turn = rig.connection(), n
        while time.perf_counter() - began < SECONDS:
            status, _ = sender.send(batches.requests[turn % len(batches.requests)])
            done[n] += kinesis.BATCH_RECORDS if status == 200 else 0
            turn += 1
        sender.close()

    kinesis.together(send, len(done))
    return sum(done) / (time.perf_counter() - began)


def one_by_one(rig: Rig, stream: str) -> float:
    """Median milliseconds of a single put."""
    sender, taken = rig.connection(), []
    request = kinesis.signed(rig.server.url, "PutRecord", kinesis.one_record(stream))
    for _ in range(300):
        began = time.perf_counter()
        sender.send(request)
        taken.append((time.perf_counter() - began) * 1000)
    sender.close()
    return statistics.median(taken)


def get_rate(rig: Rig, stream: str) -> float:
    """Records that were put lately, over and over, 10,000 a call."""
    control, reader = rig.connection(), rig.connection()
    shards = control.call("ListShards", StreamName=stream)["Shards"]
    at = time.time() - SECONDS
    more = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": at}
    calls = [
        control.call("GetShardIterator", StreamName=stream, ShardId=s["ShardId"], **more)
        for s in shards
    ]
    total, began, turn = 0, time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        body = {"ShardIterator": calls[turn % len(calls)]["ShardIterator"], "Limit": 10_000}
        _, answer = reader.send(kinesis.signed(rig.server.url, "GetRecords", body))
        total += answer.count(b'"PartitionKey"')
        turn += 1
    for connection in (control, reader):
        connection.close()
    return total / (time.perf_counter() - began)


def newest(rig: Rig, stream: str) -> dict[str, float]:
    """Milliseconds from the request to the newest record, each time after one more was put."""
    at = rig.iterators(stream, "LATEST")[0]
    sender, taken = rig.connection(), []
    request = kinesis.signed(rig.server.url, "PutRecord", kinesis.one_record(stream))
    for _ in range(200):
        sender.send(request)
        began = time.perf_counter()
        body = {"ShardIterator": at, "Limit": 10}
        _, answer = sender.send(kinesis.signed(rig.server.url, "GetRecords", body))
        taken.append(time.perf_counter() - began)
        assert answer.count(b'"PartitionKey"') == 1
        at = kinesis.next_iterator(answer)
    sender.close()
    return kinesis.percentiles(taken)


if __name__ == "__main__":
    main()
