"""Shard iterators: the five kinds, resolved at once to the place they mean."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.context import KinesisContext, check_dry_run
from eddyline.aws.kinesis.naming import NO_SHARD_TO_READ
from eddyline.errors import EddylineError
from eddyline.log import ShardInfo, Stream
from eddyline.log.sequence import parse


async def get_shard_iterator(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    stream = context.stream(request)
    info = stream.info()
    context.check_there(info)
    shard = context.names.shard(info, request.ShardId, NO_SHARD_TO_READ)
    start = Start(request.ShardIteratorType, request.StartingSequenceNumber, request.Timestamp)
    offset = start.offset(context, stream, shard)
    check_dry_run(request)
    place = tokens.IteratorPosition(stream.name, info.created_ms, shard.index, offset)
    return {"ShardIterator": tokens.iterator(place, context.clock)}


class Start:
    """Where reading is to begin: a kind, with its sequence number or its time."""

    def __init__(self, kind: str, number: str | None, timestamp: float | None) -> None:
        self._kind = kind
        self._number = number
        self._timestamp = timestamp

    def offset(self, context: KinesisContext, stream: Stream, shard: ShardInfo) -> int:
        """The offset of the first record to read.

        Raises:
            AwsError: ``InvalidArgumentException``.
        """
        kind = self._kind
        if kind == "TRIM_HORIZON":
            return stream.bounds(shard.index)[0]
        if kind == "LATEST":
            return stream.bounds(shard.index)[1]
        if kind == "AT_TIMESTAMP":
            return self._at_time(context, stream, shard)
        at = self._at_number(context, stream, shard)
        return at if kind == "AT_SEQUENCE_NUMBER" else at + 1

    def _at_time(self, context: KinesisContext, stream: Stream, shard: ShardInfo) -> int:
        if self._timestamp is None:
            raise self._lacks("timestamp")
        ms, now_ms = round(self._timestamp * 1000), context.latest_ms()
        if ms > now_ms:
            words = (
                "The timestampInMillis parameter cannot be greater than the "
                f"currentTimestampInMillis. timestampInMillis: {ms}, "
                f"currentTimestampInMillis: {now_ms}"
            )
            raise AwsError("InvalidArgumentException", words)
        return stream.offset_at(shard.index, ms)

    def _at_number(self, context: KinesisContext, stream: Stream, shard: ShardInfo) -> int:
        number = self._number
        if number is None:
            raise self._lacks("startingSequenceNumber")
        if number == "0":  # before everything
            return 0 if self._kind == "AT_SEQUENCE_NUMBER" else -1
        try:
            position = parse(number)
        except EddylineError:
            words = (
                f"StartingSequenceNumber {number[:200]} used in GetShardIterator on shard "
                f"{shard.shard_id} in stream {stream.name} under account {context.names.account} "
                "is invalid."
            )
            raise AwsError("InvalidArgumentException", words) from None
        if position.shard != shard.index:
            words = (
                f"Invalid StartingSequenceNumber. It encodes shardId-{position.shard:012d}, "
                f"while it was used in a call to a shard with {shard.shard_id}"
            )
            raise AwsError("InvalidArgumentException", words)
        tip = stream.bounds(shard.index)[1]
        beyond = position.offset > tip
        if shard.closed_offset is not None:  # its EndingSequenceNumber is no place to read from
            beyond = position.offset >= max(1, shard.closed_offset)
        if position.created_ms != shard.created_ms or beyond:
            words = (
                f"StartingSequenceNumber {number} used in GetShardIterator on shard "
                f"{shard.shard_id} in stream {stream.name} under account {context.names.account} "
                "is invalid because it did not come from this stream."
            )
            raise AwsError("InvalidArgumentException", words)
        if self._kind == "AT_SEQUENCE_NUMBER":
            return max(0, position.offset)
        return min(position.offset, tip - 1)

    def _lacks(self, parameter: str) -> AwsError:
        words = (
            f"Must specify {parameter} parameter for iterator of type {self._kind}. "
            f"Current request has no {parameter} parameter."
        )
        return AwsError("InvalidArgumentException", words)


OPERATIONS: dict[str, Any] = {"GetShardIterator": get_shard_iterator}
