"""SplitShard, MergeShards, UpdateShardCount: the log rearranges, here are AWS's conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.streams.lifecycle import open_shards
from eddyline.errors import EddylineError
from eddyline.log import Resharding, ShardInfo, Stream, StreamInfo, StreamMode

SHARDS_MAX = 10_000
SCALINGS_MAX = 10
DAY_MS = 86_400_000


def split_shard(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    key = int(request.NewStartingHashKey)
    there = open_shards(context)

    def change(info: StreamInfo, shards: Resharding) -> dict[str, Any] | None:
        _check_changeable(context, info, "SplitShard")
        shard = context.names.shard(info, request.ShardToSplit)
        _check_open(context, info, shard)
        low, high = shard.starting_hash_key, shard.ending_hash_key
        if not low < key <= high:
            words = (
                f"NewStartingHashKey {key} used in SplitShard() on shard {shard.shard_id} in "
                f"stream {info.name} under account {context.names.account} must be greater than "
                f"the shard's StartingHashKey {low} and not greater than its EndingHashKey {high}."
            )
            raise AwsError("InvalidArgumentException", words)
        _check_shard_limit(context, there, 1)
        shards.split(shard.index, key)
        return None

    _reshard(context.stream(request), change)
    return {}


def merge_shards(context: KinesisContext, call: Call) -> Answer:
    request = call.request

    def change(info: StreamInfo, shards: Resharding) -> dict[str, Any] | None:
        _check_changeable(context, info, "MergeShards")
        one = context.names.shard(info, request.ShardToMerge)
        other = context.names.shard(info, request.AdjacentShardToMerge)
        for shard in (one, other):
            _check_open(context, info, shard)
        lower, upper = sorted((one, other), key=lambda s: s.starting_hash_key)
        if lower.ending_hash_key + 1 != upper.starting_hash_key:
            words = (
                f"Shards {one.shard_id} and {other.shard_id} in stream {info.name} under account "
                f"{context.names.account} are not an adjacent pair of shards eligible for merging"
            )
            raise AwsError("InvalidArgumentException", words)
        shards.merge(one.index, other.index)
        return None

    _reshard(context.stream(request), change)
    return {}


def update_shard_count(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    target = request.TargetShardCount
    there = open_shards(context)
    before: list[int] = []

    def change(info: StreamInfo, shards: Resharding) -> dict[str, Any] | None:
        _check_changeable(context, info, "UpdateShardCount")
        now_ms = context.clock.now_ms()
        recent = [t for t in info.attributes.get("scalings", ()) if now_ms - t < DAY_MS]
        before.append(_opened(info))
        _check_target(context, info, before[-1], target, len(recent))
        _check_shard_limit(context, there, target - before[-1])
        if target == before[-1]:
            return None
        shards.scale(target)
        scalings = [*recent, now_ms][-SCALINGS_MAX:]
        return {"attributes": {**info.attributes, "scalings": scalings}}

    stream = context.stream(request)
    _reshard(stream, change)
    return {
        "StreamName": stream.name,
        "StreamARN": context.names.stream_arn(stream.name),
        "CurrentShardCount": before[-1],
        "TargetShardCount": target,
    }


def _reshard(
    stream: Stream, change: Callable[[StreamInfo, Resharding], dict[str, Any] | None]
) -> None:
    try:
        stream.reshard(change)
    except EddylineError as error:
        if error.code == "limit_exceeded":
            raise AwsError("LimitExceededException", f"{error.message} ({error.hint})") from None
        raise


def _check_changeable(context: KinesisContext, info: StreamInfo, operation: str) -> None:
    """On-demand streams have no shards that one may touch; others must be ACTIVE."""
    context.check_active(info)
    if info.mode is StreamMode.ON_DEMAND:
        words = (
            f"Request is invalid. {operation} is not supported for stream {info.name} under "
            f"account {context.names.account}, which is in ON_DEMAND capacity mode."
        )
        raise AwsError("ValidationException", words)


def _check_open(context: KinesisContext, info: StreamInfo, shard: ShardInfo) -> None:
    if shard.closed_offset is not None:
        words = (
            f"Shard {shard.shard_id} in stream {info.name} under account {context.names.account} "
            "has already been merged or split, and thus is not eligible for merging or splitting."
        )
        raise AwsError("ResourceInUseException", words)


def _opened(info: StreamInfo) -> int:
    return sum(s.closed_offset is None for s in info.shards)


def _check_target(
    context: KinesisContext, info: StreamInfo, count: int, target: int, recent: int
) -> None:
    """AWS's limits of one change of the number of shards."""
    if target == count:
        return
    where = f"stream {info.name} under account {context.names.account}"
    if context.throttle is not None and recent >= SCALINGS_MAX:
        words = (
            f"UpdateShardCount on {where} was called {recent} times within 24 hours; "
            f"the limit is {SCALINGS_MAX}."
        )
        raise AwsError("LimitExceededException", words)
    if target > 2 * count or 2 * target < count:
        words = (
            f"UpdateShardCount cannot scale {where} from its current {count} open shards to "
            f"{target}: not to more than double, {2 * count}, nor to less than half, "
            f"{(count + 1) // 2}."
        )
        raise AwsError("InvalidArgumentException", words)
    if target > SHARDS_MAX:
        words = f"UpdateShardCount cannot scale {where} to more than {SHARDS_MAX} shards."
        raise AwsError("LimitExceededException", words)


def _check_shard_limit(context: KinesisContext, there: int, more: int) -> None:
    """As many open shards as the account may have; ``there`` are some already."""
    limit = context.settings.shard_limit
    if more > 0 and there + more > limit:
        words = (
            f"This request would exceed the shard limit for the account {context.names.account} in "
            f"{context.names.region}. Current shard count for the account: {there}. "
            f"Limit: {limit}. "
            f"Number of additional shards that would have resulted from this request: {more}."
        )
        raise AwsError("LimitExceededException", words)


OPERATIONS = {
    "MergeShards": merge_shards,
    "SplitShard": split_shard,
    "UpdateShardCount": update_shard_count,
}
