"""Things with an ARN that tags and policies can be put on: streams, consumers, queues, channels.

Streams are found here. For each other kind, ``FINDERS`` has a row: ``finder(context, arn)`` returns
a ``Resource``, or None if it does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.naming import name_in
from eddyline.log import Stream

if TYPE_CHECKING:
    from eddyline.aws.kinesis.context import KinesisContext

Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing with an ARN: a stream, or what keeps its tags and its policy in its own way."""

    arn: str
    stream: Stream | None = None
    tags: Callable[[], Tags] = dict
    change_tags: Callable[[Callable[[Tags], Tags]], None] = lambda _: None
    policy: Callable[[], str | None] = lambda: None
    set_policy: Callable[[str | None], None] = lambda _: None


Finder = Callable[["KinesisContext", str], Resource | None]
# kind -> "module:function" of a Finder; kinds are consumer, queue, channel
FINDERS: dict[str, str] = {
    "consumer": "eddyline.aws.kinesis.consumers.operations:resource",
    "channel": "eddyline.aws.kinesis.channels.operations:resource",
    "queue": "eddyline.aws.kinesis.queues.operations:resource",
}
# member of DescribeStreamSummary -> "module:function" (context, stream's name) -> how many
RELATIONS: dict[str, str] = {
    "ChannelCount": "eddyline.aws.kinesis.channels.operations:count",
    "QueueCount": "eddyline.aws.kinesis.queues.operations:count",
}
# member of DescribeLimits -> "module:function" (context) -> how many
ACCOUNT_COUNTS: dict[str, str] = {
    "ChannelCount": "eddyline.aws.kinesis.channels.operations:count_all",
    "ChannelCountLimit": "eddyline.aws.kinesis.channels.operations:count_max",
}


def handler_at(place: str) -> Callable[..., Any]:
    """The function at "module:function", imported when it is first needed."""
    module, _, function = place.partition(":")
    return cast("Callable[..., Any]", getattr(import_module(module), function))


def kind_of(arn: str) -> str:
    """What an ARN names: stream, consumer, queue, channel; empty for anything else."""
    last = arn.split(":", 5)[-1]
    kind = last.partition("/")[0]
    return "consumer" if kind == "stream" and "/consumer/" in last else kind


def find(context: KinesisContext, arn: str) -> Resource:
    """The thing an ARN names.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    arn, kind = context.names.local(arn), kind_of(arn)
    if kind == "stream":
        return Resource(arn, context.stream_named(name_in(arn)))
    place = FINDERS.get(kind)
    thing = None if place is None else handler_at(place)(context, arn)
    if thing is None:
        words = f"{kind.capitalize() or 'Resource'} {arn} not found."
        raise AwsError("ResourceNotFoundException", words)
    assert isinstance(thing, Resource)
    return thing
