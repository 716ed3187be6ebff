"""Consumers with enhanced fan-out: registered with a stream, kept among its attributes.

A consumer's state follows from the clock, like a stream's: CREATING for a while after it was
registered, DELETING for a while before it is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis import account, tokens
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.naming import name_in
from eddyline.aws.kinesis.resources import Resource, Tags
from eddyline.aws.kinesis.tags import check_tags
from eddyline.log import Stream, StreamInfo, StreamStatus

CONSUMERS_MAX, CONSUMERS_MAX_COMMITTED = 20, 50
CREATING_MAX = 5
CONSUMERS_A_PAGE = 100
ATTRIBUTE = "consumers"
Kept = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer of one creation of a stream."""

    name: str
    stream: str
    created_ms: int
    gone_ms: int | None
    arn: str

    def status(self, context: KinesisContext) -> str:
        """CREATING, ACTIVE or DELETING."""
        if self.gone_ms is not None:
            return "DELETING"
        made_ms = self.created_ms + context.settings.stream_delay_ms
        return "CREATING" if context.clock.now_ms() < made_ms else "ACTIVE"

    def described(self, context: KinesisContext) -> dict[str, Any]:
        """The consumer as it is answered."""
        return {
            "ConsumerName": self.name,
            "ConsumerARN": self.arn,
            "ConsumerStatus": self.status(context),
            "ConsumerCreationTimestamp": Instant(self.created_ms),
        }


def kept_consumers(context: KinesisContext, attributes: dict[str, Any]) -> Kept:
    """What is kept of the consumers that are not gone."""
    now_ms = context.clock.now_ms()
    kept: Kept = attributes.get(ATTRIBUTE, {})
    return {n: c for n, c in kept.items() if c.get("gone_ms", now_ms + 1) > now_ms}


def _consumer(context: KinesisContext, stream: str, name: str, kept: dict[str, Any]) -> Consumer:
    arn = context.names.consumer_arn(stream, name, kept["created_ms"])
    return Consumer(name, stream, kept["created_ms"], kept.get("gone_ms"), arn)


def listed(context: KinesisContext, stream: Stream) -> list[Consumer]:
    """All consumers of a stream, by name."""
    kept = kept_consumers(context, stream.attributes())
    return [_consumer(context, stream.name, n, c) for n, c in sorted(kept.items())]


def find(context: KinesisContext, arn: str) -> tuple[Stream, Consumer]:
    """The consumer an ARN names, with its stream.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    arn = context.names.local(arn)
    stream = context.stream_named(name_in(arn))
    for consumer in listed(context, stream):
        if consumer.arn == arn:
            return stream, consumer
    raise _not_found(context, arn)


def _not_found(context: KinesisContext, what: str) -> AwsError:
    words = f"Consumer {what} under account {context.names.account} not found."
    return AwsError("ResourceNotFoundException", words)


def resource(context: KinesisContext, arn: str) -> Resource | None:
    """The consumer as a thing that has tags and a policy."""
    try:
        stream, consumer = find(context, arn)
    except AwsError:
        return None

    def kept() -> dict[str, Any]:
        return kept_consumers(context, stream.attributes()).get(consumer.name, {})

    def change(fields: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        def changed(info: StreamInfo) -> dict[str, Any]:
            all_ = kept_consumers(context, info.attributes)
            mine = all_.get(consumer.name)
            if mine is None or mine["created_ms"] != consumer.created_ms:
                raise _not_found(context, arn)
            all_[consumer.name] = {**mine, **fields(mine)}
            return {"attributes": {**info.attributes, ATTRIBUTE: all_}}

        stream.update(changed)

    def change_tags(new: Callable[[Tags], Tags]) -> None:
        change(lambda mine: {"tags": new(mine.get("tags", {}))})

    return Resource(
        consumer.arn,
        tags=lambda: kept().get("tags", {}),
        change_tags=change_tags,
        policy=lambda: kept().get("policy"),
        set_policy=lambda text: change(lambda _: {"policy": text}),
    )


def count_max(context: KinesisContext) -> int:
    """How many consumers and queues together a stream may have."""
    return CONSUMERS_MAX_COMMITTED if account.committed(context) else CONSUMERS_MAX


def register_stream_consumer(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    stream, name = context.stream(request), request.ConsumerName
    tags = request.Tags or {}
    check_tags({}, tags)
    most, queues = count_max(context), context.relations(stream.name).get("QueueCount", 0)
    made: list[Consumer] = []

    def change(info: StreamInfo) -> dict[str, Any]:
        if info.status in (StreamStatus.CREATING, StreamStatus.DELETING):
            context.check_active(info)
        kept = kept_consumers(context, info.attributes)
        there = [_consumer(context, stream.name, n, c) for n, c in kept.items()]
        _check_room(context, stream, name, there, most - queues)
        fields: dict[str, Any] = {"created_ms": context.clock.now_ms()}
        kept[name] = {**fields, "tags": tags} if tags else fields
        made.append(_consumer(context, stream.name, name, fields))
        return {"attributes": {**info.attributes, ATTRIBUTE: kept}}

    stream.update(change)
    return {"Consumer": {**made[-1].described(context), "ConsumerStatus": "CREATING"}}


def _check_room(
    context: KinesisContext, stream: Stream, name: str, there: list[Consumer], most: int
) -> None:
    if any(c.name == name for c in there):
        words = (
            f"Consumer {name} under stream {stream.name} already exists for account "
            f"{context.names.account}."
        )
        raise AwsError("ResourceInUseException", words)
    if len(there) >= most:
        words = f"Stream {stream.name} has {len(there)} consumers; no more can be registered."
        raise AwsError("LimitExceededException", words)
    if sum(c.status(context) == "CREATING" for c in there) >= CREATING_MAX:
        words = f"Stream {stream.name} has {CREATING_MAX} consumers in CREATING; try again soon."
        raise AwsError("LimitExceededException", words)


def _requested(context: KinesisContext, request: Any) -> tuple[Stream, Consumer]:
    """The consumer that its ARN, or its stream's ARN and its name, mean.

    Raises:
        AwsError: ``InvalidArgumentException``, ``ResourceNotFoundException``.
    """
    by_name = request.StreamARN is not None and request.ConsumerName is not None
    if request.ConsumerARN is None and not by_name:
        words = "Either ConsumerARN or both StreamARN and ConsumerName must be provided."
        raise AwsError("InvalidArgumentException", words)
    if request.ConsumerARN is not None:
        stream, consumer = find(context, request.ConsumerARN)
        other = request.StreamARN is not None and name_in(request.StreamARN) != stream.name
        if other or request.ConsumerName not in (None, consumer.name):
            words = f"ConsumerARN {request.ConsumerARN} conflicts with StreamARN or ConsumerName."
            raise AwsError("InvalidArgumentException", words)
        return stream, consumer
    stream = context.stream(request)
    for consumer in listed(context, stream):
        if consumer.name == request.ConsumerName:
            return stream, consumer
    raise _not_found(context, f"{request.ConsumerName} of stream {stream.name}")


def describe_stream_consumer(context: KinesisContext, call: Call) -> Answer:
    stream, consumer = _requested(context, call.request)
    members = {**consumer.described(context), "StreamARN": context.names.stream_arn(stream.name)}
    return {"ConsumerDescription": members}


def deregister_stream_consumer(context: KinesisContext, call: Call) -> Answer:
    stream, consumer = _requested(context, call.request)
    gone_ms = context.clock.now_ms() + context.settings.stream_delay_ms

    def change(info: StreamInfo) -> dict[str, Any]:
        kept = kept_consumers(context, info.attributes)
        mine = kept.pop(consumer.name, None)
        if mine is None or mine["created_ms"] != consumer.created_ms:
            raise _not_found(context, consumer.arn)
        if gone_ms > context.clock.now_ms():
            kept[consumer.name] = {"gone_ms": gone_ms, **mine}
        return {"attributes": {**info.attributes, ATTRIBUTE: kept}}

    stream.update(change)
    return {}


def list_stream_consumers(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    stream = context.stream(request)
    after = ""
    if request.NextToken is not None:
        if request.StreamCreationTimestamp is not None:
            words = "NextToken and StreamCreationTimestamp cannot be provided together."
            raise AwsError("InvalidArgumentException", words)
        name, after = tokens.page_of("consumers", request.NextToken, context.clock)
        if name != stream.name:
            words = f"The NextToken is not one of stream {stream.name}."
            raise AwsError("InvalidArgumentException", words)
    created = request.StreamCreationTimestamp
    if created is not None and int(created) != stream.info().created_ms // 1000:
        raise context.names.not_found(stream.name)
    consumers = [c for c in listed(context, stream) if c.name > after]
    page = consumers[: min(request.MaxResults or CONSUMERS_A_PAGE, CONSUMERS_A_PAGE)]
    answer: dict[str, Any] = {"Consumers": [c.described(context) for c in page]}
    if len(consumers) > len(page):
        fields = [stream.name, page[-1].name]
        answer["NextToken"] = tokens.page("consumers", fields, context.clock)
    return answer


OPERATIONS = {
    "DeregisterStreamConsumer": deregister_stream_consumer,
    "DescribeStreamConsumer": describe_stream_consumer,
    "ListStreamConsumers": list_stream_consumers,
    "RegisterStreamConsumer": register_stream_consumer,
}
