"""A batch of lists and a batch of columns are routed alike, also when it is routed once more."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.log.put import Part, PutBatch, Routes, columns
from eddyline.log.shard import even_shards

KEYS = st.lists(st.text(min_size=0, max_size=8), max_size=30)


def told(parts: list[Part]) -> dict[int, list[tuple[int, str, bytes]]]:
    return {
        p.shard: list(zip(p.rows.tolist(), p.keys.to_pylist(), p.data.to_pylist(), strict=True))
        for p in parts
    }


@given(KEYS, st.integers(1, 5), st.integers(1, 5))
def test_lists_are_routed_as_columns_are(keys: list[str], shards: int, later: int) -> None:
    data = [b"%d" % i for i in range(len(keys))]
    before, after = (Routes(even_shards(n, 0)) for n in (shards, later))
    put, parts = before.routed(PutBatch(keys, data))
    arrow = columns(PutBatch(pa.array(keys, pa.string()), pa.array(data, pa.binary())))
    assert told(parts) == told(before.parts(arrow))
    assert told(after.parts(put)) == told(after.parts(arrow))  # as after a resharding


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
    routes = Routes(even_shards(2, 0))
    with pytest.raises(EddylineError) as caught:
        routes.routed(PutBatch(keys, data))
    assert caught.value.code == "invalid_argument"
