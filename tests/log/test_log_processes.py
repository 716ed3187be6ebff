"""Many processes on one stream, and kill -9 of them: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import random
import resource
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from log_kit import child, end, folders, put, read_all, store_at

from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.log.opened import raise_descriptor_limit

# Puts numbered records until told to stop or killed; prints each number once it is acknowledged.
WRITER = """
import sys
from collections import deque
from pathlib import Path
sys.path.insert(0, "tests/log")
from log_kit import folders, store_at
from eddyline.log import PutBatch

path, writer, start, count, fsync = sys.argv[1:]
stream = store_at(Path(path), fsync=fsync == "1").open("s")
waiting = deque()
for n in range(int(start), int(start) + int(count)):
    record = PutBatch([writer], [f"{writer}:{n}:".encode() + b"x" * (n % 700)])
    waiting.append((n, stream.put(record)))
    if len(waiting) >= 8:
        number, future = waiting.popleft()
        future.result()
        print(number, flush=True)
for number, future in waiting:
    future.result()
    print(number, flush=True)
"""
# Reads a shard to its end, again and again, and holds a view of it.
READER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests/log")
from log_kit import folders, store_at

stream = store_at(Path(sys.argv[1])).open("s")
at = [0] * len(stream.shards())
print("ready", flush=True)
while True:
    for shard in range(len(at)):
        got = stream.read(shard, at[shard], 50)
        assert got.damage is None
        at[shard] = got.next_offset if len(got) else 0
"""
SEED = int(os.environ.get("EDDYLINE_KILL_SEED", "11"))
ROUNDS = int(os.environ.get("EDDYLINE_KILL_ROUNDS", "6"))


def by_writer(store: LogStore) -> dict[str, list[int]]:
    stream = store.open("s")
    numbers: dict[str, list[int]] = defaultdict(list)
    for info in stream.shards():
        for record in read_all(stream, info.index):
            writer, number, _ = record.decode().split(":")
            numbers[writer].append(int(number))
    return numbers


def test_processes_write_and_read_at_once(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.create("s", 3)
    writers = [child(WRITER, tmp_path, f"w{i}", 0, 150, 0) for i in range(3)]
    stream = store.open("s")
    for n in range(100):
        put(stream, [b"own:%d:" % n], key="own")
    for process in writers:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert [int(n) for n in out.split()] == list(range(150))
    numbers = by_writer(store)
    assert numbers == {"own": list(range(100)), **{f"w{i}": list(range(150)) for i in range(3)}}
    store.close()


def test_news_of_another_process_is_heard(tmp_path: Path) -> None:
    store = store_at(tmp_path, poll_ms=2)
    stream = store.create("s")
    process = child(WRITER, tmp_path, "w", 0, 1, 0)
    seen = stream.generation()
    assert stream.wait(seen, 30) > seen
    process.communicate(timeout=30)
    assert read_all(stream) == [b"w:0:"]
    store.close()


def test_bells_ring_for_this_process_and_for_others(tmp_path: Path) -> None:
    store = store_at(tmp_path, poll_ms=2)
    stream = store.create("s")
    notified = threading.Event()
    with stream.listening(notified.set):
        for make in (lambda: put(stream, [b"own:0:"]), lambda: end_of(tmp_path)):
            time.sleep(0.05)
            notified.clear()
            make()
            assert notified.wait(10)
    time.sleep(0.05)
    notified.clear()
    put(stream, [b"own:1:"])
    assert not notified.wait(0.05), "nobody listens any more"
    store.close()


def end_of(path: Path) -> None:
    """Another process puts one record."""
    process = child(WRITER, path, "w", 0, 1, 0)
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.kill
@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_kill_rounds_of_writers_and_readers(tmp_path: Path) -> None:
    """Two writers and a reader; each round kills one of them at a random moment."""
    chance = random.Random(SEED)
    store = store_at(tmp_path, fsync=True, block_bytes=16_384)
    store.create("s", 2)
    acknowledged: dict[str, list[int]] = {"w0": [], "w1": []}
    following = dict.fromkeys(acknowledged, 0)
    for _ in range(ROUNDS):
        running = {w: child(WRITER, tmp_path, w, following[w], 100_000, 1) for w in acknowledged}
        reader = child(READER, tmp_path)
        listeners = {w: _listen(running[w].stdout, acknowledged[w]) for w in running}
        _until(lambda: all(len(a) for a in acknowledged.values()), 30)
        time.sleep(chance.uniform(0.05, 0.4))
        first = chance.choice([*running.values(), reader])
        first.send_signal(signal.SIGKILL)
        before = {w: len(a) for w, a in acknowledged.items() if running[w] is not first}
        _until(lambda: all(len(acknowledged[w]) > n for w, n in before.items()), 30)  # noqa: B023
        for process in running.values():
            process.kill()
        for thread in listeners.values():
            thread.join(30)
        for process in (*running.values(), reader):
            end(process)
        store.sweep()  # what the killed had written but not announced comes to light
        written = by_writer(store)
        for writer, numbers in acknowledged.items():
            got = written[writer]
            assert got == sorted(set(got)), "nothing twice, order kept"
            assert set(numbers) <= set(got), "nothing acknowledged lost"
            following[writer] = max(got, default=-1) + 1
    stream = store.open("s")
    assert not any(stream.damages(s) for s in (0, 1))
    put(stream, [b"end:0:"])
    store.close()
    assert len(acknowledged["w0"]) > ROUNDS


def _listen(pipe: object, into: list[int]) -> threading.Thread:
    def listen() -> None:
        for line in pipe:  # type: ignore[attr-defined]
            if line.endswith(b"\n"):
                into.append(int(line))

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


def _until(holds: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_killed_while_it_creates_or_deletes_leaves_a_name_free(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.create("kept")
    for leftover in (".new-abc", ".old-def", ".busy-ghi"):
        (tmp_path / "streams" / leftover).mkdir()
    store.sweep()
    assert store.names() == ["kept"]
    assert folders(tmp_path) == ["kept"]
    store.close()


def test_another_process_deletes_and_makes_the_stream_anew(tmp_path: Path) -> None:
    here = store_at(tmp_path)
    stream = here.create("s")
    put(stream, [b"old"])
    code = (
        "import sys; sys.path.insert(0, 'tests/log')\n"
        "from pathlib import Path; from log_kit import folders, store_at, put\n"
        "store = store_at(Path(sys.argv[1])); store.delete('s')\n"
        "put(store.create('s'), [b'new'])"
    )
    process = child(code, tmp_path)
    process.communicate(timeout=30)
    assert process.returncode == 0
    with pytest.raises(EddylineError) as failure:
        put(stream, [b"x"])
    assert failure.value.code == "not_found"
    assert read_all(here.open("s")) == [b"new"]
    here.close()


def test_many_streams_at_once(tmp_path: Path) -> None:
    raise_descriptor_limit()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(60, soft // 8)
    store = store_at(tmp_path)
    streams = [store.create(f"s{i}", 4) for i in range(count)]
    for i, stream in enumerate(streams):
        put(stream, [b"%d" % i])
    threads_before = threading.active_count()
    for i, stream in enumerate(streams):
        records = [d for s in range(4) for d in read_all(stream, s)]
        assert records == [b"%d" % i]
    assert threading.active_count() == threads_before
    store.close()
