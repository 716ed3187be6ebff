"""The directives of a W3C extended log: lines that begin with ``#``, of which ``#Fields:`` names
the columns of the lines after it.

IIS writes them again whenever it starts, in the middle of a file too.
https://www.w3.org/TR/WD-logfile.html
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from eddyline.errors import EddylineError


def fields_of(line: bytes) -> tuple[str, ...] | None:
    """The columns that a ``#Fields:`` line names; None of any other line."""
    word, _, rest = line.decode("utf-8", "replace").partition(":")
    return tuple(rest.split()) if word.strip().lower() == "#fields" else None


class DataStream:
    """A stream without its directives, which must name the same columns as before.

    Raises ``bad_file`` where the columns change: the lines after it would be read as others.
    """

    closed = False

    def __init__(self, source: IO[bytes], path: Path, names: tuple[str, ...] | None) -> None:
        self._source = source
        self._path = path
        self._names = names
        self._rest = b""

    def read(self, n: int) -> bytes:
        """Up to ``n`` bytes."""
        while not self._rest:
            lines = self._source.readlines(n)
            if not lines:
                return b""
            self._rest = b"".join(x for x in lines if not x.startswith(b"#") or self._passes(x))
        out, self._rest = self._rest[:n], self._rest[n:]
        return out

    def close(self) -> None:
        """The stream is its owner's."""

    def _passes(self, line: bytes) -> bool:
        """False: a directive is no row."""
        names = fields_of(line)
        if names is not None and names != self._names:
            message = f"the columns of {self._path} change in the middle of the file"
            hint = "split the file before its second #Fields: line, and replay the parts"
            raise EddylineError("bad_file", message, detail=f"to {' '.join(names)}", hint=hint)
        return False
