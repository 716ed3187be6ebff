"""Records aggregated in the Kinesis Producer Library's format, stored whole and taken apart.

The format's own library makes them and takes them apart; that the Kinesis Client Library does as
well is in ``test_kcl.py``.
"""

from __future__ import annotations

import base64
import subprocess
from typing import Any

import pytest
import sdk_contract
import toolchain

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
COUNT = 500


def test_aggregated_records(kinesis: Any, stream: str) -> None:
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
    lines = [
        f"{r['SequenceNumber']}\t{r['PartitionKey']}\t{base64.b64encode(r['Data']).decode()}\n"
        for r in stored
    ]
    command = [str(python), str(toolchain.HERE / "python" / "aggregate.py"), "apart"]
    done = subprocess.run(
        command, input="".join(lines).encode(), capture_output=True, check=True, timeout=120
    )
    apart = sdk_contract.parse(done.stdout.decode().splitlines())
    assert sorted(r.data for r in apart) == sorted(sdk_contract.value(i) for i in range(COUNT))
    assert {(r.key, r.data) for r in apart} == {
        (f"key{i % sdk_contract.KEYS}", sdk_contract.value(i)) for i in range(COUNT)
    }
