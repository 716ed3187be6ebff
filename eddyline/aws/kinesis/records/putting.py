"""Records in: PutRecord and PutRecords, answered once the records are on disk.

A batch goes to the log as columns; nothing here walks it more often than once, and its answer is
written as text at once (``put_answers.py``).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesis.context import KinesisContext, check_dry_run
from eddyline.aws.kinesis.flags import AUTO, Flags
from eddyline.aws.kinesis.naming import stream_name
from eddyline.aws.kinesis.records import put_answers
from eddyline.aws.put_results import put_results
from eddyline.aws.violations import blob_shown, violation
from eddyline.errors import EddylineError
from eddyline.log import Placement, PutBatch, Stream, StreamInfo, StreamStatus
from eddyline.log.sequence import parse
from eddyline.log.shard import HASH_KEYS

REQUEST_BYTES_MAX = 10 << 20
_turn = itertools.count()


@dataclass(slots=True)
class _Put:
    """A put that may be done."""

    stream: Stream
    info: StreamInfo
    batch: PutBatch


async def put_record(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    put = _admitted(context, request, [request], "")
    refused = _throttled(context, put)
    if refused:
        raise AwsError("ProvisionedThroughputExceededException", refused[0])
    return put_answers.one(call.form, await _put(context, request, put), _encryption(put))


async def put_records(context: KinesisContext, call: Call) -> Answer:
    request = call.request
    put = _admitted(context, request, request.Records, "records.{}.member.")
    refused = _throttled(context, put)
    if not refused:
        return put_answers.many(call.form, await _put(context, request, put), _encryption(put))
    n = len(put.batch)
    taken = [i for i in range(n) if i not in refused]
    done = None
    if taken:
        done = await _put(context, request, replace(put, batch=_chosen(put.batch, taken)))
    return put_answers.some(done, taken, refused, n, _encryption(put))


def _chosen(batch: PutBatch, rows: list[int]) -> PutBatch:
    explicit = batch.explicit_hash_keys
    return PutBatch(
        [batch.keys[i] for i in rows],
        [batch.data[i] for i in rows],
        None if explicit is None else [explicit[i] for i in rows],
    )


def _encryption(put: _Put) -> str:
    """What the stream said when the records were written; that was a look at the file."""
    return Flags(put.stream.latest_info().attributes).encryption


def _admitted(context: KinesisContext, request: Any, records: Sequence[Any], path: str) -> _Put:
    """The put, checked against the stream as last seen.

    The writer looks at the stream itself, so that what is gone is refused there. Only a refusal
    made here might be about what was: then the stream is looked at, and all is checked again.
    """
    stream = context.store.known(stream_name(request))
    put = None
    if stream is not None:
        info = stream.latest_info()
        if info.status is StreamStatus.ACTIVE:
            with contextlib.suppress(AwsError):
                put = _checked(context, stream, info, request, records, path)
    if put is None:
        stream = context.stream(request)
        info = stream.info()
        context.check_there(info)
        put = _checked(context, stream, info, request, records, path)
    check_dry_run(request)
    return put


def _checked(
    context: KinesisContext,
    stream: Stream,
    info: StreamInfo,
    request: Any,
    records: Sequence[Any],
    path: str,
) -> _Put:
    flags = Flags(info.attributes)
    data = [r.Data for r in records]
    size = _check_sizes(flags, data, path + "data")
    keys, explicit = _keys(info, flags, records, path + "partitionKey")
    if not path:
        _check_order(context, info, request.SequenceNumberForOrdering)
    elif size + sum(map(len, keys)) > REQUEST_BYTES_MAX:
        words = f"Records size exceeds {REQUEST_BYTES_MAX >> 20} MB limit"
        raise AwsError("InvalidArgumentException", words)
    return _Put(stream, info, PutBatch(keys, data, explicit))


async def _put(context: KinesisContext, request: Any, put: _Put) -> Placement:
    """Put it; if the stream has gone since it was last seen, to the one that has its name now."""
    try:
        return await _placed(put.stream, put.batch)
    except EddylineError as error:
        if error.code != "not_found":
            raise
    put.stream = context.stream(request)
    put.info = put.stream.info()
    context.check_there(put.info)
    try:
        return await _placed(put.stream, put.batch)
    except EddylineError as error:
        if error.code == "not_found":
            raise context.names.not_found(put.info.name) from None
        raise


async def _placed(stream: Stream, batch: PutBatch) -> Placement:
    pending = put_results().pending()
    stream.put_with_callback(batch, pending)
    return await pending.answer


def _check_sizes(flags: Flags, data: list[bytes], path: str) -> int:
    """Bytes of all payloads; a record above the stream's largest is refused."""
    size = sum(map(len, data))
    most = flags.max_record_kib << 10
    if size > most and max(map(len, data)) > most:
        violations = [
            violation(blob_shown(n), path.format(i), f"have length less than or equal to {most}")
            for i, n in enumerate(map(len, data), 1)
            if n > most
        ]
        raise _invalid(violations)
    return size


def _invalid(violations: list[str]) -> AwsError:
    many = "" if len(violations) == 1 else "s"
    words = f"{len(violations)} validation error{many} detected: {'; '.join(violations[:10])}"
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


def _check_order(context: KinesisContext, info: StreamInfo, number: str | None) -> None:
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
            f"{info.name} under account {context.names.account} is invalid."
        )
        raise AwsError("InvalidArgumentException", words)


def _throttled(context: KinesisContext, put: _Put) -> dict[int, str]:
    """Why records are refused for now, by their place in the batch."""
    if context.throttle is None:
        return {}
    refused: dict[int, str] = {}
    info, batch = put.info, put.batch
    chosen = batch.explicit_hash_keys or [None] * len(batch)
    for i, (data, key, hash_key) in enumerate(zip(batch.data, batch.keys, chosen, strict=True)):
        shard = put_answers.shard_for(info, key, hash_key)
        if not context.throttle.write(info.stream_id, shard.index, len(data) + len(key)):
            context.flow.write_exceeded(info.name, shard.index)
            refused[i] = rate_exceeded(context, info, shard.shard_id)
    return refused


def rate_exceeded(context: KinesisContext, info: StreamInfo, shard_id: str) -> str:
    """The sentence of a shard that has no more to give just now."""
    account = context.names.account
    return f"Rate exceeded for shard {shard_id} in stream {info.name} under account {account}."


OPERATIONS = {"PutRecord": put_record, "PutRecords": put_records}
