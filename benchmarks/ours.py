"""Eddyline itself as a process to be measured, started as its users start it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import Endpoint
from benchmarks.ports import free_port, wait_for


@contextmanager
def eddyline(*options: str, home: Path | None = None) -> Iterator[Endpoint]:
    """A server on a scratch directory, studio and all; its data lie in ``home / "data"``."""
    home = home or Path(tempfile.mkdtemp(prefix="eddyline-bench-"))
    port, studio = free_port(), free_port()
    command = [
        str(Path(sys.executable).with_name("eddyline")), "up", "--data-dir", str(home / "data"),
        "--api-port", str(port), "--port", str(studio), *options,
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(port, process)
            wait_for(studio, process)
            yield Endpoint("eddyline", f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(home, ignore_errors=True)
