"""No room: a clear refusal, nothing half stored, and recovery by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lmdb
import pytest
from log_kit import child, folders, put, read_all, store_at

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.log import PutBatch, writer
from eddyline.log import environment as environments
from eddyline.log.retention import HOUR_MS

LIMITED = """
import json, resource, signal, sys
from pathlib import Path
sys.path.insert(0, "tests/log")
from log_kit import read_all, store_at
from eddyline.errors import EddylineError
from eddyline.log import PutBatch

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = store_at(Path(sys.argv[1]), fsync=True)
stream = store.create("s")
put = lambda i: stream.put(PutBatch(["k"], [b"%d" % i + b"x" * 20_000])).result()
for i in range(5):
    put(i)
size = (Path(sys.argv[1]) / "streams" / "s" / "data.mdb").stat().st_size
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
accepted, codes = [], []
for i in range(5, 40):
    try:
        put(i)
        accepted.append(i)
    except EddylineError as error:
        codes.append(error.code)
reading = len(read_all(stream))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
put(99)
kept = [int(d[:-20_000]) for d in read_all(stream)]
print(json.dumps({"accepted": accepted, "codes": codes, "reading": reading, "kept": kept}))
"""


def test_a_file_size_limit_refuses_and_its_end_recovers(tmp_path: Path) -> None:
    process = child(LIMITED, tmp_path)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    outcome: dict[str, Any] = json.loads(out)
    assert outcome["accepted"], "some fitted"
    assert set(outcome["codes"]) == {"disk_full"}
    assert outcome["kept"] == [*range(5), *outcome["accepted"], 99], (
        "all acknowledged and nothing else"
    )
    assert outcome["reading"] == len(outcome["kept"]) - 1, "reading went on meanwhile"


def test_free_space_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_at(tmp_path, disk_free_mib_min=100)
    stream = store.create("s")
    free = {"bytes": 99 << 20}
    monkeypatch.setattr(environments.LmdbEnvironment, "free_bytes", lambda _: free["bytes"])
    with pytest.raises(EddylineError, match="the disk has 99 MiB left") as failure:
        put(stream, [b"x"])
    assert failure.value.code == "disk_full"
    assert "EDDYLINE_DISK_FREE_MIB_MIN" in (failure.value.hint or "")
    free["bytes"] = 101 << 20
    put(stream, [b"y"])
    assert read_all(stream) == [b"y"]
    store.close()


@pytest.fixture
def ten_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a map of a gibibyte all but ten mebibytes are kept in reserve."""
    monkeypatch.setattr(writer, "MAP_RESERVE", 1.01)


@pytest.mark.usefixtures("ten_mib")
def test_a_stream_has_a_bound_and_trimming_makes_room(tmp_path: Path) -> None:
    clock = ManualClock()
    store = store_at(tmp_path, clock)
    stream = store.create("s")
    chunk = PutBatch(["k"] * 60, [b"x" * (1 << 14)] * 60)
    stored = 0
    failure = stream.put(chunk).exception()
    while failure is None:
        stored += 60
        failure = stream.put(chunk).exception()
    assert isinstance(failure, EddylineError)
    assert failure.code == "disk_full"
    assert "EDDYLINE_STREAM_GIB_MAX" in (failure.hint or "")
    assert stored > 500
    assert stream.counters().records_kept == stored, "nothing of the refused batch"
    clock.advance(25 * HOUR_MS)
    assert stream.trim() == stored
    stream.put(chunk).result()
    assert stream.counters().records_kept == 60
    store.close()


class _Faulty:
    """LMDB's handle whose commits fail while ``fails`` holds errors."""

    def __init__(self, handle: Any, fails: list[Exception]) -> None:
        self._handle, self._fails = handle, fails

    def begin(self, **how: Any) -> Any:
        if how.get("write") and self._fails:
            raise self._fails.pop(0)
        return self._handle.begin(**how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lmdb.DiskError("mdb_txn_commit: No space left on device"), "disk_full"),
        (OSError(28, "No space left on device"), "disk_full"),
        (lmdb.MapFullError("mdb_put: MDB_MAP_FULL"), "disk_full"),
        (lmdb.CorruptedError("mdb_page_get"), "corrupt_data"),
        (OSError(5, "Input/output error"), "internal"),
    ],
)
def test_a_failing_disk_is_told_and_left_behind(
    tmp_path: Path, fault: Exception, code: str
) -> None:
    store = store_at(tmp_path)
    stream = store.create("s")
    put(stream, [b"before"])
    environment = stream._opened.environment
    handle = environment._lmdb
    environment._lmdb = _Faulty(handle, [fault])
    with pytest.raises(EddylineError) as failure:
        put(stream, [b"lost"])
    assert failure.value.code == code
    assert failure.value.hint
    put(stream, [b"after"])
    assert read_all(stream) == [b"before", b"after"]
    environment._lmdb = handle
    store.close()


@pytest.mark.usefixtures("ten_mib")
def test_one_that_is_too_large_does_not_refuse_its_neighbours(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    stream = store.create("s")
    large = PutBatch(["k"] * 10, [b"x" * (2 << 20)] * 10)
    before = stream.put(PutBatch(["k"], [b"a"]))
    refused = stream.put(large)
    behind = stream.put(PutBatch(["k"], [b"b"]))
    before.result()
    behind.result()
    with pytest.raises(EddylineError):
        refused.result()
    assert read_all(stream) == [b"a", b"b"]
    store.close()


CREATING = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, "tests/log")
from log_kit import store_at
from eddyline.errors import EddylineError

store = store_at(Path(sys.argv[1]))
store.create("before")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
codes = []
for size in (0, 20_000, 34_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        store.create("s")
    except EddylineError as error:
        codes.append(error.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(json.dumps([codes, store.names()]))
"""


def test_a_stream_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    out, _ = child(CREATING, tmp_path).communicate(timeout=60)
    codes, names = json.loads(out)
    assert set(codes) == {"disk_full"}
    assert codes
    assert folders(tmp_path) == names
    assert "before" in names


def test_the_file_that_lmdb_writes_through_memory_has_its_blocks(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    store.create("s")
    status = (tmp_path / "streams" / "s" / "lock.mdb").stat()
    assert status.st_blocks * 512 >= status.st_size, "a hole would end the process with SIGBUS"
    assert status.st_size >= 512 * 64
    store.close()


def test_a_stream_is_not_made_out_of_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tmp_path, disk_free_mib_min=2**20)
    with pytest.raises(EddylineError, match="streams keep 1048576 MiB free") as failure:
        store.create("s")
    assert failure.value.code == "disk_full"
    assert folders(tmp_path) == []
    store.close()
