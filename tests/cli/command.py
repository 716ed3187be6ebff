"""The command line as a user has it: a process, its rows, its words, its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Command:
    """``eddyline`` on a data directory of its own."""

    data_dir: Path

    def words(self, *arguments: str) -> list[str]:
        """The process's arguments."""
        return [
            sys.executable, "-m", "eddyline.cli.main", *arguments,
            "--data-dir", str(self.data_dir),
        ]  # fmt: skip

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        words = self.words(*arguments)
        return subprocess.run(words, capture_output=True, text=True, input=stdin, timeout=120)

    def here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same within this process, which is quicker; for what ends at once."""
        from unittest.mock import patch

        from eddyline.cli.main import main

        words = ["eddyline", *arguments, "--data-dir", str(self.data_dir)]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        code: Any = 0
        with (
            patch.object(sys, "argv", words),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as leave:
                code = leave.code or 0
        texts = (f.buffer.getvalue().decode() for f in (out, err))  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(words, code, *texts)

    def rows(self, *arguments: str, stdin: str = "") -> list[dict[str, Any]]:
        """The JSON objects it prints; it must end well."""
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def records(self, stream: str) -> list[str]:
        """All records of a stream, by arrival."""
        rows = self.rows("stream", "tail", stream, "--from", "oldest", "--no-follow", "--json")
        return [r["data"] for r in sorted(rows, key=lambda r: (r["arrival_ms"], r["offset"]))]
