"""What is known of channels and how far each has delivered, in ``channels.db``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline.aws.followers import Follower, Followers

FILE = "channels.db"


@dataclass(kw_only=True)
class Channel(Follower):
    """One channel. destination, encryption, logging: members as they were given.

    failed: why nothing can be delivered just now.
    """

    role: str
    record_format: str
    freshness_s: int
    destination: dict[str, Any]
    logging: dict[str, Any]
    encryption: dict[str, Any] | None = None
    failed: str | None = None

    def status(self, now_ms: int) -> str:
        """CREATING, ACTIVE, UPDATING, DELETING or FAILED."""
        status = super().status(now_ms)
        return "FAILED" if status == "ACTIVE" and self.failed is not None else status


class Channels(Followers[Channel]):
    """All channels of a data directory."""

    noun, kind, file = "channel", Channel, FILE
