"""Streams and shards as values: what they are called, which keys they take, what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eddyline.log.sequence import SequenceNumber, sequence_number

HASH_KEYS = 2**128


class StreamStatus(StrEnum):
    """Kinesis' states of a stream."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"
    UPDATING = "UPDATING"


class StreamMode(StrEnum):
    """Who chooses the number of shards."""

    PROVISIONED = "PROVISIONED"
    ON_DEMAND = "ON_DEMAND"


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """One shard: its range of 128-bit hash keys (both ends included) and its parents.

    closed_offset: where a closed shard ends (the offset its next record would have had).
    """

    index: int
    starting_hash_key: int
    ending_hash_key: int
    created_ms: int
    parent_index: int | None = None
    adjacent_parent_index: int | None = None
    closed_offset: int | None = None

    @property
    def shard_id(self) -> str:
        """The shard's public name."""
        return f"shardId-{self.index:012d}"

    @property
    def starting_sequence_number(self) -> SequenceNumber:
        """No record of the shard has a lower number."""
        return sequence_number(self.index, self.created_ms, 0)

    @property
    def ending_sequence_number(self) -> SequenceNumber | None:
        """Above all numbers of the shard's records; None while it is open.

        That of a shard that closed without records still lies behind its starting number.
        """
        if self.closed_offset is None:
            return None
        return sequence_number(self.index, self.created_ms, max(1, self.closed_offset))


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream as DescribeStream tells it."""

    name: str
    stream_id: str
    status: StreamStatus
    mode: StreamMode
    created_ms: int
    retention_hours: int
    shards: tuple[ShardInfo, ...]
    tags: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardCounters:
    """Records and their bytes (payload and partition key), ever put and still kept."""

    index: int
    records_total: int
    bytes_total: int
    records_kept: int
    bytes_kept: int


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """The same over all shards; stored_bytes is what their blocks take in the file."""

    records_total: int
    bytes_total: int
    records_kept: int
    bytes_kept: int
    stored_bytes: int
    shards: tuple[ShardCounters, ...]


def even_shards(count: int, created_ms: int) -> tuple[ShardInfo, ...]:
    """``count`` shards that share the space of hash keys evenly."""
    width = HASH_KEYS // count
    ends = [width * (i + 1) - 1 for i in range(count - 1)] + [HASH_KEYS - 1]
    return tuple(ShardInfo(i, width * i, end, created_ms) for i, end in enumerate(ends))
