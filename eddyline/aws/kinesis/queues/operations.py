"""Queues: created on an on-demand stream, described, listed, updated, deleted."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis.consumers.operations import count_max, listed
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.follower_kind import FollowerKind, followed, only_source
from eddyline.aws.kinesis.queues.store import Queue, Queues
from eddyline.aws.kinesis.tags import check_tags
from eddyline.log import Stream

VISIBILITY_S, RECEIVES_MAX = 30, 6
HOUR_MS = 3_600_000

# A queue stands in its ARN with its id, not with its name.
QUEUES = FollowerKind(Queues, "queue", lambda queue: queue.id)
find, count, resource = QUEUES.find, QUEUES.count, QUEUES.resource


def described(context: KinesisContext, queue: Queue) -> dict[str, Any]:
    """A queue as it is answered."""
    named = QUEUES.named(context, queue)
    start: dict[str, Any] = {"Type": queue.start}
    if named["QueueStatus"] != "CREATING" or queue.start == "AT_TIMESTAMP":
        start["Timestamp"] = Instant(queue.start_ms)
    dead: dict[str, Any] = {"TargetType": "NONE"}
    if queue.receives_max is not None:
        dead = {"TargetType": "BUILT_IN", "MaxReceiveCount": queue.receives_max}
    return {
        **named,
        "StreamConfigurationList": [
            {"StreamARN": context.names.stream_arn(queue.stream), "StartingPosition": start}
        ],
        "QueueAttributes": {
            "VisibilityTimeoutSeconds": queue.visibility_s,
            "DeadLetterConfiguration": dead,
        },
    }


def create_queue(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    source = only_source(request)
    stream, info = QUEUES.stream(context, source)
    check_tags({}, request.Tags or {})
    now_ms = context.clock.now_ms()
    kind, start_ms = _start(context, source.StartingPosition, now_ms)
    horizon_ms = max(info.created_ms, now_ms - info.retention_hours * HOUR_MS)
    _check_room(context, stream)
    visibility_s, receives_max = _attributes(request.QueueAttributes, VISIBILITY_S, RECEIVES_MAX)
    queue = Queue(
        **QUEUES.begun(context, request.QueueName, request.Tags, stream),
        visibility_s=visibility_s,
        receives_max=receives_max,
        start=kind,
        start_ms=max(start_ms, horizon_ms),
    )
    QUEUES.add(context, queue, _places(stream, kind, start_ms))
    return {"QueueDescription": {**described(context, queue), "QueueStatus": "CREATING"}}


def _start(context: KinesisContext, position: Any, now_ms: int) -> tuple[str, int]:
    """(kind, time) a queue begins at."""
    kind = "LATEST" if position is None else position.Type
    timestamp = None if position is None else position.Timestamp
    if (kind == "AT_TIMESTAMP") != (timestamp is not None):
        words = "Timestamp must be specified for, and only for, StartingPosition AT_TIMESTAMP."
        raise AwsError("ValidationException", words)
    if timestamp is not None:
        if round(timestamp * 1000) > now_ms:
            raise AwsError("ValidationException", "Timestamp must not be in the future.")
        return kind, round(timestamp * 1000)
    return kind, now_ms if kind == "LATEST" else 0


def _places(stream: Stream, kind: str, start_ms: int) -> dict[int, int]:
    """The first offset to deliver of each shard; later shards are delivered from their first."""
    offsets = {}
    for shard in stream.shards():
        oldest, tip = stream.bounds(shard.index)
        if kind == "AT_TIMESTAMP":
            offsets[shard.index] = stream.offset_at(shard.index, start_ms)
        else:
            offsets[shard.index] = tip if kind == "LATEST" else oldest
    return offsets


def _check_room(context: KinesisContext, stream: Stream) -> None:
    there, most = len(listed(context, stream)) + count(context, stream.name), count_max(context)
    if there >= most:
        words = f"Stream {stream.name} has {there} consumers and queues; the limit is {most}."
        raise AwsError("LimitExceededException", words)


def _attributes(given: Any, visibility_s: int, receives_max: int | None) -> tuple[int, int | None]:
    """(visibility timeout, most receives) of a request, or as they were."""
    if given is None:
        return visibility_s, receives_max
    if given.VisibilityTimeoutSeconds is not None:
        visibility_s = given.VisibilityTimeoutSeconds
    dead = given.DeadLetterConfiguration
    if dead is None:
        return visibility_s, receives_max
    if (dead.TargetType == "BUILT_IN") != (dead.MaxReceiveCount is not None):
        words = "MaxReceiveCount must be specified for, and only for, TargetType BUILT_IN."
        raise AwsError("ValidationException", words)
    return visibility_s, dead.MaxReceiveCount


def describe_queue(context: KinesisContext, call: Call) -> Answer:
    return {"QueueDescription": described(context, find(context, call.request.QueueARN))}


def update_queue(context: KinesisContext, call: Call) -> Answer:
    queue = find(context, call.request.QueueARN)
    now_ms = context.clock.now_ms()
    if queue.status(now_ms) != "ACTIVE":
        words = (
            f"Queue {queue.name} is {queue.status(now_ms)}; it can be updated once it is ACTIVE."
        )
        raise AwsError("ResourceInUseException", words)
    given = call.request.QueueAttributes
    visibility_s, receives_max = _attributes(given, queue.visibility_s, queue.receives_max)
    changed = Queues(context).change(
        queue.id,
        visibility_s=visibility_s,
        receives_max=receives_max,
        updating_ms=now_ms + context.settings.stream_delay_ms,
    )
    return {"QueueDescription": described(context, changed or queue)}


def delete_queue(context: KinesisContext, call: Call) -> Answer:
    QUEUES.delete(context, call.request.QueueARN)
    return {}


def list_queues(context: KinesisContext, call: Call) -> Answer:
    page, following = QUEUES.page(context, call.request)
    summaries = [{**QUEUES.named(context, q), "Streams": [followed(context, q)]} for q in page]
    return {"QueueSummaries": summaries, **following}


OPERATIONS = {
    "CreateQueue": create_queue,
    "DeleteQueue": delete_queue,
    "DescribeQueue": describe_queue,
    "ListQueues": list_queues,
    "UpdateQueue": update_queue,
}
