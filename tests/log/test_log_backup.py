"""Backups: taken of a running stream, whole or refused, and the stream made again is the same."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_kit import blocks, folders, overwrite, put, read_all, store_at

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.log import EpochMark, LogStore, PutBatch, Stream, StreamMode
from eddyline.log.backup import backup, restore
from eddyline.log.retention import HOUR_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    store = store_at(tmp_path)
    yield store
    store.close()


def everything(stream: Stream) -> dict[str, Any]:
    """All that a reader can see of a stream."""
    info = stream.info()
    got = {}
    for s in stream.shards():
        low, high = stream.bounds(s.index)
        read = stream.read(s.index, low, 10**6, 10**9)
        rows = zip(
            read.arrival_ms.tolist(), read.keys.to_pylist(), read.data.to_pylist(), strict=True
        )
        got[s.index] = (low, high, list(rows))
    counters = stream.counters()
    return {
        "shards": stream.shards(),
        "records": got,
        "facts": (info.mode, info.created_ms, info.retention_hours, info.tags, info.attributes),
        "counters": (
            counters.records_total,
            counters.bytes_total,
            counters.records_kept,
            counters.bytes_kept,
        ),
    }


def taken(stream: Stream) -> bytes:
    file = io.BytesIO()
    report = backup(stream, file)
    assert report.bytes == len(file.getvalue())
    assert report.lost == 0
    return file.getvalue()


def lively(tmp_path: Path) -> tuple[LogStore, Stream]:
    """A stream that was resharded, trimmed, tagged and written to by a job."""
    clock = ManualClock()
    store = store_at(tmp_path, clock, block_bytes=4096)
    stream = store.create("s", 2, retention_hours=48, tags={"a": "b"})
    stream.put(PutBatch([str(i) for i in range(50)], [b"old%d" % i for i in range(50)])).result()
    clock.advance(49 * HOUR_MS)
    stream.trim()
    stream.split(0)
    stream.put(PutBatch([str(i) for i in range(99)], [b"%d" % i * 9 for i in range(99)])).result()
    stream.append(PutBatch(["k"], [b"row"]), EpochMark("job", 3, "sink", 7))
    stream.update(lambda _: {"attributes": {"max_record_kib": 2048}})
    return store, stream


def test_a_restored_stream_is_the_same(tmp_path: Path) -> None:
    store, stream = lively(tmp_path)
    file = taken(stream)
    copy = restore(store, io.BytesIO(file), "f", "copy")
    assert everything(copy) == everything(stream)
    assert copy.name == "copy"
    assert copy.stream_id != stream.stream_id
    assert copy.mark("job", "sink") == EpochMark("job", 3, "sink", 7)
    assert not copy.append(PutBatch(["k"], [b"row"]), EpochMark("job", 3, "sink", 7))
    with pytest.raises(EddylineError, match="exists already"):
        restore(store, io.BytesIO(file), "f")
    before = everything(stream)
    store.delete("s")
    again = restore(store, io.BytesIO(file), "f")
    assert everything(again) == before
    placed = put(again, [b"on"])
    assert read_all(again, int(placed.shard[0]))[-1] == b"on"
    store.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=3000), max_size=20), max_size=8), st.integers(1, 3))
def test_any_records_come_back(
    tmp_path_factory: pytest.TempPathFactory, puts: list[list[bytes]], shards: int
) -> None:
    store = store_at(tmp_path_factory.mktemp("log"), block_bytes=4096)
    stream = store.create("s", shards, StreamMode.ON_DEMAND)
    for n, data in enumerate(puts):
        put(stream, data, key=str(n))
    copy = restore(store, io.BytesIO(taken(stream)), "f", "copy")
    assert everything(copy) == everything(stream)
    store.close()


def test_a_backup_is_of_one_moment_while_records_come(store: LogStore) -> None:
    """The writer puts pairs, one to each shard: a backup holds whole pairs only."""
    stream = store.create("s", 2)
    over = threading.Event()

    def write() -> None:
        n = 0
        while not over.is_set():
            stream.put(PutBatch(["a", "b"], [b"%d" % n] * 2, [0, 2**128 - 1])).result()
            n += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for i in range(5):
            copy = restore(store, io.BytesIO(taken(stream)), "f", f"copy{i}")
            left, right = read_all(copy, 0), read_all(copy, 1)
            assert left == right == [b"%d" % n for n in range(len(left))]
    finally:
        over.set()
        thread.join()


def test_no_flipped_bit_and_no_cut_is_taken_for_whole(tmp_path: Path) -> None:
    store, stream = lively(tmp_path)
    file = taken(stream)
    for at in [*range(0, len(file), max(1, len(file) // 60)), len(file) - 1]:
        flipped = bytearray(file)
        flipped[at] ^= 1
        for bad in (bytes(flipped), file[:at]):
            with pytest.raises(EddylineError) as failure:
                restore(store, io.BytesIO(bad), "file.eds", "copy")
            assert failure.value.code in ("corrupt_data", "bad_file", "newer_format")
            assert "file.eds" in failure.value.message
            assert failure.value.hint
    with pytest.raises(EddylineError):
        restore(store, io.BytesIO(file + file[5:]), "f", "copy")
    assert store.names() == ["s"]
    assert folders(tmp_path) == ["s"]
    store.close()


def test_a_damaged_block_is_told_and_left_out(tmp_path: Path) -> None:
    store = store_at(tmp_path, block_bytes=4096)
    store.create("s")
    for i in range(5):
        put(store.open("s"), [b"%d" % i + b"x" * 5000])
    store.close()
    key, raw = blocks(tmp_path / "streams" / "s")[2]
    overwrite(tmp_path / "streams" / "s", key, raw[:-1] + b"?")
    file = io.BytesIO()
    report = backup(store.open("s"), file)
    assert (report.records, report.lost) == (4, 1)
    copy = restore(store, io.BytesIO(file.getvalue()), "f", "copy")
    assert [d[:1] for d in read_all(copy)] == [b"0", b"1", b"3", b"4"]
    assert copy.bounds(0) == (0, 5)
    store.close()


def test_a_restore_lets_others_create_and_delete_meanwhile(tmp_path: Path, store: LogStore) -> None:
    """It takes its time; and what it is making is no killed process' remains to be cleared up."""
    put(store.create("s"), [b"x"])
    whole = taken(store.open("s"))
    begun, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > len(whole) // 2:
                begun.set()
                go_on.wait(30)
            return super().read(size)

    restoring = threading.Thread(target=restore, args=(store, Slow(whole), "backup", "t"))
    restoring.start()
    assert begun.wait(30)
    store.create("u")
    store.delete("u")
    store.sweep()
    assert store.names() == ["s"]
    go_on.set()
    restoring.join(30)
    assert read_all(store.open("t")) == [b"x"]
    assert folders(tmp_path) == ["s", "t"]
