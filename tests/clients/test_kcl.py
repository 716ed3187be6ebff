"""The Kinesis Client Library, 3 and 2, its leases in Amazon's DynamoDB Local: polling and fan-out.

While a worker runs its stream is split; it is ended and started again; a worker is killed and
another takes its leases over.
"""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import sdk_contract
import toolchain
from botocore.config import Config

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
WAIT_S = 240
LOCAL = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
UTF8 = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[str]:
    """DynamoDB Local, in memory; its address."""
    folder = toolchain.jars("dynamodb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [toolchain.tool("java"), f"-Djava.library.path={folder}", "-cp", f"{folder}/*", LOCAL]
    running = toolchain.Client(
        [*command, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)], {}
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_tables(address, running)
        yield address
    finally:
        running.kill()


def _wait_for_tables(address: str, running: toolchain.Client) -> None:
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=address,
        aws_access_key_id="any",
        aws_secret_access_key="key",
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=30),
    )
    end = time.monotonic() + 120
    while True:
        try:
            client.list_tables()
        except Exception as fault:
            if time.monotonic() > end:
                pytest.fail(f"DynamoDB Local does not answer: {fault}\n{running.errors}")
            time.sleep(0.5)
        else:
            client.close()
            return


@pytest.fixture
def worker(
    request: pytest.FixtureRequest,
    eddyline: TestServer,
    dynamodb: str,
    start: Callable[..., toolchain.Client],
) -> Callable[..., toolchain.Client]:
    """Starts a worker of an application, with version 3 of the library unless asked otherwise."""
    library = getattr(request, "param", "kcl")

    def run(application: str, stream: str, how: str) -> toolchain.Client:
        command = toolchain.java(library, "../kcl/Consumer.java", *UTF8)
        return start(
            [*command, application, stream, how],
            AWS_ENDPOINT_URL_KINESIS=eddyline.endpoint_url,
            AWS_ENDPOINT_URL_DYNAMODB=dynamodb,
        )

    return run


def records(lines: list[str]) -> list[sdk_contract.Read]:
    return sdk_contract.parse(lines)


@pytest.mark.parametrize("how", ["polling", "fan-out"])
def test_kcl_through_a_split_and_a_restart(
    how: str, kinesis: Any, stream: str, worker: Callable[..., toolchain.Client]
) -> None:
    application = f"app-{uuid.uuid4().hex[:8]}"
    sdk_contract.put(kinesis, stream, 0, 300)
    first = worker(application, stream, how)
    first.until(lambda lines: len(records(lines)) >= 300, WAIT_S)

    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]
    low, high = (int(shard["HashKeyRange"][f"{end}HashKey"]) for end in ("Starting", "Ending"))
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2)
    )
    _active(kinesis, stream)
    sdk_contract.put(kinesis, stream, 300, 600)
    first.until(lambda lines: len(records(lines)) >= 600, WAIT_S)
    output = first.finish()
    assert f"completed\t{shard['ShardId']}" in output

    sdk_contract.put(kinesis, stream, 600, 900)
    second = worker(application, stream, how)
    second.until(lambda lines: len(records(lines)) >= 300, WAIT_S)
    values = records(output) + records(second.finish())
    assert sdk_contract.by_key(values) == sdk_contract.expected(0, 900)
    there = {(r.shard, r.sequence) for r in sdk_contract.read(kinesis, stream)}
    assert {(r.shard, r.sequence.split("/")[0]) for r in values} == there


# Version 2 reads through a split as well, but its graceful end does not come after one.
@pytest.mark.parametrize("worker", ["kcl", "kcl2"], indirect=True)
def test_kcl_takes_over_from_a_killed_worker(
    kinesis: Any, stream: str, worker: Callable[..., toolchain.Client]
) -> None:
    application = f"app-{uuid.uuid4().hex[:8]}"
    sdk_contract.put(kinesis, stream, 0, 200)
    first = worker(application, stream, "polling")
    first.until(lambda lines: len(records(lines)) >= 100, WAIT_S)
    first.kill()
    sdk_contract.put(kinesis, stream, 200, 400)
    second = worker(application, stream, "polling")
    second.until(lambda lines: _values(first.lines + lines) == _all(400), WAIT_S)
    again = sdk_contract.by_key(records(second.finish()))
    for key, values in again.items():
        # At least once: it goes on from the last checkpoint, in order, to the end.
        assert values == sdk_contract.expected(0, 400)[key][-len(values) :]


def test_kcl_takes_aggregated_records_apart(
    kinesis: Any, stream: str, worker: Callable[..., toolchain.Client]
) -> None:
    # The library drops user records whose key belongs to another shard; so one shard has them all.
    alone = f"{stream}-aggregated"
    kinesis.create_stream(StreamName=alone, ShardCount=1)
    _active(kinesis, alone)
    made = sdk_contract.aggregated(toolchain.python(*toolchain.PYTHON_CLIENTS), 500)
    sdk_contract.put_aggregated(kinesis, alone, made)
    reader = worker(f"app-{uuid.uuid4().hex[:8]}", alone, "polling")
    reader.until(lambda lines: len(records(lines)) >= 500, WAIT_S)
    values = records(reader.finish())
    assert sdk_contract.by_key(values) == sdk_contract.expected(0, 500)
    kinesis.delete_stream(StreamName=alone)


def _values(lines: list[str]) -> set[str]:
    return {r.data for r in records(lines)}


def _all(count: int) -> set[str]:
    return {sdk_contract.value(i) for i in range(count)}


def _active(kinesis: Any, stream: str) -> None:
    kinesis.get_waiter("stream_exists").wait(
        StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
