"""A file as chunks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from eddyline.errors import EddylineError
from eddyline.generator.replay.source import TORN

CHUNK_BYTES = 8 * 1024 * 1024
# A longer line cannot become a record of a stream.
LINE_BYTES_MAX = 10 * 1024 * 1024
NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be used: 1-based number and reason."""

    line: int
    reason: str


@dataclass(slots=True)
class BadLines:
    """How many lines were malformed, and the first few of them."""

    count: int = 0
    named: list[BadLine] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        """Count one line."""
        self.count += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(BadLine(line, reason))


@dataclass(frozen=True, slots=True)
class TextLines:
    """Whole lines without their newlines, and the number of the first."""

    first: int
    lines: list[bytes]


class RemainingStream:
    """What was read already, and then the rest of a stream."""

    closed = False

    def __init__(self, head: bytes, source: IO[bytes]) -> None:
        self._head = head
        self._source = source

    def read(self, n: int = -1) -> bytes:
        """Up to ``n`` bytes, or all."""
        if not self._head:
            return self._source.read(n)
        if n is None or n < 0:
            out, self._head = self._head + self._source.read(), b""
            return out
        out, self._head = self._head[:n], self._head[n:]
        return out

    def close(self) -> None:
        """The stream is its owner's."""


def read_chunks(source: IO[bytes], path: Path) -> Iterator[bytes]:
    """Blocks of bytes; a torn file is ``bad_file``."""
    try:
        while block := source.read(CHUNK_BYTES):
            yield block
    except TORN as error:
        raise EddylineError("bad_file", f"cannot read {path}: {error}") from error


def read_lines(source: IO[bytes], path: Path, faults: BadLines) -> Iterator[TextLines]:
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
            yield TextLines(first, lines)
            first += len(lines)
    if rest and not skipping:
        yield TextLines(first, [rest])
