"""Records in: PutRecord and PutRecords, answered once the records are on disk.

A batch goes to the log as columns; nothing here walks it more often than once, and its answer is
written as text at once (``placed.py``).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis import placed
from eddyline.aws.kinesis.flags import AUTO, Flags
from eddyline.aws.kinesis.home import Home, check_dry_run
from eddyline.aws.violations import blob_shown, violation
from eddyline.errors import EddylineError
from eddyline.log import PutBatch, Stream, StreamInfo
from eddyline.log.sequence import parse
from eddyline.log.shard import HASH_KEYS

REQUEST_BYTES_MAX = 10 << 20
_turn = itertools.count()


async def put_record(home: Home, call: Call) -> Answer:
    request = call.request
    stream, info, flags = _open(home, request)
    _check_sizes(flags, [request], "data")
    _check_order(home, info, request.SequenceNumberForOrdering)
    keys, explicit = _keys(info, flags, [request], "partitionKey")
    check_dry_run(request)
    refused = _throttled(home, info, [request], keys, explicit)
    if refused:
        raise AwsError("ProvisionedThroughputExceededException", refused[0])
    found = await _put(stream, PutBatch(keys, [request.Data], explicit))
    return placed.one(call.form, found, flags.encryption)


async def put_records(home: Home, call: Call) -> Answer:
    request = call.request
    records = request.Records
    stream, info, flags = _open(home, request)
    size = _check_sizes(flags, records, "records.{}.member.data")
    keys, explicit = _keys(info, flags, records, "records.{}.member.partitionKey")
    if size + sum(map(len, keys)) > REQUEST_BYTES_MAX:
        words = f"Records size exceeds {REQUEST_BYTES_MAX >> 20} MB limit"
        raise AwsError("InvalidArgumentException", words)
    check_dry_run(request)
    refused = _throttled(home, info, records, keys, explicit)
    if not refused:
        found = await _put(stream, PutBatch(keys, [r.Data for r in records], explicit))
        return placed.many(call.form, found, flags.encryption)
    taken = [i for i in range(len(records)) if i not in refused]
    done = None
    if taken:
        chosen = None if explicit is None else [explicit[i] for i in taken]
        data = [records[i].Data for i in taken]
        done = await _put(stream, PutBatch([keys[i] for i in taken], data, chosen))
    return placed.some(done, taken, refused, len(records), flags.encryption)


def _open(home: Home, request: Any) -> tuple[Stream, StreamInfo, Flags]:
    stream = home.stream(request)
    info = stream.info()
    home.check_there(info)
    return stream, info, Flags(info.attributes)


async def _put(stream: Stream, batch: PutBatch) -> Any:
    return await asyncio.wrap_future(stream.put(batch))


def _check_sizes(flags: Flags, records: Sequence[Any], path: str) -> int:
    """Bytes of all payloads; a record above the stream's largest is refused."""
    sizes = [len(r.Data) for r in records]
    most = flags.max_record_kib << 10
    if max(sizes) > most:
        told = [
            violation(blob_shown(n), path.format(i), f"have length less than or equal to {most}")
            for i, n in enumerate(sizes, 1)
            if n > most
        ]
        raise _invalid(told)
    return sum(sizes)


def _invalid(told: list[str]) -> AwsError:
    many = "" if len(told) == 1 else "s"
    words = f"{len(told)} validation error{many} detected: {'; '.join(told[:10])}"
    return AwsError("ValidationException", words)


def _keys(
    info: StreamInfo, flags: Flags, records: Sequence[Any], path: str
) -> tuple[list[str], list[int | None] | None]:
    """Partition keys and explicit hash keys of the records."""
    keys: list[Any] = [r.PartitionKey for r in records]
    if flags.distribution == AUTO:
        return [k or "" for k in keys], _spread(info, len(keys))
    if None in keys:
        missing = [i for i, k in enumerate(keys, 1) if k is None]
        raise _invalid([violation("null", path.format(i), "not be null") for i in missing])
    given = [r.ExplicitHashKey for r in records]
    if given.count(None) == len(given):
        return keys, None
    return keys, [None if k is None else _hash_key(k) for k in given]


def _hash_key(text: str) -> int:
    number = int(text)
    if number >= HASH_KEYS:
        words = (
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {text}"
        )
        raise AwsError("InvalidArgumentException", words)
    return number


def _spread(info: StreamInfo, n: int) -> list[int | None]:
    """Hash keys that lead so many records to the open shards in turn."""
    starts = [s.starting_hash_key for s in info.shards if s.closed_offset is None]
    first = next(_turn)
    return [starts[(first + i) % len(starts)] for i in range(n)]


def _check_order(home: Home, info: StreamInfo, number: str | None) -> None:
    """A number for ordering must have come from this stream; the next one is larger anyway."""
    if number is None or number == "0":
        return
    try:
        position = parse(number)
        shard = info.shards[position.shard]
        good = position.created_ms == shard.created_ms
    except (EddylineError, IndexError):
        good = False
    if not good:
        words = (
            f"ExclusiveMinimumSequenceNumber {number[:200]} used in PutRecord on stream "
            f"{info.name} under account {home.names.account} is invalid."
        )
        raise AwsError("InvalidArgumentException", words)


def _throttled(
    home: Home,
    info: StreamInfo,
    records: Sequence[Any],
    keys: list[str],
    explicit: list[int | None] | None,
) -> dict[int, str]:
    """Why records are refused for now, by their place in the batch."""
    if home.throttle is None:
        return {}
    refused: dict[int, str] = {}
    chosen = explicit or [None] * len(keys)
    for i, (record, key, hash_key) in enumerate(zip(records, keys, chosen, strict=True)):
        shard = placed.shard_for(info, key, hash_key)
        if not home.throttle.write(info.stream_id, shard.index, len(record.Data) + len(key)):
            home.flow.write_exceeded(info.name, shard.index)
            refused[i] = rate_exceeded(home, info, shard.shard_id)
    return refused


def rate_exceeded(home: Home, info: StreamInfo, shard_id: str) -> str:
    """The sentence of a shard that has no more to give just now."""
    account = home.names.account
    return f"Rate exceeded for shard {shard_id} in stream {info.name} under account {account}."


OPERATIONS = {"PutRecord": put_record, "PutRecords": put_records}
