"""The log of one job: starts, warnings, failures and stops, as lines of a file.

``logs/jobs/<job>.log`` in the data directory. At 1 MiB the file becomes ``<job>.log.1`` and a new
one begins, so a job keeps its last few thousand lines however long it runs.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from eddyline.clock import Clock

BYTES_MAX = 1 << 20


class JobLog:
    """Appends lines; a disk that cannot be written does not stop the job."""

    def __init__(self, data_dir: Path, job_id: str, clock: Clock) -> None:
        self._path = log_path(data_dir, job_id)
        self._clock = clock

    def write(self, level: str, text: str) -> None:
        """One line: time (UTC), level, text."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        words = " ".join(text.split())
        entry = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z {level:7} {words}\n"
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > BYTES_MAX:
                self._path.replace(_older(self._path))
            with self._path.open("a", encoding="utf-8") as out:
                out.write(entry)


def log_path(data_dir: Path, job_id: str) -> Path:
    """Where a job's log is."""
    return data_dir / "logs" / "jobs" / f"{job_id}.log"


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def read_log(data_dir: Path, job_id: str, lines: int) -> list[str]:
    """The newest lines, oldest first."""
    path = log_path(data_dir, job_id)
    texts = [p.read_text("utf-8", "replace") for p in (_older(path), path) if p.exists()]
    return "".join(texts).splitlines()[-lines:] if lines > 0 else []


def remove_log(data_dir: Path, job_id: str) -> None:
    """Delete a job's log."""
    path = log_path(data_dir, job_id)
    for file in (path, _older(path)):
        file.unlink(missing_ok=True)
