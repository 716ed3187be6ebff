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
from eddyline.aws.kinesis.context import Home
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

    def status(self, home: Home) -> str:
        """CREATING, ACTIVE or DELETING."""
        if self.gone_ms is not None:
            return "DELETING"
        made_ms = self.created_ms + home.settings.stream_delay_ms
        return "CREATING" if home.clock.now_ms() < made_ms else "ACTIVE"

    def described(self, home: Home) -> dict[str, Any]:
        """The consumer as it is answered."""
        return {
            "ConsumerName": self.name,
            "ConsumerARN": self.arn,
            "ConsumerStatus": self.status(home),
            "ConsumerCreationTimestamp": Instant(self.created_ms),
        }


def _kept(home: Home, attributes: dict[str, Any]) -> Kept:
    """What is kept of the consumers that are not gone."""
    now_ms = home.clock.now_ms()
    found: Kept = attributes.get(ATTRIBUTE, {})
    return {n: c for n, c in found.items() if c.get("gone_ms", now_ms + 1) > now_ms}


def _consumer(home: Home, stream: str, name: str, kept: dict[str, Any]) -> Consumer:
    arn = home.names.consumer_arn(stream, name, kept["created_ms"])
    return Consumer(name, stream, kept["created_ms"], kept.get("gone_ms"), arn)


def listed(home: Home, stream: Stream) -> list[Consumer]:
    """All consumers of a stream, by name."""
    kept = _kept(home, stream.attributes())
    return [_consumer(home, stream.name, n, c) for n, c in sorted(kept.items())]


def find(home: Home, arn: str) -> tuple[Stream, Consumer]:
    """The consumer an ARN names, with its stream.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    arn = home.names.local(arn)
    stream = home.stream_named(name_in(arn))
    for found in listed(home, stream):
        if found.arn == arn:
            return stream, found
    raise _not_found(home, arn)


def _not_found(home: Home, what: str) -> AwsError:
    words = f"Consumer {what} under account {home.names.account} not found."
    return AwsError("ResourceNotFoundException", words)


def resource(home: Home, arn: str) -> Resource | None:
    """The consumer as a thing that has tags and a policy."""
    try:
        stream, consumer = find(home, arn)
    except AwsError:
        return None

    def kept() -> dict[str, Any]:
        return _kept(home, stream.attributes()).get(consumer.name, {})

    def change(fields: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        def changed(info: StreamInfo) -> dict[str, Any]:
            all_ = _kept(home, info.attributes)
            mine = all_.get(consumer.name)
            if mine is None or mine["created_ms"] != consumer.created_ms:
                raise _not_found(home, arn)
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


def count_max(home: Home) -> int:
    """How many consumers and queues together a stream may have."""
    return CONSUMERS_MAX_COMMITTED if account.committed(home) else CONSUMERS_MAX


def register_stream_consumer(home: Home, call: Call) -> Answer:
    request = call.request
    stream, name = home.stream(request), request.ConsumerName
    tags = request.Tags or {}
    check_tags({}, tags)
    most, queues = count_max(home), home.relations(stream.name).get("QueueCount", 0)
    made: list[Consumer] = []

    def change(info: StreamInfo) -> dict[str, Any]:
        if info.status in (StreamStatus.CREATING, StreamStatus.DELETING):
            home.check_active(info)
        kept = _kept(home, info.attributes)
        there = [_consumer(home, stream.name, n, c) for n, c in kept.items()]
        _check_room(home, stream, name, there, most - queues)
        fields: dict[str, Any] = {"created_ms": home.clock.now_ms()}
        kept[name] = {**fields, "tags": tags} if tags else fields
        made.append(_consumer(home, stream.name, name, fields))
        return {"attributes": {**info.attributes, ATTRIBUTE: kept}}

    stream.update(change)
    return {"Consumer": {**made[-1].described(home), "ConsumerStatus": "CREATING"}}


def _check_room(home: Home, stream: Stream, name: str, there: list[Consumer], most: int) -> None:
    if any(c.name == name for c in there):
        words = (
            f"Consumer {name} under stream {stream.name} already exists for account "
            f"{home.names.account}."
        )
        raise AwsError("ResourceInUseException", words)
    if len(there) >= most:
        words = f"Stream {stream.name} has {len(there)} consumers; no more can be registered."
        raise AwsError("LimitExceededException", words)
    if sum(c.status(home) == "CREATING" for c in there) >= CREATING_MAX:
        words = f"Stream {stream.name} has {CREATING_MAX} consumers in CREATING; try again soon."
        raise AwsError("LimitExceededException", words)


def _asked(home: Home, request: Any) -> tuple[Stream, Consumer]:
    """The consumer that its ARN, or its stream's ARN and its name, mean.

    Raises:
        AwsError: ``InvalidArgumentException``, ``ResourceNotFoundException``.
    """
    by_name = request.StreamARN is not None and request.ConsumerName is not None
    if request.ConsumerARN is None and not by_name:
        words = "Either ConsumerARN or both StreamARN and ConsumerName must be provided."
        raise AwsError("InvalidArgumentException", words)
    if request.ConsumerARN is not None:
        stream, found = find(home, request.ConsumerARN)
        other = request.StreamARN is not None and name_in(request.StreamARN) != stream.name
        if other or request.ConsumerName not in (None, found.name):
            words = f"ConsumerARN {request.ConsumerARN} conflicts with StreamARN or ConsumerName."
            raise AwsError("InvalidArgumentException", words)
        return stream, found
    stream = home.stream(request)
    for found in listed(home, stream):
        if found.name == request.ConsumerName:
            return stream, found
    raise _not_found(home, f"{request.ConsumerName} of stream {stream.name}")


def describe_stream_consumer(home: Home, call: Call) -> Answer:
    stream, found = _asked(home, call.request)
    members = {**found.described(home), "StreamARN": home.names.stream_arn(stream.name)}
    return {"ConsumerDescription": members}


def deregister_stream_consumer(home: Home, call: Call) -> Answer:
    stream, consumer = _asked(home, call.request)
    gone_ms = home.clock.now_ms() + home.settings.stream_delay_ms

    def change(info: StreamInfo) -> dict[str, Any]:
        kept = _kept(home, info.attributes)
        mine = kept.pop(consumer.name, None)
        if mine is None or mine["created_ms"] != consumer.created_ms:
            raise _not_found(home, consumer.arn)
        if gone_ms > home.clock.now_ms():
            kept[consumer.name] = {"gone_ms": gone_ms, **mine}
        return {"attributes": {**info.attributes, ATTRIBUTE: kept}}

    stream.update(change)
    return {}


def list_stream_consumers(home: Home, call: Call) -> Answer:
    request = call.request
    stream = home.stream(request)
    after = ""
    if request.NextToken is not None:
        if request.StreamCreationTimestamp is not None:
            words = "NextToken and StreamCreationTimestamp cannot be provided together."
            raise AwsError("InvalidArgumentException", words)
        name, after = tokens.page_of("consumers", request.NextToken, home.clock)
        if name != stream.name:
            words = f"The NextToken is not one of stream {stream.name}."
            raise AwsError("InvalidArgumentException", words)
    created = request.StreamCreationTimestamp
    if created is not None and int(created) != stream.info().created_ms // 1000:
        raise home.names.not_found(stream.name)
    found = [c for c in listed(home, stream) if c.name > after]
    page = found[: min(request.MaxResults or CONSUMERS_A_PAGE, CONSUMERS_A_PAGE)]
    answer: dict[str, Any] = {"Consumers": [c.described(home) for c in page]}
    if len(found) > len(page):
        fields = [stream.name, page[-1].name]
        answer["NextToken"] = tokens.page("consumers", fields, home.clock)
    return answer


OPERATIONS = {
    "DeregisterStreamConsumer": deregister_stream_consumer,
    "DescribeStreamConsumer": describe_stream_consumer,
    "ListStreamConsumers": list_stream_consumers,
    "RegisterStreamConsumer": register_stream_consumer,
}
