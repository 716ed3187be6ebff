"""Shards as they are listed: pages, and the six filters of ListShards.

A shard's life begins when it is created and ends when its children are; times of the filters are
compared with that. A closed shard is listed until its newest records are older than the retention.
"""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.naming import shard_index, stream_name
from eddyline.log import ShardInfo, StreamInfo, StreamStatus

SHARDS_A_PAGE = 1000
HOUR_MS = 3_600_000


def described(shard: ShardInfo) -> dict[str, Any]:
    """A shard as it is answered."""
    numbers = {"StartingSequenceNumber": shard.starting_sequence_number}
    if shard.ending_sequence_number is not None:
        numbers["EndingSequenceNumber"] = shard.ending_sequence_number
    members: dict[str, Any] = {"ShardId": shard.shard_id}
    if shard.parent_index is not None:
        members["ParentShardId"] = _name(shard.parent_index)
    if shard.adjacent_parent_index is not None:
        members["AdjacentParentShardId"] = _name(shard.adjacent_parent_index)
    members["HashKeyRange"] = hash_range(shard)
    members["SequenceNumberRange"] = numbers
    return members


def hash_range(shard: ShardInfo) -> dict[str, str]:
    """The shard's range of hash keys."""
    return {
        "StartingHashKey": str(shard.starting_hash_key),
        "EndingHashKey": str(shard.ending_hash_key),
    }


def child_shards(shards: tuple[ShardInfo, ...], parent: int) -> list[dict[str, Any]]:
    """The shards that took over from a closed one, as GetRecords tells of them."""
    children = [s for s in shards if parent in (s.parent_index, s.adjacent_parent_index)]
    return [
        {
            "ShardId": s.shard_id,
            "ParentShards": [
                _name(p) for p in (s.parent_index, s.adjacent_parent_index) if p is not None
            ],
            "HashKeyRange": hash_range(s),
        }
        for s in children
    ]


def _name(index: int) -> str:
    return f"shardId-{index:012d}"


class Lives:
    """When the shards of a stream began and ended."""

    def __init__(self, info: StreamInfo) -> None:
        self.shards = info.shards
        self._ended: dict[int, int] = {}
        for child in info.shards:
            for parent in (child.parent_index, child.adjacent_parent_index):
                if parent is not None:
                    self._ended[parent] = child.created_ms

    def open_at(self, shard: ShardInfo, ms: int) -> bool:
        """Whether the shard took records at that time."""
        return shard.created_ms <= ms and self.open_after(shard, ms)

    def open_after(self, shard: ShardInfo, ms: int) -> bool:
        """Whether the shard was still open at that time or later."""
        if shard.closed_offset is None:
            return True
        return self._ended.get(shard.index, ms + 1) > ms


def filtered(
    info: StreamInfo, shard_filter: Any, now_ms: int, latest_ms: int | None = None
) -> list[ShardInfo]:
    """The shards that a ShardFilter lets through; the expired ones never.

    now_ms: the log's time. latest_ms: the latest time that the filter may name, if another one.

    Raises:
        AwsError: ``InvalidArgumentException`` for a filter that lacks its shard or time.
    """
    lives = Lives(info)
    horizon = max(now_ms - info.retention_hours * HOUR_MS, info.created_ms)
    kept = [s for s in info.shards if lives.open_after(s, horizon)]
    if shard_filter is None:
        return kept
    kind = shard_filter.Type
    if kind == "AT_LATEST":
        return [s for s in kept if s.closed_offset is None]
    if kind == "AT_TRIM_HORIZON":
        return [s for s in kept if lives.open_at(s, horizon)]
    if kind == "AFTER_SHARD_ID":
        after = _index(shard_filter.ShardId)
        return [s for s in kept if s.index > after]
    if kind in ("AT_TIMESTAMP", "FROM_TIMESTAMP"):
        ms = max(_ms(shard_filter.Timestamp, kind, latest_ms or now_ms), horizon)
        if kind == "AT_TIMESTAMP":
            return [s for s in kept if lives.open_at(s, ms)]
        return [s for s in kept if lives.open_after(s, ms)]
    return kept  # FROM_TRIM_HORIZON


def _index(shard_id: str | None) -> int:
    index = None if shard_id is None else shard_index(shard_id)
    if index is None:
        words = "ShardId must be provided for a ShardFilter of type AFTER_SHARD_ID."
        raise AwsError("InvalidArgumentException", words)
    return index


def _ms(timestamp: float | None, kind: str, now_ms: int) -> int:
    if timestamp is None:
        words = f"Timestamp must be provided for a ShardFilter of type {kind}."
        raise AwsError("InvalidArgumentException", words)
    ms = round(timestamp * 1000)
    if ms > now_ms:
        words = "The Timestamp of a ShardFilter cannot be in the future."
        raise AwsError("InvalidArgumentException", words)
    return ms


async def list_shards(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    name, after, shard_filter = _page(context, request)
    info = context.stream_named(name).info()
    _check_created(context, info, request)
    if info.status is StreamStatus.CREATING:
        _check_created_yet(context, info)
    shards = filtered(info, shard_filter, context.clock.now_ms(), context.latest_ms())
    if after is not None:
        shards = [s for s in shards if s.index > after]
    limit = min(request.MaxResults or SHARDS_A_PAGE, 10_000)
    answer: dict[str, Any] = {"Shards": [described(s) for s in shards[:limit]]}
    if len(shards) > limit:
        fields = [name, shards[limit - 1].index, _saved(shard_filter)]
        answer["NextToken"] = tokens.page("shards", fields, context.clock)
    return answer


def stream_of_page(context: KinesisContext, token: str) -> str:
    """The stream that a page's token belongs to."""
    return str(tokens.page_of("shards", token, context.clock)[0])


def _page(context: KinesisContext, request: Any) -> tuple[str, int | None, Any]:
    """(stream, index the page begins behind, filter) of a first or a later page."""
    if request.NextToken is None:
        after = request.ExclusiveStartShardId
        index = None if after is None else shard_index(after)
        if after is not None and index is None:
            words = f"ExclusiveStartShardId {after[:128]} is not the name of a shard."
            raise AwsError("InvalidArgumentException", words)
        return stream_name(request), index, request.ShardFilter
    others = ("StreamName", "StreamARN", "StreamCreationTimestamp", "ShardFilter")
    for other in (*others, "ExclusiveStartShardId"):
        if getattr(request, other) is not None:
            words = f"NextToken and {other} cannot be provided together."
            raise AwsError("InvalidArgumentException", words)
    name, index, saved = tokens.page_of("shards", request.NextToken, context.clock)
    return name, index, None if saved is None else ShardFilter(*saved)


class ShardFilter:
    """A ShardFilter that travelled in a token."""

    def __init__(self, kind: str, shard_id: str | None, timestamp: float | None) -> None:
        self.Type = kind
        self.ShardId = shard_id
        self.Timestamp = timestamp


def _saved(shard_filter: Any) -> list[Any] | None:
    return (
        None
        if shard_filter is None
        else [shard_filter.Type, shard_filter.ShardId, shard_filter.Timestamp]
    )


def _check_created(context: KinesisContext, info: StreamInfo, request: Any) -> None:
    """A creation time that is given must be this stream's; AWS compares seconds."""
    given = request.StreamCreationTimestamp
    if given is not None and int(given) != info.created_ms // 1000:
        raise context.names.not_found(info.name)


def _check_created_yet(context: KinesisContext, info: StreamInfo) -> None:
    words = (
        f"Stream {info.name} under account {context.names.account} not ACTIVE, "
        f"instead in state {info.status}"
    )
    raise AwsError("ResourceInUseException", words)


OPERATIONS = {"ListShards": list_shards}
