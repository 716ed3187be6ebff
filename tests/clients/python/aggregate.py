"""Aggregated records as the Kinesis Producer Library makes them: made and taken apart again.

make COUNT: a line for each aggregated record (partition key, base64).
apart: records as base64 lines on the input; a line for each user record.
"""

from __future__ import annotations

import base64
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records

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


def apart() -> None:
    for line in sys.stdin:
        sequence, key, data = line.split("\t")
        whole = {"kinesis": {"data": data.strip(), "partitionKey": key, "sequenceNumber": sequence}}
        for n, record in enumerate(deaggregate_records([whole], data_format="Kinesis")):
            user = record["kinesis"]
            text = base64.b64decode(user["data"]).decode()
            print(n, sequence, user["partitionKey"], text, sep="\t")


if sys.argv[1] == "make":
    make(int(sys.argv[2]))
else:
    apart()
