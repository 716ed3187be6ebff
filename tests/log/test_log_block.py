"""Blocks and sequence numbers: what is written is what is read, and damage is noticed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.log.block import RecordBlock, check, decode, encode, join, unpack
from eddyline.log.keys import block_key, block_offset
from eddyline.log.packed import join as packed_join
from eddyline.log.sequence import offset_of, parse, sequence_number, sequence_numbers

RECORD = st.tuples(st.integers(0, 2**41), st.text(max_size=20), st.binary(max_size=200))


def block(rows: list[tuple[int, str, bytes]]) -> RecordBlock:
    times, keys, data = zip(*rows, strict=True)
    return RecordBlock(
        np.array(times, np.int64), pa.array(keys, pa.string()), pa.array(data, pa.binary())
    )


def rows(of: RecordBlock) -> list[tuple[int, str, bytes]]:
    columns = of.arrival_ms.tolist(), of.keys.to_pylist(), of.data.to_pylist()
    return list(zip(*columns, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=20), st.data())
def test_a_block_reads_back_as_it_was_also_when_cut(
    records: list[tuple[int, str, bytes]], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(records) - 1))
    stop = data.draw(st.integers(start + 1, len(records)))
    key = block_key(3, 17)
    cut = block(records).cut(start, stop)
    raw = cut.encode(key)
    assert len(raw) == cut.size
    assert rows(decode(raw, key, "here")) == records[start:stop]
    assert cut.payload == sum(len(k.encode()) + len(d) for _, k, d in records[start:stop])
    arrivals, packed = unpack(raw, key, "here")
    assert encode(packed, arrivals, key) == raw
    again = packed_join([packed, packed])
    assert rows(decode(encode(again, arrivals * 2, key), key, "here")) == records[start:stop] * 2
    assert join([cut, cut]).sizes().tolist() == [*cut.sizes().tolist()] * 2


@settings(max_examples=80, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=5), st.data())
def test_any_flipped_bit_and_any_cut_is_noticed(
    records: list[tuple[int, str, bytes]], data: st.DataObject
) -> None:
    key = block_key(0, 0)
    raw = bytearray(block(records).encode(key))
    if data.draw(st.booleans()):
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[bit // 8] ^= 1 << bit % 8
    else:
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    with pytest.raises(EddylineError) as failure:
        decode(bytes(raw), key, "stream s, block 7")
    assert failure.value.code in ("corrupt_data", "newer_format")
    assert "stream s, block 7" in failure.value.message


def test_a_block_in_another_place_is_noticed() -> None:
    raw = block([(1, "k", b"x")]).encode(block_key(0, 5))
    check(raw, block_key(0, 5), "here")
    with pytest.raises(EddylineError, match="checksum"):
        check(raw, block_key(0, 6), "here")


def test_a_newer_block_is_refused_not_called_damaged() -> None:
    key = block_key(0, 0)
    raw = bytearray(block([(1, "k", b"x")]).encode(key))
    raw[3:4] = b"2"
    with pytest.raises(EddylineError) as failure:
        decode(bytes(raw), key, "here")
    assert failure.value.code == "newer_format"
    assert "pip install -U" in (failure.value.hint or "")


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**63), st.integers(0, 2**63))
def test_keys_sort_as_offsets_count(shard: int, a: int, b: int) -> None:
    assert (block_key(shard, a) < block_key(shard, b)) == (a < b)
    assert block_offset(block_key(shard, a)) == a


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**14 - 1), st.integers(0, 10**18))
def test_sequence_numbers_have_56_digits_and_invert(
    shard: int, created_ms: int, offset: int
) -> None:
    number = sequence_number(shard, created_ms, offset)
    assert len(number) == 56
    parsed = parse(number)
    assert (parsed.shard, parsed.created_ms, parsed.offset) == (shard, created_ms, offset)
    assert offset_of(number, shard, created_ms) == offset
    assert int(sequence_number(shard, created_ms, offset + 1)) > int(number)
    assert sequence_numbers(shard, created_ms, [offset]) == [number]


@pytest.mark.parametrize("text", ["", "1", "x" * 56, "4" * 56, "49" + "٣" * 54])
def test_what_is_no_sequence_number_is_refused(text: str) -> None:
    with pytest.raises(EddylineError, match="is not a sequence number"):
        parse(text)


def test_a_number_of_another_shard_is_refused() -> None:
    with pytest.raises(EddylineError, match="does not belong to shardId-000000000002"):
        offset_of(sequence_number(1, 5, 9), 2, 5)
