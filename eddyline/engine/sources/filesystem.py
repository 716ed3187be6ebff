"""Files as a source: file after file in the order of their paths.

Bounded, unless ``source.monitor-interval`` asks to look for new files. Lines are cut by numpy, so
that a line costs nothing in Python. A position is a number of bytes, or of rows in a bulk format;
``FINISHED`` for a bulk file that was read to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eddyline.engine.files.partitions import values_of
from eddyline.engine.files.store import FileInfo, store_of
from eddyline.engine.sources.source import Records, ShardProgress, Source, SourceContext
from eddyline.errors import EddylineError
from eddyline.options.any_table import FORMAT
from eddyline.options.connectors import filesystem as options
from eddyline.options.formats import own_options
from eddyline.record.formats.files import BULK_FORMATS, bulk_format
from eddyline.record.schema import Schema
from eddyline.sql import physical as plan

CHUNK_BYTES = 8 << 20
FINISHED = -1


class FilesystemSource(Source):
    """Lines, or rows, of a file or of all files of a directory; . and _ hide a name."""

    def __init__(self, context: SourceContext, node: plan.Scan) -> None:
        super().__init__(context)
        self._store = store_of(options.PATH.read(context.options), context.settings)
        self._positions: dict[str, int] = {}
        self._done: set[str] = set()
        self._file: BinaryIO | None = None
        self._info: FileInfo | None = None
        self._tables: Iterator[pa.Table] | None = None
        self._count = 0
        interval = options.MONITOR_INTERVAL.get(context.options)
        self._monitor_s = None if interval is None else interval / 1000
        self._pattern = options.PATH_PATTERN.get(context.options)
        self._partitioned_by = node.table.partitioned_by
        self._default = options.DEFAULT_PARTITION.read(context.options)
        self._keys = [key for _, key in node.metadata]
        name = FORMAT.read(context.options)
        stored = Schema(tuple(c for c in node.columns if c.name not in self._partitioned_by))
        self._bulk = None
        if name in BULK_FORMATS:
            self.gives_rows = True
            self._bulk = bulk_format(name, stored, own_options(name, context.options))
        # A raw record is the line itself: blank ones count, and the line's end is not part of it.
        self._is_raw = name == "raw"
        self._looked_s: float | None = None
        self.bounded = interval is None
        self.shards = {0: ShardProgress(0, self._store.root)}

    def open(self, saved: dict[str, int] | None, identity: str | None = None) -> None:
        if self.bounded and not self._store.exists():
            hint = "give the path of a file or directory that exists, as 'file:///…' or plain"
            raise EddylineError("not_found", f"there is no file {self._store.root}", hint=hint)
        self._positions = dict(saved or {})

    def positions(self) -> dict[str, int]:
        return dict(self._positions)

    def poll(self, rows_max: int) -> Records | None:
        rows: Any = None
        while rows is None or not len(rows):
            if self._file is None and not self._next_file():
                return None
            rows = self._rows() if self._bulk is not None else self._lines(rows_max)
        n = len(rows)
        offset = np.arange(self._count, self._count + n, dtype=np.int64)
        self._count += n
        self.shards[0].position = self.shards[0].tip = self._count
        arrival = np.full(n, self.context.clock.now_ms(), np.int64)
        payload, table = (rows, None) if self._bulk is None else (None, rows)
        return Records(payload, table, None, arrival, offset, self._metadata(n), self._partition())

    def place(self, shard: int, offset: int) -> str:
        unit = "line" if self._bulk is None else "row"
        path = self._info.path if self._info else self._store.root
        return f"{path}, {unit} {offset + 1} of all that were read"

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = self._tables = None

    def _next_file(self) -> bool:
        now = self.context.clock.monotonic()
        looked, interval = self._looked_s, self._monitor_s
        if interval is not None and looked is not None and now - looked < interval:
            return False
        for info in self._store.files():
            if self._is_read(info):
                continue
            self._info = info
            position = self._positions.get(info.path, 0)
            if self._bulk is None:
                self._file = self._store.open(info.path, position)
            else:
                self._file = self._store.open(info.path, 0)
                self._tables = self._bulk.read(self._file, position)
            return True
        self._looked_s = now  # all files are read; the next look is due after the interval
        self.ended = self.bounded
        return False

    def _is_read(self, info: FileInfo) -> bool:
        if self._pattern is not None and not self._pattern.fullmatch(info.path):
            return True
        position = self._positions.get(info.path, 0)
        if info.path in self._done or position == FINISHED:
            return True
        return self._bulk is None and info.size <= position

    def _rows(self) -> pa.Table | None:
        """The next rows of a bulk file; None at its end."""
        assert self._tables is not None
        assert self._info is not None
        path = self._info.path
        try:
            table = next(self._tables, None)
        except EddylineError as error:
            message = f"{path} cannot be read: {error.message}"
            raise EddylineError("bad_file", message, hint=error.hint) from error
        if table is None:
            self._positions[path] = FINISHED
            self.close()
            return None
        self._positions[path] = self._positions.get(path, 0) + table.num_rows
        return table

    def _lines(self, rows_max: int) -> pa.BinaryArray | None:
        """The next lines, each with its line end; None at the end of the file."""
        assert self._file is not None
        assert self._info is not None
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
            self.close()
            if self.bounded:
                self._done.add(self._info.path)
            return None
        self._file.seek(start + int(ends[-1]))
        self._positions[self._info.path] = start + int(ends[-1])
        lines = _split(raw, ends)
        return _without_line_end(lines) if self._is_raw else _without_blank(lines)

    def _at_end(self) -> bool:
        assert self._file is not None
        here = self._file.tell()
        return not self._file.read(1) or bool(self._file.seek(here) < 0)

    def _metadata(self, n: int) -> dict[str, pa.Array]:
        assert self._info is not None
        known = {
            "file.path": self._info.path,
            "file.name": self._info.relative.rpartition("/")[2],
            "file.size": self._info.size,
            "file.modification-time": pa.scalar(self._info.modified_ms, pa.timestamp("ms")),
        }
        return {key: pa.repeat(known[key], n) for key in self._keys if key in known}

    def _partition(self) -> dict[str, str | None]:
        """The values of the partition columns that the file's folders say.

        Raises:
            EddylineError: ``bad_file`` for a file that is in no partition.
        """
        assert self._info is not None
        values = values_of(self._info.relative, self._partitioned_by, self._default)
        if values is None:
            names = "/".join(f"{c}=…" for c in self._partitioned_by)
            message = f"{self._info.path} is in no partition of table {self.context.name}"
            hint = f"put it into folders {names} below {self._store.root}, or remove it"
            raise EddylineError("bad_file", message, hint=hint)
        return values


def _split(raw: bytes, ends: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.BinaryArray:
    """Lines of ``raw`` that end at ``ends``."""
    offsets = np.concatenate((np.zeros(1, np.int64), ends))
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(raw)]
    return pa.Array.from_buffers(pa.binary(), len(ends), buffers)


def _without_blank(lines: pa.BinaryArray) -> pa.BinaryArray:
    short = np.flatnonzero(pc.less_equal(pc.binary_length(lines), 2).to_numpy(zero_copy_only=False))
    blank = [i for i in short.tolist() if not lines[i].as_py().strip()]
    if not blank:
        return lines
    keep = np.ones(len(lines), np.bool_)
    keep[blank] = False
    return lines.filter(pa.array(keep))


def _without_line_end(lines: pa.BinaryArray) -> pa.BinaryArray:
    """Lines without their line feed and one carriage return before it, as Flink reads them."""
    return pc.replace_substring_regex(lines, r"\r?\n?\z", "", max_replacements=1)
