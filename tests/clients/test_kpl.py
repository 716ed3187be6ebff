"""Records aggregated in the Kinesis Producer Library's format, stored whole and taken apart.

The format's own library makes them and takes them apart; that the Kinesis Client Library does as
well is in ``test_kcl.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sdk_contract
import toolchain

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
    said = start([*program, "read", stream], PYTHONIOENCODING="utf-8").finish()
    apart = [(r.key, r.data) for r in sdk_contract.parse(said)]
    wanted = sdk_contract.expected(0, COUNT)
    assert sorted(apart) == sorted((key, v) for key, values in wanted.items() for v in values)
