"""kill -9 of everything, at random, while records are put: nothing acknowledged is lost or doubled.

Two INSERT jobs (a filter, and a count per second and key) run from one stream into two others.
Clients do not retry. Each round kills a process; a round that kills the server also kills the
process that holds the API's listening socket, and sees that the port is dead before the server is
started again. Afterwards the outputs are compared with those of a straight run over the same
input.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from eddyline.generator.spec import GeneratorSpec
from eddyline.log import LogStore
from eddyline.service.directory import DataDirectory, free_port
from eddyline.service.events import RunFinished
from eddyline.service.remote import Remote
from eddyline.settings import Settings

SEED = int(os.environ.get("EDDYLINE_KILL_SEED", "7"))
ROUNDS = int(os.environ.get("EDDYLINE_KILL_ROUNDS", "50"))
WRITERS = 3
KINDS = ("server", "endpoint", "worker", "generator", "before commit", "after commit")
TABLES = """
CREATE TABLE clicks (writer INT, n INT, at TIMESTAMP(3),
  WATERMARK FOR at AS at - INTERVAL '0.1' SECOND)
WITH ('connector' = 'kinesis', 'stream' = 'in', 'aws.region' = 'us-east-1', 'format' = 'json',
  'scan.stream.initpos' = 'TRIM_HORIZON', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE {p}even (writer INT, n INT)
WITH ('connector' = 'kinesis', 'stream' = '{p}even', 'aws.region' = 'us-east-1', 'format' = 'json');
CREATE TABLE {p}counts (s TIMESTAMP(3), writer INT, c BIGINT, lowest INT, highest INT)
WITH ('connector' = 'kinesis', 'stream' = '{p}counts', 'aws.region' = 'us-east-1',
  'format' = 'json');
"""
EVEN = "INSERT INTO {p}even SELECT writer, n FROM clicks WHERE MOD(n, 2) = 0"
COUNTS = """INSERT INTO {p}counts
SELECT window_start, writer, COUNT(*), MIN(n), MAX(n)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' SECOND))
GROUP BY window_start, window_end, writer"""


class House:
    """A server in a process of its own, that may be killed and started again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.api_port = free_port("127.0.0.1")
        self.settings = Settings(data_dir=path, api_port=self.api_port, fsync=False)
        self.remote = Remote(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "eddyline.cli.main", "up", "--no-studio"]
        command += ["--data-dir", str(self.path), "--api-port", str(self.api_port)]
        with (self.path.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        until(self.answers, "the server answers", 30)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.path.parent / "server.log").read_text()[-2000:]
        return not self.port_is_dead() and DataDirectory(self.path).socket_path().exists()

    def port_is_dead(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.api_port), 1).close()
            return False
        return True

    def kill(self) -> None:
        """The server and, should it have outlived it, whoever holds the listening socket."""
        assert self.process is not None
        children = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(self.port_is_dead, "the port is dead", 10)
        until(lambda: not any(map(lives, children)), "all children are gone", 10)

    def stop(self) -> None:
        assert self.process is not None
        children = descendants(self.process.pid)
        self.process.terminate()
        assert self.process.wait(30) == 0
        assert not any(map(lives, children)), "a clean stop leaves no process"
        assert self.port_is_dead()


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                child = int(path.parent.name)
                found += [child, *descendants(child)]
    return found


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(holds: Callable[[], bool], what: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Writer(threading.Thread):
    """Puts numbered records, each once, and notes which were acknowledged."""

    def __init__(self, number: int, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.acknowledged: list[int] = []
        self.unanswered: set[int] = set()
        self._stop_now = stop
        self._client = botocore.session.get_session().create_client(
            "kinesis",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"max_attempts": 0}, connect_timeout=1, read_timeout=5),
        )

    def run(self) -> None:
        n = 0
        while not self._stop_now.is_set():
            numbers = list(range(n, n + 1 + n % 7))
            n = numbers[-1] + 1
            self._put(numbers)
            time.sleep(0.01)

    def _put(self, numbers: list[int]) -> None:
        at = (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
            + f".{time.time_ns() // 10**6 % 1000:03}"
        )
        records = [
            {"Data": json.dumps({"writer": self.number, "n": n, "at": at}), "PartitionKey": "k"}
            for n in numbers
        ]
        try:
            answer = self._client.put_records(StreamName="in", Records=records)
        except (BotoCoreError, ClientError):
            self.unanswered.update(numbers)
            return
        for n, entry in zip(numbers, answer["Records"], strict=True):
            (self.unanswered.add if "ErrorCode" in entry else self.acknowledged.append)(n)


def records(path: Path, stream: str) -> list[dict[str, Any]]:
    """All records of a one-shard stream, in order."""
    store = LogStore(path, Settings(data_dir=path))
    try:
        found = read_all(store, stream)
    finally:
        store.close()
    return [json.loads(data) for data in found]


def read_all(store: Any, stream: str) -> list[bytes]:
    raise NotImplementedError


def run(house: House, text: str, session: str) -> None:
    """Run statements and leave their jobs to the server."""
    over = threading.Event()
    ends: list[RunFinished] = []

    def heard(event: Any) -> None:
        if isinstance(event, RunFinished):
            ends.append(event)
            over.set()

    house.remote.sessions.submit(session, text, heard, detach=True)
    assert over.wait(30), text
    assert ends[0].status == "FINISHED", ends[0].error_text


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path / "data")
    found.start()
    for stream in ("in", "even", "counts", "s_even", "s_counts", "made"):
        with contextlib.closing(LogStore(found.path, found.settings)) as store:
            store.create(stream, shards=1)
    yield found
    if found.process is not None and found.process.poll() is None:
        found.kill()
