"""Streams of another endpoint, read and written through the API of a second server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Watcher
from statement_kit import Sql

from eddyline.engine.remote_stream import is_remote
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from eddyline.testing import TestServer, server

COLUMNS = (
    "a INT, b STRING, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, "
    "n STRING METADATA FROM 'sequence-number' VIRTUAL, s STRING METADATA FROM 'shard-id' VIRTUAL"
)
ALL = 10**9


@pytest.fixture(scope="module")
def far() -> Iterator[TestServer]:
    with server() as eddy:
        yield eddy


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("near"))
    yield kit
    kit.close()


def table(sql: Sql, far: TestServer, name: str, spelling: str = "old", **more: str) -> None:
    """A table over stream ``name`` of the other server, in one of the connector's spellings."""
    client = far.client()
    client.create_stream(StreamName=name, ShardCount=2)
    arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    where = {"stream": name, "scan.stream.initpos": "TRIM_HORIZON"}
    if spelling == "new":
        where = {"stream.arn": arn, "source.init.position": "TRIM_HORIZON"}
    options = {
        "connector": "kinesis" if spelling == "new" else "kinesis-legacy",
        "aws.region": "us-east-1",
        "aws.endpoint": far.endpoint_url,
        "aws.credentials.provider": "BASIC",
        "aws.credentials.basic.accesskeyid": "any",
        "aws.credentials.basic.secretkey": "any",
        "scan.shard.getrecords.intervalmillis": "20",
        "format": "json",
        **where,
        **more,
    }
    written = ", ".join(f"'{k}' = '{v}'" for k, v in options.items())
    sql.execute(f"CREATE TABLE {name} ({COLUMNS}) WITH ({written})")


@pytest.mark.parametrize("spelling", ["old", "new"])
def test_rows_are_written_to_and_read_from_another_server(
    spelling: str, sql: Sql, far: TestServer
) -> None:
    name = f"there_{spelling}"
    table(sql, far, name, spelling, **{"sink.batch.max-size": "2"})
    sql.run(f"INSERT INTO {name} VALUES (1, 'x'), (2, 'y'), (3, 'z')", records=ALL)
    rows = sql.rows(f"SELECT a, b, n, s FROM {name} WHERE ts IS NOT NULL", records=3)
    assert sorted(r[:2] for r in rows) == [(1, "x"), (2, "y"), (3, "z")]
    assert {r[3] for r in rows} <= {"shardId-000000000000", "shardId-000000000001"}
    shards = far.client().list_shards(StreamName=name)["Shards"]
    starts = [s["SequenceNumberRange"]["StartingSequenceNumber"] for s in shards]
    assert all(int(r[2]) >= min(map(int, starts)) for r in rows)


def test_a_job_continues_after_the_last_record(sql: Sql, far: TestServer, tmp_path: Path) -> None:
    table(sql, far, "again")
    client = far.client()

    def put(*numbers: int) -> None:
        for n in numbers:
            body = b'{"a":%d}' % n
            client.put_record(StreamName="again", PartitionKey=str(n), Data=body)

    def run(incarnation: int, count: int) -> list[Any]:
        watcher = Watcher()
        plan = sql.plan("SELECT a FROM again")
        job = sql.job(plan, watcher, directory=tmp_path, incarnation=incarnation)
        stop = threading.Event()
        thread = threading.Thread(target=job.run, args=(stop,))
        thread.start()
        while job.metrics().rows_in < count and thread.is_alive():
            stop.wait(0.01)
        stop.set()
        thread.join()
        return sorted(row[0] for _, row in watcher.changes)

    put(1, 2, 3)
    assert run(1, 3) == [1, 2, 3]
    put(4, 5)
    assert run(2, 2) == [4, 5]


def test_a_stream_that_is_not_there_is_named(sql: Sql, far: TestServer) -> None:
    table(sql, far, "soon_gone")
    far.client().delete_stream(StreamName="soon_gone")
    for statement in ("SELECT * FROM soon_gone", "INSERT INTO soon_gone VALUES (1, 'x')"):
        with pytest.raises(EddylineError, match=f"soon_gone at {far.endpoint_url}") as caught:
            sql.run(statement, records=ALL)
        assert caught.value.code == "not_found"


def test_credentials_are_needed_as_their_provider_says(sql: Sql, far: TestServer) -> None:
    table(sql, far, "keyless", **{"aws.credentials.provider": "PROFILE"})
    with pytest.raises(EddylineError, match=r"need the option 'aws.credentials.profile.name'"):
        sql.rows("SELECT * FROM keyless")


@pytest.mark.parametrize(
    ("endpoint", "remote"),
    [
        ("http://127.0.0.1:4567", False),
        ("http://localhost:5001", False),
        ("http://localhost:5002", True),
        ("https://kinesis.eu-central-1.amazonaws.com", False),
        ("http://other:4567", True),
    ],
)
def test_which_endpoints_are_of_another_server(endpoint: str, remote: bool, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text('{"api_port": 5001}')
    settings = Settings(data_dir=tmp_path)
    assert is_remote({"aws.endpoint": endpoint}, settings) is remote
    assert not is_remote({}, settings)
