"""Records of the Kinesis Producer Library: packed by hand here, taken apart by the source."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.clock import SYSTEM
from eddyline.engine.sources.aggregated import MARK, user_records
from eddyline.engine.sources.kinesis import KinesisSource
from eddyline.engine.sources.source import SourceContext
from eddyline.log import LogStore, PutBatch
from eddyline.settings import Settings

# One key "k", and the records "a" and "bb", as a message of protobuf, byte by byte.
KNOWN = bytes.fromhex("0a016b" + "1a0508001a0161" + "1a0608001a026262")


def varint(n: int) -> bytes:
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(records: list[bytes], keys: tuple[bytes, ...] = (b"k",)) -> bytes:
    body = b"".join(field(1, k) for k in keys) + field(2, b"12345")
    for i, data in enumerate(records):
        tag = field(4, field(1, b"tag"))
        body += field(3, field(1, i % len(keys)) + field(2, 0) + field(3, data) + tag)
    return MARK + body + md5(body).digest()


def test_a_known_message() -> None:
    assert user_records(MARK + KNOWN + md5(KNOWN).digest()) == [b"a", b"bb"]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_was_packed_is_taken_apart(records: list[bytes]) -> None:
    assert user_records(packed(records, (b"a", b"b"))) == records


@given(st.binary(max_size=60), st.booleans())
def test_anything_else_is_left_as_it_is(data: bytes, marked: bool) -> None:
    raw = MARK + data if marked else data
    assert user_records(raw) == [raw]
    torn = MARK + data + md5(data).digest()
    assert user_records(torn) == [torn] or b"".join(user_records(torn)) in data


@pytest.mark.parametrize("deaggregate", ["true", "false"])
def test_a_source_counts_them_at_their_records_place(tmp_path: Path, deaggregate: str) -> None:
    settings = Settings(fsync=False, stream_delay_ms=0, map_gib=1)
    store = LogStore(tmp_path, settings, SYSTEM)
    stream = store.create("s", 2)
    packed_one = packed([b"1", b"2", b"3"])
    hash_keys = [0, 0, 0, 2**128 - 1]
    stream.put(PutBatch(["k"] * 4, [b"0", packed_one, b"4", b"other"], hash_keys)).result()
    options = {"stream": "s", "scan.stream.initpos": "TRIM_HORIZON"}
    options["scan.stream.deaggregate"] = deaggregate
    source = KinesisSource(SourceContext("t", settings, SYSTEM, options), store)
    source.open(None)
    polled = source.poll(1000)
    assert polled is not None
    assert polled.payload is not None
    assert polled.shard is not None
    rows = list(
        zip(polled.shard.tolist(), polled.offset.tolist(), polled.payload.to_pylist(), strict=True)
    )
    inside = (
        [(0, 1, b"1"), (0, 1, b"2"), (0, 1, b"3")]
        if deaggregate == "true"
        else [(0, 1, packed_one)]
    )
    assert rows == [(0, 0, b"0"), *inside, (0, 2, b"4"), (1, 0, b"other")]
    assert source.positions() == {"0": 3, "1": 1}
    store.close()
