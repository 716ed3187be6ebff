"""What goes wrong outside: said with what, where and what to do, and harming nothing else."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eddyline.errors import EddylineError
from eddyline.service.events import RunFinished
from eddyline.service.jobs import JobInfo
from eddyline.testing import TestServer, server
from tests.process_kit import until

TABLE = """
CREATE TABLE {name} (n INT, s STRING) WITH ('connector' = 'kinesis', 'stream' = '{stream}',
  'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json'{more});
"""


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as running:
        yield running


@pytest.fixture
def house(running: TestServer) -> Iterator[TestServer]:
    yield running
    running.clear()


def make(house: TestServer, *streams: str) -> None:
    client = house.client()
    for name in streams:
        client.create_stream(StreamName=name, ShardCount=1)


def put(house: TestServer, stream: str, *data: str) -> list[dict[str, Any]]:
    client = house.client()
    return [client.put_record(StreamName=stream, Data=d, PartitionKey="k") for d in data]


def rows(house: TestServer, stream: str) -> list[Any]:
    opened = house.services.streams.open(stream)
    (shard,) = opened.shards()
    got = opened.read(shard.index, 0, 100_000, 64 << 20)
    return [json.loads(d) for d in got.data.to_pylist()]


def insert(house: TestServer, name: str, source: str) -> None:
    """Start a job of that name from table ``source`` into the stream of its own name."""
    script(house, TABLE.format(name=f"out_{name}", stream=name, more=""))
    house.services.sessions.submit(
        f"app:{name}", f"INSERT INTO out_{name} SELECT n, s FROM {source}", lambda _: None,
        job_name=name, detach=True,
    )  # fmt: skip
    until(lambda: [j for j in house.services.jobs.list() if j.name == name], f"job {name}")


def script(house: TestServer, text: str) -> None:
    house.sql(text)


def job(house: TestServer, name: str) -> JobInfo:
    return house.services.jobs.get(name)


def test_a_malformed_record_is_named_and_stops_only_its_job(house: TestServer) -> None:
    make(house, "in", "strict", "lenient")
    script(house, TABLE.format(name="plain", stream="in", more=""))
    skips = ", 'bad-records' = 'dead-letter'"
    script(house, TABLE.format(name="careful", stream="in", more=skips))
    insert(house, "strict", "plain")
    insert(house, "lenient", "careful")
    put(house, "in", '{"n":1,"s":"a"}')
    until(lambda: rows(house, "strict") and rows(house, "lenient"), "the first row")
    (bad,) = put(house, "in", '{"n":"many","s":"b"}')
    put(house, "in", '{"n":3,"s":"c"}')
    until(lambda: job(house, "strict").actual == "FAILED", "the job has failed")
    error = job(house, "strict").error
    assert error is not None
    for word in ("stream in", "shardId-000000000000", bad["SequenceNumber"], "column n", "'many'"):
        assert word in error["message"]
    assert "json.ignore-parse-errors" in error["hint"]
    until(lambda: len(rows(house, "lenient")) == 2, "the other job goes on")
    assert [r["n"] for r in rows(house, "lenient")] == [1, 3]
    assert [r["n"] for r in rows(house, "strict")] == [1]
    assert job(house, "lenient").actual == "RUNNING"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Such a table is created with a warning; its first use is refused.
        (
            TABLE.format(name="typo", stream="in", more=", 'scan.stream.initpo' = 'LATEST'")
            + "; SELECT * FROM typo",
            ("scan.stream.initpo", "scan.stream.initpos"),
        ),
        (
            TABLE.format(name="other", stream="in", more="").replace("kinesis", "kinesys")
            + "; SELECT * FROM other",
            ("kinesis",),
        ),
        ("SELECT * FROM nosuch", ("nosuch",)),
        ("SELEC 1", ("SELEC",)),
    ],
)
def test_a_wrong_statement_is_said(house: TestServer, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(EddylineError) as refused:
        house.sql(text)
    message = refused.value.pretty()
    assert all(word in message for word in words), message


def test_a_missing_stream_is_said_with_the_way_out(house: TestServer) -> None:
    script(house, TABLE.format(name="t", stream="absent", more=""))
    with pytest.raises(EddylineError) as refused:
        house.sql("SELECT * FROM t", for_s=5)
    message = refused.value.pretty()
    assert "t: there is no stream absent" in message
    assert "eddyline stream create absent" in message
    make(house, "absent")
    put(house, "absent", '{"n":1,"s":"a"}')
    assert house.sql("SELECT n FROM t", limit=1) == [{"n": 1}]


def test_a_job_whose_statement_changed_is_refused_and_keeps_its_state(house: TestServer) -> None:
    make(house, "in", "kept")
    script(house, TABLE.format(name="plain", stream="in", more=""))
    insert(house, "kept", "plain")
    put(house, "in", '{"n":1,"s":"a"}')
    until(lambda: len(rows(house, "kept")) == 1, "the first row")
    house.services.jobs.stop("kept")
    put(house, "in", '{"n":2,"s":"b"}')

    ended: list[Any] = []

    def again(select: str, start: str = "state") -> None:
        house.services.sessions.submit(
            "app:kept", f"INSERT INTO out_kept {select}",
            lambda event: ended.append(event) if isinstance(event, RunFinished) else None,
            job_name="kept", detach=True, start=start,
        )  # fmt: skip

    again("SELECT n, s FROM plain LIMIT 5")
    until(lambda: ended, "it is refused")
    error = ended.pop().error
    assert error["code"] == "state_mismatch"
    assert "fresh" in error["hint"] or "remove" in error["hint"]
    assert "LIMIT" not in job(house, "kept").sql, "the job keeps the statement that it had"
    assert (job(house, "kept").actual, job(house, "kept").error) == ("STOPPED", None)
    assert len(rows(house, "kept")) == 1
    again("SELECT n, s FROM plain")
    until(lambda: len(rows(house, "kept")) == 2, "the old statement goes on where it stood")
    assert [r["n"] for r in rows(house, "kept")] == [1, 2]
    house.services.jobs.stop("kept")
    put(house, "in", '{"n":3,"s":"c"}')
    again("SELECT n * 10, s FROM plain WHERE n > 2")
    until(lambda: len(rows(house, "kept")) == 3, "another projection goes on where it stood")
    house.services.jobs.stop("kept")
    put(house, "in", '{"n":4,"s":"d"}')
    again("SELECT n, s FROM plain LIMIT 5", "positions")
    until(lambda: len(rows(house, "kept")) == 4, "another plan reads on with empty state")
    assert [r["n"] for r in rows(house, "kept")] == [1, 2, 30, 4]
    house.services.jobs.stop("kept")
    again("SELECT n, s FROM plain", "fresh")
    until(lambda: len(rows(house, "kept")) == 8, "a fresh job reads from the beginning")


def test_a_note_that_is_none_is_refused(house: TestServer, tmp_path: Path) -> None:
    path = tmp_path / "broken.zpln"
    path.write_text('{"name": "x", ')
    words = [sys.executable, "-m", "eddyline.cli.main", "note", "import", str(path)]
    done = subprocess.run(
        [*words, "--data-dir", str(house.data_dir)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "broken.zpln" in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert house.services.notes.list() == []


linux = pytest.mark.skipif(sys.platform != "linux", reason="sets another process's limits")


@linux
def test_a_full_disk_holds_a_job_up_and_costs_it_nothing(house: TestServer) -> None:
    """The worker may write only small files for a while: its sink refuses, then goes on."""
    make(house, "in", "held", "free")
    script(house, TABLE.format(name="plain", stream="in", more=""))
    insert(house, "held", "plain")
    insert(house, "free", "plain")
    put(house, "in", '{"n":0,"s":"a"}')
    until(lambda: rows(house, "held") and rows(house, "free"), "the first row")
    (pid,) = [s.pid for s in house.services.sessions.list() if s.name == "app:held"]
    assert pid is not None
    limit(pid, 4096)
    put(house, "in", *(json.dumps({"n": n, "s": "x" * 5000}) for n in range(1, 40)))
    until(lambda: job(house, "held").actual == "RESTARTING", "it is held up")
    error = job(house, "held").error
    assert error is not None
    assert error["code"] == "disk_full"
    assert error["hint"]
    until(lambda: len(rows(house, "free")) == 40, "the other job goes on")
    limit(pid, resource.RLIM_INFINITY)
    until(lambda: len(rows(house, "held")) == 40, "it goes on by itself", 60)
    assert [r["n"] for r in rows(house, "held")] == list(range(40))
    assert job(house, "held").actual == "RUNNING"


@linux
def test_a_full_disk_refuses_puts_and_nothing_else(house: TestServer) -> None:
    make(house, "big", "small")
    put(house, "small", '{"n":1}')
    workers = api_workers(house)
    for pid in workers:
        limit(pid, 1 << 20)
    accepted, refusal = 0, ""
    while not refusal:
        assert accepted < 400
        try:
            put(house, "big", json.dumps({"n": accepted, "s": "x" * 10_000}))
            accepted += 1
        except ClientError as error:
            refusal = error.response["Error"]["Message"]
    assert accepted > 10
    assert "room" in refusal or "disk" in refusal
    assert [r["n"] for r in rows(house, "big")] == list(range(accepted)), "reading goes on"
    put(house, "small", '{"n":2}')
    for pid in workers:
        limit(pid, resource.RLIM_INFINITY)
    put(house, "big", json.dumps({"n": accepted}))
    assert [r["n"] for r in rows(house, "big")] == list(range(accepted + 1))


def limit(pid: int, size: int) -> None:
    """How large a file the process may write."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def api_workers(house: TestServer) -> list[int]:
    """The processes that listen on the endpoint's port, and their children."""
    port = int(house.endpoint_url.rpartition(":")[2])
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "0A":
            inodes.add(f"socket:[{fields[9]}]")
    pids = []
    for path in Path("/proc").glob("[0-9]*/fd"):
        try:
            links = {os.readlink(fd) for fd in path.iterdir()}
        except OSError:
            continue
        if links & inodes and int(path.parent.name) != os.getpid():
            pids.append(int(path.parent.name))
    assert pids
    return pids


def test_statements_before_one_that_cannot_be_parsed_have_run(house: TestServer) -> None:
    with pytest.raises(EddylineError) as raised:
        house.sql("CREATE TABLE made (n INT);\nSELEC n FROM made;\nCREATE TABLE never (n INT);")
    assert raised.value.code == "sql_syntax"
    assert house.sql("SHOW TABLES") == [{"table name": "made"}]
