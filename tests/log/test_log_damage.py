"""Bytes that changed at rest: noticed, named with their place, and costing only themselves."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from log_kit import blocks, overwrite, put, read_all, store_at

from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.log.keys import INFO

FOLDER = Path("streams") / "s"


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    """A closed store whose stream has ten blocks of two records."""
    store = store_at(tmp_path, block_bytes=4096)
    stream = store.create("s")
    for i in range(10):
        put(stream, [b"%d" % (2 * i) + b"x" * 5000, b"%d" % (2 * i + 1) + b"y" * 5000])
    store.close()
    return store


def numbers(data: list[bytes]) -> list[int]:
    return [int(d[:-5000]) for d in data]


@pytest.mark.parametrize("at", [0, 3, 9])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone", "garbage"])
def test_a_damaged_block_costs_only_itself(
    store: LogStore, tmp_path: Path, at: int, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    stored = blocks(tmp_path / FOLDER)
    key, raw = stored[at]
    middle = len(raw) // 2
    flipped = raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]
    bad = {"flipped": flipped, "cut": raw[:middle], "gone": None, "garbage": b"?"}[how]
    overwrite(tmp_path / FOLDER, key, bad)
    first = int.from_bytes(key[5:], "big")
    following = int.from_bytes(stored[at + 1][0][5:], "big") if at + 1 < len(stored) else 20
    stream = store.open("s")
    lost = set(range(first, following))
    assert set(numbers(read_all(stream))) == set(range(20)) - lost
    if how != "gone":
        (damage,) = stream.damages(0)
        assert (damage.first_offset, damage.next_offset) == (first, following)
        assert "stream s, shardId-000000000000, block at offset" in damage.message
        assert damage.error().code == "corrupt_data"
        reported_damage = stream.read(0, first).damage
        assert reported_damage is not None
        assert reported_damage.first_offset == first
        assert f"offset {first}" in caplog.text
    put(stream, [b"20" + b"z" * 5000])
    assert numbers(read_all(stream))[-1] == 20, "the shard still grows"
    assert set(numbers(read_all(stream))) == set(range(21)) - lost
    store.close()


def test_two_damaged_blocks_in_a_row_are_told_as_one(store: LogStore, tmp_path: Path) -> None:
    stored = blocks(tmp_path / FOLDER)
    for key, raw in stored[2:4]:
        overwrite(tmp_path / FOLDER, key, raw[:-1] + b"?")
    stream = store.open("s")
    first, behind = (int.from_bytes(stored[i][0][5:], "big") for i in (2, 4))
    got = stream.read(0, first)
    assert got.damage is not None
    assert (got.damage.first_offset, got.damage.next_offset) == (first, behind)
    assert got.first_offset == behind
    assert len(stream.damages(0)) == 2
    store.close()


def test_a_time_is_found_past_a_damaged_block(store: LogStore, tmp_path: Path) -> None:
    key, _ = blocks(tmp_path / FOLDER)[4]
    overwrite(tmp_path / FOLDER, key, b"?")
    stream = store.open("s")
    assert stream.offset_at(0, 0) == 0
    assert stream.offset_at(0, 2**42) == 20
    store.close()


def test_a_file_cut_short_is_refused_not_fatal(store: LogStore, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "data.mdb"
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    other = store.create("other")
    with pytest.raises(EddylineError) as failure:
        store.open("s")
    assert failure.value.code == "corrupt_data"
    assert "of its" in failure.value.message
    assert store.names() == ["other"], "the rest of the directory works"
    put(other, [b"x"])
    store.close()


def test_a_newer_format_is_refused_with_the_way_out(store: LogStore, tmp_path: Path) -> None:
    overwrite(tmp_path / FOLDER, INFO, msgspec.msgpack.encode({"format": 99, "news": 1}))
    with pytest.raises(EddylineError) as failure:
        store.open("s")
    assert failure.value.code == "newer_format"
    assert "format 99" in failure.value.message
    assert "upgrade" in (failure.value.hint or "")
    overwrite(tmp_path / FOLDER, INFO, b"\xc1")
    with pytest.raises(EddylineError) as failure:
        store.open("s")
    assert failure.value.code == "corrupt_data"


def test_a_stream_without_its_description_does_not_stop_the_sweep(
    store: LogStore, tmp_path: Path
) -> None:
    overwrite(tmp_path / FOLDER, INFO, b"\xc1")
    store.create("other")
    with pytest.raises(EddylineError, match="cannot be read"):
        store.sweep()
    store.delete("other")
    store.close()
