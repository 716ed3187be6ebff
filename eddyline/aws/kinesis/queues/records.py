"""Records of queues: received, acknowledged, hidden, and those nobody could process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.queues.operations import find
from eddyline.aws.kinesis.queues.store import (
    ACKNOWLEDGE,
    RESTORE,
    Queue,
    Queues,
    Received,
    receipt_place,
)
from eddyline.log import Stream
from eddyline.log.sequence import sequence_number

RECORDS_MAX = 10
WAIT_S = 9
# Records of another process' consumers may become visible without a word to this one.
LOOK_S = 0.5


async def receive_queue_records(context: KinesisContext, call: Call) -> Answer:
    return await _receive(context, call, dead=False)


async def receive_dead_letter_queue_records(context: KinesisContext, call: Call) -> Answer:
    return await _receive(context, call, dead=True)


async def _receive(context: KinesisContext, call: Call, dead: bool) -> Answer:
    """What is visible, at once or as soon as there is something within the wait time."""
    request = call.request
    queue = find(context, request.QueueARN)
    stream = _stream(context, queue)
    queues, loop, news = Queues(context), asyncio.get_running_loop(), asyncio.Event()
    limit = request.Limit or RECORDS_MAX
    given = request.VisibilityTimeoutSeconds
    visibility_s = queue.visibility_s if given is None else given
    end = context.clock.monotonic() + (request.WaitTimeSeconds or WAIT_S)

    def notify() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(news.set)

    with stream.listening(notify):
        while True:
            news.clear()
            received = await asyncio.to_thread(
                queues.receive, queue, stream, limit, visibility_s, dead
            )
            left = end - context.clock.monotonic()
            if received or left <= 0:
                return {"QueueRecords": [_record(stream, r) for r in received]}
            visible_ms = await asyncio.to_thread(queues.next_visible_ms, queue, dead)
            if visible_ms is not None:
                left = min(left, max(0.0, (visible_ms - context.clock.now_ms()) / 1000))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), max(0.002, min(left, LOOK_S)))
            queue = find(context, request.QueueARN)  # it may have been changed or deleted
            stream = _stream(context, queue)


def _stream(context: KinesisContext, queue: Queue) -> Stream:
    """The stream of a queue that delivers."""
    status = queue.status(context.clock.now_ms())
    if status not in ("ACTIVE", "UPDATING"):
        words = f"Queue {queue.name} not ACTIVE, instead in state {status}."
        raise AwsError("InvalidArgumentException", words)
    stream = context.stream_named(queue.stream)
    if stream.stream_id != queue.stream_id:
        raise context.names.not_found(queue.stream)
    return stream


def _record(stream: Stream, received: Received) -> dict[str, Any]:
    shard = stream.shards()[received.shard]
    members = {
        "ReceiptHandle": received.receipt,
        "RecordId": sequence_number(shard.index, shard.created_ms, received.number),
        "Data": received.data,
        "ApproximateArrivalTimestamp": Instant(received.arrival_ms),
        "FirstReceiveTimestamp": Instant(received.first_ms),
        "ReceiveCount": received.receives,
    }
    if received.key:
        members["PartitionKey"] = received.key
    return members


def acknowledge_queue_records(context: KinesisContext, call: Call) -> Answer:
    return _settled(context, call, lambda q, r: Queues(context).settle(q, r, False, ACKNOWLEDGE))


def acknowledge_dead_letter_queue_records(context: KinesisContext, call: Call) -> Answer:
    return _settled(context, call, lambda q, r: Queues(context).settle(q, r, True, ACKNOWLEDGE))


def restore_dead_letter_queue_records(context: KinesisContext, call: Call) -> Answer:
    return _settled(context, call, lambda q, r: Queues(context).settle(q, r, True, RESTORE))


def update_queue_records_visibility(context: KinesisContext, call: Call) -> Answer:
    return _hidden(context, call, dead=False)


def update_dead_letter_queue_records_visibility(context: KinesisContext, call: Call) -> Answer:
    return _hidden(context, call, dead=True)


def _hidden(context: KinesisContext, call: Call, dead: bool) -> Answer:
    seconds = {e.ReceiptHandle: e.VisibilityTimeoutSeconds for e in call.request.Entries}

    def hide(queue: Queue, receipts: list[str]) -> list[str]:
        return Queues(context).hide(queue, [(r, seconds[r]) for r in receipts], dead)

    return _settled(context, call, hide)


def _settled(
    context: KinesisContext, call: Call, change: Callable[[Queue, list[str]], list[str]]
) -> Answer:
    """Each entry's own result: done, or why not."""
    queue = find(context, call.request.QueueARN)
    _stream(context, queue)
    receipts = [e.ReceiptHandle for e in call.request.Entries]
    failed: dict[str, tuple[str, str]] = {}
    for receipt in receipts:
        try:
            receipt_place(receipt)
        except ValueError:
            words = "The receipt handle is not one that a queue gave out."
            failed[receipt] = ("InvalidArgumentException", words)
    unknown = change(queue, [r for r in dict.fromkeys(receipts) if r not in failed])
    for receipt in unknown:
        words = (
            "The receipt handle is not valid any more: its record was acknowledged, moved, or "
            "received again."
        )
        failed[receipt] = ("ResourceNotFoundException", words)
    return {
        "Successful": [{"ReceiptHandle": r} for r in receipts if r not in failed],
        "Failed": [
            {"ReceiptHandle": r, "ErrorCode": failed[r][0], "ErrorMessage": failed[r][1]}
            for r in receipts
            if r in failed
        ],
    }


OPERATIONS = {
    "AcknowledgeDeadLetterQueueRecords": acknowledge_dead_letter_queue_records,
    "AcknowledgeQueueRecords": acknowledge_queue_records,
    "ReceiveDeadLetterQueueRecords": receive_dead_letter_queue_records,
    "ReceiveQueueRecords": receive_queue_records,
    "RestoreDeadLetterQueueRecords": restore_dead_letter_queue_records,
    "UpdateDeadLetterQueueRecordsVisibility": update_dead_letter_queue_records_visibility,
    "UpdateQueueRecordsVisibility": update_queue_records_visibility,
}
