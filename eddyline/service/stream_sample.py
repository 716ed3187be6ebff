"""The newest records of a stream, and the table that fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eddyline.service.notes import from_stream

if TYPE_CHECKING:
    from eddyline.log import LogStore

# How many of a stream's newest records suggest the columns of its table.
SAMPLE_RECORDS = 500
# Bytes read per shard at most.
BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class SampledRecord:
    """One record of a stream with its place: shard, offset and time of arrival (epoch ms)."""

    shard: str
    offset: int
    arrival_ms: int
    key: str
    data: bytes


def newest(streams: LogStore, name: str, count: int) -> list[SampledRecord]:
    """The newest records of a stream, oldest first. Raises ``not_found``."""
    stream = streams.open(name)
    records: list[SampledRecord] = []
    for shard in stream.shards():
        oldest, following = stream.bounds(shard.index)
        first = max(oldest, following - count)
        block = stream.read(shard.index, first, count, BYTES_MAX)
        rows = zip(
            block.arrival_ms.tolist(), block.keys.to_pylist(), block.data.to_pylist(), strict=True
        )
        records += [
            SampledRecord(shard.shard_id, block.first_offset + n, at, key, data)
            for n, (at, key, data) in enumerate(rows)
        ]
    return sorted(records, key=lambda r: r.arrival_ms)[-count:]


def infer_table(streams: LogStore, name: str, region: str) -> str:
    """The CREATE TABLE statement that fits a stream's newest records.

    Raises:
        EddylineError: ``not_found`` for an unknown stream.
    """
    payloads = [record.data for record in newest(streams, name, SAMPLE_RECORDS)]
    return from_stream.create_table(name, region, from_stream.infer(payloads))
