"""What all operations share: the store, names, time, and the way to a request's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eddyline.aws.context import ServiceContext
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.flags import Flags
from eddyline.aws.kinesis.flow import ServedShards
from eddyline.aws.kinesis.naming import ResourceNames, open_stream, stream_name
from eddyline.aws.kinesis.resources import ACCOUNT_COUNTS, RELATIONS, Resource, find, handler_at
from eddyline.aws.kinesis.throttle import Throttle
from eddyline.log import LogStore, Stream, StreamInfo, StreamStatus
from eddyline.settings import Settings

if TYPE_CHECKING:
    from eddyline.aws.delivery.worker import DeliveryWorker
    from eddyline.aws.kinesis.metrics import StreamMetrics


class KinesisContext(ServiceContext):
    """One account's Kinesis in this process."""

    def __init__(self, store: LogStore, settings: Settings) -> None:
        super().__init__(store, settings)
        self.names = ResourceNames(settings)
        self.flow = ServedShards(self.clock)
        self.throttle = Throttle(self.clock) if settings.throttle else None
        self._deliveries: DeliveryWorker | None = None

    @property
    def metrics(self) -> StreamMetrics:
        """What streams and shards did."""
        from eddyline.aws.kinesis.metrics import StreamMetrics

        return StreamMetrics(self.store, self.flow)

    def start(self) -> None:
        """Begin to deliver what channels hold."""
        from eddyline.aws.kinesis.channels.delivery import worker

        self._deliveries = worker(self)
        self._deliveries.start()

    def close(self) -> None:
        """End the deliveries."""
        if self._deliveries is not None:
            self._deliveries.stop()

    def resource_of(self, operation: str, request: Any) -> str:
        """The stream, consumer, queue or channel that a request names."""
        from eddyline.aws.kinesis.access import resource

        return resource(self, request)

    def policy_of(self, arn: str) -> str | None:
        """The resource policy of what an ARN names. Raises AwsError if it does not exist."""
        return self.policy(arn)

    def latest_ms(self) -> int:
        """The latest time that counts as not in the future, by the log's and the wall clock."""
        return max(self.clock.now_ms(), self.wall.now_ms())

    def stream(self, request: Any) -> Stream:
        """The stream a request means, whatever its state.

        Raises:
            AwsError: ``ResourceNotFoundException``, ``InvalidArgumentException``.
        """
        return open_stream(self.store, self.names, stream_name(request))

    def stream_named(self, name: str) -> Stream:
        """The stream of that name. Raises AwsError ``ResourceNotFoundException``."""
        return open_stream(self.store, self.names, name)

    def resource(self, arn: str) -> Resource:
        """The thing an ARN names. Raises AwsError ``ResourceNotFoundException``."""
        return find(self, arn)

    def policy(self, arn: str) -> str | None:
        """The resource policy of what an ARN names.

        Raises:
            AwsError: ``ResourceNotFoundException``.
        """
        resource = self.resource(arn)
        if resource.stream is None:
            return resource.policy()
        return Flags(resource.stream.attributes()).policy

    def set_policy(self, arn: str, text: str | None) -> None:
        """Give it a resource policy, or none. Raises AwsError ``ResourceNotFoundException``."""
        resource = self.resource(arn)
        if resource.stream is None:
            resource.set_policy(text)
            return

        def change(info: StreamInfo) -> dict[str, Any]:
            kept = {k: v for k, v in info.attributes.items() if k != "policy"}
            return {"attributes": kept if text is None else {**kept, "policy": text}}

        resource.stream.update(change)

    def relations(self, stream: str) -> dict[str, int]:
        """Counts for DescribeStreamSummary of what hangs on a stream: QueueCount, ChannelCount."""
        return {m: int(handler_at(place)(self, stream)) for m, place in RELATIONS.items()}

    def account_counts(self) -> dict[str, int]:
        """Further counts for DescribeLimits: ChannelCount, ChannelCountLimit."""
        return {m: int(handler_at(place)(self)) for m, place in ACCOUNT_COUNTS.items()}

    def check_active(self, info: StreamInfo) -> None:
        """Raise ``ResourceInUseException`` unless the stream may be changed now."""
        if info.status is not StreamStatus.ACTIVE:
            words = (
                f"Stream {info.name} under account {self.names.account} not ACTIVE, "
                f"instead in state {info.status}"
            )
            raise AwsError("ResourceInUseException", words)

    def check_there(self, info: StreamInfo) -> None:
        """Raise ``ResourceNotFoundException`` while the stream is being created."""
        if info.status is StreamStatus.CREATING:
            raise self.names.not_found(info.name)


def check_dry_run(request: Any) -> None:
    """Stop here, with success, if the request only asks whether it would succeed."""
    if request.DryRun:
        words = "Request would have succeeded, but DryRun flag is set."
        raise AwsError("DryRunOperationException", words)
