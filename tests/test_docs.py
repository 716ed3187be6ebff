"""The docs as tests: reference pages are current, links lead somewhere, examples run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eddyline.testing import TestServer, server

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EDDYLINE = Path(sys.executable).with_name("eddyline")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("name", sorted(generator().PAGES))
def test_reference_page_is_current(name: str) -> None:
    made = generator()
    page = ROOT / "docs" / "reference" / name
    assert page.read_text() == made.HEAD + made.PAGES[name](), "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link, _ in _LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


def examples(page: Path, kind: str) -> list[str]:
    return [body for found, body in _FENCE.findall(page.read_text()) if found == kind]


def test_readme_python_runs() -> None:
    found = examples(ROOT / "README.md", "python")
    assert found
    for text in found:
        exec(compile(text, "README.md", "exec"), {})


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as found:
        yield found


def commands(page: Path) -> list[str]:
    """The ``$ `` lines of a page's examples, continued lines included."""
    found: list[str] = []
    for body in examples(page, ""):
        if not body.startswith("$ "):
            continue
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append(line[2:])
            else:
                found[-1] += "\n" + line
    return found


LONG = {"eddyline up"}  # stays until Ctrl-C: the test's own server stands in for it


def test_readme_commands_run(running: TestServer, tmp_path: Path) -> None:
    """Word for word, in one directory, against one server; what watches for ever is cut short."""
    log = [
        f"192.0.2.{n % 9} - - [24/Nov/2026:10:00:{n % 60:02d} +0000] "
        f'"GET /p{n % 5} HTTP/1.1" 200 512 "-" "Mozilla/5.0"'
        for n in range(200)
    ]
    (tmp_path / "access.log").write_text("\n".join(log) + "\n")
    (tmp_path / "rates.csv").write_text("rate\n" + "".join(f"{90 + n % 20}\n" for n in range(300)))
    note = ROOT / "eddyline" / "service" / "notes" / "examples" / "Sensors.zpln"
    (tmp_path / "Sensors.zpln").write_bytes(note.read_bytes())
    ran = [c for c in commands(ROOT / "README.md") if c.removeprefix(".venv/bin/") not in LONG]
    assert len(ran) >= 7
    for command in ran:
        result = run(command, running, tmp_path)
        assert result.returncode in (0, 130), (
            f"{command}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        )


def run(command: str, running: TestServer, directory: Path) -> subprocess.CompletedProcess[str]:
    """A command as a person types it, but in little time."""
    if command.startswith("export "):
        assert "AWS_ENDPOINT_URL" in command
        command = "true"
    command = re.sub(r"--for \d+s", "--for 3s", command)
    if "eddyline sql" in command:
        command += " --for 3s"
    if "eddyline stream tail" in command:  # follows until Ctrl-C, which ends it in good order
        command = f"timeout --preserve-status -s INT 3 {command}"
    environment = {
        **os.environ,
        "PATH": f"{EDDYLINE.parent}{os.pathsep}{os.environ['PATH']}",
        "EDDYLINE_DATA_DIR": str(running.data_dir),
        "AWS_ENDPOINT_URL": running.endpoint_url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_command_is_in_the_readme_or_the_help() -> None:
    from eddyline.cli.main import COMMANDS

    told = subprocess.run([str(EDDYLINE), "--help"], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert name in told.stdout
