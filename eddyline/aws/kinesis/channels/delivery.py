"""The delivery of channels: records gathered by shard, rendered, stored, and only then done with.

One process of the endpoint delivers at a time (a lock file says which); all know where it stands.
An object's key follows from its first record, so that one that was stored but not noted, since the
process died in between, is stored again under the same key.
"""

from __future__ import annotations

import fcntl
import gzip
import logging
import threading
from base64 import b64encode
from typing import IO, Any

import msgspec
import pyarrow as pa

from eddyline.aws.kinesis.channels.bucket import Buckets, bucket_in, buckets
from eddyline.aws.kinesis.channels.key import ENDINGS, SUFFIXES, object_key
from eddyline.aws.kinesis.channels.store import FILE, Channel, Channels
from eddyline.aws.kinesis.context import KinesisContext
from eddyline.errors import EddylineError
from eddyline.log import ShardInfo, Slice, Stream
from eddyline.log.sequence import sequence_number

LOCK = "channels.lock"
LOOK_S = 0.5
# An object is stored when it has so many bytes, even if its records are still fresh.
OBJECT_BYTES, OBJECT_RECORDS = 8 << 20, 100_000
# After a failure the channel rests a while, longer each time.
REST_S, REST_S_MAX = 2.0, 60.0

_log = logging.getLogger("eddyline.channels")


class Deliveries:
    """The channels of a data directory at work, in a thread."""

    def __init__(self, context: KinesisContext) -> None:
        self._context = context
        self._channels = Channels(context)
        self._buckets: Buckets = buckets(context.settings)
        self._rests: dict[str, tuple[float, float]] = {}  # channel -> (until, seconds)
        self._stop = threading.Event()
        self._lock: IO[str] | None = None
        self._thread = threading.Thread(target=self._run, name="channels", daemon=True)

    def start(self) -> None:
        """Begin; nothing is done while there are no channels."""
        self._thread.start()

    def stop(self) -> None:
        """End after the object that is being stored."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            self._lock.close()

    def _run(self) -> None:
        while not self._context.clock.wait(self._stop, LOOK_S):
            try:
                if self._is_mine():
                    self.step()
            except Exception:  # a fault here must not end the delivery
                _log.exception("channels could not be looked at")

    def _is_mine(self) -> bool:
        """Whether this process is the one that delivers."""
        folder = self._context.settings.data_dir
        if self._lock is not None:
            return True
        if not (folder / FILE).exists():
            return False
        lock = (folder / LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def step(self) -> int:
        """Deliver what is due; how many objects that were."""
        now_ms = self._context.clock.now_ms()
        done = 0
        for channel in self._channels.all():
            if channel.status(now_ms) in ("CREATING", "DELETING") or self._rests_now(channel):
                continue
            try:
                done += self._deliver(channel)
            except EddylineError as error:
                self._failed(channel, error)
            else:
                self._rests.pop(channel.id, None)
                if channel.failed is not None:
                    self._channels.change(channel.id, failed=None)
        return done

    def _rests_now(self, channel: Channel) -> bool:
        until, _ = self._rests.get(channel.id, (0.0, 0.0))
        return self._context.clock.monotonic() < until

    def _failed(self, channel: Channel, error: EddylineError) -> None:
        _, before = self._rests.get(channel.id, (0.0, REST_S / 2))
        seconds = min(2 * before, REST_S_MAX)
        self._rests[channel.id] = (self._context.clock.monotonic() + seconds, seconds)
        if channel.failed != error.message:
            _log.error("channel %s: %s", channel.name, error.message)
            self._channels.change(channel.id, failed=error.message)

    def _deliver(self, channel: Channel) -> int:
        stream = self._context.store.open(channel.stream)
        if stream.stream_id != channel.stream_id:
            msg = f"stream {channel.stream} was deleted and made anew"
            raise EddylineError("not_found", msg, hint="delete the channel")
        places, done = self._channels.places(channel.id), 0
        for shard in stream.shards():
            at = places.get(shard.index, 0)
            while not self._stop.is_set():
                found = stream.read(shard.index, at, OBJECT_RECORDS, OBJECT_BYTES)
                if not self._is_due(channel, found, shard):
                    break
                if len(found):
                    self._store(channel, stream, shard, found)
                    done += 1
                at = found.next_offset
                self._channels.delivered(channel.id, shard.index, at)
        return done

    def _is_due(self, channel: Channel, found: Slice, shard: ShardInfo) -> bool:
        """Whether there is something, and it is old or much, or nothing more will come."""
        if not len(found):
            return found.damage is not None
        age_ms = self._context.clock.now_ms() - int(found.arrival_ms[0])
        full = found.next_offset < found.tip_offset
        return full or shard.closed_offset is not None or age_ms >= 1000 * channel.freshness_s

    def _store(self, channel: Channel, stream: Stream, shard: ShardInfo, found: Slice) -> None:
        good, bad = sorted_out(channel.record_format, shard, found)
        storage = channel.destination["StorageConfiguration"]
        template, first_ms = storage["OutputKeyTemplate"], int(found.arrival_ms[0])
        key = object_key(
            template, channel.name, stream.name, shard.shard_id, first_ms, found.first_offset
        )
        if bad:
            dead = channel.destination["DeadLetterQueueS3Configuration"]
            body = b"".join(msgspec.json.encode(b) + b"\n" for b in bad)
            where = dead.get("ErrorOutputPrefix", "") + key + ".json"
            self._put(dead, where, body, {})
        if good:
            how = {"StorageClass": storage["StorageClass"]}
            if channel.encryption is not None:
                how["ServerSideEncryption"] = "aws:kms"
                how["SSEKMSKeyId"] = channel.encryption["KeyId"]
            kind = storage["CompressionType"]
            ending = ENDINGS[channel.record_format] + SUFFIXES[kind]
            self._put(storage, key + ending, packed(b"".join(good), kind), how)

    def _put(self, where: dict[str, Any], key: str, body: bytes, how: dict[str, str]) -> None:
        owner = where["ExpectedBucketOwner"]
        self._buckets.put(
            bucket_in(where["BucketARN"]), key, body, ExpectedBucketOwner=owner, **how
        )


def sorted_out(
    record_format: str, shard: ShardInfo, found: Slice
) -> tuple[list[bytes], list[dict[str, Any]]]:
    """(records as they are delivered, those that do not have the format, with the reason).

    JSON and STRING records become lines; byte arrays follow one another with nothing between.
    """
    good: list[bytes] = []
    bad: list[dict[str, Any]] = []
    for i, data in enumerate(found.data.to_pylist()):
        try:
            good.append(_rendered(record_format, data))
        except (ValueError, msgspec.DecodeError) as error:
            offset = found.first_offset + i
            bad.append(
                {
                    "errorMessage": f"the record is no {record_format}: {error}",
                    "shardId": shard.shard_id,
                    "sequenceNumber": sequence_number(shard.index, shard.created_ms, offset),
                    "arrivalTimestamp": int(found.arrival_ms[i]),
                    "partitionKey": found.keys[i].as_py(),
                    "rawData": b64encode(data).decode(),
                }
            )
    return good, bad


def _rendered(record_format: str, data: bytes) -> bytes:
    if record_format == "BYTE_ARRAY":
        return data
    if record_format == "JSON":
        msgspec.json.decode(data)
        lean = msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data
        return lean.strip() + b"\n"
    data.decode()
    return data if data.endswith(b"\n") else data + b"\n"


def packed(body: bytes, kind: str) -> bytes:
    """The body under the compression asked for; the same body is the same bytes."""
    if kind == "GZIP":
        return gzip.compress(body, mtime=0)
    if kind == "ZSTD":
        out: bytes = pa.compress(body, codec="zstd", asbytes=True)
        return out
    return body
