"""Streams: create, delete, describe, list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.consumers.operations import kept_consumers
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.aws.kinesis.flags import Flags
from eddyline.aws.kinesis.streams.capacity import check_distribution, check_warm
from eddyline.aws.kinesis.streams.shards import described
from eddyline.aws.kinesis.tags import check_tags
from eddyline.errors import EddylineError
from eddyline.log import ShardInfo, StreamInfo, StreamMode, StreamStatus

SHARDS_A_PAGE = 100
STREAMS_A_PAGE = 100
# Few enough to look at each when shards are counted.
STREAMS_LOOKED_AT = 50


def create_stream(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    details = request.StreamModeDetails
    mode = StreamMode(details.StreamMode) if details else StreamMode.PROVISIONED
    if mode is StreamMode.PROVISIONED and request.ShardCount is None:
        words = "ShardCount must be provided for a stream in PROVISIONED capacity mode."
        raise AwsError("ValidationException", words)
    count = None if mode is StreamMode.ON_DEMAND else request.ShardCount
    flags = _flags(context, request, mode)
    check_tags({}, request.Tags or {})
    _check_shard_limit(context, count)
    try:
        stream = context.store.create(request.StreamName, count, mode, tags=request.Tags)
    except EddylineError as error:
        if error.code != "already_exists":
            raise
        words = f"Stream {request.StreamName} under account {context.names.account} already exists."
        raise AwsError("ResourceInUseException", words) from None
    if flags:
        stream.update(lambda _: {"attributes": flags})
    return {}


def _flags(context: KinesisContext, request: Any, mode: StreamMode) -> dict[str, Any]:
    given = {
        "max_record_kib": request.MaxRecordSizeInKiB,
        "warm_mibps": request.WarmThroughputMiBps,
        "distribution": request.RecordDistributionStrategy,
    }
    check_warm(context, mode, request.WarmThroughputMiBps)
    check_distribution(mode, request.RecordDistributionStrategy)
    return {k: v for k, v in given.items() if v is not None}


def _check_shard_limit(context: KinesisContext, count: int | None) -> None:
    """As many shards as the account may have, over all provisioned streams."""
    limit = context.settings.shard_limit
    if count is None:
        return
    there = open_shards(context)
    if there + count > limit:
        names = context.names
        words = (
            f"This request would exceed the shard limit for the account {names.account} in "
            f"{names.region}. Current shard count for the account: {there}. Limit: {limit}. "
            f"Number of additional shards that would have resulted from this request: {count}. "
            "Raise it with EDDYLINE_SHARD_LIMIT."
        )
        raise AwsError("LimitExceededException", words)


def open_shards(context: KinesisContext) -> int:
    """Open shards of all provisioned streams.

    Far from the limit, what this process has last seen of many streams will do.
    """
    seen = context.store.latest()
    count = _opened(seen)
    if len(seen) > STREAMS_LOOKED_AT and count < context.settings.shard_limit // 2:
        return count
    return _opened(context.store.list())


def _opened(infos: Sequence[StreamInfo]) -> int:
    provisioned = (i for i in infos if i.mode is StreamMode.PROVISIONED)
    return sum(s.closed_offset is None for info in provisioned for s in info.shards)


def delete_stream(context: KinesisContext, call: Call) -> Answer:
    stream = context.stream(call.request)
    attributes = stream.attributes()
    if kept_consumers(context, attributes) and not call.request.EnforceConsumerDeletion:
        words = (
            f"Stream {stream.name} under account {context.names.account} has consumers registered. "
            "Deregister them, or set EnforceConsumerDeletion."
        )
        raise AwsError("ResourceInUseException", words)
    hanging = [m for m, n in context.relations(stream.name).items() if n]
    if hanging:
        words = (
            f"Stream {stream.name} under account {context.names.account} has queues or channels. "
            "Delete them first."
        )
        raise AwsError("ResourceInUseException", words)
    context.store.delete(stream.name)
    return {}


async def describe_stream(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    info = context.stream(request).info()
    limit = min(request.Limit or SHARDS_A_PAGE, 10_000)
    shards = shards_after(context, info, request.ExclusiveStartShardId)
    if info.status is StreamStatus.CREATING:
        shards = ()
    members = _described(context, info)
    members["Shards"] = [described(s) for s in shards[:limit]]
    members["HasMoreShards"] = len(shards) > limit
    return {"StreamDescription": members}


def shards_after(
    context: KinesisContext, info: StreamInfo, shard_id: str | None
) -> tuple[ShardInfo, ...]:
    """The shards behind the one of that name, which must exist."""
    if shard_id is None:
        return info.shards
    shard = context.names.shard(info, shard_id)
    return info.shards[shard.index + 1 :]


async def describe_stream_summary(context: KinesisContext, call: Call) -> Answer:
    info = context.stream(call.request).info()
    flags = Flags(info.attributes)
    members = _described(context, info)
    creating = info.status is StreamStatus.CREATING
    members["OpenShardCount"] = 0 if creating else sum(s.closed_offset is None for s in info.shards)
    members["ConsumerCount"] = len(kept_consumers(context, info.attributes))
    members["MaxRecordSizeInKiB"] = flags.max_record_kib
    if info.mode is StreamMode.ON_DEMAND:
        members["RecordDistributionStrategy"] = flags.distribution
        if flags.warm_mibps is not None:
            warm = {"TargetMiBps": flags.warm_mibps, "CurrentMiBps": flags.warm_mibps}
            members["WarmThroughput"] = warm
    members |= context.relations(info.name)
    return {"StreamDescriptionSummary": members}


def _described(context: KinesisContext, info: StreamInfo) -> dict[str, Any]:
    """What DescribeStream and DescribeStreamSummary have in common."""
    flags = Flags(info.attributes)
    members: dict[str, Any] = {
        "StreamName": info.name,
        "StreamARN": context.names.stream_arn(info.name),
        "StreamStatus": info.status.value,
        "StreamModeDetails": {"StreamMode": info.mode.value},
        "RetentionPeriodHours": info.retention_hours,
        "StreamCreationTimestamp": Instant(info.created_ms),
        "EnhancedMonitoring": [{"ShardLevelMetrics": flags.metrics}],
        "EncryptionType": flags.encryption,
    }
    if flags.key_id is not None:
        members["KeyId"] = flags.key_id
    return members


def list_streams(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    start = request.ExclusiveStartStreamName
    if request.NextToken is not None:
        if start is not None:
            words = "NextToken and ExclusiveStartStreamName cannot be provided together."
            raise AwsError("InvalidArgumentException", words)
        (start,) = tokens.page_of("streams", request.NextToken, context.clock)
    limit = min(request.Limit or STREAMS_A_PAGE, 10_000)
    infos = context.store.list(start, limit + 1)
    page = infos[:limit]
    more = len(infos) > limit
    answer = {
        "StreamNames": [i.name for i in page],
        "HasMoreStreams": more,
        "StreamSummaries": [_summary(context, i) for i in page],
    }
    if more:
        answer["NextToken"] = tokens.page("streams", [page[-1].name], context.clock)
    return answer


def _summary(context: KinesisContext, info: StreamInfo) -> dict[str, Any]:
    return {
        "StreamName": info.name,
        "StreamARN": context.names.stream_arn(info.name),
        "StreamStatus": info.status.value,
        "StreamModeDetails": {"StreamMode": info.mode.value},
        "StreamCreationTimestamp": Instant(info.created_ms),
    }


OPERATIONS = {
    "CreateStream": create_stream,
    "DeleteStream": delete_stream,
    "DescribeStream": describe_stream,
    "DescribeStreamSummary": describe_stream_summary,
    "ListStreams": list_streams,
}
