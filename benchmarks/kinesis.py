"""The AWS endpoint's figures, ours and its peers', with the same bytes sent to each.

    python -m benchmarks kinesis

Rates are medians of several short runs, each on a fresh stream of four shards; a PutRecords
answer counts only if no record of it failed, and all that was acknowledged is read back and
counted. CPU is that of the server's whole process tree.
"""

from __future__ import annotations

import json
import math
import re
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from benchmarks.crowd import crowd
from benchmarks.ours import eddyline
from benchmarks.peers import PEERS, Endpoint, running
from benchmarks.process import cpu_s, memory_mib
from benchmarks.wire import BATCH_RECORDS, Batches, Connection, record, signed

SHARDS = 4
# The forests are compiled in the background after a first start.
SETTLE_S = 20.0
FILL_S_MAX = 15.0
# What a peer's failures look like from here.
FAULTS = (RuntimeError, OSError, KeyError, ValueError, BotoCoreError, ClientError)
FAULTS += (ResponseParserError,)
_FAILED = re.compile(rb'"FailedRecordCount":\s*(\d+)')
_NEXT = re.compile(rb'"NextShardIterator":\s*"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often; a quick look and the real thing differ only here."""

    runs: int = 3
    seconds: float = 2.0
    prefill: int = 50_000
    clients: int = 32
    pushes: int = 40


def measure(server: Endpoint, effort: Effort) -> dict[str, Any]:
    """All figures of one server; a part that it cannot do is None."""
    rig = Rig(server, effort)
    figures: dict[str, Any] = {"server": server.name, "memory_idle_mib": memory_mib(server.pid)}
    for name, part in PARTS.items():
        try:
            figures[name] = part(rig)
        except FAULTS as error:
            figures[name] = None
            figures.setdefault("cannot", {})[name] = str(error)[:200]
    return figures


class Rig:
    """A server, a control connection to it, and fresh streams."""

    def __init__(self, server: Endpoint, effort: Effort) -> None:
        self.server = server
        self.effort = effort
        self._count = 0

    def connection(self) -> Connection:
        return Connection(self.server.url)

    def stream(self, shards: int = SHARDS) -> str:
        """The name of a new stream that is active."""
        self._count += 1
        name = f"bench-{self._count}"
        control = self.connection()
        control.call("CreateStream", StreamName=name, ShardCount=shards)
        for _ in range(600):
            summary = control.call("DescribeStreamSummary", StreamName=name)
            if summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
                break
            time.sleep(0.05)
        control.close()
        return name

    def drop(self, name: str) -> None:
        """Delete a stream."""
        control = self.connection()
        control.call("DeleteStream", StreamName=name)
        control.close()

    def fill(self, stream: str, records: int) -> None:
        """Put so many records, or as many as a slow peer takes in a while."""
        sender, batches = self.connection(), Batches.of(self.server.url, stream)
        end = time.perf_counter() + FILL_S_MAX
        for n in range(records // BATCH_RECORDS):
            if time.perf_counter() > end:
                break
            sender.send(batches.requests[n % len(batches.requests)])
        sender.close()

    def iterators(self, stream: str, kind: str = "TRIM_HORIZON") -> list[str]:
        """An iterator per shard."""
        control = self.connection()
        shards = control.call("ListShards", StreamName=stream)["Shards"]
        iterators = [
            control.call(
                "GetShardIterator",
                StreamName=stream,
                ShardId=shard["ShardId"],
                ShardIteratorType=kind,
            )["ShardIterator"]
            for shard in shards
        ]
        control.close()
        return iterators

    def median(self, one: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Each figure's median over the runs."""
        runs = [one() for _ in range(self.effort.runs)]
        return {k: round(statistics.median(r[k] for r in runs), 3) for k in runs[0]}


def put(rig: Rig, connections: int) -> dict[str, float]:
    """PutRecords, as many connections at once."""

    def one() -> dict[str, float]:
        stream = rig.stream()
        batches = Batches.of(rig.server.url, stream)
        done = [0] * connections
        end = time.perf_counter() + rig.effort.seconds

        def send(n: int) -> None:
            sender = rig.connection()
            turn = n
            while time.perf_counter() < end:
                status, answer = sender.send(batches.requests[turn % len(batches.requests)])
                failed = _FAILED.search(answer)
                if status == 200 and failed and failed[1] == b"0":
                    done[n] += BATCH_RECORDS
                turn += 1
            sender.close()

        cpu, began = cpu_s(rig.server.pid), time.perf_counter()
        together(send, connections)
        wall, cpu = time.perf_counter() - began, cpu_s(rig.server.pid) - cpu
        total = sum(done)
        lost = total - count(rig, stream) if connections > 1 else 0
        rig.drop(stream)
        return {"records_s": total / wall, "cpu_us": cpu / max(total, 1) * 1e6, "lost": lost}

    return rig.median(one)


def put_one(rig: Rig, clients: int) -> dict[str, float]:
    """PutRecord: latency and rate of as many clients at once."""

    def one() -> dict[str, float]:
        stream = rig.stream()
        request = signed(rig.server.url, "PutRecord", one_record(stream))
        cpu, began = cpu_s(rig.server.pid), time.perf_counter()
        taken = crowd(rig.server.url, request, clients, rig.effort.seconds)
        wall, cpu = time.perf_counter() - began, cpu_s(rig.server.pid) - cpu
        rig.drop(stream)
        cpu_us = cpu / max(len(taken), 1) * 1e6
        return {"records_s": len(taken) / wall, **percentiles(taken), "cpu_us": cpu_us}

    return rig.median(one)


def get(rig: Rig) -> dict[str, float]:
    """GetRecords from the beginning, 10,000 a call, two connections: one would wait for itself."""
    stream = rig.stream()
    rig.fill(stream, rig.effort.prefill)

    def one() -> dict[str, float]:
        cpu, began = cpu_s(rig.server.pid), time.perf_counter()
        read = [0, 0]

        def again(n: int) -> None:
            end = began + rig.effort.seconds
            while time.perf_counter() < end:
                read[n] += count(rig, stream, end)

        together(again, len(read))
        total = sum(read)
        wall, cpu = time.perf_counter() - began, cpu_s(rig.server.pid) - cpu
        return {"records_s": total / wall, "cpu_us": cpu / max(total, 1) * 1e6}

    figures = rig.median(one)
    rig.drop(stream)
    return figures


def newest(rig: Rig) -> dict[str, float]:
    """Put one record into a deep shard and read it from there: milliseconds of the read."""
    stream = rig.stream(1)
    rig.fill(stream, rig.effort.prefill)
    iterator = rig.iterators(stream, "LATEST")[0]
    sender, taken = rig.connection(), []
    request = signed(rig.server.url, "PutRecord", one_record(stream))
    for _ in range(50):
        sender.send(request)
        began = time.perf_counter()
        _, answer = sender.send(
            signed(rig.server.url, "GetRecords", {"ShardIterator": iterator, "Limit": 10})
        )
        taken.append(time.perf_counter() - began)
        iterator = next_iterator(answer)
    sender.close()
    rig.drop(stream)
    return percentiles(taken)


def growth(rig: Rig) -> dict[str, float]:
    """PutRecords into one stream: the rate of the last tenth against that of the first."""
    stream = rig.stream()
    batches = Batches.of(rig.server.url, stream)
    sender, rates = rig.connection(), []
    tenth = max(1, rig.effort.prefill // BATCH_RECORDS // 10)
    end = time.perf_counter() + FILL_S_MAX
    for _ in range(10):
        if rates and time.perf_counter() > end:
            break
        began = time.perf_counter()
        for n in range(tenth):
            sender.send(batches.requests[n % len(batches.requests)])
        rates.append(tenth * BATCH_RECORDS / (time.perf_counter() - began))
    sender.close()
    rig.drop(stream)
    return {"first_records_s": round(rates[0]), "last_records_s": round(rates[-1])}


def push(rig: Rig) -> dict[str, float]:
    """SubscribeToShard: from a put's answer to the event that holds the record."""
    import botocore.session

    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    client = session.create_client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=rig.server.url,
        config=Config(retries={"total_max_attempts": 1}),
    )
    name = rig.stream(1)
    arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="bench")["Consumer"]
    for _ in range(100):
        response = client.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
        if response["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE":
            break
        time.sleep(0.1)
    shard = client.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    events = client.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"],
        ShardId=shard,
        StartingPosition={"Type": "TRIM_HORIZON"},
    )["EventStream"]
    arrived: dict[bytes, float] = {}
    threading.Thread(target=_listen, args=(events, arrived, rig.effort.pushes), daemon=True).start()
    time.sleep(0.5)
    sent: dict[bytes, float] = {}
    for n in range(rig.effort.pushes):
        client.put_record(StreamName=name, Data=b"%d" % n, PartitionKey="k")
        sent[b"%d" % n] = time.perf_counter()
        time.sleep(0.05)
    end = time.perf_counter() + 5
    while len(arrived) < len(sent) and time.perf_counter() < end:
        time.sleep(0.01)
    events.close()
    if len(arrived) < len(sent):
        msg = f"{len(arrived)} of {len(sent)} records were pushed"
        raise RuntimeError(msg)
    return percentiles([arrived[k] - sent[k] for k in sent])


def _listen(events: Any, arrived: dict[bytes, float], expected: int) -> None:
    try:
        for event in events:
            for one in event.get("SubscribeToShardEvent", {}).get("Records", []):
                arrived[one["Data"]] = time.perf_counter()
            if len(arrived) >= expected:
                return
    except Exception:  # the stream was closed under it: what arrived counts
        return


def count(rig: Rig, stream: str, end: float = math.inf) -> int:
    """All records of a stream, by reading them; or as many as come until then."""
    reader, total = rig.connection(), 0
    for iterator in rig.iterators(stream):
        at, behind = iterator, True
        while behind and time.perf_counter() < end:
            body = {"ShardIterator": at, "Limit": 10_000}
            _, answer = reader.send(signed(rig.server.url, "GetRecords", body))
            records = answer.count(b'"PartitionKey"')
            total += records
            behind = records > 0
            at = next_iterator(answer)
    reader.close()
    return total


def next_iterator(answer: bytes) -> str:
    # Some answer with it first, some last; a search by pattern through megabytes costs the rate.
    at = answer.rfind(b'"NextShardIterator"')
    match = _NEXT.match(answer, at) if at >= 0 else None
    if match is None:
        msg = f"no iterator in {answer[:200]!r}"
        raise RuntimeError(msg)
    return match[1].decode()


def one_record(stream: str) -> dict[str, Any]:
    import base64

    return {
        "StreamName": stream,
        "Data": base64.b64encode(record(1)).decode(),
        "PartitionKey": "visitor-1",
    }


def together(work: Callable[[int], None], threads: int) -> None:
    all_of_them = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()


def percentiles(seconds: list[float]) -> dict[str, float]:
    ms = sorted(s * 1000 for s in seconds)
    return {
        "p50_ms": round(ms[len(ms) // 2], 3),
        "p99_ms": round(ms[min(len(ms) - 1, len(ms) * 99 // 100)], 3),
    }


PARTS: dict[str, Callable[[Rig], dict[str, float]]] = {
    "put_1": lambda rig: put(rig, 1),
    "put_4": lambda rig: put(rig, 4),
    "put_one": lambda rig: put_one(rig, 1),
    "put_one_many": lambda rig: put_one(rig, rig.effort.clients),
    "get": get,
    "newest": newest,
    "growth": growth,
    "push": push,
}


def main() -> None:
    """Ours, then each peer."""
    effort = Effort()
    with eddyline() as ours:
        time.sleep(SETTLE_S)
        print(json.dumps(measure(ours, effort)), flush=True)
    for peer in PEERS:
        with running(peer) as server:
            print(json.dumps(measure(server, effort)), flush=True)


if __name__ == "__main__":
    main()
