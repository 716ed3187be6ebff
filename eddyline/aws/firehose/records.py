"""PutRecord and PutRecordBatch: answered once the records are on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.firehose.context import FirehoseContext
from eddyline.aws.firehose.store import DIRECT
from eddyline.aws.put_results import put_results
from eddyline.log import PutBatch, Stream

BATCH_BYTES_MAX = 4 << 20


async def put_record(context: FirehoseContext, call: Call) -> Answer:
    (record_id,) = await _put(context, call.request.DeliveryStreamName, [call.request.Record.Data])
    return {"RecordId": record_id, "Encrypted": False}


async def put_record_batch(context: FirehoseContext, call: Call) -> Answer:
    data = [record.Data for record in call.request.Records]
    if sum(map(len, data)) > BATCH_BYTES_MAX:
        message = f"Records size exceeds {BATCH_BYTES_MAX >> 20} MB limit"
        raise AwsError("InvalidArgumentException", message)
    record_ids = await _put(context, call.request.DeliveryStreamName, data)
    answers = [{"RecordId": record_id} for record_id in record_ids]
    return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": answers}


async def _put(context: FirehoseContext, name: str, data: Sequence[bytes]) -> list[str]:
    """Store records in the delivery stream's own stream; their ids."""
    stream = await asyncio.to_thread(_stream, context, name)
    pending = put_results().pending()
    stream.put_with_callback(PutBatch([""] * len(data), data), pending)
    placed = await pending.answer
    return [
        f"{shard}{number}"
        for shard, number in zip(placed.shard_ids(), placed.sequence_numbers(), strict=True)
    ]


def _stream(context: FirehoseContext, name: str) -> Stream:
    delivery_stream = context.find(name)
    if delivery_stream.type != DIRECT:
        message = f"This operation is not permitted on {delivery_stream.type} delivery stream type."
        raise AwsError("InvalidArgumentException", message)
    if delivery_stream.status(context.clock.now_ms()) != "ACTIVE":
        message = f"Firehose {name} is not ACTIVE."
        raise AwsError("ResourceNotFoundException", message)
    return context.stream_of(delivery_stream)


OPERATIONS = {"PutRecord": put_record, "PutRecordBatch": put_record_batch}
