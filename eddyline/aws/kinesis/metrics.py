"""Figures of streams and shards for ``/metrics``.

What is stored comes from the log itself, which knows every record, also those that did not come
over HTTP. What goes out of shards is counted by each worker. Names that CloudWatch has are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from eddyline.aws.kinesis.flags import Flags
from eddyline.aws.kinesis.flow import Flows, ServedShards, ShardFlow
from eddyline.aws.metrics import head
from eddyline.errors import EddylineError
from eddyline.log import LogStore, Stream


class StreamMetrics:
    """The figures of one worker, and their sum with those of the other workers."""

    def __init__(self, store: LogStore, flow: ServedShards) -> None:
        self._store = store
        self._flow = flow

    def figures(self) -> Flows:
        """What went out of each shard through this worker."""
        return self._flow.streams

    def lines(self, written: list[msgspec.Raw]) -> Iterator[str]:
        """The lines of all streams and shards, from the figures of all workers."""
        flows: dict[tuple[str, int], ShardFlow] = {}
        for encoded in written:
            for stream, shards in msgspec.json.decode(encoded, type=Flows).items():
                for shard, flow in shards.items():
                    flows.setdefault((stream, shard), ShardFlow()).add(flow)
        yield from _of_streams(self._store)
        yield from _of_flows(flows)


# Prometheus' name, kind, field of the log's counters, meaning
_STREAM_ROWS = (
    ("kinesis_incoming_records_total", "counter", "records_total", "IncomingRecords of a shard."),
    ("kinesis_incoming_bytes_total", "counter", "bytes_total", "IncomingBytes of a shard."),
    ("eddyline_kept_records", "gauge", "records_kept", "Records of a shard that can be read."),
    ("eddyline_kept_bytes", "gauge", "bytes_kept", "Their bytes, payload and key."),
)


def _of_streams(store: LogStore) -> Iterator[str]:
    streams = list(_counted(store))
    for name, kind, member, words in _STREAM_ROWS:
        yield from head(name, kind, words)
        for stream, counters, _ in streams:
            for shard in counters.shards:
                label = f'stream="{stream}",shard="shardId-{shard.index:012d}"'
                yield f"{name}{{{label}}} {getattr(shard, member)}"
    yield from head("eddyline_stored_bytes", "gauge", "Bytes of a stream's blocks on disk.")
    for stream, counters, _ in streams:
        yield f'eddyline_stored_bytes{{stream="{stream}"}} {counters.stored_bytes}'
    name = "kinesis_enhanced_monitoring"
    yield from head(name, "gauge", "1 for each shard-level metric that a stream has switched on.")
    for stream, _, switched_on in streams:
        for metric in switched_on:
            yield f'{name}{{stream="{stream}",metric="{metric}"}} 1'


# Prometheus' name, kind, field of a shard's flow, CloudWatch's name of it
_FLOW_ROWS = (
    ("kinesis_outgoing_records_total", "counter", "records", "OutgoingRecords"),
    ("kinesis_outgoing_bytes_total", "counter", "bytes", "OutgoingBytes"),
    ("kinesis_iterator_age_milliseconds", "gauge", "age_ms", "IteratorAgeMilliseconds"),
    (
        "kinesis_write_provisioned_throughput_exceeded_total",
        "counter",
        "writes_exceeded",
        "WriteProvisionedThroughputExceeded",
    ),
    (
        "kinesis_read_provisioned_throughput_exceeded_total",
        "counter",
        "reads_exceeded",
        "ReadProvisionedThroughputExceeded",
    ),
)


def _of_flows(flows: dict[tuple[str, int], ShardFlow]) -> Iterator[str]:
    for name, kind, member, words in _FLOW_ROWS:
        yield from head(name, kind, f"{words} of a shard.")
        for (stream, shard), flow in sorted(flows.items()):
            label = f'stream="{stream}",shard="shardId-{shard:012d}"'
            yield f"{name}{{{label}}} {getattr(flow, member)}"


def _counted(store: LogStore) -> Iterator[tuple[str, Any, list[str]]]:
    for info in store.list():
        try:
            stream: Stream = store.open(info.name)
            yield info.name, stream.counters(), Flags(info.attributes).metrics
        except EddylineError:  # deleted meanwhile
            continue
