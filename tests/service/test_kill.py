"""kill -9 of everything, at random, while records are put: nothing acknowledged is lost or doubled.

Two INSERT jobs (a filter, and a count per second and key) run from one stream into two others.
Clients do not retry, and some do nothing but look whether all streams are there. Each round kills a
process; a round that kills the server also kills the process that holds the API's listening socket,
and sees that the port is dead before the server is started again. Afterwards the outputs are
compared with those of a straight run over the same input.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from stream_observer import StreamObserver

from eddyline.clock import SYSTEM
from eddyline.generator.spec import GeneratorSpec
from eddyline.log import LogStore, PutBatch, StreamMode, StreamStatus
from eddyline.service.events import RunFinished
from eddyline.settings import Settings
from tests.process_kit import House, descendants, until

SEED = int(os.environ.get("EDDYLINE_KILL_SEED", "7"))
ROUNDS = int(os.environ.get("EDDYLINE_KILL_ROUNDS", "50"))
WRITERS = 3
RATE = 200.0
STREAMS = ("in", "even", "counts", "s_even", "s_counts", "made")
KINDS = ("server", "endpoint", "worker", "generator", "before commit", "after commit")
TABLES = """
CREATE TABLE clicks (writer INT, n INT, `at` TIMESTAMP(3),
  WATERMARK FOR `at` AS `at` - INTERVAL '0.1' SECOND)
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
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(`at`), INTERVAL '1' SECOND))
GROUP BY window_start, window_end, writer"""


def client(port: int) -> Any:
    """A client that tries once, so that nothing is hidden by a second try."""
    return botocore.session.get_session().create_client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"max_attempts": 0}, connect_timeout=1, read_timeout=5),
    )


class Writer(threading.Thread):
    """Puts numbered records, each once, and notes which were acknowledged."""

    def __init__(self, number: int, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.acknowledged: list[int] = []
        self.unanswered: set[int] = set()
        self.refusals: Counter[str] = Counter()
        self._stop_now = stop
        self._client = client(port)

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
        except (BotoCoreError, ClientError) as error:
            self.unanswered.update(numbers)
            if isinstance(error, ClientError):
                self.refusals[error.response["Error"]["Code"]] += 1
            return
        for n, entry in zip(numbers, answer["Records"], strict=True):
            (self.unanswered.add if "ErrorCode" in entry else self.acknowledged.append)(n)


def records(path: Path, stream: str) -> list[dict[str, Any]]:
    """All records of a one-shard stream, in order."""
    with contextlib.closing(LogStore(path, Settings(data_dir=path), SYSTEM)) as store:
        opened = store.open(stream)
        (shard,) = opened.shards()
        at, last = opened.bounds(shard.index)
        records_: list[dict[str, Any]] = []
        while at < last:
            got = opened.read(shard.index, at, 10_000, 16 << 20)
            records_ += [json.loads(data) for data in got.data.to_pylist()]
            at = got.next_offset
    return records_


def run(house: House, text: str, session: str) -> None:
    """Run statements and leave their jobs to the server."""
    over = threading.Event()
    ends: list[RunFinished] = []

    def on_event(event: Any) -> None:
        if isinstance(event, RunFinished):
            ends.append(event)
            over.set()

    house.remote.sessions.submit(session, text, on_event, detach=True)
    assert over.wait(90), text
    assert ends[0].status == "FINISHED", ends[0].error_text


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("EDDYLINE_CRASH_FILE", str(tmp_path / "crash"))
    opened = House(tmp_path / "data")
    opened.start()
    with contextlib.closing(LogStore(opened.path, opened.settings, SYSTEM)) as store:
        for stream in STREAMS:
            store.create(stream, 1, StreamMode.PROVISIONED)
    yield opened
    if opened.process is not None and opened.process.poll() is None:
        opened.kill()


def worker_of(house: House) -> int | None:
    (pid,) = [s.pid for s in house.remote.sessions.list() if s.name == "app:kill"]
    return pid


def all_work(house: House) -> bool:
    jobs = house.remote.jobs.list()
    made = house.remote.generators.get("made")
    ended = [(j.actual, j.error) for j in jobs if j.actual in ("FAILED", "FINISHED", "STOPPED")]
    assert not ended, ended
    return made.actual == "RUNNING" and all(j.actual == "RUNNING" for j in jobs)


def kill_something(house: House, kind: str, tmp_path: Path) -> None:
    """One round: something dies, and everything works again afterwards."""
    if kind == "server":
        house.kill()
        house.start()
    elif kind == "endpoint":
        # Just after its last end the server itself holds the socket, until a new one takes it.
        until(lambda: kill_listener(house), "somebody listens", 60)
        until(lambda: not house.port_is_dead(), "the endpoint is back", 60)
    elif kind == "generator":
        pid = house.remote.generators.get("made").pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: house.remote.generators.get("made").pid not in (None, pid), "sender", 60)
    else:
        pid = worker_of(house)
        assert pid is not None
        if kind == "worker":
            os.kill(pid, signal.SIGKILL)
        else:
            (tmp_path / "crash").write_text(kind)
        until(lambda: worker_of(house) not in (None, pid), f"a new worker ({kind})", 60)
    check_streams(house)
    until(lambda: all_work(house), f"everything works after {kind}", 90)


def check_streams(house: House) -> None:
    """Every stream is there and can be opened, at any moment after a death."""
    with contextlib.closing(LogStore(house.path, house.settings, SYSTEM)) as store:
        for name in STREAMS:
            assert store.open(name).info().status is StreamStatus.ACTIVE, name
        assert store.names() == sorted(STREAMS)


def kill_listener(house: House) -> bool:
    """Kill the API worker; False if there is none just now."""
    pid = listener(house)
    if pid is None:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def listener(house: House) -> int | None:
    """The API worker that holds the listening socket."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == house.api_port and fields[3] == "0A":
            inodes.add(f"socket:[{fields[9]}]")
    assert house.process is not None
    for pid in descendants(house.process.pid):
        for fd in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                if os.readlink(fd) in inodes:
                    return pid
    return None


def survive(house: House, kinds: list[str], tmp_path: Path) -> None:
    """Put, kill, compare."""
    run(house, TABLES.format(p="") + EVEN.format(p="") + ";" + COUNTS.format(p=""), "app:kill")
    spec = GeneratorSpec('{"id":"{{random.uuid}}"}', "stream:made", rate=RATE)
    house.remote.generators.create("made", spec, restart=True)
    house.remote.generators.start("made")
    until(lambda: all_work(house), "everything works", 90)
    stop = threading.Event()
    writers = [Writer(n, house.api_port, stop) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    observer = StreamObserver(client(house.api_port), house.path, house.settings, STREAMS)
    dice = random.Random(SEED)
    for kind in kinds:
        time.sleep(dice.uniform(0.05, 0.6))
        kill_something(house, kind, tmp_path)
    time.sleep(0.5)
    stop.set()
    for writer in writers:
        writer.join()
    observer.stop()
    assert observer.missed == [], "a stream was not there"
    assert all(observer.looks[who] >= len(kinds) for who in ("endpoint", "log", "open log"))
    flush(house)
    accepted = house.remote.generators.stop("made").counters.accepted
    check_input(house, writers, dice)
    check_outputs(house)
    # A generator that was killed sends what it had not reported, at most a second's records, again.
    ids = [r["id"] for r in records(house.path, "made")]
    assert len(set(ids)) >= accepted
    assert len(ids) - len(set(ids)) <= len(kinds) * RATE
    house.stop()


def flush(house: House) -> None:
    """A record from 20 hours ahead closes every window that holds one of ours."""
    at = datetime.fromtimestamp(SYSTEM.now_ms() / 1000 + 20 * 3600, UTC)
    late = json.dumps({"writer": 99, "n": 1, "at": at.strftime("%Y-%m-%dT%H:%M:%S.000")})
    with contextlib.closing(LogStore(house.path, house.settings, SYSTEM)) as store:
        store.open("in").put(PutBatch(["k"], [late.encode()])).result()


def check_input(house: House, writers: list[Writer], dice: random.Random) -> None:
    """Acknowledged: once and in order. Unanswered: at most once."""
    stored = records(house.path, "in")
    for writer in writers:
        numbers = [r["n"] for r in stored if r["writer"] == writer.number]
        assert len(writer.acknowledged) > 50
        assert "ResourceNotFoundException" not in writer.refusals, "the stream exists all the time"
        counts = Counter(numbers)
        assert max(counts.values()) == 1, "a record is there twice"
        assert set(writer.acknowledged) <= set(numbers), "an acknowledged record is lost"
        assert set(numbers) <= set(writer.acknowledged) | writer.unanswered
        kept = [n for n in numbers if n not in writer.unanswered]
        assert kept == writer.acknowledged, "the order was lost"


def check_outputs(house: House) -> None:
    """Every output row once, in the order of a straight run over the same input."""
    run(house, STRAIGHT + EVEN.format(p="s_") + ";" + COUNTS.format(p="s_"), "app:straight")
    for name in ("even", "counts"):
        until(lambda name=name: settled(house, name), f"{name} is complete", 120)
        want, got = records(house.path, f"s_{name}"), records(house.path, name)
        assert got == want
        assert len(got) > 20


def settled(house: House, name: str) -> bool:
    """Both runs have written all they will, and not one row more than the input gives."""
    want, got = len(records(house.path, f"s_{name}")), len(records(house.path, name))
    everything = records(house.path, "in")
    stored = [r for r in everything if r["writer"] != 99]
    if name == "even":
        most = sum(r["n"] % 2 == 0 for r in stored)
    else:  # fewer where all rows of a window were late
        most = len({(r["at"][:19], r["writer"]) for r in stored})
    assert want <= most, "the straight run has written too much"
    assert got <= most, "a row is there twice"
    if name == "even":
        return want == got == most
    straight = [j.figures for j in house.remote.jobs.list() if j.session == "app:straight"]
    read = all(f is not None and f.rows_in >= len(everything) for f in straight)
    return read and want == got > 0


STRAIGHT = TABLES.format(p="s_").replace("CREATE TABLE clicks", "CREATE TABLE IF NOT EXISTS clicks")


@pytest.mark.timeout(600)
def test_a_few_kills(house: House, tmp_path: Path) -> None:
    survive(house, list(KINDS), tmp_path)


@pytest.mark.kill
@pytest.mark.timeout(3600)
@pytest.mark.skipif(
    "'EDDYLINE_KILL_ROUNDS' not in os.environ and 'kill' not in config.option.markexpr",
    reason="slow: run with -m kill, or with EDDYLINE_KILL_ROUNDS=50",
)
def test_many_kills(house: House, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    kinds = [dice.choice(KINDS) for _ in range(ROUNDS)]
    survive(house, kinds, tmp_path)
