"""A data directory: one holder, a format we know, ports that are ours."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from eddyline.errors import EddylineError
from eddyline.log import LogStore
from eddyline.service import directory as directories
from eddyline.service.directory import (
    RESERVE,
    RESERVE_BYTES,
    RESERVE_TIMES,
    DataDirectory,
    check_port,
    free_port,
)
from eddyline.settings import Settings

HOLDER = """
import sys, pathlib
from eddyline.service.directory import DataDirectory
d = DataDirectory(pathlib.Path(sys.argv[1])); d.prepare(); d.lock(port=1)
print("held", flush=True); sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    opened = DataDirectory(tmp_path / "data")
    opened.prepare()
    return opened


def test_it_is_made_and_used_again(directory: DataDirectory) -> None:
    assert (directory.path / "format").read_text() == "1\n"
    DataDirectory(directory.path).prepare()
    assert directory.holder() is None


def test_a_newer_format_is_refused(directory: DataDirectory) -> None:
    (directory.path / "format").write_text("2\n")
    with pytest.raises(EddylineError, match="newer Eddyline") as caught:
        directory.prepare()
    assert caught.value.code == "newer_format"


def test_a_second_process_is_told_who_holds_it(directory: DataDirectory) -> None:
    command = [sys.executable, "-c", HOLDER, str(directory.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(EddylineError, match=f"in use by process {other.pid}") as caught:
            directory.lock()
        assert caught.value.code == "directory_locked"
        assert directory.holder() == {"pid": other.pid, "port": 1}
        other.kill()
        other.wait()
        directory.lock()  # the lock went away with its process
        directory.unlock()


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(EddylineError, match="cannot use"):
        DataDirectory(tmp_path / "data").prepare()


def test_a_long_path_keeps_its_socket_elsewhere(tmp_path: Path) -> None:
    opened = DataDirectory(tmp_path / ("x" * 100))
    opened.prepare()
    path = opened.new_socket_path()
    assert len(os.fsencode(path)) < 100
    assert opened.socket_path() == path
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EddylineError, match=f"port {port} on 127.0.0.1 is in use") as caught:
            check_port("127.0.0.1", port, "--port")
        assert caught.value.code == "port_in_use"
        assert "--port" in (caught.value.hint or "")
    check_port("127.0.0.1", 0, "--port")
    check_port("127.0.0.1", free_port("127.0.0.1"), "--port")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(EddylineError, match="cannot listen on"):
        check_port("203.0.113.1", 8080, "--port")


def test_threads_of_one_process_see_the_lock_too(directory: DataDirectory) -> None:
    directory.lock()
    caught: list[EddylineError] = []

    def other() -> None:
        try:
            DataDirectory(directory.path).lock()
        except EddylineError as error:
            caught.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert [e.code for e in caught] == ["directory_locked"]
    directory.unlock()


def test_it_knows_whether_it_holds_streams(directory: DataDirectory) -> None:
    assert not directory.has_streams()
    folder = directory.path / "streams"
    folder.mkdir()
    assert not directory.has_streams()
    (folder / "one").mkdir()
    assert directory.has_streams()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data"
    (path / "logs").mkdir(parents=True)
    path.chmod(0o755)  # as an earlier version made it
    before = os.umask(0)
    try:
        directory = DataDirectory(path)
        directory.prepare()
        directory.lock()
        settings = Settings(data_dir=path, stream_delay_ms=0, map_gib=1)
        with contextlib.closing(LogStore(path, settings)) as store:
            store.create("s")
    finally:
        os.umask(before)
    directory.unlock()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for file in (path / "streams").rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file
    assert stat.S_IMODE((path / "lock").stat().st_mode) == 0o600


def test_the_log_makes_a_private_directory_too(tmp_path: Path) -> None:
    path = tmp_path / "data"
    settings = Settings(data_dir=path, stream_delay_ms=0, map_gib=1)
    with contextlib.closing(LogStore(path, settings)) as store:
        store.create("s")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_format_file_that_a_full_disk_left_empty_is_written_again(
    directory: DataDirectory,
) -> None:
    (directory.path / "format").write_text("")
    directory.prepare()
    assert (directory.path / "format").read_text() == "1\n"


def test_the_reserve_makes_room_on_a_full_disk(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {"bytes": RESERVE_TIMES * RESERVE_BYTES}
    monkeypatch.setattr(directories, "_free_bytes", lambda _: free["bytes"])
    reserve = directory.path / RESERVE
    directory.lock()
    assert not directory.is_full
    directory.keep_reserve()
    assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES, "no hole"
    directory.unlock()
    free["bytes"] = RESERVE_BYTES - 1
    directory.lock()
    assert directory.is_full
    assert not reserve.exists()
    directory.keep_reserve()
    assert not reserve.exists(), "not while there is no room"
    directory.unlock()
