"""A batch of lists and a batch of columns are routed alike, also when it is routed once more."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.log.packed import Packed
from eddyline.log.put import HashKeyRoutes, ListPut, PutBatch, ShardPut, columns, prepared
from eddyline.log.shard import HASH_KEYS, even_shards

KEYS = st.lists(st.text(min_size=0, max_size=8), max_size=30)


def rows_by_shard(parts: list[ShardPut]) -> dict[int, list[tuple[int, str, bytes]]]:
    return {
        p.shard: list(zip(p.rows.tolist(), *texts_and_bytes(p.records), strict=True)) for p in parts
    }


def texts_and_bytes(of: Packed) -> tuple[list[str], list[bytes]]:
    keys = [bytes(of.keys[a:b]).decode() for a, b in pairwise(of.key_offsets.tolist())]
    return keys, [bytes(of.data[a:b]) for a, b in pairwise(of.data_offsets.tolist())]


@given(KEYS, st.integers(1, 5), st.integers(1, 5))
def test_lists_are_routed_as_columns_are(keys: list[str], shards: int, later: int) -> None:
    data = [b"%d" % i for i in range(len(keys))]
    put = prepared(PutBatch(keys, data))
    assert isinstance(put, ListPut) == bool(keys)
    arrow = columns(PutBatch(pa.array(keys, pa.string()), pa.array(data, pa.binary())))
    for routes in (HashKeyRoutes(even_shards(n, 0)) for n in (shards, later)):
        assert rows_by_shard(routes.parts(put)) == rows_by_shard(routes.parts(arrow))


@given(st.lists(KEYS.filter(bool), min_size=1, max_size=5), st.integers(1, 5), st.data())
def test_several_lists_are_routed_as_one(
    lots: list[list[str]], shards: int, data: st.DataObject
) -> None:
    expected = st.one_of(st.none(), st.integers(0, HASH_KEYS - 1))
    explicit = [[data.draw(expected) for _ in keys] for keys in lots]
    puts = [
        prepared(PutBatch(keys, [k.encode() for k in keys], hashes))
        for keys, hashes in zip(lots, explicit, strict=True)
    ]
    assert all(isinstance(put, ListPut) for put in puts)
    keys = [k for lot in lots for k in lot]
    whole = PutBatch(pa.array(keys), [k.encode() for k in keys], [h for e in explicit for h in e])
    routes = HashKeyRoutes(even_shards(shards, 0))
    assert rows_by_shard(routes.parts(ListPut.joined(puts))) == rows_by_shard(
        routes.parts(prepared(whole))
    )


@pytest.mark.parametrize(
    ("keys", "data"),
    [
        (["a", None], [b"", b""]),
        (["a", 1], [b"", b""]),
        (["a", "\ud800"], [b"", b""]),
        (["a", "b"], [b""]),
        (["a", "b"], [b"", None]),
    ],
)
def test_what_cannot_be_stored_is_refused(keys: list[str], data: list[bytes]) -> None:
    with pytest.raises(EddylineError) as caught:
        prepared(PutBatch(keys, data))
    assert caught.value.code == "invalid_argument"
