"""What is known of channels and how far each has delivered, in ``channels.db``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline.aws.kinesis.followers.store import Follower, Followers

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
        found = super().status(now_ms)
        return "FAILED" if found == "ACTIVE" and self.failed is not None else found


class Channels(Followers[Channel]):
    """All channels of a data directory."""

    noun, kind, file = "channel", Channel, FILE

    def places(self, channel_id: str) -> dict[int, int]:
        """The next offset to deliver, by shard; of a shard that is missing, the first."""
        sql = "SELECT shard, next FROM place WHERE channel = ?"
        return dict(self._rows(sql, (channel_id,)))

    def delivered(self, channel_id: str, shard: int, following: int) -> None:
        """All before that offset is in the bucket."""
        with self._changing() as db:
            values = (channel_id, shard, following)
            db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", values)
