"""The README as a test: every command in it, word for word, in order, in an empty directory.

Each command has a check of what a person would look for in its output; a command without one fails
the test. Only durations are shortened, and ``eddyline up`` takes free ports.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# How long commands last here, in seconds. A sliding window needs its 30 s.
SHORTER = {
    "eddyline generate template:Sensors": 40,
    "eddyline generate ": 3,
}
END = "README-END"


@dataclass(frozen=True)
class Example:
    """A command of the README, and the output that the README shows below it."""

    command: str
    shown: list[str]


def examples() -> list[Example]:
    """The commands after ``$``, continued lines included."""
    examples_: list[Example] = []
    for kind, body in _FENCE.findall(README):
        if kind or not body.startswith("$ "):
            continue
        lines: list[str] = []
        quoted = False
        for line in body.splitlines():
            if line.startswith("$ ") and not quoted:
                lines = [line[2:]]
                examples_.append(Example(line[2:], []))
            elif quoted:
                lines.append(line)
                examples_[-1] = Example("\n".join(lines), [])
            else:
                examples_[-1].shown.append(line)
            quoted = "\n".join(lines).count('"') % 2 == 1 and not examples_[-1].shown
    return examples_


@dataclass(frozen=True)
class Output:
    """What a command printed. ``directory``: where it ran."""

    stdout: str
    stderr: str
    directory: Path

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


def quiet(output: Output, example: Example) -> None:
    """A command that has nothing to say."""
    assert output.stdout == ""


def created(output: Output, example: Example) -> None:
    assert re.fullmatch(r"stream [\w-]+ created\n", output.stderr)


def sent(output: Output, example: Example) -> None:
    accepted = re.search(r"(\d+) accepted", output.stderr.replace(",", ""))
    assert accepted is not None
    assert int(accepted[1]) >= 50
    assert "given up" not in output.stderr


def newest(output: Output, example: Example) -> None:
    rows = [json.loads(line) for line in output.lines]
    assert len(rows) == len(example.shown) == 3
    assert all(set(row) == {"page", "ms"} for row in rows)
    assert output.stderr == ""


def windows(output: Output, example: Example) -> None:
    header, *rows = output.lines
    assert header.split() == example.shown[0].split() == ["window_end", "page", "n", "ms"]
    cells = [row.split() for row in rows]
    assert len(cells) >= 3
    # 50 records a second for three seconds, each in one window; none is still open after 10 s.
    assert sum(int(n) for _, _, _, n, _ in cells) == 150
    assert {page for _, _, page, _, _ in cells} == {"/home", "/books", "/music"}
    assert all(5 <= int(ms) <= 90 for *_, ms in cells)
    assert "Table has been created." in output.stderr


def log_written(output: Output, example: Example) -> None:
    sent(output, example)
    assert '"GET /' in (output.directory / "access.log").read_text()


def replayed(output: Output, example: Example) -> None:
    assert "access-log, event time in time" in output.stderr
    sent(output, example)


def scored(output: Output, example: Example) -> None:
    alerts = [line for line in output.stderr.splitlines() if line.startswith("row ")]
    pattern = (
        r"row 501: rate is too high: 400 where about \d+(\.\d+)? was expected \(score [\d.]+\)"
    )
    assert re.fullmatch(pattern, alerts[-1])
    assert re.fullmatch(pattern, example.shown[0])
    rows = (output.directory / "scored.csv").read_text().splitlines()
    assert rows[0].startswith("rate,")
    assert len(rows) == 502
    assert (output.directory / "rates.svg").read_text().startswith("<svg")


def imported(output: Output, example: Example) -> None:
    assert output.stderr.startswith("note Sensors with 6 paragraphs, id ")


def note_ran(output: Output, example: Example) -> None:
    """The table of every reading, and the averages of at least one window."""
    headers = [line.split() for line in output.lines if "current_temperature" in line]
    assert ["sensor_id", "current_temperature", "status", "event_time"] in headers
    assert ["status", "num", "avg_current_temperature", "hop_time"] in headers
    assert re.search(
        r"^(OK|FAIL|WARN) +\d+ +[\d.]+ +\d{4}-\d\d-\d\d [\d:]+\.999", output.stdout, re.M
    )
    assert "ERROR" not in output.stderr


CHECKS: list[tuple[str, Callable[[Output, Example], None]]] = [
    ("source ", quiet),
    ("export AWS_ENDPOINT_URL=", quiet),
    ("eddyline stream create ", created),
    ('eddyline generate "template:Access log"', log_written),
    ("eddyline generate ", sent),
    ("eddyline stream tail page-views", newest),
    ("eddyline sql --for 10s", windows),
    ("eddyline replay ", replayed),
    ("echo ", quiet),
    ("eddyline detect ", scored),
    ("eddyline note import ", imported),
    ("eddyline note run Sensors", note_ran),
]
BACKGROUND = "&"


def check_of(command: str) -> Callable[[Output, Example], None]:
    for start, check in CHECKS:
        if command.startswith(start):
            return check
    raise AssertionError(f"no check for the README's command: {command}")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty directory whose ``.venv`` is the one that runs the tests."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    """A fresh user's environment: without this virtual environment on the PATH."""
    own = str(Path(sys.prefix) / "bin")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if p != own)
    dropped = ("VIRTUAL_ENV", "EDDYLINE_DATA_DIR")
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("AWS_")}
    return {**kept, "PATH": path, "PYTHONWARNINGS": "ignore"}


class Terminal:
    """A bash that is given one command after the other."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, Output]:
        """A command's exit code and what it printed."""
        out, err = self._directory / ".out", self._directory / ".err"
        redirected = f"{{ {command}\n}} > {out} 2> {err}"
        if command.endswith(BACKGROUND):
            redirected = f"{{ {command.removesuffix(BACKGROUND)}; }} > .background 2>&1 &"
            out.write_text("")
            err.write_text("")
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{redirected}\necho {END} $?\n")
        self._bash.stdin.flush()
        for line in self._bash.stdout:
            if line.startswith(END):
                return int(line.split()[1]), Output(
                    out.read_text(), err.read_text(), self._directory
                )
        raise AssertionError(f"the terminal ended with: {command}")

    def start(self, command: str) -> str:
        """A command that goes on; its first line of output."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"exec {command}\n")
        self._bash.stdin.flush()
        return self._bash.stdout.readline()

    def close(self) -> None:
        os.killpg(self._bash.pid, signal.SIGINT)
        try:
            self._bash.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.communicate()


@pytest.fixture
def terminals(directory: Path, environment: dict[str, str]) -> Iterator[tuple[Terminal, Terminal]]:
    first, second = (Terminal(directory, environment) for _ in range(2))
    try:
        yield first, second
    finally:
        second.close()
        first.close()


@pytest.mark.timeout(400)
def test_every_command_works_as_written(
    terminals: tuple[Terminal, Terminal], directory: Path
) -> None:
    server, user = terminals
    every = examples()
    assert [e.command for e in every[:2]] == ["source .venv/bin/activate", "eddyline up"]
    assert server.run(every[0].command)[0] == 0
    addresses = json.loads(server.start("eddyline up --port 0 --api-port 0 --json"))
    assert Path(addresses["data_dir"]).samefile(directory / "eddyline-data")
    for example in every[2:]:
        check = check_of(example.command)
        command = example.command
        seconds = next((s for start, s in SHORTER.items() if command.startswith(start)), None)
        if seconds is not None:
            command = re.sub(r"--for \d+s", f"--for {seconds}s", command)
        code, output = user.run(command.replace("http://127.0.0.1:4567", addresses["endpoint"]))
        assert code == 0, f"{command}\n{output.stdout}\n{output.stderr}"
        if not command.endswith(BACKGROUND):
            check(output, example)
    assert_aws_sees_them(user, every)


def assert_aws_sees_them(user: Terminal, every: list[Example]) -> None:
    """The AWS CLI with the README's variables, and its own command for the stream."""
    (aws,) = re.findall(r"`(aws kinesis [^`]+)`", README)
    code, output = user.run(aws)
    assert code != 0  # it exists
    assert "ResourceInUseException" in output.stderr
    code, output = user.run("aws kinesis list-streams --output text")
    assert code == 0, output.stderr
    names = {e.command.split()[3] for e in every if e.command.startswith("eddyline stream create")}
    assert names <= set(output.stdout.split())
    code, output = user.run("eddyline clean-up --yes")
    assert (code, "removed" in output.stderr) == (0, True)


def test_the_python_example_runs() -> None:
    (text,) = [body for kind, body in _FENCE.findall(README) if kind == "python"]
    exec(compile(text, "README.md", "exec"), {})


def test_what_it_says_of_make_is_so() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets
    done = subprocess.run(
        ["make", "PYTHON=python3.99", "VENV=/nonexistent/venv", "/nonexistent/venv/.python"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "There is no command python3.99." in done.stdout


def test_make_does_not_pass_over_a_python_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    done = subprocess.run(
        ["make", "PYTHON=python3.99", f"VENV={tmp_path}", "help"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "There is no command python3.99" in done.stderr
