"""The contents of delivered objects: records in their format, rejected records, compression."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

import msgspec
import pyarrow as pa

from eddyline.log import ShardInfo, Slice
from eddyline.log.sequence import sequence_number

FORMATS = ("JSON", "STRING", "BYTE_ARRAY")
# The suffix of an object's key, by compression.
COMPRESSIONS = {"NONE": "", "GZIP": ".gz", "ZSTD": ".zst"}


def rendered(
    record_format: str, shard: ShardInfo, records: Slice
) -> tuple[list[bytes], list[dict[str, Any]]]:
    """(records as they are delivered, descriptions of those that do not have the format).

    JSON and STRING records become lines; byte arrays are concatenated with nothing between them.
    """
    good: list[bytes] = []
    rejected: list[dict[str, Any]] = []
    for i, data in enumerate(records.data.to_pylist()):
        try:
            good.append(_one(record_format, data))
        except (ValueError, msgspec.DecodeError) as error:
            offset = records.first_offset + i
            rejected.append(
                {
                    "errorMessage": f"the record is no {record_format}: {error}",
                    "shardId": shard.shard_id,
                    "sequenceNumber": sequence_number(shard.index, shard.created_ms, offset),
                    "arrivalTimestamp": int(records.arrival_ms[i]),
                    "partitionKey": records.keys[i].as_py(),
                    "rawData": b64encode(data).decode(),
                }
            )
    return good, rejected


def _one(record_format: str, data: bytes) -> bytes:
    if record_format == "BYTE_ARRAY":
        return data
    if record_format == "JSON":
        msgspec.json.decode(data)
        lean = msgspec.json.format(data, indent=-1) if b"\n" in data or b"\r" in data else data
        return lean.strip() + b"\n"
    data.decode()
    return data if data.endswith(b"\n") else data + b"\n"


def compressed(body: bytes, compression: str) -> bytes:
    """The body compressed; equal bodies give equal bytes, so a repeated put changes nothing."""
    if compression == "GZIP":
        return gzip.compress(body, mtime=0)
    if compression == "ZSTD":
        out: bytes = pa.compress(body, codec="zstd", asbytes=True)
        return out
    return body
