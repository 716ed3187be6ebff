"""SubscribeToShard: records pushed as they arrive, as events of one answer.

The writer of the log calls back after each commit; the new records are read and sent at once. A
shard without new records sends an empty event now and then, so that the caller knows that the
connection is alive, and its position. A subscription ends after five minutes, with the shard, or
when the consumer subscribes to the shard again; its holder is written in a small file that all
processes of the endpoint see.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from eddyline.aws import wire
from eddyline.aws.call import Answer, Call, EventStream
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.consumers.lease import Lease
from eddyline.aws.kinesis.consumers.operations import Consumer, find
from eddyline.aws.kinesis.context import KinesisContext, check_dry_run
from eddyline.aws.kinesis.flags import Flags
from eddyline.aws.kinesis.naming import NO_SHARD_TO_READ
from eddyline.aws.kinesis.records.iterators import Start
from eddyline.aws.kinesis.records.reading import RecordsPage, behind_ms
from eddyline.aws.kinesis.streams.shards import child_shards
from eddyline.aws.wire import Wire
from eddyline.log import ShardInfo, Slice, Stream
from eddyline.log.block import span
from eddyline.log.sequence import before_first, sequence_number

LIFE_S = 300.0
# An event at least so often, and how often a subscription looks whether it still is the one.
QUIET_S, LOOK_S = 4.0, 0.5
RECORDS_MAX, BYTES_MAX = 10_000, 2 << 20
EVENT = "SubscribeToShardEvent"


async def subscribe_to_shard(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    stream, consumer = find(context, request.ConsumerARN)
    if consumer.status(context) != "ACTIVE":
        words = (
            f"Consumer {consumer.name} of stream {stream.name} under account "
            f"{context.names.account} not ACTIVE, instead in state {consumer.status(context)}"
        )
        raise AwsError("ResourceInUseException", words)
    info = stream.info()
    shard = context.names.shard(info, request.ShardId, NO_SHARD_TO_READ)
    where = request.StartingPosition
    offset = Start(where.Type, where.SequenceNumber, where.Timestamp).offset(context, stream, shard)
    check_dry_run(request)
    lease = await asyncio.to_thread(Lease.take, context, consumer.arn, shard.shard_id)
    if lease is None:
        words = (
            f"Another active subscription exists for this consumer: {consumer.arn} and shard "
            f"{shard.shard_id}. Subscribe again after 5 seconds to take over."
        )
        raise AwsError("ResourceInUseException", words)
    subscription = Subscription(context, stream, consumer, shard, offset, call.form, lease)
    return EventStream(subscription.events())


@dataclass(slots=True)
class Subscription:
    """One caller's view of one shard; ``offset`` is where it reads on."""

    context: KinesisContext
    stream: Stream
    consumer: Consumer
    shard: ShardInfo
    offset: int
    form: Wire
    lease: Lease
    _news: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def events(self) -> AsyncIterator[tuple[str, bytes]]:
        """Events until the shard or the subscription ends.

        Raises:
            AwsError: ``ResourceInUseException`` when another one took over,
                ``ResourceNotFoundException`` when the consumer or the stream is gone.
        """
        loop = asyncio.get_running_loop()

        def notify() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._news.set)

        try:
            with self.stream.listening(notify):
                async for event in self._read():
                    yield EVENT, event
        finally:
            self.lease.release()

    async def _read(self) -> AsyncIterator[bytes]:
        clock = self.context.clock
        end = clock.monotonic() + LIFE_S
        last_sent = looked = -QUIET_S + clock.monotonic()  # the first event comes at once
        while (now := clock.monotonic()) < end:
            self._news.clear()
            if now - looked >= LOOK_S:
                await self._check()
                looked = now
            records = self.stream.read(self.shard.index, self.offset, RECORDS_MAX, BYTES_MAX)
            self.offset = records.next_offset
            last = self._is_last()
            if len(records) or last or now - last_sent >= QUIET_S:
                last_sent = now
                yield self._event(records, last)
            if last:
                return
            if records.next_offset >= records.tip_offset:
                timeout_s = min(end, last_sent + QUIET_S, looked + LOOK_S) - clock.monotonic()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), max(timeout_s, 0.001))

    async def _check(self) -> None:
        """Whether this still is the consumer's subscription to the shard."""
        if not await asyncio.to_thread(self.lease.holds):
            words = (
                f"Another subscription took over for consumer {self.consumer.arn} and shard "
                f"{self.shard.shard_id}."
            )
            raise AwsError("ResourceInUseException", words)
        _, consumer = find(self.context, self.consumer.arn)
        if consumer.gone_ms is not None:
            words = f"Consumer {self.consumer.arn} is being deregistered."
            raise AwsError("ResourceNotFoundException", words)

    def _is_last(self) -> bool:
        """Whether the shard is closed and all of it was read."""
        closed = self.stream.shards()[self.shard.index].closed_offset
        return closed is not None and self.offset >= closed

    def _event(self, records: Slice, last: bool) -> bytes:
        info = self.stream.info()
        members: dict[str, Any] = {
            "MillisBehindLatest": behind_ms(records, self.context.clock.now_ms())
        }
        if last:
            members["ChildShards"] = child_shards(info.shards, self.shard.index)
        else:
            members["ContinuationSequenceNumber"] = self._continuation()
        size, behind = span(records.data) + span(records.keys), members["MillisBehindLatest"]
        self.context.flow.read(info.name, self.shard.index, len(records), size, behind)
        page = RecordsPage(records, self.shard, Flags(info.attributes).encryption)
        form = self.form
        return page.json(members) if form is wire.JSON else page.cbor(members, form)

    def _continuation(self) -> str:
        """The number after which to read on.

        Before the first record it is one just below the shard's StartingSequenceNumber, which
        no record has.
        """
        index, created_ms = self.shard.index, self.shard.created_ms
        if self.offset == 0:
            return before_first(index, created_ms)
        return sequence_number(index, created_ms, self.offset - 1)


OPERATIONS = {"SubscribeToShard": subscribe_to_shard}
