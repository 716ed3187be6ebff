"""The demonstration on a real web server's log: requests, errors, bytes and visitors, scored."""

from __future__ import annotations

from pathlib import Path


def replay_demo(log: Path, data_dir: Path, as_json: bool) -> None:
    """Replay an access log and score each ten minutes of it."""
    raise NotImplementedError
