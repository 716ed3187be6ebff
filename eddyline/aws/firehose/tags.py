"""Tags of delivery streams."""

from __future__ import annotations

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.firehose.context import FirehoseContext

TAGS_MAX = 50


def tag_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    delivery_stream = context.find(call.request.DeliveryStreamName)
    tags = {**delivery_stream.tags, **{t.Key: t.Value or "" for t in call.request.Tags}}
    if len(tags) > TAGS_MAX:
        message = f"A delivery stream can have at most {TAGS_MAX} tags, not {len(tags)}."
        raise AwsError("LimitExceededException", message)
    context.delivery_streams.change(delivery_stream.id, tags=tags)
    return {}


def untag_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    delivery_stream = context.find(call.request.DeliveryStreamName)
    kept = {k: v for k, v in delivery_stream.tags.items() if k not in call.request.TagKeys}
    context.delivery_streams.change(delivery_stream.id, tags=kept)
    return {}


def list_tags_for_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    request = call.request
    tags = sorted(context.find(request.DeliveryStreamName).tags.items())
    rest = [(k, v) for k, v in tags if k > (request.ExclusiveStartTagKey or "")]
    page = rest[: request.Limit or TAGS_MAX]
    return {
        "Tags": [{"Key": k, "Value": v} for k, v in page],
        "HasMoreTags": len(rest) > len(page),
    }


OPERATIONS = {
    "ListTagsForDeliveryStream": list_tags_for_delivery_stream,
    "TagDeliveryStream": tag_delivery_stream,
    "UntagDeliveryStream": untag_delivery_stream,
}
