"""What every SDK must manage, whatever its language; its program speaks tab-separated lines."""

from __future__ import annotations

import base64
import itertools
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from toolchain import HERE, Client

from eddyline.testing import TestServer

KEYS = 7
COUNT = 1234
_names = itertools.count()


class Read(NamedTuple):
    """A record as a client read it."""

    shard: str
    sequence: str
    key: str
    data: str


def value(i: int) -> str:
    return f"value {i} é"


def expected(first: int, end: int) -> dict[str, list[str]]:
    """Per key, the values of a run of records, in order."""
    by_partition_key: dict[str, list[str]] = defaultdict(list)
    for i in range(first, end):
        by_partition_key[f"key{i % KEYS}"].append(value(i))
    return dict(by_partition_key)


def by_key(records: list[Read]) -> dict[str, list[str]]:
    """Per key, the values read, in the order they came."""
    values_of: dict[str, list[str]] = defaultdict(list)
    for r in records:
        values_of[r.key].append(r.data)
    return dict(values_of)


def parse(lines: list[str]) -> list[Read]:
    return [Read(*fields) for line in lines if len(fields := line.split("\t")) == 4]


def put(kinesis: Any, stream: str, first: int, end: int) -> list[Read]:
    """Write records with boto3; each must be accepted."""
    expected = [(f"key{i % KEYS}", value(i)) for i in range(first, end)]
    entries = [{"PartitionKey": k, "Data": v.encode()} for k, v in expected]
    written: list[Read] = []
    for at in range(0, len(entries), 500):
        answer = kinesis.put_records(StreamName=stream, Records=entries[at : at + 500])
        assert answer["FailedRecordCount"] == 0
        taken = zip(answer["Records"], expected[at : at + 500], strict=True)
        written += [Read(r["ShardId"], r["SequenceNumber"], k, v) for r, (k, v) in taken]
    return written


def read(kinesis: Any, stream: str) -> list[Read]:
    """All records of a stream, closed shards included, read with boto3."""
    records: list[Read] = []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        it = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while it:
            page = kinesis.get_records(ShardIterator=it)
            for r in page["Records"]:
                data = r["Data"].decode()
                records.append(Read(shard["ShardId"], r["SequenceNumber"], r["PartitionKey"], data))
            it = None if page["MillisBehindLatest"] == 0 else page.get("NextShardIterator")
    return records


def aggregated(python: Path, count: int) -> list[tuple[str, bytes]]:
    """Records aggregated as the Kinesis Producer Library does: key and data."""
    command = [str(python), str(HERE / "python" / "aggregate.py"), "make", str(count)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    return [(key, base64.b64decode(data)) for key, data in rows]


def put_aggregated(kinesis: Any, stream: str, made: list[tuple[str, bytes]]) -> None:
    """Write aggregated records; each must be accepted."""
    entries = [{"PartitionKey": k, "Data": data} for k, data in made]
    assert kinesis.put_records(StreamName=stream, Records=entries)["FailedRecordCount"] == 0


def check(
    kinesis: Any, stream: str, start: Callable[..., Client], command: list[str], **more: str
) -> None:
    """Writes arrive, reads give what is there, pushes come as they are written."""
    output = start([*command, "write", stream, str(COUNT)], **more).finish()
    assert len(output) == COUNT
    there = read(kinesis, stream)
    assert by_key(there) == expected(0, COUNT)
    assert sorted(output) == sorted(f"{r.shard}\t{r.sequence}" for r in there)

    records = parse(start([*command, "read", stream], **more).finish())
    assert sorted(records) == sorted(there)
    assert by_key(records) == expected(0, COUNT)

    total = COUNT + 300
    reader = start([*command, "subscribe", stream, str(total)], **more)
    reader.until(lambda lines: sum(x.startswith("subscribed") for x in lines) == 3, 120)
    for first in range(COUNT, total, 50):
        put(kinesis, stream, first, first + 50)
    pushed = parse(reader.finish())
    assert sorted(pushed) == sorted(read(kinesis, stream))
    assert by_key(pushed) == expected(0, total)

    assert start([*command, "errors"], **more).finish() == ["ResourceNotFoundException\ttrue"]


def check_tls(
    server: TestServer, start: Callable[..., Client], command: list[str], **more: str
) -> None:
    """The same over TLS, with a certificate that the client was told to trust."""
    assert server.endpoint_url.startswith("https://")
    stream = f"tls-{next(_names)}"
    server.services.streams.create(stream, 2)
    environment = {"AWS_ENDPOINT_URL": server.endpoint_url, **more}
    assert len(start([*command, "write", stream, "50"], **environment).finish()) == 50
    for verb in (["read", stream], ["subscribe", stream, "50"]):
        records = parse(start([*command, *verb], **environment).finish())
        assert by_key(records) == expected(0, 50)
