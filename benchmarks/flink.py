"""Apache Flink as the engine's peer: the same rows, the same query, the same machine and hour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import HOME

VERSION = "2.3.0"


def python() -> Path:
    """The interpreter of an environment that holds Flink, made once.

    FLINK_BASE, where the golden cases are recorded, is used if it is there.
    """
    base = Path(os.environ.get("FLINK_BASE", Path.home() / ".cache" / "eddyline-flink"))
    for home in (base / "venv", HOME / "venv-flink"):
        if (home / "bin" / "python").exists():
            return home / "bin" / "python"
    home = HOME / "venv-flink"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    pip = [str(home / "bin" / "pip"), "install", "-q", f"apache-flink=={VERSION}"]
    subprocess.run(pip, check=True)
    return home / "bin" / "python"


def main(data: Path, rows: int, runs: int = 4) -> list[dict[str, Any]]:
    """One line a run; the first is cold."""
    script = Path(__file__).with_name("flink_job.py")
    done = subprocess.run(
        [str(python()), str(script), str(data), str(rows), str(runs)],
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(li) for li in done.stdout.splitlines() if li.startswith("{")]
