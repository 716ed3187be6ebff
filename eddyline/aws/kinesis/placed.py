"""Where records landed, as answers: sequence numbers and shards, encoded without detours."""

from __future__ import annotations

from hashlib import md5
from typing import Any

from eddyline.aws import cbor, wire
from eddyline.aws.wire import Wire
from eddyline.log import Placed, ShardInfo, StreamInfo

_EXCEEDED = "ProvisionedThroughputExceededException"


def one(form: Wire, found: Placed, encryption: str) -> bytes:
    """PutRecord's answer."""
    members = {"ShardId": found.shard_ids()[0], "SequenceNumber": found.sequence_numbers()[0]}
    if encryption != "NONE":
        members["EncryptionType"] = encryption
    return form.encode(members)


def many(form: Wire, found: Placed, encryption: str) -> bytes:
    """PutRecords' answer when all records were stored."""
    return _json(found, encryption) if form is wire.JSON else _cbor(found, encryption)


def some(
    found: Placed | None, taken: list[int], refused: dict[int, str], n: int, encryption: str
) -> dict[str, Any]:
    """PutRecords' answer when some records were not."""
    records: list[dict[str, Any]] = [{} for _ in range(n)]
    if found is not None:
        pairs = zip(found.sequence_numbers(), found.shard_ids(), strict=True)
        for place, (number, shard) in zip(taken, pairs, strict=True):
            records[place] = {"SequenceNumber": number, "ShardId": shard}
    for place, words in refused.items():
        records[place] = {"ErrorCode": _EXCEEDED, "ErrorMessage": words}
    members: dict[str, Any] = {"FailedRecordCount": len(refused), "Records": records}
    if encryption != "NONE":
        members["EncryptionType"] = encryption
    return members


def _edges(found: Placed, before: str, between: str, behind: str) -> list[tuple[str, str]]:
    """For each shard what stands before and behind the digits of an offset."""
    out = []
    for s in found.shards:
        number = s.starting_sequence_number
        out.append((before + number[:18], f"{number[38:]}{between}{s.shard_id}{behind}"))
    return out


def _json(found: Placed, encryption: str) -> bytes:
    edges = _edges(found, '{"SequenceNumber":"', '","ShardId":"', '"}')
    rows = []
    for shard, offset in zip(found.shard.tolist(), found.offset.tolist(), strict=True):
        head, tail = edges[shard]
        rows.append(f"{head}{offset:020d}{tail}")
    more = f',"EncryptionType":"{encryption}"' if encryption != "NONE" else ""
    return f'{{"FailedRecordCount":0,"Records":[{",".join(rows)}]{more}}}'.encode()


# Two members, each a text under a text; sequence numbers have 56 digits, shards' names 20 letters.
_ROW = b"\xa2" + cbor.text("SequenceNumber") + cbor.head(3, 56)
_SHARD = cbor.text("ShardId") + cbor.head(3, 20)


def _cbor(found: Placed, encryption: str) -> bytes:
    before, between = _ROW.decode("latin-1"), _SHARD.decode("latin-1")
    edges = _edges(found, before, between, "")
    rows = []
    for shard, offset in zip(found.shard.tolist(), found.offset.tolist(), strict=True):
        head, tail = edges[shard]
        rows.append(f"{head}{offset:020d}{tail}")
    members = 2 if encryption == "NONE" else 3
    parts = [
        cbor.head(5, members),
        cbor.text("FailedRecordCount"),
        cbor.head(0, 0),
        cbor.text("Records"),
        cbor.head(4, len(rows)),
        "".join(rows).encode("latin-1"),
    ]
    if encryption != "NONE":
        parts += [cbor.text("EncryptionType"), cbor.text(encryption)]
    return b"".join(parts)


def shard_for(info: StreamInfo, key: str, hash_key: int | None) -> ShardInfo:
    """The open shard that a record would go to."""
    if hash_key is None:
        hash_key = int.from_bytes(md5(key.encode()).digest(), "big")
    for shard in info.shards:
        inside = shard.starting_hash_key <= hash_key <= shard.ending_hash_key
        if shard.closed_offset is None and inside:
            return shard
    raise AssertionError(f"no open shard of {info.name} takes {hash_key}")
