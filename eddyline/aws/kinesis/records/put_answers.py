"""Where records landed, as answers: sequence numbers and shards, encoded without detours."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import numpy as np

from eddyline.aws import cbor, wire
from eddyline.aws.kinesis.records import digits
from eddyline.aws.wire import Wire
from eddyline.log import Placement, ShardInfo, StreamInfo
from eddyline.log.sequence import sequence_number

_EXCEEDED = "ProvisionedThroughputExceededException"


def one(form: Wire, placement: Placement, encryption: str) -> bytes:
    """PutRecord's answer."""
    shard = placement.shards[int(placement.shard[0])]
    number = sequence_number(shard.index, shard.created_ms, int(placement.offset[0]))
    members = {"ShardId": shard.shard_id, "SequenceNumber": str(number)}
    if encryption != "NONE":
        members["EncryptionType"] = encryption
    return form.encode(members)


def many(form: Wire, placement: Placement, encryption: str) -> bytes:
    """PutRecords' answer when all records were stored."""
    return _json(placement, encryption) if form is wire.JSON else _cbor(placement, encryption)


def some(
    placement: Placement | None, taken: list[int], refused: dict[int, str], n: int, encryption: str
) -> dict[str, Any]:
    """PutRecords' answer when some records were not."""
    records: list[dict[str, Any]] = [{} for _ in range(n)]
    if placement is not None:
        pairs = zip(placement.sequence_numbers(), placement.shard_ids(), strict=True)
        for place, (number, shard) in zip(taken, pairs, strict=True):
            records[place] = {"SequenceNumber": number, "ShardId": shard}
    for place, words in refused.items():
        records[place] = {"ErrorCode": _EXCEEDED, "ErrorMessage": words}
    members: dict[str, Any] = {"FailedRecordCount": len(refused), "Records": records}
    if encryption != "NONE":
        members["EncryptionType"] = encryption
    return members


def _rows(placement: Placement, before: str, between: str, behind: str) -> bytes:
    """For each record its number and its shard, in a frame of fixed width."""
    frames = np.stack(
        [
            digits.letters(f"{before}{s.starting_sequence_number}{between}{s.shard_id}{behind}")
            for s in placement.shards
        ]
    )
    rows = frames[placement.shard]
    at = len(before) + 18
    digits.write(rows[:, at : at + digits.WIDTH], placement.offset)
    return rows.tobytes()


def _json(placement: Placement, encryption: str) -> bytes:
    rows = _rows(placement, '{"SequenceNumber":"', '","ShardId":"', '"},')
    more = f',"EncryptionType":"{encryption}"' if encryption != "NONE" else ""
    return b"".join((b'{"FailedRecordCount":0,"Records":[', rows[:-1], b"]", more.encode(), b"}"))


# Two members, each a text under a text; sequence numbers have 56 digits, shards' names 20 letters.
_ROW = b"\xa2" + cbor.text("SequenceNumber") + cbor.head(3, 56)
_SHARD = cbor.text("ShardId") + cbor.head(3, 20)


def _cbor(placement: Placement, encryption: str) -> bytes:
    rows = _rows(placement, _ROW.decode("latin-1"), _SHARD.decode("latin-1"), "")
    members = 2 if encryption == "NONE" else 3
    parts = [
        cbor.head(5, members),
        cbor.text("FailedRecordCount"),
        cbor.head(0, 0),
        cbor.text("Records"),
        cbor.head(4, len(placement.shard)),
        rows,
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
