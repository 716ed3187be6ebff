"""The generator's page: every template renders, every command runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eddyline.generator.methods import METHODS
from eddyline.generator.template import compile_template

PAGE = (Path(__file__).parents[2] / "docs" / "generator.md").read_text()
FENCED = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TEMPLATES = [body for kind, body in FENCED if kind == "template"]
COMMANDS = [
    line[2:] for kind, body in FENCED if not kind for line in body.splitlines() if line[:2] == "$ "
]
EDDYLINE = Path(sys.executable).with_name("eddyline")


def test_there_is_something_to_try() -> None:
    assert len(TEMPLATES) >= 6
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("template", TEMPLATES, ids=range(len(TEMPLATES)))
def test_templates_make_json(template: str) -> None:
    rendering = compile_template(template).rendering(np.random.default_rng(1))
    now = np.full(200, 1_764_000_000_000)
    for record in rendering.records(200, now, now).to_pylist():
        json.loads(record)


def test_commands_run_in_order(tmp_path: Path) -> None:
    for command in COMMANDS:
        ran = subprocess.run(
            ["bash", "-c", command.replace("eddyline", str(EDDYLINE), 1)],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{command}\n{ran.stderr}"
    assert (tmp_path / "labels.ndjson").read_text().count("outlier") > 2


def test_named_methods_exist() -> None:
    mentioned = set(re.findall(r"\{\{\s*(?:set \w+ = |\w+ = )?([a-z]+\.\w+)", PAGE))
    assert mentioned - {"record.next", "module.method"} <= set(METHODS)
    assert len(mentioned) > 20
