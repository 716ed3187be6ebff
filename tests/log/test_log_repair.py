"""Any page of a stream's file may be damaged: what lay in it is lost, everything else is read."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from log_kit import folders, put, read_all, store_at

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.log import EpochMark, PutBatch, repair
from eddyline.log.environment import LOOK_S
from eddyline.log.pages import DataFile
from eddyline.log.repair import GAP, is_sound
from eddyline.log.retention import HOUR_MS

PAGE = 4096
SIZE = {"block_bytes": 4096}
# What a block of ``block_bytes`` holds at most, and what small blocks share one page.
LOST_MAX = 12


def flipped(at: int, bit: int) -> Callable[[bytes, random.Random], bytes]:
    return lambda page, _: page[:at] + bytes([page[at] ^ bit]) + page[at + 1 :]


def anywhere(page: bytes, dice: random.Random) -> bytes:
    return flipped(dice.randrange(len(page)), 1 << dice.randrange(8))(page, dice)


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "zeros": lambda page, _: bytes(len(page)),
    "noise": lambda page, dice: dice.randbytes(len(page)),
    "another page's number": flipped(0, 3),
    "another kind": flipped(10, 3),
    "a pointer": flipped(17, 8),
    "a bit": anywhere,
}


class Sample:
    """A stream's file, to be damaged again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "streams" / "s"
        store = store_at(root, **SIZE)
        stream = store.create("s")
        self.data = [b"%d" % n + b"x" * (300 + n % 400) for n in range(240)]
        for n in range(0, 240, 3):
            put(stream, self.data[n : n + 3])
        mark = EpochMark("job", 1, "sink", 7)
        self.data.append(b"marked" + b"y" * 9000)
        assert stream.append(PutBatch(["k"], self.data[-1:]), mark)
        store.close()
        self.file = (self.folder / "data.mdb").read_bytes()

    def root_page(self) -> int:
        """The page that leads to everything."""
        self.write(0, self.file[:PAGE])
        with DataFile(self.folder / "data.mdb") as file:
            return file.metas[-1].main_root

    def write(self, page: int, content: bytes) -> None:
        for entry in (self.root / "streams").iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
        self.folder.mkdir()
        at = page * PAGE
        data = self.file[:at] + content + self.file[at + len(content) :]
        (self.folder / "data.mdb").write_bytes(data)


@pytest.fixture(autouse=True)
def _no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process writes here, so nobody is waited for."""
    monkeypatch.setattr(repair, "FENCE_S", 0.0)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("repair"))


@pytest.mark.parametrize("how", sorted(DAMAGES))
def test_a_damaged_page_costs_what_lay_in_it(sample: Sample, how: str) -> None:
    dice = random.Random(how)
    for page in range(len(sample.file) // PAGE):
        whole = sample.file[page * PAGE : (page + 1) * PAGE]
        sample.write(page, DAMAGES[how](whole, dice))
        store = store_at(sample.root, **SIZE)
        stream = store.open("s")
        read = read_all(stream)
        assert read == [d for d in sample.data if d in set(read)], f"page {page}: order"
        assert len(sample.data) - len(read) <= LOST_MAX, f"page {page}"
        first = put(stream, [b"more"]).offset[0]
        assert first >= len(sample.data), f"page {page}: no offset is given out twice"
        assert read_all(stream)[-1] == b"more"
        if how != "a bit":  # which may hit the mark itself
            mark = stream.mark("job", "sink")
            assert mark is None or (mark.incarnation, mark.epoch) == (1, 7)
        store.close()


def test_a_sound_file_is_left_alone(sample: Sample) -> None:
    sample.write(0, sample.file[:PAGE])
    assert is_sound(sample.folder)
    before = (sample.folder / "data.mdb").stat().st_ino
    store = store_at(sample.root, **SIZE)
    assert read_all(store.open("s")) == sample.data
    store.close()
    assert (sample.folder / "data.mdb").stat().st_ino == before
    assert folders(sample.root) == ["s"]


def test_a_file_is_sound_after_every_commit(tmp_path: Path) -> None:
    """The free list is ordered by number, whose bytes descend at each multiple of 256."""
    store = store_at(tmp_path, **SIZE)
    stream = store.create("s")
    for n in range(530):
        put(stream, [b"x"])
        assert is_sound(tmp_path / "streams" / "s"), f"commit {n}"
    store.close()


def test_a_number_of_the_free_list_is_taken_for_no_mark(tmp_path: Path) -> None:
    """That of transaction 109 begins with the byte of an m, as the keys of marks do."""
    store = store_at(tmp_path, **SIZE)
    stream = store.create("s")
    file = tmp_path / "streams" / "s" / "data.mdb"
    keys: set[bytes] = set()
    records = 0
    while bytes([109, *bytes(7)]) not in keys:
        put(stream, [b"x"])
        records += 1
        assert records < 120
        with DataFile(file) as pages:
            keys = {key for key, _ in pages.leaf_entries()}
            root = pages.metas[-1].main_root
    store.close()
    content = bytearray(file.read_bytes())
    content[root * PAGE : root * PAGE + PAGE] = bytes(PAGE)
    file.write_bytes(content)
    store = store_at(tmp_path, **SIZE)
    assert len(read_all(store.open("s"))) >= records - LOST_MAX
    store.close()


def test_the_walk_sees_what_lmdb_sees(sample: Sample) -> None:
    import lmdb

    sample.write(0, sample.file[:PAGE])
    with lmdb.open(str(sample.folder), readonly=True, lock=False) as env, env.begin() as txn:
        entries = [(bytes(k), bytes(v)) for k, v in txn.cursor()]
    with DataFile(sample.folder / "data.mdb") as file:
        walk = file.walk(file.metas[-1].main_root)
    assert walk.entries == entries
    assert not walk.damaged


def test_a_repaired_stream_keeps_the_damaged_file_and_who_it_is(sample: Sample) -> None:
    sample.write(0, sample.file[:PAGE])
    store = store_at(sample.root, **SIZE)
    stream_id = store.open("s").stream_id
    store.close()
    root = sample.root_page()
    sample.write(root, bytes(PAGE))
    store = store_at(sample.root, **SIZE)
    assert store.open("s").stream_id == stream_id
    assert store.names() == ["s"]
    assert folders(sample.root) == ["s"]
    damaged = (sample.folder / "damaged.mdb").read_bytes()
    assert damaged[root * PAGE : (root + 1) * PAGE] == bytes(PAGE)
    store.close()


def test_a_repair_that_was_killed_is_done_again(sample: Sample) -> None:
    sample.write(sample.root_page(), bytes(PAGE))
    data = sample.folder / "data.mdb"
    data.rename(sample.folder / "damaged.mdb")
    data.touch()
    store = store_at(sample.root, **SIZE)
    assert len(sample.data) - len(read_all(store.open("s"))) <= LOST_MAX
    store.close()


def test_a_repair_that_fails_leaves_the_file_as_it_was(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise EddylineError("disk_full", "no room")

    sample.write(sample.root_page(), bytes(PAGE))
    data = sample.folder / "data.mdb"
    before = data.read_bytes()
    store = store_at(sample.root, **SIZE)
    with monkeypatch.context() as patched:
        patched.setattr(repair, "make", full)
        with pytest.raises(EddylineError, match="no room"):
            store.open("s")
    assert data.read_bytes() == before
    assert folders(sample.root) == ["s"]
    assert read_all(store.open("s"))
    store.close()


def test_damage_that_comes_to_light_while_a_stream_is_open_is_repaired(tmp_path: Path) -> None:
    sample = Sample(tmp_path)
    store = store_at(tmp_path, **SIZE)
    stream = store.open("s")
    stream._opened.environment.damaged = True  # as LMDB has found
    with DataFile(sample.folder / "data.mdb") as file:
        root = file.metas[-1].main_root
    with (sample.folder / "data.mdb").open("r+b") as raw:
        raw.seek(root * PAGE)
        raw.write(bytes(PAGE))
    assert len(sample.data) - len(read_all(store.open("s"))) <= LOST_MAX
    store.close()


def test_nobody_writes_into_a_file_that_was_repaired(tmp_path: Path) -> None:
    sample = Sample(tmp_path)
    store = store_at(tmp_path, **SIZE)
    stream = store.open("s")
    put(stream, [b"before"])
    time.sleep(2 * LOOK_S)
    os.rename(sample.folder / "data.mdb", sample.folder / "damaged.mdb")
    (sample.folder / "data.mdb").write_bytes(sample.file)
    with pytest.raises(EddylineError, match="repaired meanwhile") as caught:
        put(stream, [b"into nowhere"])
    assert caught.value.hint == "try again"
    put(store.open("s"), [b"again"])
    assert read_all(store.open("s"))[-1] == b"again"
    store.close()


def test_a_gap_at_the_end_is_passed_and_trimmed(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock, **SIZE)
    stream = store.create("s")
    for n in range(3):
        put(stream, [b"%d" % n] * 2)
    store.close()
    data = tmp_path / "streams" / "s" / "data.mdb"
    with DataFile(data) as file:
        newest = 1 if file._meta(PAGE) == file.metas[-1] else 0
    with data.open("r+b") as raw:
        raw.seek(newest * PAGE)
        raw.write(bytes(PAGE))
    store = store_at(tmp_path, clock, **SIZE)
    stream = store.open("s")
    assert read_all(stream) == [b"0", b"0", b"1", b"1", b"2", b"2"]
    trim, tip = stream.bounds(0)
    assert (trim, tip) == (0, 6 + GAP)
    for offset in (6, 7, tip - 1):
        got = stream.read(0, offset)
        assert len(got) == 0
        assert got.damage is not None
        assert (got.next_offset, got.first_offset) == (tip, tip)
    assert stream.offset_at(0, clock.now_ms() + 1) == tip
    put(stream, [b"behind"])
    assert stream.read(0, 7).data.to_pylist() == [b"behind"]
    assert read_all(stream)[-2:] == [b"2", b"behind"]
    clock.advance(25 * HOUR_MS)
    put(stream, [b"young"])
    stream.trim()
    assert read_all(stream) == [b"young"]
    store.close()


def test_a_stream_without_its_data_file_gives_its_name_back(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.create("s")
    store.close()
    (tmp_path / "streams" / "s" / "data.mdb").unlink()
    store = store_at(tmp_path)
    with pytest.raises(EddylineError) as caught:
        store.open("s")
    assert caught.value.code == "not_found"
    assert store.names() == []
    put(store.create("s"), [b"new"])
    assert read_all(store.open("s")) == [b"new"]
    assert folders(tmp_path) == ["s"]
    store.close()
