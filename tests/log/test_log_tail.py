"""How small blocks become large ones: few of them are left, and little is written for it."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import lmdb
import pytest
from log_kit import put, read_all, store_at

from eddyline.log import tail
from eddyline.log.keys import Head
from eddyline.log.packed import pack

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


def test_tiers_are_the_fan_outs_powers() -> None:
    """A put merges what is stored since the multiple of the largest tier that it crosses."""
    block, small = 262_144, 4096
    assert tail._floor(0, 100, block) == 0
    assert tail._floor(small, small + 100, block) == small
    assert tail._floor(small + 50, 2 * small - 1, block) == small
    assert tail._floor(small + 50, 2 * small, block) == small
    assert tail._floor(7 * small + 50, 8 * small, block) == 0
    assert tail._floor(8 * small + 50, 9 * small, block) == 8 * small
    assert tail._floor(15 * small, 16 * small, block) == 8 * small
    assert tail._floor(block + 15 * small, block + 16 * small, block) == block + 8 * small
    assert tail._floor(block - 1, block, block) == 0


@pytest.mark.parametrize(
    ("tail_bytes", "room", "expected"),
    [(0, 10_000, False), (1, 0, True), (148, 100, True), (149, 100, False), (32_767, 40_000, True),
     (32_768, 40_000, False)],
)  # fmt: skip
def test_a_block_is_rewritten_while_it_is_small_and_within_the_tier(
    tail_bytes: int, room: int, expected: bool
) -> None:
    assert tail._worth(Head(tail_bytes=tail_bytes), room, 262_144) is expected


@pytest.mark.parametrize(
    ("lengths", "block_bytes", "expected"),
    [
        ([100] * 4, 10_000, [(0, 4)]),
        ([84] * 4, 200, [(0, 2), (2, 4)]),
        ([84] * 4, 100, [(0, 1), (1, 2), (2, 3), (3, 4)]),
        ([84] * 2, 1, [(0, 1), (1, 2)]),
        ([5000, 1, 1, 1], 2000, [(0, 1), (1, 4)]),
    ],
)
def test_pieces_are_about_a_blocks_size(
    lengths: list[int], block_bytes: int, expected: list[tuple[int, int]]
) -> None:
    records = pack([""] * len(lengths), [b"x" * n for n in lengths])
    size = sum(n + 16 for n in lengths)
    assert tail._pieces(records, size, block_bytes) == expected


@pytest.mark.parametrize("damaged", [b"", b"bytes that are no block"])
def test_a_damaged_last_block_stays_as_it_is(tmp_path: Path, damaged: bytes) -> None:
    """It may be mended later; the records that follow keep their offsets."""
    with closing(store_at(tmp_path)) as store:
        stream = store.create("s", 1)
        put(stream, [b"a" * 50])
        folder = next(p.parent for p in tmp_path.rglob("data.mdb"))
    with lmdb.open(str(folder), map_size=1 << 30) as env, env.begin(write=True) as txn:
        (key,) = [bytes(k) for k, _ in txn.cursor() if bytes(k).startswith(b"b")]
        if damaged:
            txn.put(key, damaged)
        else:
            txn.delete(key)
    with closing(store_at(tmp_path)) as store:
        stream = store.open("s")
        put(stream, [b"b" * 50])
        assert stream.bounds(0)[1] == 2
    with lmdb.open(str(folder), readonly=True, lock=False) as env, env.begin() as txn:
        blocks = {bytes(k): bytes(v) for k, v in txn.cursor() if bytes(k).startswith(b"b")}
    assert blocks.get(key) == (damaged or None)
    assert len(blocks) == 1 + bool(damaged)


def test_counted_bytes_are_those_of_the_blocks(tmp_path: Path) -> None:
    """Also after blocks were merged, and over several puts of different sizes."""
    with closing(store_at(tmp_path)) as store:
        stream = store.create("s", 1)
        for n in (1, 40, 3, 200, 7):
            put(stream, [b"z" * n] * n)
        counters = stream.counters()
        folder = next(p.parent for p in tmp_path.rglob("data.mdb"))
    assert counters.stored_bytes == sum(_sizes(folder))
