"""``eddyline stream`` as a user has it: one command after the other, rows out, words aside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "eddyline.cli.main", "stream", *arguments]
        words += ["--data-dir", str(tmp_path / "data")]
        return subprocess.run(words, capture_output=True, text=True, input=stdin, timeout=60)

    return command


def test_a_stream_from_its_creation_to_its_end(run: Run) -> None:
    assert run("create", "clicks", "--shards", "2").stderr == "stream clicks created\n"
    put = run("put", "clicks", stdin='{"n":1}\n\n{"n":2}\n')
    assert (put.stdout, put.stderr) == ("", "2 records put\n")
    assert run("put", "clicks", "--data", "x", "--key", "k").returncode == 0
    (stream,) = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert (stream["name"], stream["shards"], stream["records"]) == ("clicks", 2, 3)
    shards = [json.loads(line) for line in run("describe", "clicks", "--json").stdout.splitlines()]
    assert sum(s["next"] for s in shards) == 3
    tail = run("tail", "clicks", "--from", "oldest", "--no-follow")
    assert sorted(tail.stdout.splitlines()) == ["x", '{"n":1}', '{"n":2}']
    rows = run("tail", "clicks", "--from", "oldest", "--limit", "3", "--json").stdout
    keys = {r["data"]: r["key"] for r in map(json.loads, rows.splitlines())}
    assert keys["x"] == "k"
    assert run("tail", "clicks", "--from", "2999-01-01T00:00:00Z", "--no-follow").stdout == ""
    assert run("delete", "clicks").returncode == 0


def test_on_demand_is_the_default(run: Run) -> None:
    run("create", "s")
    (stream,) = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert (stream["mode"], stream["shards"]) == ("ON_DEMAND", 4)


def test_what_is_wrong_is_said(run: Run) -> None:
    assert "there is no data directory" in run("list").stderr
    run("create", "clicks")
    assert "exists already" in run("create", "clicks").stderr
    wrong = run("tail", "click", "--no-follow")
    assert wrong.returncode == 1
    assert "did you mean clicks?" in wrong.stderr
    assert "is not a place in a stream" in run("tail", "clicks", "--from", "noon").stderr
    assert "not both" in run("create", "b", "--shards", "1", "--on-demand").stderr


def test_stats_end_by_themselves(run: Run) -> None:
    run("create", "clicks")
    lines = run("stats", "clicks", "--for", "1s", "--json").stdout.splitlines()
    assert json.loads(lines[0])["records_per_s"] == 0.0


def test_tail_ends_with_ctrl_c_and_130(run: Run, tmp_path: Path) -> None:
    run("create", "clicks", "--shards", "1")
    run("put", "clicks", "--data", "first")
    words = ["tail", "clicks", "--from", "oldest", "--data-dir", str(tmp_path / "data")]
    command = [sys.executable, "-m", "eddyline.cli.main", "stream", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_slow_pipe_is_put_as_it_comes(run: Run, tmp_path: Path) -> None:
    run("create", "clicks", "--shards", "1")
    words = [sys.executable, "-m", "eddyline.cli.main", "stream", "put", "clicks"]
    words += ["--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"first\r\nsec")
        process.stdin.flush()
        tail = run("tail", "clicks", "--from", "oldest", "--limit", "1")
        assert tail.stdout == "first\n"
        _, words_said = process.communicate(b"ond")
    assert words_said == b"2 records put\n"
    assert run("tail", "clicks", "--from", "oldest", "--no-follow").stdout == "first\nsecond\n"


def test_what_the_api_would_refuse_is_refused(run: Run) -> None:
    run("create", "clicks", "--shards", "1")
    large = run("put", "clicks", stdin="small\n" + "x" * (1 << 20) + "y\n")
    assert large.returncode == 1
    assert "1,048,577 bytes is too large for stream clicks" in large.stderr
    long = run("put", "clicks", "--data", "x", "--key", "k" * 257)
    assert "257 characters" in long.stderr
    there = run("tail", "clicks", "--from", "oldest", "--no-follow").stdout
    assert there in ("", "small\n"), "lines before it may have gone already"


def test_a_tail_tells_sequence_numbers(run: Run) -> None:
    run("create", "clicks", "--shards", "1")
    run("put", "clicks", stdin="a\nb\n")
    output = run("tail", "clicks", "--from", "oldest", "--no-follow", "--json").stdout
    numbers = [json.loads(row)["sequence_number"] for row in output.splitlines()]
    assert [len(n) for n in numbers] == [56, 56]
    assert numbers == sorted(set(numbers))
