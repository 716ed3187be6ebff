"""Topics of Kafka as a source, read by a thread of its own.

Records of a partition come in its order, those of several as they are fetched. A position is the
offset after a partition's last record, so a job continues there and reads each record once. The
consumer group, if the table names one, is told the positions, but they do not decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.engine.kafka_client import WAIT_S, KafkaClient
from eddyline.engine.sources.fetcher import Fetcher
from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.options.connectors import kafka as options
from eddyline.options.connectors.kafka import Bounded, Startup
from eddyline.record.formats import keyed

# Records of one answer.
RECORDS_MAX = 2000
TOMBSTONE = "tombstone"
_HEADERS = pa.map_(pa.string(), pa.binary())
_TYPES = {0: "NoTimestampType", 1: "CreateTime", 2: "LogAppendTime"}
Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _PartitionRecords:
    """Records of one partition in their order, and the offset to read on at."""

    partition: Partition
    messages: list[Any]
    following: int
    at_end: bool


class KafkaSource(Source):
    """Records of the topics of one table. keyed: payloads hold key and value."""

    has_arrival = True

    def __init__(self, context: SourceContext, *, keyed: bool) -> None:
        super().__init__(context)
        self._client = KafkaClient(context.name, context.options)
        self._is_keyed = keyed
        self._is_upsert = context.options["connector"] == "upsert-kafka"
        self._mode = options.BOUNDED.read(context.options)
        self.bounded = self._mode is not Bounded.UNBOUNDED
        self._numbers: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}
        self._fetcher: Fetcher[_PartitionRecords] = Fetcher("kafka", self._fetch)
        self._count = 0
        self._consumer: Any = None
        self._assigned: list[Partition] = []

    @property
    def stream_name(self) -> str:
        return ";".join(options.TOPIC.get(self.context.options) or ())

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        self._consumer = self._client.consumer()
        known = self._client.partitions(self._consumer)
        begun = {_partition(key): offset for key, offset in (saved or {}).items()}
        try:
            fresh = [p for p in known if p not in begun]
            # Of a job that goes on, a partition that it did not know yet is read from its start.
            starts = self._starts(fresh, Startup.EARLIEST if saved is not None else None)
            if self.bounded:
                self._ends = self._bounds(known)
        except self._client.kafka.KafkaException as error:
            raise self._client.error(error) from error
        for p in sorted({*known, *begun}):
            self._add(p, {**starts, **begun}[p])

    def positions(self) -> dict[str, int]:
        return {f"{t} {n}": self.shards[i].position for (t, n), i in self._numbers.items()}

    def wake(self, on_news: Callable[[], None]) -> bool:
        self._fetcher.notify = on_news
        return True

    def poll(self, rows_max: int) -> Records | None:
        answer = self._fetcher.take()
        if answer is None:
            self._end()
            return None
        s = self._add(answer.partition, 0)
        end = self._ends.get(answer.partition)
        messages = [m for m in answer.messages if end is None or m.offset() < end]
        s.position = answer.following if end is None else min(answer.following, end)
        s.tip = s.position + (0 if answer.at_end else 1)
        if not self._is_upsert and not self._is_keyed:
            messages = [m for m in messages if m.value() is not None]
        self._end()
        return self._records(messages, s) if messages else None

    def place(self, shard: int, offset: int) -> str:
        return f"topic {self.shards[shard].name}, record {offset + 1} that was read"

    def close(self) -> None:
        self._fetcher.close()
        if self._consumer is not None:
            self._consumer.close()

    def _end(self) -> None:
        """A bounded table ends when each partition is read as far as it is to be."""
        if self.bounded and all(
            self.shards[i].position >= self._ends.get(p, 0) for p, i in self._numbers.items()
        ):
            self.ended = True

    def _records(self, messages: list[Any], s: ShardProgress) -> Records:
        n = len(messages)
        payload = [
            keyed.framed(m.key(), m.value()) if self._is_keyed else m.value() for m in messages
        ]
        offset = np.arange(self._count, self._count + n, dtype=np.int64)
        self._count += n
        stamps = [m.timestamp() for m in messages]
        now = self.context.clock.now_ms()
        arrival = np.array([t if kind else now for kind, t in stamps], np.int64)
        metadata: dict[str, pa.Array] = {
            "topic": pa.array([m.topic() for m in messages], pa.string()),
            "partition": pa.array([m.partition() for m in messages], pa.int32()),
            "offset": pa.array([m.offset() for m in messages], pa.int64()),
            "timestamp-type": pa.array([_TYPES.get(k, "") for k, _ in stamps], pa.string()),
            "leader-epoch": pa.array([m.leader_epoch() for m in messages], pa.int32()),
            "headers": pa.array([m.headers() or [] for m in messages], _HEADERS),
            TOMBSTONE: pa.array([m.value() is None for m in messages], pa.bool_()),
        }
        shard = np.full(n, s.index, np.int32)
        return Records(pa.array(payload, pa.binary()), None, shard, arrival, offset, metadata)

    def _add(self, partition: Partition, position: int) -> ShardProgress:
        if partition not in self._numbers:
            index = self._numbers[partition] = len(self._numbers)
            name = f"{partition[0]} {partition[1]}"
            self.shards[index] = ShardProgress(index, name, position, position + 1)
        return self.shards[self._numbers[partition]]

    # where to begin and where to end

    def _starts(self, partitions: list[Partition], mode: Startup | None) -> dict[Partition, int]:
        table = self.context.options
        if mode is None:
            mode = Startup.EARLIEST if self._is_upsert else options.STARTUP.read(table)
        if mode is Startup.SPECIFIC:
            chosen = options.offsets(options.STARTUP_OFFSETS, table)
            earliest = self._edges([p for p in partitions if p[1] not in chosen], latest=False)
            return {p: chosen.get(p[1], earliest.get(p, 0)) for p in partitions}
        if mode is Startup.TIMESTAMP:
            return self._at(partitions, options.STARTUP_TIME.read(table))
        if mode is Startup.GROUP_OFFSETS:
            reset = table.get("properties.auto.offset.reset", "earliest")
            return self._committed(partitions, latest=reset == "latest")
        return self._edges(partitions, latest=mode is Startup.LATEST)

    def _bounds(self, partitions: list[Partition]) -> dict[Partition, int]:
        table = self.context.options
        if self._mode is Bounded.SPECIFIC:
            chosen = options.offsets(options.BOUNDED_OFFSETS, table)
            return {p: chosen.get(p[1], 0) for p in partitions}
        if self._mode is Bounded.TIMESTAMP:
            return self._at(partitions, options.BOUNDED_TIME.read(table))
        if self._mode is Bounded.GROUP_OFFSETS:
            return self._committed(partitions, latest=True)
        return self._edges(partitions, latest=True)

    def _edges(self, partitions: list[Partition], *, latest: bool) -> dict[Partition, int]:
        out = {}
        for topic, number in partitions:
            where = self._client.kafka.TopicPartition(topic, number)
            low, high = self._consumer.get_watermark_offsets(where, timeout=WAIT_S)
            out[topic, number] = high if latest else low
        return out

    def _at(self, partitions: list[Partition], time_ms: int) -> dict[Partition, int]:
        """The first record of that time or later; the end where there is none."""
        made = [self._client.kafka.TopicPartition(t, n, time_ms) for t, n in partitions]
        latest = self._edges(partitions, latest=True)
        from_time = self._consumer.offsets_for_times(made, timeout=WAIT_S) if made else []
        offsets = {(f.topic, f.partition): f.offset for f in from_time}
        return {p: offsets[p] if offsets.get(p, -1) >= 0 else latest[p] for p in partitions}

    def _committed(self, partitions: list[Partition], *, latest: bool) -> dict[Partition, int]:
        """What the group has committed; without that the start or the end of the partition."""
        edges = self._edges(partitions, latest=latest)
        if options.GROUP.get(self.context.options) is None or not partitions:
            return edges
        made = [self._client.kafka.TopicPartition(t, n) for t, n in partitions]
        committed = self._consumer.committed(made, timeout=WAIT_S)
        offsets = {(f.topic, f.partition): f.offset for f in committed}
        return {p: offsets[p] if offsets.get(p, -1) >= 0 else edges[p] for p in partitions}

    # in the thread that reads

    def _fetch(self) -> None:
        try:
            self._fetch_all()
        except self._client.kafka.KafkaException as error:
            raise self._client.error(error) from error

    def _fetch_all(self) -> None:
        clock = self.context.clock
        at = {p: self.shards[i].position for p, i in self._numbers.items()}
        self._assign(at)
        discovery_s = options.DISCOVERY.read(self.context.options) / 1000
        looked = clock.monotonic()
        while not self._fetcher.stop.is_set():
            if not self.bounded and discovery_s and clock.monotonic() - looked >= discovery_s:
                looked = clock.monotonic()
                known = self._client.partitions(self._consumer)
                at |= self._edges([p for p in known if p not in at], latest=False)
                self._assign({p: o for p, o in at.items() if p not in self._assigned})
            messages = self._consumer.consume(RECORDS_MAX, 0.2)
            for answer in self._by_partition(messages):
                at[answer.partition] = answer.following
                self._fetcher.put(answer)
            if messages:
                self._report(at)

    def _assign(self, offsets: dict[Partition, int]) -> None:
        made = [self._client.kafka.TopicPartition(t, n, o) for (t, n), o in offsets.items()]
        if made:
            self._consumer.incremental_assign(made)
            self._assigned += list(offsets)

    def _by_partition(self, messages: list[Any]) -> list[_PartitionRecords]:
        """The messages of each partition.

        Raises:
            EddylineError: for a message that tells of an error.
        """
        by_partition: dict[Partition, tuple[list[Any], int, bool]] = {}
        for m in messages:
            p, error = (m.topic(), m.partition()), m.error()
            of = by_partition[p][0] if p in by_partition else []
            if error is None:
                of.append(m)
                by_partition[p] = (of, m.offset() + 1, False)
            elif error.code() == self._client.kafka.KafkaError._PARTITION_EOF:
                by_partition[p] = (of, m.offset(), True)
            elif error.fatal() or not error.retriable():
                raise self._client.error(error)
        return [_PartitionRecords(p, *values) for p, values in by_partition.items()]

    def _report(self, offsets: dict[Partition, int]) -> None:
        """Tell the group how far was read, for whoever watches its lag."""
        if options.GROUP.get(self.context.options) is None:
            return
        made = [self._client.kafka.TopicPartition(t, n, o) for (t, n), o in offsets.items()]
        self._consumer.commit(offsets=made, asynchronous=True)


def _partition(key: str) -> Partition:
    topic, _, number = key.rpartition(" ")
    return topic, int(number)
