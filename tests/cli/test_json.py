"""Every command speaks JSON, has short help with examples, and prints errors as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Command

from eddyline.cli.main import COMMANDS, _imported
from eddyline.testing import TestServer, server


def leaves() -> Iterator[tuple[str, Any]]:
    """All commands that do something, by their full names."""
    for name in COMMANDS:
        yield from _below(name, _imported(name))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield name, command
    for child, below in (children or {}).items():
        yield from _below(f"{name} {child}", below)


LEAVES = dict(leaves())


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_takes_json_and_a_directory_and_shows_examples(name: str) -> None:
    command = LEAVES[name]
    options = {option for p in command.params for option in p.opts}
    assert {"--json", "--data-dir"} <= options
    assert command.context_settings["help_option_names"] == ["-h", "--help"]
    assert "Examples:" in command.help
    assert f"eddyline {name}" in command.help


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", ["", "stream", "stream tail", "user key add"])
def test_help_by_either_flag(name: str, flag: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eddyline.cli.main", *name.split(), flag]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    error: dict[str, Any] = json.loads(line)["error"]
    return error


def test_errors_are_json_where_json_is_asked_for(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    missing = eddyline.here("stream", "list", "--json")
    assert missing.returncode == 1
    assert error_of(missing)["code"] == "not_found"
    assert error_of(missing)["hint"].startswith("eddyline up makes one")
    for wrong in (["stream", "tail", "s", "--limit", "x"], ["stream", "create"], ["job", "nosuch"]):
        usage = eddyline.here(*wrong, "--json")
        assert usage.returncode == 2
        assert error_of(usage)["code"] == "invalid_argument"
    eddyline.here("stream", "create", "s", "--shards", "1")
    refused = eddyline.here("sql", "-e", "SELECT\n nosuch FROM (VALUES (1)) AS t (n)", "--json")
    assert refused.returncode == 1
    assert (error_of(refused)["line"], error_of(refused)["code"]) == (2, "sql_semantic")
    after = eddyline.here("stream", "put", "s", "--data", "x", "--key", "--json")
    assert after.returncode == 0, "--json is the key's value here"


def test_json_behind_two_dashes_is_an_argument(tmp_path: Path) -> None:
    done = Command(tmp_path / "data").here("stream", "delete", "--", "--json")
    assert done.stderr.startswith("Usage: eddyline stream delete ")


def one(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    row: dict[str, Any] = json.loads(line)
    return row


def test_what_was_done_is_one_object(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    created = one(eddyline.here("stream", "create", "s", "--shards", "2", "--json"))
    assert (created["name"], created["shards"], created["mode"]) == ("s", 2, "PROVISIONED")
    assert one(eddyline.here("stream", "put", "s", "--data", "x", "--json"))["records"] == 1
    assert one(eddyline.here("stream", "scale", "s", "1", "--json")) == {"stream": "s", "shards": 1}
    file = str(tmp_path / "s.ndjson")
    assert one(eddyline.here("stream", "export", "s", file, "--json"))["records"] == 1
    assert one(eddyline.here("stream", "import", "s", file, "--json"))["records"] == 1
    imported = one(eddyline.here("note", "import", "example:Sensors", "--json"))
    assert (imported["note"], imported["paragraphs"]) == ("Sensors", 6)
    exported = one(eddyline.here("note", "export", "Sensors", str(tmp_path / "n.zpln"), "--json"))
    assert exported["bytes"] == (tmp_path / "n.zpln").stat().st_size
    assert one(eddyline.here("note", "delete", "Sensors", "--json"))["deleted"]
    added = one(eddyline.here("user", "add", "ann", "--no-password", "--json"))
    assert added == {"user": "ann", "password": False, "policy": False}
    assert one(eddyline.here("user", "policy", "ann", "--json")) == {"user": "ann", "policy": None}
    key = one(eddyline.here("user", "key", "add", "ann", "--json"))["access_key_id"]
    assert one(eddyline.here("user", "key", "remove", key, "--json"))["removed"]
    assert one(eddyline.here("user", "remove", "ann", "--json"))["removed"]
    (tmp_path / "t.txt").write_text('{"n":{{random.number(9)}}}')
    assert one(eddyline.here("template", "import", str(tmp_path / "t.txt"), "--json"))["kept"]
    shown = one(eddyline.here("template", "show", "t", "--json"))
    assert shown["template"] == '{"n":{{random.number(9)}}}'
    assert "record" in one(eddyline.here("template", "test", "t", "--count", "1", "--json"))
    assert one(eddyline.here("template", "remove", "t", "--json"))["removed"]
    assert one(eddyline.here("stream", "delete", "s", "--json"))["deleted"]


def test_data_on_stdout_is_not_mixed_with_the_outcome(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    eddyline.here("stream", "create", "s", "--shards", "1")
    eddyline.here("stream", "put", "s", "--data", "x")
    done = eddyline("stream", "export", "s", "-", "--format", "ndjson", "--json")
    assert [json.loads(line)["data"] for line in done.stdout.splitlines()] == ["x"]
    assert json.loads(done.stderr)["records"] == 1


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as running:
        yield running


def test_jobs(running: TestServer) -> None:
    eddyline = Command(running.data_dir)
    for name in ("a", "b"):
        eddyline.here("stream", "create", name, "--shards", "1")
    tables = "".join(
        f"CREATE TABLE {name} (n INT) WITH ('connector'='kinesis', 'stream'='{name}', "
        "'aws.region'='us-east-1', 'format'='json');"
        for name in ("a", "b")
    )
    insert = tables + "INSERT INTO b SELECT n FROM a;"
    done = eddyline.here("sql", "-e", insert, "--detach", "--name", "copy", "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)["job"]
    stopped = one(eddyline.here("job", "stop", "copy", "--json"))
    assert (stopped["job_id"], stopped["actual"]) == (job, "STOPPED")
    assert one(eddyline.here("job", "remove", "copy", "--json"))["removed"]


COMPLETIONS = [
    ("eddyline str", "stream"),
    ("eddyline stream ta", "tail"),
    ("eddyline stream tail --fo", "--follow --format"),
    ("eddyline stream tail cl", "clicks"),
    ("eddyline note run Se", "Sensors"),
    ("eddyline note import ex", "example"),
    ("eddyline template show Or", "Orders"),
    ("eddyline user key add a", "ann"),
    ("eddyline job stop x", ""),
]


def test_tab_completes_commands_options_and_names(tmp_path: Path) -> None:
    eddyline = Command(tmp_path / "data")
    eddyline.here("stream", "create", "clicks", "--shards", "1")
    eddyline.here("note", "import", "example:Sensors")
    eddyline.here("user", "add", "ann", "--no-password")
    script = Path(sys.executable).with_name("eddyline")
    for typed, expected in COMPLETIONS:
        words = typed.split()
        done = subprocess.run(
            [str(script)],
            env={
                **os.environ,
                "COMP_WORDS": typed,
                "COMP_CWORD": str(len(words) - 1),
                "_EDDYLINE_COMPLETE": "complete_bash",
                "EDDYLINE_DATA_DIR": str(eddyline.data_dir),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        offered = done.stdout.split()
        assert all(any(o.startswith(e) for o in offered) for e in expected.split()), (
            typed,
            offered,
        )
        assert expected or not offered


def test_completion_makes_nothing(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("eddyline")
    environment = {"COMP_WORDS": "eddyline stream tail ", "COMP_CWORD": "3",
                   "_EDDYLINE_COMPLETE": "complete_bash",
                   "EDDYLINE_DATA_DIR": str(tmp_path / "none")}  # fmt: skip
    done = subprocess.run(
        [str(script)], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not (tmp_path / "none").exists()
