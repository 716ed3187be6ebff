"""The test kit as other projects use it: their own test file, run by their own pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

THEIRS = '''
"""A shop's tests of its own streaming code."""

import datetime as dt
import decimal
import json

import pytest

from eddyline.testing import server


def put(client, stream, *rows):
    for row in rows:
        client.put_record(StreamName=stream, Data=json.dumps(row), PartitionKey="k")


def test_their_producer(eddyline_server):
    client = eddyline_server.client()
    assert client.list_streams()["StreamNames"] == []
    client.create_stream(StreamName="orders", ShardCount=1)
    put(client, "orders", {"n": 1})
    shard = client.list_shards(StreamName="orders")["Shards"][0]["ShardId"]
    found = client.get_shard_iterator(
        StreamName="orders", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    records = client.get_records(ShardIterator=found["ShardIterator"])["Records"]
    assert [json.loads(r["Data"]) for r in records] == [{"n": 1}]


def test_the_next_one_finds_nothing_of_it(eddyline_server):
    assert eddyline_server.client().list_streams()["StreamNames"] == []
    assert eddyline_server.services.catalog.list_tables() == []


def test_their_sql(eddyline_server):
    client = eddyline_server.client()
    client.create_stream(StreamName="orders", ShardCount=1)
    put(client, "orders", {"n": 1}, {"n": 2}, {"n": 3})
    eddyline_server.sql("""
        CREATE TABLE orders (n INT) WITH ('connector' = 'kinesis', 'stream' = 'orders',
          'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json')
    """)
    rows = eddyline_server.sql("SELECT n * 10 AS n FROM orders WHERE n > 1", limit=2)
    assert sorted(r["n"] for r in rows) == [20, 30]


def test_values_are_pythons_own(eddyline_server):
    (row,) = eddyline_server.sql("""
        SELECT 1 AS i, CAST(1.5 AS DECIMAL(5, 2)) AS d, TRUE AS b, CAST(NULL AS INT) AS n,
          TIMESTAMP '2026-01-02 03:04:05.678' AS t, DATE '2026-01-02' AS day, 0.5e0 AS f, 'x' AS s
    """)
    assert row == {
        "i": 1, "d": decimal.Decimal("1.50"), "b": True, "n": None, "f": 0.5, "s": "x",
        "t": dt.datetime(2026, 1, 2, 3, 4, 5, 678000), "day": dt.date(2026, 1, 2),
    }


def test_a_query_that_never_ends_is_an_error(eddyline_server):
    eddyline_server.client().create_stream(StreamName="orders", ShardCount=1)
    eddyline_server.sql("""
        CREATE TABLE orders (n INT) WITH ('connector' = 'kinesis', 'stream' = 'orders',
          'aws.region' = 'us-east-1', 'format' = 'json')
    """)
    with pytest.raises(Exception, match="not over after 1 s; 0 rows so far"):
        eddyline_server.sql("SELECT * FROM orders", timeout_s=1)


def test_their_mistake(eddyline_server):
    with pytest.raises(Exception, match="nosuch"):
        eddyline_server.sql("SELECT * FROM nosuch")


def test_as_a_context_manager(tmp_path):
    with server(data_dir=tmp_path / "kept") as eddyline:
        client = eddyline.client()
        client.create_stream(StreamName="s", ShardCount=1)
        put(client, "s", {"a": 1})
    with server(data_dir=tmp_path / "kept") as eddyline:
        assert eddyline.client().list_streams()["StreamNames"] == ["s"]
    with pytest.raises(Exception, match="Could not connect"):
        client.list_streams()
'''


@pytest.mark.timeout(120)
def test_a_project_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_theirs.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_a_server_leaves_nothing_behind() -> None:
    from eddyline.testing import server

    with server() as running:
        path = running.data_dir
        pids = [s.pid for s in running.services.sessions.list()]
        assert path.is_dir()
    assert not path.exists()
    assert not any(p and Path(f"/proc/{p}").exists() for p in pids)


def test_wrong_settings_are_refused() -> None:
    from eddyline.errors import EddylineError
    from eddyline.testing import server

    with pytest.raises(EddylineError, match="api_workers is 0"), server(api_workers=0):
        pass
