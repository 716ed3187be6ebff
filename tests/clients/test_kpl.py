"""Records aggregated in the Kinesis Producer Library's format, stored whole and taken apart.

Made by a library of the format, and by the producer itself; that the Kinesis Client Library takes
them apart as well is in ``test_kcl.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import sdk_contract
import toolchain

from eddyline.testing import TestServer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
COUNT = 500


def test_aggregated_records(
    kinesis: Any, stream: str, start: Callable[..., toolchain.Client]
) -> None:
    python = toolchain.python(*toolchain.PYTHON_CLIENTS)
    made = sdk_contract.aggregated(python, COUNT)
    sdk_contract.put_aggregated(kinesis, stream, made)
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    stored = []
    for shard in shards:
        it = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        stored += kinesis.get_records(ShardIterator=it)["Records"]
    assert sorted(r["Data"] for r in stored) == sorted(data for _, data in made)
    program = [str(python), str(toolchain.HERE / "python" / "aggregate.py")]
    output = start([*program, "read", stream], PYTHONIOENCODING="utf-8").finish()
    apart = [(r.key, r.data) for r in sdk_contract.parse(output)]
    expected = sdk_contract.expected(0, COUNT)
    assert sorted(apart) == sorted((key, v) for key, values in expected.items() for v in values)


def test_the_kinesis_producer_library(
    eddyline_tls: TestServer, certificate: str, start: Callable[..., toolchain.Client]
) -> None:
    eddyline_tls.services.streams.create("kpl", 2)
    port = str(urlsplit(eddyline_tls.endpoint_url).port)
    command = toolchain.java("kpl", "Producer.java", "-Dfile.encoding=UTF-8")
    output = start([*command, "127.0.0.1", port, "kpl", str(COUNT)]).finish()
    assert len([line for line in output if line.startswith("shardId-")]) == COUNT
    python = toolchain.python(*toolchain.PYTHON_CLIENTS)
    program = [str(python), str(toolchain.HERE / "python" / "aggregate.py")]
    settings = {
        "AWS_ENDPOINT_URL": eddyline_tls.endpoint_url,
        "AWS_CA_BUNDLE": certificate,
        "PYTHONIOENCODING": "utf-8",
    }
    read = sdk_contract.parse(start([*program, "read", "kpl"], **settings).finish())
    expected = sdk_contract.expected(0, COUNT)
    # The producer promises no order within a key, so none is asked for.
    assert sorted((r.key, r.data) for r in read) == sorted(
        (key, v) for key, values in expected.items() for v in values
    )
    assert len({r.sequence for r in read}) < COUNT, "nothing was aggregated"
