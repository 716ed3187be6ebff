"""How small blocks become large ones: few of them are left, and little is written for it."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import lmdb
import pytest
from log_kit import put, read_all, store_at

from eddyline.log import tail

ENOUGH_BYTES = (256 << 10) // tail.FAN


def _sizes(folder: Path) -> list[int]:
    """The sizes of the blocks of a stream that nobody has open."""
    with lmdb.open(str(folder), readonly=True, lock=False) as env, env.begin() as txn:
        return [len(v) for k, v in txn.cursor() if k.startswith(b"b")]


@pytest.mark.parametrize(("puts", "records"), [(600, 1), (400, 12), (120, 125), (20, 2000)])
def test_small_puts_become_few_blocks_and_are_rewritten_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puts: int, records: int
) -> None:
    written: list[int] = []
    encode = tail.encode

    def counted(records: tail.Packed, arrivals: bytes, key: bytes) -> bytes:
        raw = encode(records, arrivals, key)
        written.append(len(raw))
        return raw

    monkeypatch.setattr(tail, "encode", counted)
    chance = random.Random(7)
    sent = [
        [chance.randbytes(chance.randrange(100, 300)) for _ in range(records)] for _ in range(puts)
    ]
    with closing(store_at(tmp_path)) as store:
        stream = store.create("s", 1)
        for one in sent:
            put(stream, one)
        assert read_all(stream) == [r for one in sent for r in one]
        folder = next(p.parent for p in tmp_path.rglob("data.mdb"))
    sizes = _sizes(folder)
    small = [s for s in sizes if s < ENOUGH_BYTES // 2]
    assert len(small) < 20
    # A block below 4 KiB costs a page or two, however often it is rewritten.
    assert sum(w for w in written if w > 2 * tail.SMALL_BYTES) < 3 * sum(sizes)


def test_a_full_block_is_not_touched_again(tmp_path: Path) -> None:
    with closing(store_at(tmp_path)) as store:
        stream = store.create("s", 1)
        put(stream, [b"x" * 1000] * 300)
        folder = next(p.parent for p in tmp_path.rglob("data.mdb"))
        before = stream.bounds(0)
        put(stream, [b"y"])
        assert read_all(stream) == [b"x" * 1000] * 300 + [b"y"]
        assert stream.bounds(0)[1] == before[1] + 1
    assert min(_sizes(folder)) < 100
