"""What Firehose's operations share: delivery streams, their records' log, and the delivery."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from eddyline.aws.context import ServiceContext
from eddyline.aws.delivery.buckets import bucket_in, buckets
from eddyline.aws.delivery.source import Delivery, ObjectStart, ObjectTarget
from eddyline.aws.delivery.worker import DeliveryWorker
from eddyline.aws.errors import AwsError
from eddyline.aws.firehose.key import object_key
from eddyline.aws.firehose.store import DIRECT, FILE, DeliveryStream, DeliveryStreams
from eddyline.errors import EddylineError
from eddyline.log import LogStore, Stream
from eddyline.settings import Settings

FOLDER = "firehose"
# Firehose's compression -> (that of the delivery, the ending of the key).
COMPRESSIONS = {"UNCOMPRESSED": ("NONE", ""), "GZIP": ("GZIP", ".gz")}


class FirehoseContext(ServiceContext):
    """One account's Firehose in this process; also the source of its delivery worker."""

    def __init__(self, store: LogStore, settings: Settings) -> None:
        super().__init__(store, settings)
        self.delivery_streams = DeliveryStreams(self)
        # Records that are put directly; apart from the streams that Kinesis lists.
        self.direct = LogStore(settings.data_dir / FOLDER, settings, store.clock.machine)
        self._swept_ms = 0
        self.worker = DeliveryWorker(
            "firehose", self, buckets(settings), self.clock, settings.data_dir
        )

    def start(self) -> None:
        """Begin to deliver."""
        self.worker.start()

    def close(self) -> None:
        """End the delivery."""
        self.worker.stop()
        self.direct.close()

    def resource_of(self, operation: str, request: Any) -> str:
        """The delivery stream that a request names."""
        name = getattr(request, "DeliveryStreamName", None)
        return "*" if name is None else self.arn_of(name)

    def arn_of(self, name: str) -> str:
        """The ARN of a delivery stream."""
        return self.arn("firehose", f"deliverystream/{name}")

    def find(self, name: str) -> DeliveryStream:
        """The delivery stream of that name. Raises AwsError ``ResourceNotFoundException``."""
        for delivery_stream in self.delivery_streams.all():
            if delivery_stream.name == name:
                return delivery_stream
        message = f"Firehose {name} under account {self.settings.account_id} not found."
        raise AwsError("ResourceNotFoundException", message)

    # The source of the delivery worker.

    def is_used(self) -> bool:
        return (self.settings.data_dir / FILE).exists()

    def deliveries(self) -> list[Delivery]:
        self._sweep()
        now_ms = self.clock.now_ms()
        active = (d for d in self.delivery_streams.all() if d.status(now_ms) == "ACTIVE")
        return [delivery_of(delivery_stream) for delivery_stream in active]

    def stream(self, delivery: Delivery) -> Stream:
        return self.stream_of(self.find(delivery.name))

    def stream_of(self, delivery_stream: DeliveryStream) -> Stream:
        """The stream that a delivery stream reads. Raises EddylineError if it is gone."""
        store = self.direct if delivery_stream.type == DIRECT else self.store
        stream = store.open(delivery_stream.stream)
        if stream.stream_id != delivery_stream.stream_id:
            message = f"stream {delivery_stream.stream} was deleted and created again"
            raise EddylineError("not_found", message, hint="delete the delivery stream")
        return stream

    def positions(self, delivery_id: str) -> dict[int, int]:
        return self.delivery_streams.positions(delivery_id)

    def advance(self, delivery_id: str, shard: int, offset: int) -> None:
        self.delivery_streams.advance(delivery_id, shard, offset)

    def report(self, delivery_id: str, failure: str | None) -> None:
        self.delivery_streams.change(delivery_id, failed=failure)

    def _sweep(self) -> None:
        """Delete records put directly that are older than a day, as Firehose does."""
        now_ms = self.clock.now_ms()
        if now_ms - self._swept_ms >= 1000 * self.settings.retention_sweep_s:
            self._swept_ms = now_ms
            self.direct.sweep()


def delivery_of(delivery_stream: DeliveryStream) -> Delivery:
    """A delivery stream as a delivery; objects hold its records as they are, concatenated."""
    destination = delivery_stream.destination
    compression, ending = COMPRESSIONS[destination["CompressionFormat"]]
    ending = destination["FileExtension"] or ending
    zone = ZoneInfo(destination["CustomTimeZone"])
    name, version = delivery_stream.name, delivery_stream.version
    hints = destination["BufferingHints"]
    bucket = bucket_in(destination["BucketARN"])

    def key(prefix: str, ending: str) -> Any:
        def of(start: ObjectStart) -> str:
            return object_key(prefix, name, version, zone, start, ending)

        return of

    return Delivery(
        id=delivery_stream.id,
        name=name,
        record_format="BYTE_ARRAY",
        compression=compression,
        freshness_s=hints["IntervalInSeconds"],
        object_bytes=hints["SizeInMBs"] << 20,
        failure=delivery_stream.failed,
        target=ObjectTarget(bucket, key(destination["Prefix"], ending)),
        rejects=ObjectTarget(bucket, key(destination["ErrorOutputPrefix"], "")),
    )
