"""The command's entry: quick help, errors a person can read, exit codes a script can."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module, util
from pathlib import Path

import pytest

from eddyline.cli.main import COMMANDS

HEAVY = ("numba", "nicegui", "botocore", "boto3", "pyarrow", "duckdb", "granian", "numpy", "lmdb")


def eddyline(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eddyline.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from eddyline.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert all(name in done.stdout for name in COMMANDS), done.stderr
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself_with_examples(name: str) -> None:
    if util.find_spec(COMMANDS[name][0]) is None:
        pytest.skip(f"{COMMANDS[name][0]} is not there yet")
    assert callable(import_module(COMMANDS[name][0]).register)
    done = eddyline(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Examples:" in done.stdout
    assert f"eddyline {name}" in done.stdout


def test_wrong_usage_is_2() -> None:
    assert eddyline("nosuch").returncode == 2
    assert eddyline("stream", "create").returncode == 2


def test_a_known_error_is_said_without_a_traceback(tmp_path: Path) -> None:
    done = eddyline("job", "list", "--data-dir", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no data directory")
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version() -> None:
    assert eddyline("--version").stdout.startswith("eddyline 0.")
