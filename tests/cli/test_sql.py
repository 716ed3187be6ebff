"""``eddyline sql``, ``job``, ``note`` and ``clean-up`` on a running server, and without one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command

from eddyline.cli.watching import RunView
from eddyline.log import PutBatch, StreamMode
from eddyline.service import events
from eddyline.testing import TestServer, server

TABLES = """
CREATE TABLE clicks (n INT, page STRING) WITH ('connector' = 'kinesis', 'stream' = 'clicks',
  'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
CREATE TABLE hot (n INT, page STRING) WITH ('connector' = 'kinesis', 'stream' = 'hot',
  'aws.region' = 'us-east-1', 'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
"""
INSERT = "INSERT INTO hot SELECT n, page FROM clicks WHERE n > 1"


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as running:
        yield running


@pytest.fixture
def house(running: TestServer) -> Iterator[TestServer]:
    for name in ("clicks", "hot"):
        running.services.streams.create(name, 1, StreamMode.PROVISIONED)
    data = [json.dumps({"n": n, "page": f"/{n}"}).encode() for n in range(4)]
    running.services.streams.open("clicks").put(PutBatch(["k"] * 4, data)).result()
    yield running
    running.clear()


@pytest.fixture
def eddyline(house: TestServer) -> Command:
    return Command(house.data_dir)


def until_written(house: TestServer, rows: int) -> None:
    end = time.monotonic() + 60
    while house.services.streams.open("hot").counters().records_total < rows:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_script_and_its_results(eddyline: Command, tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text(TABLES)
    done = eddyline.here("sql", str(tmp_path / "tables.sql"))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("Table has been created.") == 2
    rows = eddyline.here("sql", "-e", "SHOW TABLES", "--json")
    assert [json.loads(line) for line in rows.stdout.splitlines()] == [
        {"op": "+I", "table name": "clicks"},
        {"op": "+I", "table name": "hot"},
    ]
    live = eddyline.here("sql", "-e", "SELECT n, page FROM clicks WHERE n > 1", "--json",
                         "--for", "1s")  # fmt: skip
    assert live.returncode == 0, live.stderr
    assert [json.loads(line) for line in live.stdout.splitlines()] == [
        {"op": "+I", "n": 2, "page": "/2"},
        {"op": "+I", "n": 3, "page": "/3"},
    ]
    words = eddyline.here("sql", "-e", "SELECT n, page FROM clicks WHERE n > 1", "--for", "1s")
    assert words.stdout.split() == ["n", "page", "2", "/2", "3", "/3"]
    assert "2 rows" in words.stderr


def test_a_column_called_op_and_printed_lines_as_json(eddyline: Command) -> None:
    """ "op" is always the kind of change of a result; printed lines are no result."""
    rows = eddyline.here("sql", "-e", "SELECT 'a' AS op, 1 AS op_, 2 AS n", "--json", "--for", "3s")
    assert [json.loads(line) for line in rows.stdout.splitlines()] == [
        {"op": "+I", "op__": "a", "op_": 1, "n": 2}
    ]
    text = "CREATE TABLE p (n INT) WITH ('connector'='print'); INSERT INTO p VALUES (1);"
    printed = eddyline.here("sql", "-e", text, "--json", "--for", "3s")
    assert {"printed": "+I[1]", "table": "p", "kind": "+I"} in [
        json.loads(line) for line in printed.stdout.splitlines()
    ]


def test_an_insert_left_to_the_server(house: TestServer, eddyline: Command) -> None:
    assert eddyline.here("sql", "-e", TABLES).returncode == 0
    assert eddyline.here("sql", "-e", INSERT, "--detach", "--name", "hot").returncode == 0
    until_written(house, 2)
    (job,) = [json.loads(s) for s in eddyline.here("job", "list", "--json").stdout.splitlines()]
    assert (job["name"], job["actual"]) == ("hot", "RUNNING")
    assert eddyline.here("job", "stop", "hot").stderr == "job hot is stopped\n"
    assert eddyline.here("job", "remove", "hot").returncode == 0
    assert eddyline.here("job", "list").stderr == "no jobs\n"


def test_an_error_points_at_its_place(eddyline: Command) -> None:
    done = eddyline.here("sql", "-e", "SELECT\n  nosuch FROM (VALUES (1)) AS t (n)")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "line 2" in done.stderr
    assert "^^^^^^" in done.stderr


def test_clean_up_lists_asks_and_removes(house: TestServer, eddyline: Command) -> None:
    eddyline.here("sql", "-e", TABLES + "CREATE VIEW v AS SELECT n FROM clicks;")
    eddyline.here("sql", "-e", INSERT, "--detach", "--name", "hot")
    house.services.notes.create("Lab", ["%md\nhello"])
    unasked = eddyline.here("clean-up", "--json")
    assert unasked.returncode == 1
    assert "nothing was removed" in unasked.stderr
    listed = [json.loads(line) for line in unasked.stdout.splitlines()]
    kinds = ["job", "note", "view", "table", "table", "stream", "stream"]
    assert [m["kind"] for m in listed] == kinds
    assert len(house.services.streams.list()) == 2
    done = eddyline.here("clean-up", "--yes")
    assert (done.returncode, done.stderr) == (0, "removed 7\n")
    assert house.services.jobs.list() == []
    assert house.services.notes.list() == []
    assert eddyline.here("clean-up").stderr == "there is nothing to remove\n"
    end = time.monotonic() + 10
    while house.services.streams.list():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_clean_up_asks_at_a_terminal(tmp_path: Path) -> None:
    """Without a server, and with a person who first says no, then yes."""
    eddyline = Command(tmp_path / "data")
    eddyline.here("stream", "create", "clicks")
    for answer, left in (("n", 1), ("y", 0)):
        person, terminal = pty.openpty()
        with subprocess.Popen(
            eddyline.words("clean-up"), stdin=terminal, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            os.write(person, f"{answer}\n".encode())
            _, words = process.communicate(timeout=60)
        os.close(person)
        os.close(terminal)
        assert "Remove these 1, and all their records? [y/N]" in words
        assert len(eddyline.rows("stream", "list", "--json")) == left


def test_sql_without_a_server(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    done = eddyline("sql", "-e", "SELECT n * 2 AS twice FROM (VALUES (1), (2)) AS t (n)", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["twice"] for line in done.stdout.splitlines()] == [2, 4]
    detached = eddyline.here("sql", "-e", "SELECT 1", "--detach")
    assert "no server runs" in detached.stderr


def test_files_are_named_as_flinks_client_names_them(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    (tmp_path / "i.sql").write_text("CREATE TEMPORARY VIEW v AS SELECT 7 AS n")
    (tmp_path / "j.sql").write_text("SELECT n + 1 AS m FROM v")
    first, script = str(tmp_path / "i.sql"), str(tmp_path / "j.sql")
    done = eddyline("sql", "-i", first, "-f", script, "--json")
    assert done.returncode == 0, done.stderr
    assert '"m":8' in done.stdout.replace(" ", "")
    both = eddyline("sql", script, "-f", script)
    assert both.returncode != 0
    assert "with or without -f" in both.stderr
    bad = eddyline("sql", "-i", script, "-f", first)
    assert bad.returncode != 0
    assert "v" in bad.stderr


def test_a_shell_reads_statements_from_a_pipe(eddyline: Command) -> None:
    done = eddyline("sql", "-", "--json", stdin=TABLES + "SHOW TABLES;")
    assert [json.loads(line)["table name"] for line in done.stdout.splitlines()] == [
        "clicks",
        "hot",
    ]


@pytest.mark.parametrize("has_read", [False, True])
def test_the_time_of_a_query_counts_from_its_first_look_at_the_sources(has_read: bool) -> None:
    """Without that, a busy machine would spend the time with the start of a worker."""
    cancelled: list[bool] = []
    watch = RunView(lambda: cancelled.append(True), for_s=0.0)
    watch(events.StatementStarted("run", 0, "SELECT", 1))
    if has_read:
        watch(events.StatementReads("run", 0))
    threading.Timer(0.05, watch, [events.RunFinished("run", "FINISHED", None, "")]).start()
    watch.follow()
    assert cancelled == [True] * has_read
