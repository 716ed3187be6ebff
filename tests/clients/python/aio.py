"""aiobotocore with its defaults; endpoint, region and keys come from the environment.

write STREAM COUNT | read STREAM | subscribe STREAM COUNT | errors
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiobotocore.session import get_session

KEYS = 7
BATCH = 100


def say(*fields: str) -> None:
    print(*fields, sep="\t", flush=True)


def say_record(shard: str, record: Any) -> None:
    say(shard, record["SequenceNumber"], record["PartitionKey"], record["Data"].decode())


async def write(kinesis: Any, stream: str, count: str) -> None:
    for first in range(0, int(count), BATCH):
        entries = [
            {"PartitionKey": f"key{i % KEYS}", "Data": f"value {i} é".encode()}
            for i in range(first, min(first + BATCH, int(count)))
        ]
        answer = await kinesis.put_records(StreamName=stream, Records=entries)
        assert answer["FailedRecordCount"] == 0
        for record in answer["Records"]:
            say(record["ShardId"], record["SequenceNumber"])


async def shards(kinesis: Any, stream: str) -> list[str]:
    return [s["ShardId"] for s in (await kinesis.list_shards(StreamName=stream))["Shards"]]


async def read(kinesis: Any, stream: str) -> None:
    for shard in await shards(kinesis, stream):
        first = await kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        it = first["ShardIterator"]
        while it:
            page = await kinesis.get_records(ShardIterator=it)
            for record in page["Records"]:
                say_record(shard, record)
            it = None if page["MillisBehindLatest"] == 0 else page["NextShardIterator"]


async def subscribe(kinesis: Any, stream: str, count: str) -> None:
    summary = await kinesis.describe_stream_summary(StreamName=stream)
    arn = summary["StreamDescriptionSummary"]["StreamARN"]
    registered = await kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="aio")
    consumer = registered["Consumer"]["ConsumerARN"]
    came: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def follow(shard: str) -> None:
        answer = await kinesis.subscribe_to_shard(
            ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": "TRIM_HORIZON"}
        )
        say("subscribed", shard)
        async for event in answer["EventStream"]:
            for record in event["SubscribeToShardEvent"]["Records"]:
                came.put_nowait((shard, record))

    running = [asyncio.create_task(follow(s)) for s in await shards(kinesis, stream)]
    for _ in range(int(count)):
        say_record(*await asyncio.wait_for(came.get(), 60))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await kinesis.deregister_stream_consumer(ConsumerARN=consumer)


async def errors(kinesis: Any) -> None:
    try:
        await kinesis.describe_stream_summary(StreamName="not-there")
    except kinesis.exceptions.ResourceNotFoundException as fault:
        response = fault.response
        say(response["Error"]["Code"], str(bool(response["ResponseMetadata"]["RequestId"])).lower())


async def main(verb: str, *arguments: str) -> None:
    verbs = {"write": write, "read": read, "subscribe": subscribe, "errors": errors}
    async with get_session().create_client("kinesis") as kinesis:
        await verbs[verb](kinesis, *arguments)


asyncio.run(main(*sys.argv[1:]))
