"""From a record's arrival to its row at a subscribed client, of a filter query.

    python -m benchmarks.latency [seconds]

A server as ``eddyline up`` starts it, but on free ports and a scratch directory; a client that
runs ``SELECT … WHERE …`` over the control socket and is told each change; records that are put,
durably, at 5 and at 1,000 a second. Measured from before the put to the client's callback, so the
put's own sync to disk is in it; the put alone is told beside.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import numpy as np

from eddyline.log import PutBatch, StreamMode
from eddyline.testing import TestServer, server

RATES = (5, 1000)
SECONDS = 10.0
TABLE = """
CREATE TABLE IF NOT EXISTS {name} (n INT, at_us BIGINT, status STRING)
WITH ('connector' = 'kinesis', 'stream' = '{name}', 'aws.region' = 'us-east-1',
      'scan.stream.initpos' = 'LATEST', 'format' = 'json')
"""
QUERY = "SELECT n, at_us FROM {name} WHERE status = 'FAIL'"


class Client:
    """Takes the query's changes, and notes how old each row is when it comes."""

    def __init__(self) -> None:
        self.latency_ms: list[float] = []
        self.flows = threading.Event()
        self.error: str | None = None

    def __call__(self, event: Any) -> None:
        now_us = time.perf_counter_ns() // 1000
        kind = type(event).__name__
        if kind == "RowsAppended":
            self.latency_ms += [(now_us - int(row[1])) / 1000 for row in event.rows]
        elif kind == "Progress":
            self.flows.set()
        elif kind == "RunFinished":
            self.error = event.error_text
            self.flows.set()


def measured(house: TestServer, rate: int, seconds: float) -> dict[str, Any]:
    """One rate: percentiles over all records."""
    name, client = f"latency{rate}", Client()
    house.services.streams.create(name, 1, StreamMode.PROVISIONED)
    house.sql(TABLE.format(name=name))
    run = house.services.sessions.submit(
        f"kit:{name}", QUERY.format(name=name), client, changelog=True
    )
    client.flows.wait(60)
    stream, puts, total = house.services.streams.open(name), [], int(rate * seconds)
    began = time.perf_counter()
    done: list[float] = []
    for n in range(total):
        time.sleep(max(0.0, began + n / rate - time.perf_counter()))
        at_us = time.perf_counter_ns() // 1000
        record = json.dumps({"n": n, "at_us": at_us, "status": "FAIL"}).encode()
        put = stream.put(PutBatch(["k"], [record]))
        put.add_done_callback(
            lambda _, at=at_us: done.append(time.perf_counter_ns() / 1e6 - at / 1e3)
        )
        puts.append(put)
    for put in puts:
        put.result()
    end = time.perf_counter() + 30
    while len(client.latency_ms) < total and time.perf_counter() < end:
        time.sleep(0.01)
    house.services.sessions.cancel(run)
    if client.error:
        raise RuntimeError(client.error)
    return {
        "what": f"record to row of a filter query, {rate} records/s",
        "n": len(client.latency_ms),
        **percentiles("", client.latency_ms),
        **percentiles("put_", done),
    }


def percentiles(prefix: str, values: list[float]) -> dict[str, float]:
    """Median and 99th percentile, ms."""
    p50, p99 = np.percentile(values, [50, 99])
    return {f"{prefix}p50_ms": round(float(p50), 1), f"{prefix}p99_ms": round(float(p99), 1)}


def main() -> None:
    """Print one JSON object a rate."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with server() as house:
        for rate in RATES:
            print(json.dumps(measured(house, rate, seconds)), flush=True)


if __name__ == "__main__":
    main()
