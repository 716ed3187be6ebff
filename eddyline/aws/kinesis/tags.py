"""Tags of streams, by name or by ARN."""

from __future__ import annotations

import re
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.log import Stream, StreamInfo

TAGS_MAX = 50
_FORM = re.compile(r"[\w\s.:/=+\-@%]*\Z")


def check_tags(there: dict[str, str], added: dict[str, str]) -> None:
    """Refuse tags that are malformed, reserved or too many.

    Raises:
        AwsError: ``InvalidArgumentException``.
    """
    for key, value in added.items():
        if not _FORM.match(key) or not _FORM.match(value or ""):
            words = "Some tags contain invalid characters. Valid characters: "
            words += "Unicode letters, digits, white space, _ . / = + - % @."
            raise AwsError("InvalidArgumentException", words)
        if key.lower().startswith("aws:"):
            words = f"Tag key {key} is reserved: it begins with aws:."
            raise AwsError("InvalidArgumentException", words)
    if len({**there, **added}) > TAGS_MAX:
        words = f"Failed to add tags: a resource may have at most {TAGS_MAX} tags."
        raise AwsError("InvalidArgumentException", words)


def add_tags_to_stream(context: KinesisContext, call: Call) -> Answer:
    _add(context.stream(call.request), call.request.Tags)
    return {}


def remove_tags_from_stream(context: KinesisContext, call: Call) -> Answer:
    _remove(context.stream(call.request), call.request.TagKeys)
    return {}


def _add(stream: Stream, tags: dict[str, str]) -> None:
    def change(info: StreamInfo) -> dict[str, Any]:
        check_tags(info.tags, tags)
        return {"tags": {**info.tags, **tags}}

    stream.update(change)


def _remove(stream: Stream, keys: list[str]) -> None:
    def change(info: StreamInfo) -> dict[str, Any]:
        return {"tags": {k: v for k, v in info.tags.items() if k not in keys}}

    stream.update(change)


async def list_tags_for_stream(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    start = request.ExclusiveStartTagKey
    tags = sorted(context.stream(request).info().tags.items())
    tags = [(k, v) for k, v in tags if start is None or k > start]
    limit = request.Limit or TAGS_MAX
    return {"Tags": _listed(tags[:limit]), "HasMoreTags": len(tags) > limit}


def _listed(tags: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in tags]


def tag_resource(context: KinesisContext, call: Call) -> Answer:
    resource = context.resource(call.request.ResourceARN)
    if resource.stream is not None:
        _add(resource.stream, call.request.Tags)
    else:
        resource.change_tags(lambda there: _with(there, call.request.Tags))
    return {}


def _with(there: dict[str, str], tags: dict[str, str]) -> dict[str, str]:
    check_tags(there, tags)
    return {**there, **tags}


def untag_resource(context: KinesisContext, call: Call) -> Answer:
    resource = context.resource(call.request.ResourceARN)
    keys = call.request.TagKeys
    if resource.stream is not None:
        _remove(resource.stream, keys)
    else:
        resource.change_tags(lambda there: {k: v for k, v in there.items() if k not in keys})
    return {}


async def list_tags_for_resource(context: KinesisContext, call: Call) -> Answer:
    resource = context.resource(call.request.ResourceARN)
    tags = resource.stream.info().tags if resource.stream is not None else resource.tags()
    return {"Tags": _listed(sorted(tags.items()))}


OPERATIONS = {
    "AddTagsToStream": add_tags_to_stream,
    "ListTagsForResource": list_tags_for_resource,
    "ListTagsForStream": list_tags_for_stream,
    "RemoveTagsFromStream": remove_tags_from_stream,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
