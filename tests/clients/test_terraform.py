"""Terraform's AWS provider makes, changes, plans again without a difference, and destroys.

The provider is not downloaded: ``EDDYLINE_TERRAFORM_PLUGINS`` names a folder that has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from eddyline.testing import TestServer

PLUGINS = os.environ.get("EDDYLINE_TERRAFORM_PLUGINS", "")
CONFIGURATION = Path(__file__).with_name("terraform") / "main.tf"


@pytest.fixture
def terraform(eddyline: TestServer, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a command of Terraform in a folder of its own: its exit status and what it prints."""
    shutil.copy(CONFIGURATION, tmp_path)
    variables = {"TF_VAR_endpoint": eddyline.endpoint_url, "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"}

    def run(*arguments: str, **more: str) -> tuple[int, str]:
        environment = {**os.environ, **variables}
        environment |= {f"TF_VAR_{name}": value for name, value in more.items()}
        command = ["terraform", *arguments, "-no-color"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.skipif(not PLUGINS, reason="EDDYLINE_TERRAFORM_PLUGINS is not set")
@pytest.mark.timeout(600)
def test_terraform(terraform: Callable[..., tuple[int, str]]) -> None:
    assert terraform("init", f"-plugin-dir={PLUGINS}")[0] == 0
    for change in ({}, {"shards": "3", "action": "kinesis:Put*"}):
        status, printed = terraform("apply", "-auto-approve", **change)
        assert status == 0, printed
        status, printed = terraform("plan", "-detailed-exitcode", **change)
        assert status == 0, printed  # 2 would be a difference
    status, printed = terraform("destroy", "-auto-approve")
    assert status == 0, printed
