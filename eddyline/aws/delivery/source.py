"""What a service tells the delivery worker: its deliveries, their streams and their progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eddyline.log import Stream

# By default an object is stored once it has so many bytes, even if its records are still fresh.
OBJECT_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class ObjectStart:
    """The first record of an object, from which the object's key follows.

    The key must differ for different starts and be the same for the same start: a repeated delivery
    then overwrites its own object and no other one.
    """

    stream: str
    shard_id: str
    arrival_ms: int
    offset: int


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """Where objects are put: the bucket, the key of each object, options of the put request."""

    bucket: str
    key: Callable[[ObjectStart], str]
    put_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One stream that is delivered to a bucket.

    rejects: for records that do not have the format. freshness_s: a record is delivered at the
    latest when it is this old. failure: the reason that was last reported.
    """

    id: str
    name: str
    record_format: str
    compression: str
    target: ObjectTarget
    rejects: ObjectTarget
    freshness_s: float
    object_bytes: int = OBJECT_BYTES
    failure: str | None = None


class DeliverySource(Protocol):
    """A service's deliveries. All methods are called from the worker's thread."""

    def is_used(self) -> bool:
        """Whether the service has ever had a delivery; must be cheap."""

    def deliveries(self) -> list[Delivery]:
        """The deliveries that are active now."""

    def stream(self, delivery: Delivery) -> Stream:
        """The stream to read. Raises EddylineError if it no longer exists."""

    def positions(self, delivery_id: str) -> dict[int, int]:
        """The next offset to deliver, by shard; a shard that is missing starts at 0."""

    def advance(self, delivery_id: str, shard: int, offset: int) -> None:
        """Store that all records below that offset are in the bucket."""

    def report(self, delivery_id: str, failure: str | None) -> None:
        """Store why nothing can be delivered at present, or None once it works again."""
