"""Records out: GetRecords, and how a slice of the log becomes an answer."""

from __future__ import annotations

from typing import Any

import msgspec

from eddyline.aws import cbor, wire
from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import tokens
from eddyline.aws.kinesis.context import KinesisContext, check_dry_run
from eddyline.aws.kinesis.flags import Flags
from eddyline.aws.kinesis.naming import stream_name
from eddyline.aws.kinesis.records import digits
from eddyline.aws.kinesis.records.putting import rate_exceeded
from eddyline.aws.kinesis.streams.shards import child_shards
from eddyline.aws.wire import Wire
from eddyline.log import ShardInfo, Slice, StreamInfo
from eddyline.log.block import span

RECORDS_MAX = 10_000
BYTES_MAX = 10 << 20


async def get_records(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    place = tokens.place_of(request.ShardIterator, context.clock, context.settings.iterator_s)
    if request.StreamARN is not None and stream_name(request) != place.stream:
        words = f"The ShardIterator is not one of stream {stream_name(request)}."
        raise AwsError("InvalidArgumentException", words)
    stream = context.stream_named(place.stream)
    info = stream.info()
    if info.created_ms != place.created_ms or place.shard >= len(info.shards):
        raise context.names.not_found(place.stream)
    check_dry_run(request)
    _check_rate(context, info, place.shard)
    limit = request.Limit or RECORDS_MAX
    records = stream.read(place.shard, place.offset, limit, BYTES_MAX)
    shard = info.shards[place.shard]
    page = RecordsPage(records, shard, Flags(info.attributes).encryption)
    members = _members(context, info, place, records)
    size = span(records.data) + span(records.keys)
    context.flow.read(info.name, place.shard, len(records), size, members["MillisBehindLatest"])
    if context.throttle is not None:
        context.throttle.has_read(info.stream_id, place.shard, size)
    return page.json(members) if call.form is wire.JSON else page.cbor(members, call.form)


def _check_rate(context: KinesisContext, info: StreamInfo, shard: int) -> None:
    if context.throttle is not None and not context.throttle.read(info.stream_id, shard):
        context.flow.read_exceeded(info.name, shard)
        words = rate_exceeded(context, info, info.shards[shard].shard_id)
        raise AwsError("ProvisionedThroughputExceededException", words)


def _members(
    context: KinesisContext, info: StreamInfo, place: tokens.IteratorPosition, records: Slice
) -> dict[str, Any]:
    """The answer besides the records."""
    now_ms = context.clock.now_ms()
    members: dict[str, Any] = {"MillisBehindLatest": behind_ms(records, now_ms)}
    closed = info.shards[place.shard].closed_offset
    if closed is not None and records.next_offset >= closed:
        members["ChildShards"] = child_shards(info.shards, place.shard)
    else:
        onward = tokens.IteratorPosition(
            place.stream, place.created_ms, place.shard, records.next_offset
        )
        members["NextShardIterator"] = tokens.iterator(onward, context.clock)
    return members


def behind_ms(records: Slice, now_ms: int) -> int:
    """How far behind the newest record a reader is after this slice."""
    if records.next_offset >= records.tip_offset:
        return 0
    last = int(records.arrival_ms[-1]) if len(records) else records.tip_arrival_ms
    return max(1, now_ms - last)


class _JsonRecord(msgspec.Struct, gc=False):
    """A record in JSON; msgspec writes the payload as base64."""

    SequenceNumber: str
    ApproximateArrivalTimestamp: float
    Data: bytes
    PartitionKey: str


class _Sealed(_JsonRecord, gc=False):
    EncryptionType: str = "KMS"


class _Keyless(msgspec.Struct, gc=False):
    SequenceNumber: str
    ApproximateArrivalTimestamp: float
    Data: bytes


_json = msgspec.json.Encoder()


class RecordsPage:
    """Records of a slice, ready to be encoded."""

    def __init__(self, records: Slice, shard: ShardInfo, encryption: str) -> None:
        start = shard.starting_sequence_number
        self._numbers = digits.numbers(start, records.first_offset, len(records))
        self._slice = records
        self._sealed = encryption != "NONE"

    def json(self, members: dict[str, Any]) -> bytes:
        """The whole answer in JSON, records first."""
        rest = _json.encode(members)
        return b"".join((b'{"Records":', self.json_records(), b",", memoryview(rest)[1:]))

    def json_records(self) -> bytes:
        """The records as a JSON array."""
        records = self._slice
        times = (records.arrival_ms / 1000).tolist()
        kind: Any = _Sealed if self._sealed else _JsonRecord
        keys, data = records.keys.to_pylist(), records.data.to_pylist()
        rows: list[Any] = list(map(kind, self._numbers, times, data, keys))
        if "" in keys:  # records that were put without a partition key
            for i, key in enumerate(keys):
                if not key:
                    rows[i] = _Keyless(self._numbers[i], times[i], data[i])
        return _json.encode(rows)

    def cbor(self, members: dict[str, Any], form: Wire) -> bytes:
        """The whole answer in CBOR."""
        rest = form.encode(members)
        count = cbor.head(5, len(members) + 1)
        return b"".join((count, cbor.text("Records"), self.cbor_records(), memoryview(rest)[1:]))

    def cbor_records(self) -> bytes:
        """The records as a CBOR array."""
        records, head = self._slice, cbor.head
        out = [head(4, len(records))]
        keys, data = records.keys.to_pylist(), records.data.to_pylist()
        for number, ms, payload, key in zip(
            self._numbers, records.arrival_ms.tolist(), data, keys, strict=True
        ):
            raw = key.encode()
            out += (
                _ROW if not self._sealed else _SEALED_ROW,
                number.encode(),
                _TIME,
                ms.to_bytes(8, "big"),
                _DATA,
                head(2, len(payload)),
                payload,
                _KEY,
                head(3, len(raw)),
                raw,
            )
        return b"".join(out)


_NUMBER = cbor.text("SequenceNumber") + cbor.head(3, 56)
_ROW = b"\xa4" + _NUMBER
_SEALED_ROW = b"\xa5" + cbor.text("EncryptionType") + cbor.text("KMS") + _NUMBER
_TIME = cbor.text("ApproximateArrivalTimestamp") + b"\xc1\x1b"
_DATA = cbor.text("Data")
_KEY = cbor.text("PartitionKey")

OPERATIONS = {"GetRecords": get_records}
