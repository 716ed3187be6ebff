"""The server as a person meets it: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, HTTPSHandler, build_opener

import pytest
from botocore.exceptions import ClientError

from eddyline.aws import ApiWorkers
from eddyline.errors import EddylineError
from eddyline.log import LogStore, PutBatch
from eddyline.server import Server, Studio, check_platform, told_to_end, url
from eddyline.service.directory import DataDirectory, free_port
from eddyline.service.services import Services
from eddyline.settings import Settings
from tests.aws.conftest import client, read_all
from tests.process_kit import lives


def up(data_dir: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "eddyline.cli.main", "up", "--data-dir", str(data_dir)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen([*command, *more], text=True, **pipes)  # type: ignore[call-overload]


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    with process:
        try:
            yield process
            # What takes longer says on stderr where it stands.
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, process.stderr and process.stderr.read()
        finally:
            process.kill()


def first_lines(process: subprocess.Popen[str], last: str) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if last in line:
            break
    return lines


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(p) for task in tasks for p in task.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_leaves_nothing_behind(tmp_path: Path, ending: int) -> None:
    port = free_port("127.0.0.1")
    with ended(up(tmp_path / "d", "--no-studio", "--api-port", str(port))) as process:
        output = "".join(first_lines(process, "Ctrl-C"))
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}\n" in output, output
        assert str(tmp_path / "d") in output
        started = children(process.pid)
        assert started
        process.send_signal(ending)
        assert process.wait(60) == 0
    assert not any(map(lives, started))
    assert DataDirectory(tmp_path / "d").holder() is None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
from eddyline.cli.main import main
sys.argv[0] = "eddyline"
main()
"""


def test_streams_are_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "d", stream_delay_ms=0)
    DataDirectory(settings.data_dir).prepare()
    with contextlib.closing(LogStore(settings.data_dir, settings)) as store:
        store.create("s").put(PutBatch(["k"], [b"kept"])).result()
    command = [sys.executable, "-c", FULL, "up", "--no-studio", "--api-port", "0"]
    command += ["--data-dir", str(settings.data_dir)]
    process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE)
    with ended(process):
        output = "".join(first_lines(process, "Ctrl-C"))
        assert "no room is left" in output
        assert "only streams are served" in output
        kinesis = client(output.split("export AWS_ENDPOINT_URL=")[1].split()[0])
        assert [r["Data"] for r in read_all(kinesis, "s")] == [b"kept"]
        with pytest.raises(ClientError, match="no room"):
            kinesis.put_record(StreamName="s", Data=b"x" * 10_000, PartitionKey="k")
        with pytest.raises(ClientError, match="no room"):
            kinesis.create_stream(StreamName="t", ShardCount=1)
        assert [r["Data"] for r in read_all(kinesis, "s")] == [b"kept"]


def test_a_second_server_is_told_who_is_there(tmp_path: Path) -> None:
    with ended(up(tmp_path / "d", "--no-studio", "--api-port", "0")) as first:
        first_lines(first, "Ctrl-C")
        second = up(tmp_path / "d", "--no-studio", "--api-port", "0")
        _, words = second.communicate(timeout=20)
        assert second.returncode == 1
        assert f"in use by process {first.pid}" in words
        assert "--data-dir" in words
        assert "Traceback" not in words


def test_a_port_in_use_is_named_and_the_directory_let_go(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(Settings(data_dir=tmp_path / "d", api_port=port), studio=False)
        with pytest.raises(EddylineError, match=f"port {port} on 127.0.0.1 is in use") as caught:
            server.start()
    assert caught.value.hint is not None
    assert "--api-port" in caught.value.hint
    assert DataDirectory(tmp_path / "d").holder() is None


def test_another_address_needs_users_first(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "d", host="0.0.0.0", api_port=0, port=0)
    with pytest.raises(EddylineError) as caught:
        Server(settings, studio=False).start()
    assert caught.value.code == "access_denied"
    assert DataDirectory(tmp_path / "d").holder() is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_dead_api_worker_is_replaced(tmp_path: Path) -> None:
    with ended(up(tmp_path / "d", "--no-studio", "--api-port", "0")) as process:
        output = "".join(first_lines(process, "Ctrl-C"))
        port = int(output.split("export AWS_ENDPOINT_URL=http://127.0.0.1:")[1].split()[0])
        os.kill(holder_of(port), signal.SIGKILL)
        assert first_lines(process, "starting it again")
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert time.monotonic() < end
            time.sleep(0.05)


def test_with_tls_both_faces_speak_it(tmp_path: Path) -> None:
    with ended(up(tmp_path / "d", "--tls", "--port", "0", "--api-port", "0")) as process:
        output = "".join(first_lines(process, "Ctrl-C"))
        link = output.split("studio")[1].split()[0]
        endpoint = output.split("AWS_ENDPOINT_URL=")[1].split()[0]
        assert link.startswith("https://127.0.0.1:")
        assert endpoint.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=output.split("AWS_CA_BUNDLE=")[1].split()[0])
        jar = CookieJar()
        opener = build_opener(HTTPSHandler(context=trust), HTTPCookieProcessor(jar))
        with opener.open(link, timeout=30) as page:
            assert page.status == 200
            assert "Eddyline" in page.read().decode()
        assert any(c.name.startswith("eddyline-session") and c.secure for c in jar)
        with opener.open(endpoint, timeout=30) as page:
            assert b"AWS endpoint" in page.read()


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = {"tls_certificate": str(tmp_path / "no.pem"), "tls_key": str(tmp_path / "no.key")}
    settings = Settings(data_dir=tmp_path / "d", tls=True, api_port=0, **given)
    with pytest.raises(EddylineError, match=r"tls_certificate .*no\.pem does not exist"):
        Server(settings, studio=False).start()
    assert DataDirectory(tmp_path / "d").holder() is None


def test_workers_whose_port_was_taken_meanwhile_start_when_it_is_free(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, api_port=0, api_workers=1)
    DataDirectory(tmp_path).prepare()
    workers = ApiWorkers(settings)
    port = workers.start()
    try:
        workers._end()
        with socket.create_server(("127.0.0.1", port)):
            with pytest.raises(EddylineError, match=f"port {port}"):
                workers.restart()
            assert not workers.alive()
        workers.restart()
        assert workers.alive()
    finally:
        workers.stop()
    assert not workers.alive()


def test_a_signal_is_heard_whenever_it_comes() -> None:
    with told_to_end() as ended:
        signal.raise_signal(signal.SIGTERM)
        ended()
        threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
        ended()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_page_that_never_ends_does_not_keep_the_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while granian waits for its requests nor when a task outlives its cancellation."""
    begun = threading.Event()

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        begun.set()
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    monkeypatch.setattr("eddyline.studio.app.build", lambda *_: pages)
    settings = Settings(data_dir=tmp_path)
    studio = Studio(Services(settings), settings)
    port = studio.start()
    with socket.create_connection(("127.0.0.1", port)) as request:
        request.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(30)
        studio.stop()
        assert studio._thread is not None
        assert not studio._thread.is_alive()


def holder_of(port: int) -> int:
    """The process that listens on a port of this machine."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "0A":
            inodes.add(f"socket:[{fields[9]}]")
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(fd) in inodes:
                return int(fd.parts[2])
    raise AssertionError(f"nobody listens on {port}")


def test_windows_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(EddylineError, match="not on win32") as caught:
        check_platform()
    assert caught.value.hint is not None
    assert "WSL" in caught.value.hint


def test_addresses_for_people() -> None:
    assert url("0.0.0.0", 80) == "http://127.0.0.1:80"
    assert url("::1", 80) == "http://[::1]:80"
    assert url("127.0.0.1", 80) == "http://127.0.0.1:80"
