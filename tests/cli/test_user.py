"""``eddyline user`` as a person has it: add, list, change, remove; keys for AWS clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eddyline.auth.users import Users

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "eddyline.cli.main", "user", *arguments]
        words += ["--data-dir", str(tmp_path)]
        around = {**os.environ, **env}
        return subprocess.run(
            words, capture_output=True, text=True, input=stdin, timeout=60, env=around
        )

    return command


def test_a_user_from_first_to_last(run: Run, tmp_path: Path) -> None:
    assert run("add", "ann", stdin="correct horse\n").stderr == "user ann is added\n"
    assert Users(tmp_path).verify("ann", "correct horse")
    assert run("passwd", "ann", EDDYLINE_PASSWORD="another horse").returncode == 0
    assert Users(tmp_path).verify("ann", "another horse")
    (user,) = map(json.loads, run("list", "--json").stdout.splitlines())
    assert (user["name"], user["password"], user["policy"]) == ("ann", True, False)
    assert run("remove", "ann").returncode == 0
    assert "no users" in run("list").stderr


def test_keys_are_printed_once_and_listed_without_secrets(run: Run, tmp_path: Path) -> None:
    run("add", "bot", "--no-password")
    exports = dict(
        text.removeprefix("export ").split("=", 1)
        for text in run("key", "add", "bot").stdout.splitlines()
    )
    key = Users(tmp_path).key(exports["AWS_ACCESS_KEY_ID"])
    assert key is not None
    assert key.secret == exports["AWS_SECRET_ACCESS_KEY"]
    listed = run("key", "list", "--json").stdout
    assert key.key_id in listed
    assert key.secret not in listed
    assert run("key", "remove", key.key_id).returncode == 0
    assert Users(tmp_path).access_keys() == []


def test_policies_are_checked_when_given(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    statement = {"Effect": "Allow", "Action": "kinesis:Get*", "Resource": "*"}
    good.write_text(json.dumps({"Statement": statement}))
    bad.write_text(json.dumps({"Statement": {**statement, "Effect": "allow"}}))
    refused = run("add", "bot", "--no-password", "--policy", str(bad))
    assert refused.returncode == 1
    assert "no Effect of Allow or Deny" in refused.stderr
    assert run("add", "bot", "--no-password", "--policy", str(good)).returncode == 0
    assert json.loads(run("policy", "bot").stdout) == {"Statement": statement}
    assert run("policy", "bot", "--everything").returncode == 0
    assert Users(tmp_path).policy("bot") is None


def test_what_is_wrong_is_said(run: Run) -> None:
    assert "user nobody does not exist" in run("remove", "nobody").stderr
    assert "is not accepted" in run("add", "ann", stdin="short\n").stderr
    assert "no studio is running" in run("link").stderr
