"""Files as a source: lines, file after file in the order of their names.

Bounded, unless ``source.monitor-interval`` asks to look for new files. Lines are cut by numpy,
so that a line costs nothing in Python.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlparse

import numpy as np
import pyarrow as pa

from eddyline.engine.sources.duration import milliseconds
from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.errors import EddylineError

CHUNK_BYTES = 8 << 20


class FilesystemSource(Source):
    """Lines of a file or of all files of a directory; names that begin with . or _ are hidden."""

    bounded = True

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        self._root = local_path(context.options.get("path", ""))
        self._positions: dict[str, int] = {}
        self._done: set[str] = set()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._count = 0
        interval = context.options.get("source.monitor-interval")
        self._monitor_s = milliseconds(interval) / 1000 if interval else None
        self._looked = -1e18
        self.bounded = interval is None
        self.shards = {0: ShardProgress(0, str(self._root))}

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        if not self._root.exists() and self.bounded:
            hint = "give the path of a file or directory that exists, as 'file:///…' or plain"
            raise EddylineError("not_found", f"there is no file {self._root}", hint=hint)
        self._positions = dict(saved or {})

    def positions(self) -> dict[str, int]:
        return dict(self._positions)

    def poll(self, rows_max: int) -> Records | None:
        lines: pa.BinaryArray | None = None
        while lines is None or not len(lines):
            if self._file is None and not self._next_file():
                return None
            lines = self._lines(rows_max)
        n = len(lines)
        offset = np.arange(self._count, self._count + n, dtype=np.int64)
        self._count += n
        self.shards[0].position = self.shards[0].tip = self._count
        arrival = np.full(n, self.context.clock.now_ms(), np.int64)
        return Records(lines, None, None, arrival, offset)

    def place(self, shard: int, offset: int) -> str:
        return f"{self._path or self._root}, line {offset + 1} of all that were read"

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _next_file(self) -> bool:
        now = self.context.clock.monotonic()
        if self._monitor_s is not None:
            if now - self._looked < self._monitor_s and self._looked > 0:
                return False
            self._looked = now
        for path in _files(self._root):
            if str(path) in self._done or path.stat().st_size <= self._positions.get(str(path), 0):
                continue
            self._path = path
            self._file = path.open("rb")
            self._file.seek(self._positions.get(str(path), 0))
            return True
        self.ended = self.bounded
        return False

    def _lines(self, rows_max: int) -> pa.BinaryArray | None:
        """The next lines, each with its line end; None at the end of the file."""
        assert self._file is not None
        assert self._path is not None
        start = self._file.tell()
        size = CHUNK_BYTES
        raw = self._file.read(size)
        while raw and b"\n" not in raw[-size:] and len(more := self._file.read(size)):
            raw += more
        ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == 10) + 1
        if len(raw) and (not len(ends) or (ends[-1] != len(raw) and self._at_end())):
            ends = np.append(ends, len(raw))
        ends = ends[:rows_max]
        if not len(ends):
            self._finish()
            return None
        self._file.seek(start + int(ends[-1]))
        self._positions[str(self._path)] = start + int(ends[-1])
        return _split(raw, ends)

    def _at_end(self) -> bool:
        assert self._file is not None
        here = self._file.tell()
        return not self._file.read(1) or bool(self._file.seek(here) < 0)

    def _finish(self) -> None:
        self.close()
        if self.bounded:
            self._done.add(str(self._path))


def _split(raw: bytes, ends: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.BinaryArray:
    """Lines of ``raw`` that end at ``ends``, empty ones left out."""
    offsets = np.concatenate((np.zeros(1, np.int64), ends))
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(raw)]
    lines = pa.Array.from_buffers(pa.binary(), len(ends), buffers)
    short = np.flatnonzero(np.diff(offsets) <= 2)
    if len(short):
        blank = [i for i in short.tolist() if not lines[i].as_py().strip()]
        keep = np.ones(len(ends), np.bool_)
        keep[blank] = False
        lines = lines.filter(pa.array(keep))
    return lines


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    if not root.is_dir():
        return []
    files = [p for p in root.rglob("*") if p.is_file() and not p.name.startswith((".", "_"))]
    return sorted(files)


def local_path(text: str) -> Path:
    """The path an option names: ``file:///a/b`` or plain.

    Raises:
        EddylineError: ``invalid_argument`` for another scheme.
    """
    parts = urlparse(text)
    if parts.scheme in ("", "file"):
        return Path(unquote(parts.path) if parts.scheme else text)
    hint = "only local files can be read: 'file:///…'"
    raise EddylineError("invalid_argument", f"path {text!r} is not on this machine", hint=hint)
