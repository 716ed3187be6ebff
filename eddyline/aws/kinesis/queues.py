"""Queues: created on an on-demand stream, described, listed, updated, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.consumers import count_max, listed
from eddyline.aws.kinesis.home import Home
from eddyline.aws.kinesis.naming import name_in
from eddyline.aws.kinesis.queues_store import Queue, Queues
from eddyline.aws.kinesis.resources import Resource, Tags
from eddyline.aws.kinesis.tags import check_tags
from eddyline.log import Stream, StreamMode

VISIBILITY_S, RECEIVES_MAX = 30, 6
QUEUES_A_PAGE = 100
HOUR_MS = 3_600_000


def find(home: Home, arn: str) -> Queue:
    """The queue an ARN names. Raises AwsError ``ResourceNotFoundException``."""
    found = Queues(home).get(name_in(arn))
    if found is None or arn_of(home, found) != home.names.local(arn):
        words = f"Queue {arn} under account {home.names.account} not found."
        raise AwsError("ResourceNotFoundException", words)
    return found


def arn_of(home: Home, queue: Queue) -> str:
    """A queue's ARN; its id is not its name."""
    return home.names.arn("queue", queue.id)


def count(home: Home, stream: str) -> int:
    """How many queues a stream has; those of an earlier one of its name do not count."""
    there = Queues(home).all()
    if not there:
        return 0
    wanted = home.stream_named(stream).stream_id
    return sum(q.stream_id == wanted for q in there)


def resource(home: Home, arn: str) -> Resource | None:
    """The queue as a thing that has tags and a policy."""
    try:
        queue = find(home, arn)
    except AwsError:
        return None
    queues = Queues(home)

    def change_tags(new: Callable[[Tags], Tags]) -> None:
        queues.change(queue.id, tags=new(find(home, arn).tags))

    return Resource(
        arn_of(home, queue),
        tags=lambda: find(home, arn).tags,
        change_tags=change_tags,
        policy=lambda: find(home, arn).policy,
        set_policy=lambda text: (queues.change(queue.id, policy=text), None)[1],
    )


def described(home: Home, queue: Queue) -> dict[str, Any]:
    """A queue as it is answered."""
    status = queue.status(home.clock.now_ms())
    start: dict[str, Any] = {"Type": queue.start}
    if status != "CREATING" or queue.start == "AT_TIMESTAMP":
        start["Timestamp"] = Instant(queue.start_ms)
    dead: dict[str, Any] = {"TargetType": "NONE"}
    if queue.receives_max is not None:
        dead = {"TargetType": "BUILT_IN", "MaxReceiveCount": queue.receives_max}
    return {
        "QueueName": queue.name,
        "QueueARN": arn_of(home, queue),
        "QueueStatus": status,
        "QueueCreationTimestamp": Instant(queue.created_ms),
        "StreamConfigurationList": [
            {"StreamARN": home.names.stream_arn(queue.stream), "StartingPosition": start}
        ],
        "QueueAttributes": {
            "VisibilityTimeoutSeconds": queue.visibility_s,
            "DeadLetterConfiguration": dead,
        },
    }


def create_queue(home: Home, call: Call) -> Answer:
    request = call.request
    if len(request.StreamConfigurationList) != 1:
        words = "StreamConfigurationList must have exactly one entry."
        raise AwsError("ValidationException", words)
    wanted = request.StreamConfigurationList[0]
    stream = home.stream(wanted)
    info = stream.info()
    home.check_active(info)
    if info.mode is not StreamMode.ON_DEMAND:
        words = f"Queues are only supported for ON_DEMAND streams; {stream.name} is PROVISIONED."
        raise AwsError("ValidationException", words)
    check_tags({}, request.Tags or {})
    now_ms = home.clock.now_ms()
    kind, start_ms = _start(home, wanted.StartingPosition, now_ms)
    horizon_ms = max(info.created_ms, now_ms - info.retention_hours * HOUR_MS)
    _check_room(home, stream)
    visibility_s, receives_max = _attributes(request.QueueAttributes, VISIBILITY_S, RECEIVES_MAX)
    queue = Queue(
        id=uuid.uuid4().hex,
        name=request.QueueName,
        stream=stream.name,
        stream_id=stream.stream_id,
        stream_created_ms=info.created_ms,
        created_ms=now_ms,
        active_ms=now_ms + home.settings.stream_delay_ms,
        visibility_s=visibility_s,
        receives_max=receives_max,
        start=kind,
        start_ms=max(start_ms, horizon_ms),
        tags=request.Tags or {},
    )
    if not Queues(home).add(queue, _places(stream, kind, start_ms)):
        words = f"Queue {queue.name} under account {home.names.account} already exists."
        raise AwsError("ResourceInUseException", words)
    return {"QueueDescription": {**described(home, queue), "QueueStatus": "CREATING"}}


def _start(home: Home, wanted: Any, now_ms: int) -> tuple[str, int]:
    """(kind, time) a queue begins at."""
    kind = "LATEST" if wanted is None else wanted.Type
    timestamp = None if wanted is None else wanted.Timestamp
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
    found = {}
    for shard in stream.shards():
        oldest, tip = stream.bounds(shard.index)
        if kind == "AT_TIMESTAMP":
            found[shard.index] = stream.offset_at(shard.index, start_ms)
        else:
            found[shard.index] = tip if kind == "LATEST" else oldest
    return found


def _check_room(home: Home, stream: Stream) -> None:
    there, most = len(listed(home, stream)) + count(home, stream.name), count_max(home)
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


def describe_queue(home: Home, call: Call) -> Answer:
    return {"QueueDescription": described(home, find(home, call.request.QueueARN))}


def update_queue(home: Home, call: Call) -> Answer:
    queue = find(home, call.request.QueueARN)
    now_ms = home.clock.now_ms()
    if queue.status(now_ms) != "ACTIVE":
        words = (
            f"Queue {queue.name} is {queue.status(now_ms)}; it can be updated once it is ACTIVE."
        )
        raise AwsError("ResourceInUseException", words)
    given = call.request.QueueAttributes
    visibility_s, receives_max = _attributes(given, queue.visibility_s, queue.receives_max)
    changed = Queues(home).change(
        queue.id,
        visibility_s=visibility_s,
        receives_max=receives_max,
        updating_ms=now_ms + home.settings.stream_delay_ms,
    )
    return {"QueueDescription": described(home, changed or queue)}


def delete_queue(home: Home, call: Call) -> Answer:
    queue = find(home, call.request.QueueARN)
    if queue.gone_ms is None:
        gone_ms = home.clock.now_ms() + home.settings.stream_delay_ms
        Queues(home).change(queue.id, gone_ms=gone_ms)
    return {}


def list_queues(home: Home, call: Call) -> Answer:
    request = call.request
    after = ""
    if request.NextToken is not None:
        (after,) = tokens.page_of("queues", request.NextToken, home.clock)
    found = [q for q in Queues(home).all() if q.name > after and _passes(q, request.StreamFilter)]
    page = found[: min(request.MaxResults or QUEUES_A_PAGE, QUEUES_A_PAGE)]
    answer: dict[str, Any] = {"QueueSummaries": [_summary(home, q) for q in page]}
    if len(found) > len(page):
        answer["NextToken"] = tokens.page("queues", [page[-1].name], home.clock)
    return answer


def _passes(queue: Queue, wanted: Any) -> bool:
    """Whether the queue is on one of the streams asked for."""
    if not wanted:
        return True
    return any(
        name_in(w.StreamARN) == queue.stream
        and w.StreamCreationTimestamp in (None, queue.stream_created_ms / 1000)
        for w in wanted
    )


def _summary(home: Home, queue: Queue) -> dict[str, Any]:
    return {
        "QueueName": queue.name,
        "QueueARN": arn_of(home, queue),
        "QueueStatus": queue.status(home.clock.now_ms()),
        "QueueCreationTimestamp": Instant(queue.created_ms),
        "Streams": [
            {
                "StreamARN": home.names.stream_arn(queue.stream),
                "StreamCreationTimestamp": Instant(queue.stream_created_ms),
            }
        ],
    }


OPERATIONS = {
    "CreateQueue": create_queue,
    "DeleteQueue": delete_queue,
    "DescribeQueue": describe_queue,
    "ListQueues": list_queues,
    "UpdateQueue": update_queue,
}
