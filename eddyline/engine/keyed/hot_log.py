"""A log of the changes of rows in memory.

What has changed is appended before the micro-batch is committed; the job's progress says how much
of the log counts. It is rewritten when it is long.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

# The log is rewritten when it has so many bytes, and four times as many as then.
LOG_BYTES = 1 << 20
LOG_GROWTH = 4


class HotLog:
    """Base of what is kept in memory with a log. directory: where the log is; None for none.

    Each line of the log is a JSON value that ``take_line`` reads and ``all_lines`` makes.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._file: BinaryIO | None = None
        self.generation = self.length = 0
        self._length_max = LOG_BYTES

    # Characters of the rows' texts, where that is known.
    text_size = 0

    @property
    def num_rows(self) -> int:
        """How many rows are in memory."""
        raise NotImplementedError

    def take_line(self, changes: Any) -> None:
        """Take back what a line of the log says."""
        raise NotImplementedError

    def all_lines(self) -> Iterable[Any]:
        """Lines that say all."""
        raise NotImplementedError

    @property
    def path(self) -> Path | None:
        """The log; None if there is none."""
        return None if self._directory is None else self._directory / f"hot-{self.generation}"

    def open(self, generation: int, length: int) -> None:
        """Take back what the first ``length`` bytes of a log say."""
        self.generation, self.length = generation, length
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        assert self.path is not None
        self._file = self.path.open("r+b" if length else "w+b")
        self._file.truncate(length)
        for line in self._file.read(length).splitlines():
            self.take_line(json.loads(line))

    def append(self, lines: Iterable[Any]) -> Path | None:
        """Something has changed; the path of the log that a new one replaces, if it does."""
        if self._file is None:
            return None
        if self.length > self._length_max:
            return self.rewritten_log()
        self._write(lines)
        return None

    def rewritten_log(self) -> Path | None:
        """Begin a log that says all; the path of the one before."""
        if self._file is None:
            return None
        old = self.path
        self._file.close()
        self.generation, self.length = self.generation + 1, 0
        assert self.path is not None
        self._file = self.path.open("w+b")
        self._write(self.all_lines())
        self._length_max = max(LOG_BYTES, LOG_GROWTH * self.length)
        return old

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, lines: Iterable[Any]) -> None:
        assert self._file is not None
        text = b"".join([json.dumps(line).encode() + b"\n" for line in lines])
        if not text:
            return
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())
        self.length += len(text)
