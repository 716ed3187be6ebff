"""Channels: from an on-demand stream to a bucket; created, described, listed, updated, deleted.

Buckets are folders of the data directory, or those of any S3 endpoint (setting ``s3_endpoint``).
Tables of Apache Iceberg need a service that one machine does not have, and are refused.
"""

from __future__ import annotations

from typing import Any

import msgspec

from eddyline.aws.call import Answer, Call
from eddyline.aws.delivery.records import FORMATS
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.channels.key import DEFAULT_TEMPLATE, unknown_fields
from eddyline.aws.kinesis.channels.store import Channel, Channels
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.follower_kind import FollowerKind, followed, only_source
from eddyline.aws.kinesis.tags import check_tags

FRESHNESS_S, FRESHNESS_S_MAX = 300, 86_400
CHANNELS_MAX = 100
ERROR_PREFIX = "error/"

CHANNELS = FollowerKind(Channels, "channel", lambda channel: f"{channel.name}/{channel.id}")
find, count, resource = CHANNELS.find, CHANNELS.count, CHANNELS.resource


def count_all(context: KinesisContext) -> int:
    """How many channels there are."""
    return len(Channels(context).all())


def count_max(context: KinesisContext) -> int:
    """How many channels there may be."""
    return CHANNELS_MAX


def _given(value: Any) -> Any:
    """A request's members that were given, as plain values."""
    if isinstance(value, msgspec.Struct):
        pairs = ((n, getattr(value, n)) for n in value.__struct_fields__)
        return {n: _given(v) for n, v in pairs if v is not None}
    return [_given(v) for v in value] if isinstance(value, list | tuple) else value


def described(context: KinesisContext, channel: Channel) -> dict[str, Any]:
    """A channel as it is answered."""
    members: dict[str, Any] = {
        **_named(context, channel),
        "ServiceExecutionRoleARN": channel.role,
        "StreamConfigurationList": [
            {
                **followed(context, channel),
                "RecordConfiguration": {"RecordFormatType": channel.record_format},
            }
        ],
        "S3DestinationConfiguration": {
            "DataFreshnessInSeconds": channel.freshness_s,
            **channel.destination,
        },
        "LoggingConfiguration": channel.logging,
    }
    if channel.encryption is not None:
        members["EncryptionConfiguration"] = channel.encryption
    return members


def _named(context: KinesisContext, channel: Channel) -> dict[str, Any]:
    members = {**CHANNELS.named(context, channel), "ChannelId": channel.id}
    if members["ChannelStatus"] == "FAILED" and channel.failed is not None:
        members["ChannelStatusReason"] = channel.failed[:2048]
    return members


def create_channel(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    source = only_source(request)
    record_format = source.RecordConfiguration.RecordFormatType
    freshness_s, destination = _destination(request, record_format)
    check_tags({}, request.Tags or {})
    stream, info = CHANNELS.stream(context, source)
    if count_all(context) >= CHANNELS_MAX:
        raise AwsError("LimitExceededException", f"There are {CHANNELS_MAX} channels already.")
    channel = Channel(
        **CHANNELS.begun(context, request.ChannelName, request.Tags, stream),
        role=request.ServiceExecutionRoleARN,
        record_format=record_format,
        freshness_s=freshness_s,
        destination=destination,
        logging=_given(request.LoggingConfiguration) or {"CloudWatchLogs": {"Enabled": False}},
        encryption=_given(request.EncryptionConfiguration),
    )
    tips = {s.index: stream.bounds(s.index)[1] for s in info.shards}
    CHANNELS.add(context, channel, tips)
    return {"ChannelDescription": {**described(context, channel), "ChannelStatus": "CREATING"}}


def _destination(request: Any, record_format: str) -> tuple[int, dict[str, Any]]:
    """(freshness, the rest of the destination) of a request."""
    bucket, table = request.S3DestinationConfiguration, request.S3TablesDestinationConfiguration
    if (bucket is None) == (table is None):
        words = (
            "Specify either S3DestinationConfiguration or S3TablesDestinationConfiguration, "
            "but not both."
        )
        raise AwsError("ValidationException", words)
    if bucket is None or record_format not in FORMATS:
        words = (
            "Eddyline delivers JSON, STRING and BYTE_ARRAY records to buckets; streaming tables "
            "and schema registries are not supported."
        )
        raise AwsError("ValidationException", words)
    destination = _given(bucket)
    freshness_s = destination.pop("DataFreshnessInSeconds", FRESHNESS_S)
    _check_freshness(freshness_s)
    storage = destination["StorageConfiguration"]
    storage.setdefault("OutputKeyTemplate", DEFAULT_TEMPLATE)
    storage.setdefault("StorageClass", "STANDARD")
    unknown = unknown_fields(storage["OutputKeyTemplate"])
    if unknown:
        words = f"OutputKeyTemplate has unknown fields: {', '.join(unknown)}."
        raise AwsError("ValidationException", words)
    own = {k: storage[k] for k in ("BucketARN", "ExpectedBucketOwner")}
    dead = destination.setdefault("DeadLetterQueueS3Configuration", own)
    dead.setdefault("ErrorOutputPrefix", ERROR_PREFIX)
    return freshness_s, destination


def _check_freshness(seconds: int) -> None:
    if not 0 <= seconds <= FRESHNESS_S_MAX:
        words = f"DataFreshnessInSeconds must be from 0 to {FRESHNESS_S_MAX}, but is {seconds}."
        raise AwsError("ValidationException", words)


def describe_channel(context: KinesisContext, call: Call) -> Answer:
    return {"ChannelDescription": described(context, find(context, call.request.ChannelARN))}


def update_channel(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    channel = find(context, request.ChannelARN)
    now_ms = context.clock.now_ms()
    status = channel.status(now_ms)
    if status not in ("ACTIVE", "FAILED"):
        words = f"Channel {channel.name} not ACTIVE, instead in state {status}."
        raise AwsError("ResourceInUseException", words)
    if request.S3TablesDestinationConfiguration is not None:
        words = f"Channel {channel.name} delivers to a bucket, not to a streaming table."
        raise AwsError("ValidationException", words)
    fields: dict[str, Any] = {"updating_ms": now_ms + context.settings.stream_delay_ms}
    if request.S3DestinationConfiguration is not None:
        fields["freshness_s"] = request.S3DestinationConfiguration.DataFreshnessInSeconds
        _check_freshness(fields["freshness_s"])
    if request.LoggingConfiguration is not None:
        fields["logging"] = _given(request.LoggingConfiguration)
    changed = Channels(context).change(channel.id, **fields) or channel
    return {"ChannelDescription": described(context, changed)}


def delete_channel(context: KinesisContext, call: Call) -> Answer:
    CHANNELS.delete(context, call.request.ChannelARN)
    return {}


def list_channels(context: KinesisContext, call: Call) -> Answer:
    page, following = CHANNELS.page(context, call.request)
    summaries = [
        {**_named(context, c), "ChannelDestinationType": "S3", "Streams": [followed(context, c)]}
        for c in page
    ]
    return {"ChannelSummaries": summaries, **following}


OPERATIONS = {
    "CreateChannel": create_channel,
    "DeleteChannel": delete_channel,
    "DescribeChannel": describe_channel,
    "ListChannels": list_channels,
    "UpdateChannel": update_channel,
}
