"""Delivery streams and how far each has delivered, in ``firehose.db``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline.aws.followers import Follower, Followers

FILE = "firehose.db"
DIRECT, FROM_STREAM = "DirectPut", "KinesisStreamAsSource"


@dataclass(kw_only=True)
class DeliveryStream(Follower):
    """One delivery stream. ``stream`` is the stream it reads: its own, or a Kinesis stream.

    destination: the members of its S3 destination, with defaults. failed: why nothing can be
    delivered at present.
    """

    type: str
    destination: dict[str, Any]
    source_role: str = ""
    version: int = 1
    updated_ms: int | None = None
    failed: str | None = None


class DeliveryStreams(Followers[DeliveryStream]):
    """All delivery streams of a data directory."""

    noun, kind, file = "deliverystream", DeliveryStream, FILE
