"""Which resource a Kinesis request names, for the policies.

It is a stream, consumer, queue or channel by ARN or name, the stream of an iterator or of a page
token, or ``*``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.streams.shards import stream_of_page

if TYPE_CHECKING:
    from eddyline.aws.kinesis.context import KinesisContext

# Members that name the resource by ARN, the most particular first.
_ARNS = ("ConsumerARN", "QueueARN", "ChannelARN", "ResourceARN", "StreamARN")
_NAMES = (("StreamName", "stream"), ("QueueName", "queue"), ("ChannelName", "channel"))


def resource(context: KinesisContext, request: Any) -> str:
    """The ARN of what a request names; ``*`` if it names nothing."""
    for member in _ARNS:
        arn = getattr(request, member, None)
        if arn is not None:
            return context.names.local(arn)
    for member, kind in _NAMES:
        name = getattr(request, member, None)
        if name is not None:
            return context.names.arn(kind, name)
    if getattr(request, "ShardIterator", None) is not None:
        place = tokens.place_of(request.ShardIterator, context.clock, context.settings.iterator_s)
        return context.names.stream_arn(place.stream)
    if getattr(request, "NextToken", None) is not None and hasattr(request, "ShardFilter"):
        return context.names.stream_arn(stream_of_page(context, request.NextToken))
    return "*"
