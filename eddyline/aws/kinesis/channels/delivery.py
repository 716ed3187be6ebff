"""What channels deliver, as the delivery worker asks for it."""

from __future__ import annotations

from functools import partial
from typing import Any

from eddyline.aws.delivery.buckets import bucket_in, buckets
from eddyline.aws.delivery.records import COMPRESSIONS
from eddyline.aws.delivery.source import Delivery, ObjectStart, ObjectTarget
from eddyline.aws.delivery.worker import DeliveryWorker
from eddyline.aws.kinesis.channels.key import ENDINGS, object_key
from eddyline.aws.kinesis.channels.store import FILE, Channel, Channels
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.errors import EddylineError
from eddyline.log import Stream


class ChannelSource:
    """The channels of a data directory, for the delivery worker."""

    def __init__(self, context: KinesisContext) -> None:
        self._context = context
        self._channels = Channels(context)

    def is_used(self) -> bool:
        return (self._context.settings.data_dir / FILE).exists()

    def deliveries(self) -> list[Delivery]:
        now_ms = self._context.clock.now_ms()
        active = (
            c for c in self._channels.all() if c.status(now_ms) not in ("CREATING", "DELETING")
        )
        return [delivery_of(channel) for channel in active]

    def stream(self, delivery: Delivery) -> Stream:
        channel = self._channels.get(delivery.id)
        if channel is None:
            raise EddylineError("not_found", f"channel {delivery.name} was deleted")
        stream = self._context.store.open(channel.stream)
        if stream.stream_id != channel.stream_id:
            msg = f"stream {channel.stream} was deleted and created again"
            raise EddylineError("not_found", msg, hint="delete the channel")
        return stream

    def positions(self, delivery_id: str) -> dict[int, int]:
        return self._channels.positions(delivery_id)

    def advance(self, delivery_id: str, shard: int, offset: int) -> None:
        self._channels.advance(delivery_id, shard, offset)

    def report(self, delivery_id: str, failure: str | None) -> None:
        self._channels.change(delivery_id, failed=failure)


def delivery_of(channel: Channel) -> Delivery:
    """A channel as a delivery."""
    storage = channel.destination["StorageConfiguration"]
    rejects = channel.destination["DeadLetterQueueS3Configuration"]
    key = partial(_key, channel.name, storage["OutputKeyTemplate"])
    ending = ENDINGS[channel.record_format] + COMPRESSIONS[storage["CompressionType"]]
    prefix = rejects.get("ErrorOutputPrefix", "")
    options = {**_owner(storage), "StorageClass": storage["StorageClass"]}
    if channel.encryption is not None:
        options["ServerSideEncryption"] = "aws:kms"
        options["SSEKMSKeyId"] = channel.encryption["KeyId"]
    return Delivery(
        id=channel.id,
        name=channel.name,
        record_format=channel.record_format,
        compression=storage["CompressionType"],
        freshness_s=channel.freshness_s,
        failure=channel.failed,
        target=ObjectTarget(
            bucket_in(storage["BucketARN"]), lambda start: key(start) + ending, options
        ),
        rejects=ObjectTarget(
            bucket_in(rejects["BucketARN"]),
            lambda start: f"{prefix}{key(start)}.json",
            _owner(rejects),
        ),
    )


def _key(name: str, template: str, start: ObjectStart) -> str:
    return object_key(template, name, start.stream, start.shard_id, start.arrival_ms, start.offset)


def _owner(where: dict[str, Any]) -> dict[str, str]:
    return {"ExpectedBucketOwner": where["ExpectedBucketOwner"]}


def worker(context: KinesisContext) -> DeliveryWorker:
    """The worker that delivers for the channels of a data directory."""
    settings = context.settings
    source = ChannelSource(context)
    return DeliveryWorker("channels", source, buckets(settings), context.clock, settings.data_dir)
