"""Delivery streams: created, described, listed, changed, deleted."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.firehose.context import COMPRESSIONS, FirehoseContext
from eddyline.aws.firehose.key import unknown_expressions
from eddyline.aws.firehose.store import DIRECT, FROM_STREAM, DeliveryStream
from eddyline.aws.instant import Instant
from eddyline.aws.members import document_of

Document = dict[str, Any]
DELIVERY_STREAMS_MAX = 50
PAGE = 10
DESTINATION_ID = "destinationId-000000000001"
DEFAULTS: Document = {
    "Prefix": "",
    "ErrorOutputPrefix": "",
    "CompressionFormat": "UNCOMPRESSED",
    "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
    "CloudWatchLoggingOptions": {"Enabled": False},
    "S3BackupMode": "Disabled",
    "FileExtension": "",
    "CustomTimeZone": "UTC",
}
HINTS: Document = {"SizeInMBs": 5, "IntervalInSeconds": 300}
# The members of an extended destination that a plain one does not have.
EXTENDED_ONLY = ("S3BackupMode", "FileExtension", "CustomTimeZone")
_S3 = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
# What a destination may switch on that has no implementation here.
_SWITCHES = (
    "ProcessingConfiguration",
    "DataFormatConversionConfiguration",
    "DynamicPartitioningConfiguration",
)


def create_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    request = call.request
    name, kind = request.DeliveryStreamName, request.DeliveryStreamType or DIRECT
    destination = _destination(request)
    _check_supported(request, kind)
    if len(context.delivery_streams.all()) >= DELIVERY_STREAMS_MAX:
        message = f"There are {DELIVERY_STREAMS_MAX} delivery streams already."
        raise AwsError("LimitExceededException", message)
    _check_free(context, name)
    source = request.KinesisStreamSourceConfiguration
    if kind == FROM_STREAM:
        stream = context.store.open(source.KinesisStreamARN.rpartition("/")[2])
    else:
        stream = context.direct.create(f"{name}.{uuid.uuid4().hex}")
    now_ms = context.clock.now_ms()
    info = stream.info()
    delivery_stream = DeliveryStream(
        id=uuid.uuid4().hex,
        name=name,
        stream=stream.name,
        stream_id=stream.stream_id,
        stream_created_ms=info.created_ms,
        created_ms=now_ms,
        active_ms=now_ms + context.settings.stream_delay_ms,
        type=kind,
        destination=destination,
        source_role=source.RoleARN if kind == FROM_STREAM else "",
        tags={t.Key: t.Value or "" for t in request.Tags or ()},
    )
    # As AWS does, a Kinesis stream is read from its newest records on.
    tips = {s.index: stream.bounds(s.index)[1] for s in info.shards}
    if not context.delivery_streams.add(delivery_stream, tips):  # another request was faster
        if kind == DIRECT:
            context.direct.delete(stream.name)
        raise _taken(context, name)
    return {"DeliveryStreamARN": context.arn_of(name)}


def _check_free(context: FirehoseContext, name: str) -> None:
    if any(d.name == name for d in context.delivery_streams.all()):
        raise _taken(context, name)


def _taken(context: FirehoseContext, name: str) -> AwsError:
    account = context.settings.account_id
    message = f"Firehose {name} under accountId {account} already exists"
    return AwsError("ResourceInUseException", message)


def _check_supported(request: Any, kind: str) -> None:
    """Raise AwsError for a source or a setting that has no implementation here."""
    if kind not in (DIRECT, FROM_STREAM):
        message = f"DeliveryStreamType {kind} is not supported; use {DIRECT} or {FROM_STREAM}."
        raise AwsError("InvalidArgumentException", message)
    source = request.KinesisStreamSourceConfiguration
    if (kind == FROM_STREAM) != (source is not None):
        message = f"KinesisStreamSourceConfiguration belongs to DeliveryStreamType {FROM_STREAM}."
        raise AwsError("InvalidArgumentException", message)
    if request.DeliveryStreamEncryptionConfigurationInput is not None:
        message = "DeliveryStreamEncryptionConfigurationInput is not supported: encrypt the disk."
        raise AwsError("InvalidArgumentException", message)


def _destination(request: Any) -> Document:
    """The members of the request's S3 destination, checked, with defaults."""
    given = {
        name: getattr(request, name)
        for name in request.__struct_fields__
        if name.endswith("DestinationConfiguration") and getattr(request, name) is not None
    }
    other = [name for name in given if name not in _S3]
    if other:
        message = f"{other[0]} is not supported: Eddyline delivers to S3 and to local buckets."
        raise AwsError("InvalidArgumentException", message)
    if len(given) != 1:
        message = f"Specify exactly one of {' and '.join(_S3)}."
        raise AwsError("InvalidArgumentException", message)
    ((_, configuration),) = given.items()
    return checked({**DEFAULTS, **document_of(configuration)})


def checked(destination: Document) -> Document:
    """A destination with complete buffering hints. Raises AwsError for what is not supported."""
    for member in _SWITCHES:
        if destination.pop(member, {}).get("Enabled"):
            message = f"{member} is not supported: records are delivered as they are."
            raise AwsError("InvalidArgumentException", message)
    if destination["S3BackupMode"] != "Disabled":
        raise AwsError("InvalidArgumentException", "S3BackupMode Enabled is not supported.")
    if destination["CompressionFormat"] not in COMPRESSIONS:
        message = (
            f"CompressionFormat {destination['CompressionFormat']} is not supported; "
            f"use {' or '.join(COMPRESSIONS)}."
        )
        raise AwsError("InvalidArgumentException", message)
    if "KMSEncryptionConfig" in destination["EncryptionConfiguration"]:
        message = "KMSEncryptionConfig is not supported: encrypt the disk."
        raise AwsError("InvalidArgumentException", message)
    for member, rejects in (("Prefix", False), ("ErrorOutputPrefix", True)):
        unknown = unknown_expressions(destination[member], rejects=rejects)
        if unknown:
            message = f"{member} contains an unknown expression: {', '.join(unknown)}."
            raise AwsError("InvalidArgumentException", message)
    destination["CustomTimeZone"] = destination["CustomTimeZone"] or "UTC"
    try:
        ZoneInfo(destination["CustomTimeZone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"CustomTimeZone {destination['CustomTimeZone']} is not known."
        raise AwsError("InvalidArgumentException", message) from None
    destination["BufferingHints"] = {**HINTS, **destination.get("BufferingHints", {})}
    return destination


def describe_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    delivery_stream = context.find(call.request.DeliveryStreamName)
    return {"DeliveryStreamDescription": _described(context, delivery_stream)}


def _described(context: FirehoseContext, delivery_stream: DeliveryStream) -> Document:
    destination = delivery_stream.destination
    plain = {k: v for k, v in destination.items() if k not in EXTENDED_ONLY}
    status = delivery_stream.status(context.clock.now_ms())
    document: Document = {
        "DeliveryStreamName": delivery_stream.name,
        "DeliveryStreamARN": context.arn_of(delivery_stream.name),
        "DeliveryStreamStatus": "ACTIVE" if status == "UPDATING" else status,
        "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
        "DeliveryStreamType": delivery_stream.type,
        "VersionId": str(delivery_stream.version),
        "CreateTimestamp": Instant(delivery_stream.created_ms),
        "Destinations": [
            {
                "DestinationId": DESTINATION_ID,
                "S3DestinationDescription": plain,
                "ExtendedS3DestinationDescription": destination,
            }
        ],
        "HasMoreDestinations": False,
    }
    if delivery_stream.updated_ms is not None:
        document["LastUpdateTimestamp"] = Instant(delivery_stream.updated_ms)
    if delivery_stream.failed is not None:
        document["FailureDescription"] = {
            "Type": "UNKNOWN_ERROR",
            "Details": delivery_stream.failed,
        }
    if delivery_stream.type == FROM_STREAM:
        document["Source"] = {
            "KinesisStreamSourceDescription": {
                "KinesisStreamARN": context.arn("kinesis", f"stream/{delivery_stream.stream}"),
                "RoleARN": delivery_stream.source_role,
                "DeliveryStartTimestamp": Instant(delivery_stream.created_ms),
            }
        }
    return document


def list_delivery_streams(context: FirehoseContext, call: Call) -> Answer:
    request = call.request
    after, kind = request.ExclusiveStartDeliveryStreamName or "", request.DeliveryStreamType
    names = [
        d.name for d in context.delivery_streams.all() if d.name > after and kind in (None, d.type)
    ]
    page = names[: request.Limit or PAGE]
    return {"DeliveryStreamNames": page, "HasMoreDeliveryStreams": len(names) > len(page)}


def update_destination(context: FirehoseContext, call: Call) -> Answer:
    request = call.request
    delivery_stream = context.find(request.DeliveryStreamName)
    if request.DestinationId != DESTINATION_ID:
        message = f"Destination {request.DestinationId} not found."
        raise AwsError("ResourceNotFoundException", message)
    if request.CurrentDeliveryStreamVersionId != str(delivery_stream.version):
        message = (
            f"Cannot update firehose: {delivery_stream.name} since the current version id: "
            f"{delivery_stream.version} and specified version id: "
            f"{request.CurrentDeliveryStreamVersionId} do not match"
        )
        raise AwsError("ConcurrentModificationException", message)
    update = request.ExtendedS3DestinationUpdate or request.S3DestinationUpdate
    if update is None:
        raise AwsError("InvalidArgumentException", "Only an S3 destination can be updated.")
    changes = document_of(update)
    hints = {**delivery_stream.destination["BufferingHints"], **changes.pop("BufferingHints", {})}
    destination = {**delivery_stream.destination, **changes, "BufferingHints": hints}
    context.delivery_streams.change(
        delivery_stream.id,
        destination=checked(destination),
        version=delivery_stream.version + 1,
        updated_ms=context.clock.now_ms(),
    )
    return {}


def delete_delivery_stream(context: FirehoseContext, call: Call) -> Answer:
    """Delete a delivery stream; records that are not delivered yet are lost, as on AWS."""
    delivery_stream = context.find(call.request.DeliveryStreamName)
    if delivery_stream.gone_ms is None:
        gone_ms = context.clock.now_ms() + context.settings.stream_delay_ms
        context.delivery_streams.change(delivery_stream.id, gone_ms=gone_ms)
        if delivery_stream.type == DIRECT:
            context.direct.delete(delivery_stream.stream)
    return {}


OPERATIONS = {
    "CreateDeliveryStream": create_delivery_stream,
    "DeleteDeliveryStream": delete_delivery_stream,
    "DescribeDeliveryStream": describe_delivery_stream,
    "ListDeliveryStreams": list_delivery_streams,
    "UpdateDestination": update_destination,
}
