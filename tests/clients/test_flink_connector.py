"""Flink's own Kinesis connector: SQL reads from one of our streams and writes into another.

The connector as one jar (flink-sql-connector-kinesis, built for Flink 1.16) runs in a local Flink
cluster of that version.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
KEYS = 5
# Flink 1.16 is older than Java 17's closed modules.
OPENED = ("java.base/java.util", "java.base/java.lang", "java.base/java.time", "java.base/java.net")
OPENED += ("java.base/java.lang.reflect", "java.base/java.util.concurrent", "java.base/java.io")
OPENED += ("java.base/java.nio", "java.base/java.util.concurrent.atomic", "java.base/java.text")


def _put(kinesis: Any, stream: str, first: int, end: int) -> None:
    rows = [{"k": f"k{i % KEYS}", "n": i} for i in range(first, end)]
    entries = [{"PartitionKey": r["k"], "Data": json.dumps(r).encode()} for r in rows]
    assert kinesis.put_records(StreamName=stream, Records=entries)["FailedRecordCount"] == 0


@pytest.mark.parametrize("how", ["polling", "EFO"])
def test_flink_reads_and_writes(
    how: str,
    eddyline: TestServer,
    kinesis: Any,
    stream: str,
    start: Callable[..., toolchain.Client],
) -> None:
    target = f"{stream}-out"
    kinesis.create_stream(StreamName=target, ShardCount=2)
    _put(kinesis, stream, 0, 300)
    opened = [f"--add-opens={module}=ALL-UNNAMED" for module in OPENED]
    command = toolchain.java("flink", "SqlJob.java", *opened)
    job = start([*command, eddyline.endpoint_url, stream, target, how])
    job.until(lambda lines: "running" in lines, 240)
    rows = _rows(kinesis, target, 300, job)
    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]
    low, high = (int(shard["HashKeyRange"][f"{end}HashKey"]) for end in ("Starting", "Ending"))
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2)
    )
    kinesis.get_waiter("stream_exists").wait(
        StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    _put(kinesis, stream, 300, 500)
    rows = _rows(kinesis, target, 500, job)
    job.finish()
    assert sorted(r["n"] for r in rows) == list(range(500))
    assert all(r["doubled"] == 2 * r["n"] for r in rows)
    came_from = {json.loads(r.data)["n"]: r.shard for r in sdk_contract.read(kinesis, stream)}
    assert {r["n"]: r["shard"] for r in rows} == came_from
    kinesis.delete_stream(StreamName=target, EnforceConsumerDeletion=True)


def _rows(kinesis: Any, stream: str, count: int, job: toolchain.Client) -> list[dict[str, Any]]:
    """The rows that Flink wrote, once there are so many."""
    end = time.monotonic() + 240
    while True:
        rows = [json.loads(r.data) for r in sdk_contract.read(kinesis, stream)]
        if len(rows) >= count:
            return rows
        if time.monotonic() > end:
            pytest.fail(f"{len(rows)} rows of {count}\n{job.errors}")
        time.sleep(1)
