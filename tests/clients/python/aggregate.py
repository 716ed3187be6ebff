"""Aggregated records as the Kinesis Producer Library makes them: made and taken apart again.

make COUNT: a line for each aggregated record (partition key, base64).
read STREAM: a line for each user record of its shards, the aggregated ones taken apart.
"""

from __future__ import annotations

import base64
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import iter_deaggregate_records
from botocore.session import get_session

KEYS = 7
EACH = 60


def make(count: int) -> None:
    def out(record: object) -> None:
        key, _, data = record.get_contents()
        print(key, base64.b64encode(data).decode(), sep="\t")

    aggregator = RecordAggregator()
    for i in range(count):
        aggregator.add_user_record(f"key{i % KEYS}", f"value {i} é".encode())
        if i % EACH == EACH - 1 or i == count - 1:
            out(aggregator.clear_and_get())


def read(stream: str) -> None:
    kinesis = get_session().create_client("kinesis")
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        it = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while it:
            page = kinesis.get_records(ShardIterator=it)
            for record in iter_deaggregate_records(page["Records"], "Boto3"):
                user = record["kinesis"]
                # The library gives user records in base64, and whole ones as they are.
                data = user["data"]
                text = (base64.b64decode(data) if user.get("aggregated") else data).decode()
                fields = shard["ShardId"], user["sequenceNumber"], user["partitionKey"], text
                print(*fields, sep="\t")
            it = None if page["MillisBehindLatest"] == 0 else page["NextShardIterator"]


if sys.argv[1] == "make":
    make(int(sys.argv[2]))
else:
    read(sys.argv[2])
