"""A file as chunks of whole lines."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from eddyline.errors import EddylineError

CHUNK_BYTES = 8 * 1024 * 1024
# A longer line cannot become a record of a stream.
LINE_BYTES_MAX = 10 * 1024 * 1024
NAMED_MAX = 5
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be used: 1-based number and reason."""

    line: int
    reason: str


@dataclass(slots=True)
class Faults:
    """How many lines were malformed, and the first few of them."""

    count: int = 0
    named: list[Fault] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        """Count one line."""
        self.count += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(Fault(line, reason))


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines without their newlines, and the number of the first."""

    first: int
    lines: list[bytes]


def open_input(path: Path) -> IO[bytes]:
    """Open a file, unpacking gzip where its first bytes say so. Raises ``not_found``."""
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        message = f"there is no file {path}"
        raise EddylineError("not_found", message, hint="check the path") from None
    except OSError as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error.strerror}") from error
    head = raw.read(2)
    raw.seek(0)
    if head != _GZIP:
        return raw
    raw.close()  # a GzipFile closes only what it has opened itself
    return gzip.open(path)  # type: ignore[return-value]


def read_chunks(source: IO[bytes], path: Path) -> Iterator[bytes]:
    """Blocks of bytes; a torn gzip file is ``bad_file``."""
    try:
        while block := source.read(CHUNK_BYTES):
            yield block
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error}") from error


def read_lines(source: IO[bytes], path: Path, faults: Faults) -> Iterator[Lines]:
    """The file as chunks of whole lines; a line longer than a record may be is a fault."""
    rest, first, skipping = b"", 1, False
    for block in read_chunks(source, path):
        lines = (rest + block).split(b"\n")
        if first == 1 and not skipping:
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        rest = lines.pop()
        if skipping and lines:
            lines[0], skipping = b"", False
        if len(rest) > LINE_BYTES_MAX:
            if not skipping:
                faults.add(first + len(lines), f"longer than {LINE_BYTES_MAX} bytes")
            rest, skipping = b"", True
        if lines:
            yield Lines(first, lines)
            first += len(lines)
    if rest and not skipping:
        yield Lines(first, [rest])
