"""Fetches and starts client programs of other languages; downloads stay in ``.clients/``."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".clients"
FETCH_S = 1200
PYTHON_CLIENTS = ("aiobotocore==3.10.0", "aws_kinesis_agg==1.2.3", "protobuf<4")


class Client:
    """A client program: the lines it says, as they come."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._errors: list[str] = []
        self._new: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._threads = [
            threading.Thread(target=self._hear_out, daemon=True),
            threading.Thread(target=self._hear_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _hear_out(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    def _hear_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    @property
    def errors(self) -> str:
        return "".join(self._errors[-60:])

    def until(self, done: Callable[[list[str]], bool], timeout_s: float) -> list[str]:
        """Hear lines until they are enough; all lines so far."""
        end = time.monotonic() + timeout_s
        while not done(self.lines):
            try:
                line = self._new.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"not said in {timeout_s} s; so far {self.lines[-5:]}\n{self.errors}")
            if line is None:
                pytest.fail(f"the client ended; so far {self.lines[-5:]}\n{self.errors}")
            self.lines.append(line)
        return self.lines

    def finish(self, timeout_s: float = 120) -> list[str]:
        """Close its input and wait for a good end; all its lines."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"not ended in {timeout_s} s; so far {self.lines[-5:]}\n{self.errors}")
        for thread in self._threads:
            thread.join(5)
        while (line := self._new.get()) is not None:
            self.lines.append(line)
        assert code == 0, f"ended with {code}\n{self.errors}"
        return self.lines

    def kill(self) -> None:
        """End it at once (kill -9), if it still runs."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


def tool(name: str) -> str:
    """A program of this machine; without it the test is skipped."""
    program = shutil.which(name) or shutil.which(name, path="/usr/local/go/bin")
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


def java(project: str, program: str, *options: str) -> list[str]:
    """The command of a single-file Java program with the jars of its ``pom.xml``."""
    return [tool("java"), *options, "-cp", f"{jars(project)}/*", str(HERE / project / program)]


def jars(project: str) -> Path:
    """The folder of all jars that a project's ``pom.xml`` names."""
    tool("java")
    pom = HERE / project / "pom.xml"
    into = CACHE / project / "lib"
    command = [tool("mvn"), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={into}", "-DincludeScope=runtime"]
    fetch(CACHE / project / "fetched", pom.read_text(), command, pom.parent)
    return into


def node(project: str, program: str) -> list[str]:
    """The command of a JavaScript program with the modules of its ``package.json``."""
    package, folder = HERE / project / "package.json", CACHE / project
    folder.mkdir(parents=True, exist_ok=True)
    for file in (package, HERE / project / program):
        shutil.copy(file, folder)
    command = [tool("npm"), "install", "--no-audit", "--no-fund", "--silent"]
    fetch(folder / "fetched", package.read_text(), command, folder)
    return [tool("node"), str(folder / program)]


def go(project: str) -> list[str]:
    """The command of a Go program, built if its sources changed."""
    source = HERE / project
    sources = "".join((source / f).read_text() for f in ("go.mod", "main.go"))
    built = CACHE / project / "client"
    fetch(
        CACHE / project / "fetched", sources, [tool("go"), "build", "-o", str(built), "."], source
    )
    return [str(built)]


def python(*requirements: str) -> Path:
    """The Python of an environment of its own: these clients' pins are not ours."""
    folder = CACHE / "python"
    interpreter = folder / "bin" / "python"
    requirements_json = json.dumps(requirements)
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    mark = CACHE / "python.fetched"
    if not mark.exists() or mark.read_text() != requirements_json:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_S)
    pip = [str(interpreter), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    fetch(mark, requirements_json, [*pip, *requirements], CACHE)
    return interpreter


def fetch(mark: Path, requirements: str, command: list[str], folder: Path) -> None:
    """Run a download or build once; again only when what is wanted has changed."""
    if mark.exists() and mark.read_text() == requirements:
        return
    mark.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=folder, env={**os.environ}, capture_output=True, text=True, timeout=FETCH_S
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    mark.write_text(requirements)
